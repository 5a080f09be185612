#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# libmemkind-preload.so: the rules of malloc's family and of operator new, from the first block of a process to the
# last; what its variables do, and what it says where they are wrong; setuid programs; the report.
#
# usage: test_preload.sh PRELOAD RULES OPERATORS PLUGIN PLUGIN_LIBRARY CLEARED
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../support/check.sh"
. "$(dirname "${BASH_SOURCE[0]}")/../support/preloaded.sh"
preload=$1 rules=$2 operators=$3 plugin=$4 plugin_library=$5 cleared=$6

begin

# --- rules ------------------------------------------------------------------------------------------

for manager in JEMALLOC TBB; do
    for watched in "" MEMKIND_PRELOAD_REPORT=/dev/null \
        "MEMKIND_PRELOAD_PROFILE=$scratch/profile MEMKIND_PRELOAD_PROFILE_RATE=64" \
        "MEMKIND_PRELOAD_PROFILE=$scratch/profile MEMKIND_PRELOAD_REPORT=/dev/null"; do
        check "rules, $manager $watched" well "$(under MEMKIND_HEAP_MANAGER=$manager $watched "$rules")"
        check "no environment any more, $manager $watched" well "$(under MEMKIND_HEAP_MANAGER=$manager $watched "$cleared")"
        check "operators, $manager $watched" well "$(under MEMKIND_HEAP_MANAGER=$manager $watched "$operators")"
    done
    check "a C++ runtime that is a plugin's own, $manager" well \
        "$(under MEMKIND_HEAP_MANAGER=$manager "$plugin" "$plugin_library")"
done
for value in yes "" 0; do
    check "MEMKIND_CHECK=$value is not on: blocks of others are freed" well \
        "$(under MEMKIND_CHECK="$value" "$rules" | sed '/^MEMKIND: MEMKIND_CHECK=.* is not accepted/d')"
done
check "MEMKIND_CHECK=2 tells what is nobody's block" "1 well" \
    "$(under MEMKIND_CHECK=2 "$rules" check | awk '/^MEMKIND: / { n = 1 } END { print n, $0 }')"

# --- the kind -----------------------------------------------------------------------------------------

for name in HBW hbw MEMKIND_HBW; do
    under MEMKIND_HBW_NODES=0 MEMKIND_PRELOAD_KIND=$name MEMKIND_PRELOAD_REPORT="$scratch/$name.report" sort /dev/null
    read -r calls peak live nodes <<<"$(row HBW $name.report)"
    [ "${calls:-0}" -ge 10 ] || fail "MEMKIND_PRELOAD_KIND=$name: $calls blocks"
done
check "a kind that nobody knows" \
    "MEMKIND: MEMKIND_PRELOAD_KIND=fast is not accepted; accepted: DEFAULT, HBW, HBW_PREFERRED, REGULAR and the other static kinds; DEFAULT is used
x" "$(under MEMKIND_PRELOAD_KIND=fast echo x)"
check "a kind that is not here" "DEFAULT is used" \
    "$(under MEMKIND_HBW_NODES=1000 MEMKIND_PRELOAD_KIND=HBW echo x | grep -o 'DEFAULT is used')"

# --- no environment -----------------------------------------------------------------------------------

under MEMKIND_HBW_NODES=0 MEMKIND_PRELOAD_KIND=HBW MEMKIND_PRELOAD_LIMIT=1M "$cleared" >said
check "no environment any more, and a kind at its limit" well "$(cat said)"
check "no environment from the first block on" well "$(under "$cleared" first)"

# --- addresses ----------------------------------------------------------------------------------------

# tables VARIABLE=VALUE...: mappings of 128 MiB without huge pages: the table that tells whose block is freed.
tables()
{
    under "$@" cat /proc/self/smaps | awk '/^Size:/ { size = $2 } /^VmFlags:.* nh/ && size == 131072 { n++ } END { print n + 0 }'
}
echo "size 1M.. -> REGULAR" >"$scratch/large"
for settings in A=1 "MEMKIND_PRELOAD_PROFILE=$scratch/tables" MEMKIND_PRELOAD_REPORT=/dev/null \
    "MEMKIND_HEAP_MANAGER=TBB MEMKIND_PRELOAD_KIND=REGULAR" "MEMKIND_CHECK=2 MEMKIND_PRELOAD_KIND=REGULAR"; do
    # shellcheck disable=SC2086 # words
    check "$settings: nobody asks for the table of owners" 0 "$(tables $settings)"
done
for settings in MEMKIND_PRELOAD_KIND=REGULAR "MEMKIND_PRELOAD_RULES=$scratch/large" "MEMKIND_CHECK=1 MEMKIND_PRELOAD_KIND=REGULAR"; do
    # shellcheck disable=SC2086 # words
    check "$settings: there is a table of owners" 1 "$(tables $settings)"
done

# --- the limit ----------------------------------------------------------------------------------------

# 40 MB in blocks of 1000 bytes, of which the kind may have 8 MiB; the rest is MEMKIND_DEFAULT's.
under MEMKIND_HBW_NODES=0 MEMKIND_PRELOAD_KIND=HBW MEMKIND_PRELOAD_LIMIT=8M \
    MEMKIND_PRELOAD_REPORT="$scratch/limit" perl -e 'push @a, "x" x 1000 for 1 .. 40000; print scalar(@a), "\n"' >said
check "a program with more than the limit goes on" 40000 "$(cat said)"
read -r calls peak live nodes <<<"$(row HBW limit)"
# With jemalloc's pages of 64 KiB more of it is in slabs that nobody has touched yet.
[ "$nodes" -gt 2048 ] && [ "$nodes" -le 8192 ] || fail "a limit of 8 MiB: $nodes KiB are on nodes"
[ "$peak" -gt 4096 ] && [ "$peak" -le 8192 ] || fail "a limit of 8 MiB: $peak KiB at most"
read -r calls peak live nodes <<<"$(row DEFAULT limit)"
[ "$nodes" -gt 30000 ] && [ "$peak" -gt 30000 ] || fail "beyond the limit: $nodes KiB on nodes, $peak KiB at most"
check "MEMKIND_DEFAULT has nothing beyond its limit" "Out of memory" \
    "$(under MEMKIND_PRELOAD_LIMIT=8M perl -e '$a = "x" x 100000000' | grep -o '^Out of memory')"
for kind in "MEMKIND_HBW_NODES=1000 MEMKIND_PRELOAD_KIND=HBW" MEMKIND_PRELOAD_KIND=HWB; do
    check "a limit on a kind that is refused: $kind" 100000000 \
        "$(under $kind MEMKIND_PRELOAD_LIMIT=8M perl -e '$a = "x" x 100000000; print length $a' | sed '/^MEMKIND: /d')"
done
for limit in 0 many 1Q -1 99999999T "64 " "64 iB"; do
    check "a limit of $limit" \
        "MEMKIND: MEMKIND_PRELOAD_LIMIT=$limit is not accepted; accepted: bytes from 1 on, or with K, M, G or T; there is no limit
x" "$(under MEMKIND_PRELOAD_LIMIT="$limit" echo x)"
done

# --- the report ---------------------------------------------------------------------------------------

check "a program that closes stderr has a report there" 1 \
    "$(under MEMKIND_PRELOAD_REPORT=- ls -d . | grep -c '^memkind report of ls, process [0-9]*; sizes in KiB$')"
for most in 200 20; do
    check "a report on stderr of a process with $most descriptors" 1 \
        "$(ulimit -n $most && under MEMKIND_PRELOAD_REPORT=- ls -d . | grep -c "^memkind report of ls")"
done
under MEMKIND_PRELOAD_REPORT="$scratch/children" perl -e '$x = "y" x 5000000; if (!fork) { exit } wait'
check "a child that ends has one, too" 2 "$(grep -c '^memkind report of perl' children)"
read -r calls peak live nodes <<<"$(row DEFAULT children)"
[ "$peak" -ge 4882 ] && [ "$live" -ge 4882 ] || fail "5 MB: $peak KiB at most, $live KiB in the end"

# --- setuid -------------------------------------------------------------------------------------------

if [ "$(id -u)" -ne 0 ] || ! command -v setpriv >/dev/null; then
    echo "SKIP: preload/setuid: this needs root and setpriv"
else
    cp "$(command -v id)" other
    chmod 4755 other
    chmod 755 .
    touch setuid
    chmod 666 setuid
    said=$(setpriv --reuid=65534 --clear-groups env LD_PRELOAD="$preload" \
        MEMKIND_PRELOAD_REPORT="$scratch/setuid" ./other 2>/dev/null)
    case $said in
    # By the dynamic loader, which does not preload from a path into it: no code of the library runs.
    *euid=0*) check "the dynamic loader leaves a setuid program alone" "" "$(cat setuid)" ;;
    *) echo "SKIP: preload/setuid: a file system without setuid programs" ;;
    esac
fi
not_told MEMKIND_PRELOAD_KIND=nonsense "MEMKIND: MEMKIND_PRELOAD_KIND=nonsense is not accepted"
exit $failed

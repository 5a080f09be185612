#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# libautohbw.so.0: each of its variables, right and wrong; which blocks come from which kind; programs of the system.
#
# usage: test_autohbw.sh LIBRARY RULES OPERATORS ASK
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../support/check.sh"
. "$(dirname "${BASH_SOURCE[0]}")/../support/preloaded.sh"
preload=$1 rules=$2 operators=$3 ask=$4

begin
unset "${!AUTO_HBW_@}"
export MEMKIND_HBW_NODES=0

# blocks VARIABLE... ask ARGUMENT...: "SIZE KIND" of each block that the log tells, of sizes from 1000 on, and what
# else is said.
blocks()
{
    under "$@" | sed -E 's/^AUTO_HBW: ([0-9]+) bytes of (MEMKIND_[A-Z_]*) at 0x[0-9a-f]+; free MiB by node: 0: [0-9]+.*$/\1 \2/' |
        awk '$2 !~ /^MEMKIND_/ || $1 >= 1000' | tr '\n' ' '
}

# --- sizes ----------------------------------------------------------------------------------------

more="AUTO_HBW: blocks of more than"
check "more than x" "$more 4096 bytes come from MEMKIND_HBW_PREFERRED 4097 MEMKIND_HBW_PREFERRED well " \
    "$(blocks AUTO_HBW_SIZE=4K "$ask" malloc:4095 malloc:4096 malloc:4097)"
check "between x and y" \
    "$more 1048576 and less than 5242880 bytes come from MEMKIND_HBW_PREFERRED 1048577 MEMKIND_HBW_PREFERRED 5242879 MEMKIND_HBW_PREFERRED well " \
    "$(blocks AUTO_HBW_SIZE=1M:5M "$ask" malloc:1048576 malloc:1048577 malloc:5242879 malloc:5242880)"
check "bytes, and an open end" "$more 9999 bytes come from MEMKIND_HBW_PREFERRED 10000 MEMKIND_HBW_PREFERRED well " \
    "$(blocks AUTO_HBW_SIZE=9999: "$ask" malloc:9999 malloc:10000)"
check "nothing said: all sizes" "$more 0 bytes come from MEMKIND_HBW_PREFERRED 1000 MEMKIND_HBW_PREFERRED" \
    "$(blocks "$ask" malloc:1000 | grep -o "^$more.*PREFERRED.* 1000 MEMKIND_HBW_PREFERRED" | sed 's/PREFERRED .*1000/PREFERRED 1000/')"
check "every way to ask" "9001 9002 9003 9004 " \
    "$(blocks AUTO_HBW_SIZE=9000 "$ask" malloc:9001 calloc:9002 aligned:9003 realloc:9004 malloc:10 |
        grep -oE '900[1-9] ' | tr -d '\n')"
for size in x 4K:x 4Q 5M:1M 4K:4K :4K -1 4K:5M:6M " 4K" ""; do
    check "AUTO_HBW_SIZE=$size" "MEMKIND: AUTO_HBW_SIZE=$size is not accepted; accepted: x or x:y, with x less than y, \
bytes or with K, M, G or T; blocks of all sizes are meant" \
        "$(under AUTO_HBW_LOG=0 AUTO_HBW_SIZE="$size" "$ask" | grep '^MEMKIND')"
done
check "a block that grows into the range, or shrinks out of it, changes its kind" "created 2 calls, live 20 KiB" \
    "$(under AUTO_HBW_LOG=-1 AUTO_HBW_SIZE=9000:1M MEMKIND_PRELOAD_REPORT=- "$ask" realloc:10000 shrink:9500 shrink:100 |
        awk '$1 == "HBW_PREFERRED" { print "created " $2 " calls, live " $4 " KiB" }')"

# --- the memory -----------------------------------------------------------------------------------

under AUTO_HBW_LOG=-1 AUTO_HBW_SIZE=1M AUTO_HBW_MEM_TYPE=MEMKIND_HBW MEMKIND_PRELOAD_REPORT="$scratch/bytes" \
    "$ask" malloc:20000000 malloc:100000 >said
check "where the bytes are" well "$(cat said)"
read -r calls peak live nodes <<<"$(row HBW bytes)"
[ "$calls" -eq 1 ] && [ "$live" -ge 19531 ] && [ "$nodes" -ge 19531 ] || fail "20 MB: $calls blocks, $live KiB, $nodes on nodes"
for type in DEFAULT INTERLEAVE HBW HBW_PREFERRED HBW_INTERLEAVE; do
    check "AUTO_HBW_MEM_TYPE=MEMKIND_$type" "8000 MEMKIND_$type" \
        "$(blocks AUTO_HBW_SIZE=4K AUTO_HBW_MEM_TYPE=MEMKIND_$type "$ask" malloc:8000 | grep -oE "8000 MEMKIND_[A-Z_]*")"
done
for type in HUGETLB HBW_HUGETLB HBW_PREFERRED_HUGETLB HBW_GBTLB HBW_PREFERRED_GBTLB GBTLB; do
    check "AUTO_HBW_MEM_TYPE=MEMKIND_$type is known" "" \
        "$(under AUTO_HBW_LOG=0 AUTO_HBW_MEM_TYPE=MEMKIND_$type "$ask" | grep 'is not accepted' || true)"
done
check "a type that is not known" "MEMKIND: AUTO_HBW_MEM_TYPE=MCDRAM is not accepted; accepted: DEFAULT, HBW, HBW_PREFERRED, \
REGULAR and the other static kinds; DEFAULT is used $more 0 bytes come from MEMKIND_DEFAULT well " \
    "$(under AUTO_HBW_LOG=0 AUTO_HBW_MEM_TYPE=MCDRAM "$ask" | tr '\n' ' ')"
check "a type that is not here" "DEFAULT is used $more 0 bytes come from MEMKIND_DEFAULT well " \
    "$(under MEMKIND_HBW_NODES=1000 AUTO_HBW_LOG=0 AUTO_HBW_MEM_TYPE=MEMKIND_HBW "$ask" |
        sed 's/^MEMKIND: AUTO_HBW_MEM_TYPE=.*; //; /^MEMKIND: /d' | tr '\n' ' ')"
check "no high-bandwidth memory" "$more 0 bytes come from MEMKIND_DEFAULT" \
    "$(under MEMKIND_HBW_NODES=1000 AUTO_HBW_LOG=0 "$ask" | grep '^AUTO')"
check "a type without memory is not the end" well \
    "$(under AUTO_HBW_LOG=-1 AUTO_HBW_SIZE=1M:5M AUTO_HBW_MEM_TYPE=MEMKIND_HBW MEMKIND_HEAP_MANAGER=JEMALLOC "$ask" \
        malloc:2000000 realloc:4000000)"

# --- the log --------------------------------------------------------------------------------------

check "level -1 says nothing, not even of what is wrong" well "$(under AUTO_HBW_LOG=-1 AUTO_HBW_SIZE=x "$ask" malloc:5000)"
check "level 0" "$more 4096 bytes come from MEMKIND_HBW_PREFERRED well " \
    "$(blocks AUTO_HBW_LOG=0 AUTO_HBW_SIZE=4K "$ask" malloc:5000)"
check "level 1 is the usual one" "$(blocks AUTO_HBW_SIZE=4K "$ask" malloc:5000)" \
    "$(blocks AUTO_HBW_LOG=1 AUTO_HBW_SIZE=4K "$ask" malloc:5000)"
under AUTO_HBW_LOG=2 AUTO_HBW_SIZE=4K "$ask" malloc:5000 >stack
grep -A3 '^AUTO_HBW: 5000 bytes' stack | grep -q "^AUTO_HBW:   .*ask +0x[0-9a-f]*$" || fail "level 2: no frame of the program"
for level in 3 -2 x ""; do
    check "AUTO_HBW_LOG=$level" "MEMKIND: AUTO_HBW_LOG=$level is not accepted; accepted: numbers from -1 to 2; 1 is used" \
        "$(under AUTO_HBW_LOG=$level AUTO_HBW_SIZE=4K "$ask" | grep '^MEMKIND')"
done
check "AUTO_HBW_DEBUG=1" "AUTO_HBW: AUTO_HBW_SIZE=4K well " \
    "$(under AUTO_HBW_DEBUG=1 AUTO_HBW_SIZE=4K "$ask" | grep -v "$more" | tr '\n' ' ')"
check "AUTO_HBW_DEBUG=2 tells of all blocks" "3000 MEMKIND_DEFAULT 5000 MEMKIND_HBW_PREFERRED" \
    "$(blocks AUTO_HBW_DEBUG=2 AUTO_HBW_SIZE=4K "$ask" malloc:3000 malloc:5000 | grep -oE '3000 MEMKIND_DEFAULT 5000 MEMKIND_HBW_PREFERRED')"
check "AUTO_HBW_DEBUG=3" "MEMKIND: AUTO_HBW_DEBUG=3 is not accepted; accepted: numbers from 0 to 2; 0 is used" \
    "$(under AUTO_HBW_DEBUG=3 AUTO_HBW_SIZE=4K "$ask" | grep '^MEMKIND')"
check "off and on" "6001 MEMKIND_HBW_PREFERRED 6003 MEMKIND_HBW_PREFERRED" \
    "$(blocks AUTO_HBW_SIZE=4K "$ask" malloc:6001 off malloc:6002 on malloc:6003 | grep -oE '600[0-9] [A-Z_]*' | xargs)"
check "a program that has another file as its stderr is left alone" "x" \
    "$(under AUTO_HBW_SIZE=4K perl -e 'close STDERR; open STDERR, ">", "mine"; $a = "x" x 100000; print "x\n"' | grep -v ^AUTO; cat mine)"

# --- programs -------------------------------------------------------------------------------------

for manager in JEMALLOC TBB; do
    for size in 0 100 3000:100K; do
        variables=(MEMKIND_HEAP_MANAGER=$manager AUTO_HBW_SIZE=$size AUTO_HBW_LOG=-1)
        check "rules, $manager, $size" well "$(under "${variables[@]}" "$rules")"
        check "operators, $manager, $size" well "$(under "${variables[@]}" "$operators")"
    done
    check "fork, $manager" well "$(under "${variables[@]}" "$ask" fork)"
done
same_programs "sizes from 100 on" AUTO_HBW_SIZE=100 AUTO_HBW_LOG=-1
exit $failed

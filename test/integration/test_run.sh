#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# memkind-run: what the program finds, what it says where it cannot run it, and its exit status.
#
# usage: test_run.sh MEMKIND_RUN PRELOAD MEMKIND_INFO
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../support/check.sh"
run=$1 preload=$(realpath "$2") info=$3

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
unset "${!MEMKIND_@}" LD_PRELOAD

# said ARGUMENT...: what is said, in one go, and the exit status.
said()
{
    local status=0
    "$run" "$@" 2>&1 </dev/null || status=$?
    echo "status $status"
}

# --- what cannot be run ---------------------------------------------------------------------------------

check "nothing to run" "memkind-run: no program is named; --help tells how
status 125" "$(said)"
check "no such kind" "memkind-run: --kind: no static kind has this name: quick; memkind-info --kinds shows them
status 125" "$(said --kind quick true)"
check "no kind at all" 125 "$(said --kind '' true | sed -n 's/^status //p')"
check "a kind that is not here" "memkind-run: --kind: MEMKIND_HBW is not available here: status 125" \
    "$(MEMKIND_HBW_NODES=1000 said -k hbw true | sed '/^MEMKIND: /d; s/\(here: \).*/\1/' | tr -d '\n')"
for size in 0 x 1Q -1 8E 9999999999T "64 " "64 iB" 64KB 64Ki; do
    check "a limit of $size" \
        "memkind-run: --limit: this is no size: $size; accepted: bytes from 1 on, or with K, M, G or T
status 125" "$(said --limit "$size" true)"
done
for size in 1 64k 64KiB 8388607T; do
    check "a limit of $size" "status 0" "$(said --limit "$size" --help | sed -n '$p')"
done
check "no such heap manager" \
    "memkind-run: --heap-manager: there is none of this name: tbb; accepted: JEMALLOC or TBB
status 125" "$(said --heap-manager tbb true)"
check "a report where no file can be" "memkind-run: --report: no/folder: No such file or directory
status 125" "$(said --report=no/folder true)"
check "an unknown option" 125 "$(said --fast true | sed -n 's/^status //p')"
check "no such program" "memkind-run: nobody: No such file or directory
status 127" "$(said nobody)"
check "a folder is no program" "memkind-run: /: Permission denied
status 126" "$(said /)"
mkdir -p "a b/tools" "a b/preload" && cp "$run" "a b/tools/run"
check "no library" "memkind-run: libmemkind-preload.so is not where it belongs:" \
    "$("a b/tools/run" true 2>&1 | grep -o '^.*belongs:')"
: >"a b/preload/libmemkind-preload.so"
check "a path that cannot be preloaded" \
    "memkind-run: a path with a space or a colon cannot be preloaded: $scratch/a b/preload/libmemkind-preload.so" \
    "$("a b/tools/run" true 2>&1 || true)"
check "--help" "usage: memkind-run status 0" "$(said --help | sed -n 's/\(usage: memkind-run\).*/\1/p; $p' | xargs)"
same_options "$run"
check "--version" "memkind-run 0" "$(said -V | awk 'NR == 1 { print $1 } END { print $2 }' | xargs)"

# --- what the program finds -----------------------------------------------------------------------------

check "the status is the program's" "status 7" "$(said sh -c 'exit 7')"
check "the options are the program's after its name" "a --kind nonsense status 0" \
    "$(said printf '%s ' a --kind nonsense)"
check "variables" "LD_PRELOAD=$preload:libm.so.6
MEMKIND_HEAP_MANAGER=TBB
MEMKIND_PRELOAD_KIND=MEMKIND_REGULAR
MEMKIND_PRELOAD_LIMIT=64MiB
MEMKIND_PRELOAD_REPORT=$scratch/file" \
    "$(LD_PRELOAD=libm.so.6 "$run" -m TBB -k regular -l 64MiB --report=file -- env |
        grep -E '^(MEMKIND_|LD_PRELOAD)' | LC_ALL=C sort)"
check "--verbose" "memkind-run: MEMKIND_PRELOAD_KIND=MEMKIND_DEFAULT
memkind-run: LD_PRELOAD=$preload
status 0" "$(said -v -k default true)"
check "a report on standard error, of the kind" "memkind report of sort HBW" \
    "$(MEMKIND_HBW_NODES=0 "$run" --kind hbw --report sort /dev/null 2>&1 |
        awk 'NR == 1 { sub(",", ""); report = $1 " " $2 " " $3 " " $4 } $1 == "HBW" && $2 > 0 { print report, $1 }')"
names=$("$info" --json | grep -oE '"MEMKIND_[A-Z_]+"' | tr -d '"' | sort -u)
[ "$(wc -l <<<"$names")" -ge 26 ] || fail "memkind-info --json has the kinds $names"
for name in $names; do
    check "the library knows $name" "" \
        "$(LD_PRELOAD=$preload MEMKIND_PRELOAD_KIND=$name sh -c : 2>&1 | grep 'is not accepted' || true)"
done
"$run" -rshort ls -d . >/dev/null
check "the short form of a report with a file" 1 "$(grep -c '^memkind report of ls' short)"
"$run" --report=relative sh -c 'cd / && ls >/dev/null'
check "the file of a report is where the command was given" 1 "$(grep -c '^memkind report of ls' relative)"
exit $failed

#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# memkind-bench measures every pattern on every kind that it knows, under both heap managers and as malloc(3),
# acts every scenario of memory, and what scripts/bench makes of figures is right: those of test/integration/bench are small enough to be checked by
# hand. How fast anything is does not matter here.
#
# usage: test_bench.sh SOURCE_DIR MEMKIND_BENCH LIBRARY
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../support/check.sh"
source=$1 bench=$2 library=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset "${!MEMKIND_@}"
export LC_ALL=C

"$bench" --list | awk '{ print $1 }' | sort >"$scratch/patterns"
[ "$(wc -l <"$scratch/patterns")" -ge 13 ] || fail "only $(wc -l <"$scratch/patterns") patterns"

# run WHAT NOTE OPTION...: what it says goes to $scratch/said; no note in the column NOTE tells of a failure.
run()
{
    "$bench" "${@:3}" --folder "$scratch" >"$scratch/said" 2>"$scratch/errors" || fail "$1: status $?"
    [ ! -s "$scratch/errors" ] || fail "$1: $(head -n 3 "$scratch/errors")"
    awk -F , -v note="$2" 'NR > 1 && $note ~ /^(failed|cannot)/ { print }' "$scratch/said" >"$scratch/bad"
    [ ! -s "$scratch/bad" ] || fail "$1: $(cat "$scratch/bad")"
}

# measure WHAT OPTION...: every pattern, by one thread and by three, has figures.
measure()
{
    run "$1" 9 "${@:2}" --csv --threads 1,3 --operations 500
    awk -F , 'NR > 1 && ($4 > 0 && $5 > 0 && $7 > 0 && $8 > 0 || $9 ~ /^skipped/) { print $1 }' "$scratch/said" |
        sort -u | diff "$scratch/patterns" - || fail "$1: patterns without figures"
}
kinds=DEFAULT,REGULAR,PMEM,FIXED,hbw_malloc
measure "JEMALLOC" --library "$library" --kinds $kinds
MEMKIND_HEAP_MANAGER=TBB measure "TBB" --library "$library" --kinds $kinds
measure "malloc" --plain

# remember WHAT OPTION...: every scenario of memory, made small, has figures, or is one that needs kinds.
remember()
{
    run "$1" 5 "${@:2}" --memory ALL --size 0.004 --wait 0.2
    awk -F , 'NR > 1 && ($4 > 0 || $5 == "there are no kinds") { print $1 }' "$scratch/said" |
        sort -u | diff "$scratch/scenarios" - || fail "$1: scenarios without figures"
}
"$bench" --list-memory | awk '{ print $1 }' | sort >"$scratch/scenarios"
[ "$(wc -l <"$scratch/scenarios")" -ge 14 ] || fail "only $(wc -l <"$scratch/scenarios") scenarios"
remember "JEMALLOC, memory" --library "$library"
! grep -q 'no kinds' "$scratch/said" || fail "a library without kinds"
MEMKIND_HEAP_MANAGER=TBB remember "TBB, memory" --library "$library"
remember "malloc, memory" --plain

if "$bench" --library "$scratch/none.so" >"$scratch/said" 2>"$scratch/errors"; then
    fail "a library that is not there is no error"
fi
grep -q none.so "$scratch/errors" || fail "a library that is not there: no word of it"

# What comes of the figures of three rounds. One peer crashes in a cell, which has no median then.
cp -r "$source/test/integration/bench" "$scratch/run"
"$source/scripts/bench" --evaluate "$scratch/run" >"$scratch/said" || fail "scripts/bench --evaluate: status $?"
for file in "$source"/test/integration/bench/expected/*; do
    diff "$file" "$scratch/run/${file##*/}" || fail "${file##*/} is not what it should be"
done
grep -q 'missed' "$scratch/said" || fail "scripts/bench does not say what it found"

# Likewise of whole programs. One crashes.
"$source/scripts/bench" --evaluate "$scratch/run/programs" >/dev/null || fail "scripts/bench --evaluate of --programs: status $?"
diff "$source/test/integration/bench/programs/expected/README.md" "$scratch/run/programs/README.md" ||
    fail "programs: README.md is not what it should be"

# Likewise of memory. One peer crashes, one has no kinds.
"$source/bench/memory" --evaluate "$scratch/run/memory" >"$scratch/said" || fail "bench/memory --evaluate: status $?"
for file in "$source"/test/integration/bench/memory/expected/*; do
    diff "$file" "$scratch/run/memory/${file##*/}" || fail "memory: ${file##*/} is not what it should be"
done
if command -v gnuplot >/dev/null; then
    [ -s "$scratch/run/memory/resident.svg" ] || fail "memory: there is no plot"
fi
exit $failed

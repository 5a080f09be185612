#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# The torture program finds a defect, makes the plan that shows it smaller, and says how it is repeated. The defect
# is a calloc (broken.c) that takes the place of the library's.
#
# usage: test_torture.sh TORTURE BROKEN_LIBRARY
set -euo pipefail
shopt -s extglob
. "$(dirname "${BASH_SOURCE[0]}")/../support/check.sh"
torture=$1 broken=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset "${!MEMKIND_@}"

# run OPTION...: with the broken library; the exit status is ignored, what is said is in $scratch/said.
run()
{
    LD_PRELOAD=$broken "$torture" "$@" >"$scratch/said" 2>&1 || true
}

run --seed 7 --rounds 1 --threads 2 --operations 300 --faults none --shrink-seconds 600
grep -q 'FAILED: calloc: ' "$scratch/said" || fail "nothing was found: $(tail -n 3 "$scratch/said")"
grep -q '^torture: a smaller one: calloc: ' "$scratch/said" || fail "it does not say why the smaller plan fails"
mapfile -t commands < <(sed -n 's/^torture: repeat it with //p' "$scratch/said")
[ ${#commands[@]} -eq 2 ] || fail "${#commands[@]} ways to repeat it, not 2"
read -ra smaller <<<"${commands[-1]}"
case ${smaller[*]} in
*' --keep '[01]:+([0-9])) ;;
*) fail "one operation is enough, not: ${smaller[*]}" ;;
esac

run "${smaller[@]}" --shrink-seconds 0
grep -q 'FAILED: calloc: ' "$scratch/said" || fail "the smaller plan does not fail: $(tail -n 3 "$scratch/said")"
"$torture" "${smaller[@]}" >"$scratch/said" || fail "the library itself fails: $(tail -n 3 "$scratch/said")"
grep -q ' calloc [1-9]' "$scratch/said" || fail "the smaller plan is another one: $(cat "$scratch/said")"

# Who stops it finds nothing of it left. ready: it has begun.
mkdir "$scratch/left"
TMPDIR=$scratch/left "$torture" --seconds 100 >"$scratch/said" 2>&1 &
process=$!
ready()
{
    [ -n "$(ls "$scratch/left")" ] && grep -q -e '--seed' "$scratch/said"
}
until ready || ! kill -0 "$process"; do
    sleep 0.1
done
kill -TERM "$process"
if wait "$process"; then
    fail "a run that was stopped counts as a whole one"
fi
grep -q 'stopped before its time' "$scratch/said" || fail "it was not stopped: $(tail -n 3 "$scratch/said")"
[ -z "$(ls "$scratch/left")" ] || fail "it leaves $(ls "$scratch/left")"

if "$torture" --faults nonsense >/dev/null 2>&1; then
    fail "a wrong option is accepted"
fi
exit $failed

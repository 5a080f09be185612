#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# A C library that is not glibc is refused when the build is configured, in words that say why, and nothing is built.
#
# usage: test_libc.sh SOURCE_DIR
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../support/check.sh"
if ! command -v musl-gcc >/dev/null; then
    echo "SKIP: libc: musl-gcc is not installed (Debian: musl-tools)"
    exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if CC=musl-gcc cmake -S "$1" -B "$scratch/build" >"$scratch/log" 2>&1; then
    fail "musl-gcc is taken"
fi
tr -s ' \n' ' ' <"$scratch/log" >"$scratch/line"
grep -q 'libmemkind needs the GNU C library (glibc), and .*musl-gcc builds for another one' "$scratch/line" || {
    fail "no word of the C library:"
    tail -n 20 "$scratch/log"
}
[ ! -e "$scratch/build/jemalloc" ] || fail "jemalloc is built all the same"
exit "$failed"

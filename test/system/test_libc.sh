#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# A C library that is not glibc, and a processor of 32 bits, are refused when the build is configured, in words that say
# why, and nothing is built.
#
# usage: test_libc.sh SOURCE_DIR
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../support/check.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# refused WORDS: of the build in $scratch/build, by whoever has configured it to $scratch/log.
refused()
{
    tr -s ' \n' ' ' <"$scratch/log" >"$scratch/line"
    grep -q "$1" "$scratch/line" || {
        fail "it does not say \"$1\":"
        tail -n 20 "$scratch/log"
    }
    [ ! -e "$scratch/build/jemalloc" ] || fail "jemalloc is built all the same"
}

# There is no C library of 32 bits to link with.
if echo 'int nothing;' | cc -m32 -x c -c -o "$scratch/nothing.o" - 2>/dev/null; then
    if cmake -S "$1" -B "$scratch/build" -DCMAKE_C_FLAGS=-m32 -DCMAKE_CXX_FLAGS=-m32 \
        -DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY >"$scratch/log" 2>&1; then
        fail "a processor of 32 bits is taken"
    fi
    refused 'libmemkind needs a processor of 64 bits, and .* builds for one of fewer'
    rm -rf "$scratch/build"
else
    echo "SKIP: libc/bits: this compiler has no -m32"
fi

if ! command -v musl-gcc >/dev/null; then
    echo "SKIP: libc: musl-gcc is not installed (Debian: musl-tools)"
    exit "$failed"
fi
if CC=musl-gcc cmake -S "$1" -B "$scratch/build" >"$scratch/log" 2>&1; then
    fail "musl-gcc is taken"
fi
refused 'libmemkind needs the GNU C library (glibc), and .*musl-gcc builds for another one'
exit "$failed"

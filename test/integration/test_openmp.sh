#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# LLVM's OpenMP runtime, unmodified, finds the library by its name and serves omp_high_bw_mem_alloc and
# omp_large_cap_mem_alloc from it. The program does not link the library.
#
# usage: test_openmp.sh LIBRARY SOURCE_DIR [sanitized]
set -euo pipefail
library=$1 source=$2
if [ "${3:-}" = sanitized ]; then
    echo "SKIP: openmp: the runtime is not built with the sanitizer, its runtime would come late"
    exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

# expect TEXT FILE: a line of the file matches.
expect()
{
    if grep -Eq "$1" "$2"; then
        echo "ok: $1"
    else
        echo "FAILED: no line matches: $1"
        cat "$2"
        failed=1
    fi
}

clang -fopenmp -O1 -Wall -Werror "$source/test/integration/openmp_program.c" -o "$scratch/program" -ldl

# run OUTPUT [VARIABLE=VALUE]...
run()
{
    local output=$1
    shift
    if ! env "LD_LIBRARY_PATH=$(dirname "$library")" MEMKIND_DEBUG=1 "$@" "$scratch/program" \
        >"$scratch/$output" 2>"$scratch/$output.log"; then
        echo "FAILED: the program, with $*"
        cat "$scratch/$output" "$scratch/$output.log"
        failed=1
    fi
}

run with MEMKIND_HBW_NODES=0 MEMKIND_DAX_KMEM_NODES=0
# Partition numbers of the ABI: 1 is MEMKIND_HBW, 3 HBW_PREFERRED; 14 to 16 the DAX_KMEM kinds.
expect '^omp_default_mem_alloc: 0, 0 bad$' "$scratch/with"
expect '^omp_high_bw_mem_alloc: (1|3), 0 bad$' "$scratch/with"
expect '^omp_large_cap_mem_alloc: (14|15|16), 0 bad$' "$scratch/with"
expect '^MEMKIND: environment: MEMKIND_HBW_NODES=0$' "$scratch/with.log"
expect '^MEMKIND: MEMKIND_HBW(_PREFERRED)?, first use' "$scratch/with.log"

# A machine without such memory: the runtime does without, too.
run without
expect '^omp_high_bw_mem_alloc: ' "$scratch/without"
exit $failed

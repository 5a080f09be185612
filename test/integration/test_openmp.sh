#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# LLVM's OpenMP runtime, unmodified, finds the library by its name and serves omp_high_bw_mem_alloc and
# omp_large_cap_mem_alloc from it. The program does not link the library. Tried with every version of the runtime
# that scripts/bootstrap --test has unpacked in build/openmp, or with the installed one where there is none, and each
# with both heap managers.
#
# usage: test_openmp.sh LIBRARY SOURCE_DIR
set -euo pipefail
library=$1 source=$2
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

# run OUTPUT [VARIABLE=VALUE]...: with the runtime in the folder $runtime, if that is not empty.
run()
{
    local output=$1 folders
    shift
    folders=${runtime:+$runtime:}$(dirname "$library")
    if ! env "LD_LIBRARY_PATH=$folders" MEMKIND_DEBUG=1 "$@" "$scratch/program" \
        >"$scratch/$output" 2>"$scratch/$output.log"; then
        echo "FAILED: the program, with $*"
        cat "$scratch/$output" "$scratch/$output.log"
        failed=1
    fi
}

# try_manager NAME: a heap manager.
try_manager()
{
    run with MEMKIND_HBW_NODES=0 MEMKIND_DAX_KMEM_NODES=0 "MEMKIND_HEAP_MANAGER=$1"
    # Partition numbers of the ABI: 1 is MEMKIND_HBW, 3 HBW_PREFERRED; 14 to 16 the DAX_KMEM kinds.
    expect '^omp_default_mem_alloc: 0, 0 bad$' "$scratch/with"
    expect '^omp_high_bw_mem_alloc: (1|3), 0 bad$' "$scratch/with"
    expect '^omp_large_cap_mem_alloc: (14|15|16), 0 bad$' "$scratch/with"
    expect '^MEMKIND: environment: MEMKIND_HBW_NODES=0$' "$scratch/with.log"
    expect "^MEMKIND: heap manager: $1\$" "$scratch/with.log"
    expect '^MEMKIND: MEMKIND_HBW(_PREFERRED)?, first use' "$scratch/with.log"

    # A machine without such memory: the runtime does without, too.
    run without "MEMKIND_HEAP_MANAGER=$1"
    expect '^omp_high_bw_mem_alloc: ' "$scratch/without"
}

# The folder of the runtime that the program would have.
runtime_found()
{
    LD_LIBRARY_PATH=$runtime ldd "$scratch/program" | sed -n 's|.*=> \(.*\)/libomp\.so.*|\1|p'
}

runtimes=("$source"/build/openmp/root/usr/lib/llvm-*/lib)
[ -e "${runtimes[0]}" ] || runtimes=("")
for runtime in "${runtimes[@]}"; do
    found=$(runtime_found)
    if [ "${runtime:-$found}" != "$found" ]; then
        echo "FAILED: that is not the one in $runtime"
        failed=1
    fi
    for manager in JEMALLOC TBB; do
        echo "runtime in $found, $manager"
        try_manager "$manager"
    done
done
exit $failed

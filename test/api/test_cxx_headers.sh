#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# The C++ headers as compilers see them: each can be included alone and twice, and all of them are clean
# C++11, 14, 17 and 20 (memkind_resource.h: from 17 on), with warnings that are errors. What they do is test_cxx's.
#
# usage: test_cxx_headers.sh COMPILER SOURCE_DIR
set -euo pipefail
source=$2
failed=0
warnings=(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Werror)

# compile WHAT COMPILER STANDARD ARGUMENT...
compile()
{
    local what=$1 compiler=$2 standard=$3
    shift 3
    if "$compiler" "-std=c++$standard" "${warnings[@]}" -fsyntax-only -I "$source/include" "$@"; then
        echo "ok: $what, $compiler, C++$standard"
    else
        echo "FAILED: $what, $compiler, C++$standard"
        failed=1
    fi
}

compilers=()
for compiler in "$1" g++ clang++; do
    name=$(basename "$(readlink -f "$(command -v "$compiler" || true)")")
    if [ -n "$name" ] && [[ " ${names[*]:-} " != *" $name "* ]]; then
        names+=("$name")
        compilers+=("$compiler")
    fi
done

cd "$source/include"
for compiler in "${compilers[@]}"; do
    for standard in 11 14 17 20; do
        compile "all allocators" "$compiler" "$standard" "$source/test/api/cxx_standards.cpp"
    done
    for standard in 17 20; do
        compile memkind_resource.h "$compiler" "$standard" -x c++ - <<<"#include <memkind_resource.h>
#include <memkind_resource.h>
std::pmr::memory_resource *make(memkind_t kind) { return new libmemkind::resource(kind); }"
    done
done
for header in *_allocator.h memkind/*.h; do
    compile "$header" "${compilers[0]}" 11 -x c++ - <<<"#include <$header>
#include <$header>"
done
exit $failed

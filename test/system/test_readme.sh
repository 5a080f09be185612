#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# What README.md tells people to do, done: its C program is compiled and run, and so is every command, in the
# order of the text, in a folder that has the build and that program. The commands that build or measure
# everything are not run here; the list of them says where they are.
#
# usage: test_readme.sh SOURCE_DIR BUILD_DIR
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../support/check.sh"
source=$1 build=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset "${!MEMKIND_@}"
export HOME=$scratch/home PATH=$build/tools:$PATH LC_ALL=C

elsewhere=(
    "scripts/tour"  # CI runs it by itself
    "scripts/test"  # runs this test
    "scripts/bench" # a quarter of an hour; test_bench.sh runs its parts
)

mkdir -p "$scratch/home" "$scratch/work/build"
cd "$scratch/work"
ln -s "$build" build/release
ln -s "$source/scripts" scripts
code_blocks "$source/README.md" c >hello.c
[ -s hello.c ] || fail "README.md has no program"
sed '1,/^.. The program of README.md/d' "$source/examples/hello.c" | cmp - hello.c ||
    fail "examples/hello.c is not the program of README.md"
[ "$(wc -l <hello.c)" -le 12 ] || fail "the program of README.md is not a short one"

# A node plays high-bandwidth memory, for commands that ask for some. `program` is what stands for a user's.
export MEMKIND_HBW_NODES=0
cc -O2 -g -o program "$source/examples/ten_arrays.c"
commands=0
while IFS= read -r command; do
    command=${command%%  #*}
    [ -n "$command" ] || continue
    for other in "${elsewhere[@]}"; do
        if [ "${command%% *}" = "$other" ]; then
            [ -x "$source/$other" ] || fail "there is no $other"
            continue 2
        fi
    done
    commands=$((commands + 1))
    printf '$ %s\n' "$command"
    if ! eval "$command" >"$scratch/said" 2>&1; then # here: later commands need what this one exports
        fail "$command"
        cat "$scratch/said"
    fi
    case $command in
    *MEMKIND_DEBUG=1*) grep -q '^MEMKIND: libmemkind ' "$scratch/said" || fail "nothing explained" ;;
    esac
done < <(code_blocks "$source/README.md" sh)
[ "$commands" -ge 5 ] || fail "only $commands commands of README.md were found"

# Every file, function, kind and variable that the text names exists.
while IFS= read -r name; do
    case $name in
    *.c) found=$source/examples/$name ;;
    *) found=$source/$name ;;
    esac
    [ -e "$found" ] || [ -e "$source/include/$name" ] || fail "README.md names $name, which is not there"
done < <(grep -oE '`[a-zA-Z_./-]+\.(c|cpp|h|md|txt)`' "$source/README.md" | tr -d '`' | sort -u)
while IFS= read -r name; do
    grep -qwr -- "$name" "$source/include" "$source/CMakeLists.txt" ||
        fail "README.md names $name, which is not there"
done < <(grep -oE '\b(MEMKIND|HBW)_[A-Z_]*[A-Z]\b|\b(memkind|hbw)_[a-z_]+\(' "$source/README.md" | tr -d '(' | sort -u)
exit $failed

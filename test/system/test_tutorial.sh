#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# The tutorial docs/which-data.md, done: every command of it, in the order of the text, and the three arrays that
# deserve it are in high-bandwidth memory in the end, the others are not.
#
# usage: test_tutorial.sh SOURCE_DIR BUILD_DIR
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../support/check.sh"
source=$1 build=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset "${!MEMKIND_@}"
export PATH=$build/tools:$PATH LC_ALL=C

cd "$scratch"
cp "$source/examples/ten_arrays.c" .
while IFS= read -r command; do
    printf '$ %s\n' "$command"
    if ! eval "$command" >said 2>&1; then # here: later commands need what this one exports
        fail "$command"
        cat said
    fi
    case $command in
    memkind-profile*)
        if ! grep -q '^method=\(samples\|regions\|written-pages\)' profile.capture.*; then
            echo "SKIP: tutorial: this kernel tells no accesses"
            exit "$failed"
        fi
        ;;
    esac
done < <(code_blocks "$source/docs/which-data.md" sh)

check "three arrays have rules" "density pressure velocity" \
    "$(sed -n 's/.* MiB at most: [^ ]* ten_arrays.c:\([0-9]*\).*/\1/p' rules | while read -r line; do
        sed -n "${line}s/.*grid->\([a-z]*\) = .*/\1/p" ten_arrays.c
    done | sort | paste -sd' ')"
check "they are there, and nothing else" "HBW 3 12288 0: 12288" \
    "$(awk '$1 == "HBW" { print $1, $2, $3, $5, $6 }' said)"
exit $failed

#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# The small examples say what they are there to show, under each heap manager; all if none is named.
# (wordcount has a test of its own.)
#
# usage: test_examples.sh FOLDER_OF_PROGRAMS [HEAP_MANAGER]...
set -euo pipefail
folder=$1
managers=("${@:2}")
[ $# -gt 1 ] || managers=(JEMALLOC TBB)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset "${!MEMKIND_@}"
export LC_ALL=C
failed=0

fail()
{
    echo "FAILED: $MEMKIND_HEAP_MANAGER, $*"
    cat "$scratch/output" "$scratch/errors"
    failed=1
}

# run EXAMPLE [ARGUMENT]...: its output and messages are in the scratch folder.
run()
{
    local status=0
    "$folder/$1" "${@:2}" >"$scratch/output" 2>"$scratch/errors" || status=$?
    [ "$status" -eq 0 ] || fail "$*: status $status"
}

# says EXAMPLE LINE...: the output is these lines, each an extended regular expression.
says()
{
    local example=$1 number=0 expression
    shift
    for expression; do
        number=$((number + 1))
        sed -n "${number}p" "$scratch/output" | grep -qxE "$expression" ||
            fail "$example, line $number is not: $expression"
    done
    [ "$(wc -l <"$scratch/output")" -eq "$number" ] || fail "$example says more"
}

# number WHEN NAME: the number behind NAME in the line "WHEN: ...".
number()
{
    sed -n "s/^$1:.* $2 \([0-9]*\).*/\1/p" "$scratch/output"
}

examples()
{
    run nodes_kind 0
    says nodes_kind 'a block of 1024 KiB, bound to nodes 0:' 'node 0: 256 pages'
    if "$folder/nodes_kind" 1023 >"$scratch/output" 2>"$scratch/errors"; then
        fail "nodes_kind 1023: no error"
    fi
    grep -q '^memkind_create_nodes: ' "$scratch/errors" || fail "nodes_kind 1023: no word of it"

    run custom_kind
    says custom_kind '64 blocks of 100 KiB' 'allocated: map [1-9].*' 'destroyed: .* file 0 KiB'
    [ "$(number destroyed map)" = "$(number destroyed unmap)" ] ||
        fail "custom_kind: a region is left"
    [ "$(number allocated file)" -ge 6400 ] 2>/dev/null || fail "custom_kind: the blocks are not in the file"

    run fixed
    # How much of an area each heap manager can fill is no business of the example.
    says fixed '[1-9][0-9]{2,} blocks of 64 KiB in 64 MiB \([0-9]+ %\), then: Cannot allocate memory' \
        'outside the area: 0'

    run fixed_shared
    says fixed_shared 'built by the child, read by the parent: 100000 items, sum 5000050000'

    mkdir -p "$scratch/pmem"
    if "$folder/pmem" "$scratch/nowhere" >"$scratch/output" 2>"$scratch/errors"; then
        fail "pmem: works without its directory"
    fi
    run pmem "$scratch/pmem"
    says pmem 'DAX: (yes|no)' \
        '[3-6][0-9] blocks of 1 MiB in a file of at most 64 MiB, then: Cannot allocate memory' \
        'freed, and allocated again: ([0-9]+) of \1'
    [ -z "$(ls -A "$scratch/pmem")" ] || fail "pmem: leaves a file"

    run fallback
    says_with_reasons fallback 'taken: MEMKIND_[A-Z_]+' 'sum of 100000 numbers: 4999950000'

    run detect_kind
    says_with_reasons detect_kind 'a block of MEMKIND_DEFAULT, 10000 bytes or more: yes' \
        'a block of MEMKIND_REGULAR, 10000 bytes or more: yes' \
        'a block of MEMKIND_INTERLEAVE, 10000 bytes or more: yes' 'a block of malloc\(\): no kind'

    examples_with_figures
}

# Without lines for kinds that this machine does not have; each has its reason.
says_with_reasons()
{
    ! grep -qxE 'not here: MEMKIND_[A-Z_]+: *' "$scratch/output" || fail "$1: a kind is not here, and no word why"
    sed -i -E '/^not here: |^a block of MEMKIND_HBW,/d' "$scratch/output"
    says "$@"
}

examples_with_figures()
{
    local moved=most half=yes
    if [ "$MEMKIND_HEAP_MANAGER" = TBB ]; then # which moves none
        moved=none half=no
    fi
    run defragment
    says defragment "10000 blocks left of 100000: $moved moved" \
        "pages in use, before and after: [0-9]+ KiB, [0-9]+ KiB, less than half: $half" \
        'with the right content: 10000'

    run statistics
    says statistics 'allocated: 1[0-9]{3} KiB in blocks, [0-9]+ KiB in pages .*' \
        'freed: 0 KiB in blocks, [0-9]+ KiB in pages .*' 'the report of all kinds, as JSON: [0-9]{3,} bytes'
}

# hbwmalloc.h has no memory of that kind unless a node plays it.
hello()
{
    run hello_hbw
    says hello_hbw '(no high-bandwidth memory here \(.+\): ordinary memory|high-bandwidth memory is here)' \
        'hello from a block of 1024 KiB' 'all of it in high-bandwidth memory: (yes|no)'
    export MEMKIND_HBW_NODES=0
    run hello_hbw
    says hello_hbw 'high-bandwidth memory is here' 'hello from a block of 1024 KiB' \
        'all of it in high-bandwidth memory: yes'
    unset MEMKIND_HBW_NODES
}

for manager in "${managers[@]}"; do
    export MEMKIND_HEAP_MANAGER=$manager
    examples
    hello
done
exit $failed

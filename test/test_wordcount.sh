#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# examples/wordcount counts what tr, sort and uniq count, whatever kind its table comes from, and says
# clearly what is wrong with bad input.
#
# usage: test_wordcount.sh WORDCOUNT SOURCE_DIR
set -euo pipefail
wordcount=$1 source=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
export LC_ALL=C MEMKIND_HBW_NODES=0

fail()
{
    echo "FAILED: $*"
    failed=1
}

# What wordcount is to find. (In front of the first word there may be an empty one.)
expected()
{
    cat "$@" | tr -cs '[:alpha:]' '\n' | tr '[:upper:]' '[:lower:]' | sort | uniq -c |
        awk 'NF == 2 { print $1, $2 }' | sort -k1,1nr -k2,2
}

# compare KIND FILE...
compare()
{
    local kind=$1
    shift
    expected "$@" >"$scratch/expected"
    if ! "$wordcount" --kind "$kind" --all "$@" >"$scratch/found"; then
        fail "wordcount --kind $kind $*"
    elif ! cmp "$scratch/expected" "$scratch/found"; then
        fail "other counts with --kind $kind for $*"
    else
        echo "ok: $kind, $(wc -l <"$scratch/found") words of $*"
    fi
}

# refuse WHY ARGUMENT...: exit status 1 and a line with WHY on stderr.
refuse()
{
    local why=$1 status=0
    shift
    "$wordcount" "$@" >/dev/null 2>"$scratch/errors" || status=$?
    if [ "$status" -ne 1 ] || ! grep -q "$why" "$scratch/errors"; then
        fail "wordcount $*: status $status, $(cat "$scratch/errors")"
    else
        echo "ok: wordcount $*: $(cat "$scratch/errors")"
    fi
}

: >"$scratch/empty"
printf 'no newline at the end' >"$scratch/open"
head -c 300000 /dev/urandom >"$scratch/random"
seq 1 200000 | tr '0-9' 'a-j' >"$scratch/many"

for kind in MEMKIND_DEFAULT MEMKIND_REGULAR MEMKIND_HBW hbw_interleave; do
    compare "$kind" "$source/README.md" "$source"/include/*.h
done
for file in empty open random many; do
    compare MEMKIND_DEFAULT "$scratch/$file"
done
printf 'a\0b B' >"$scratch/nul"
[ "$("$wordcount" --all "$scratch/nul")" = "2 b
1 a" ] || fail "a NUL byte is no letter"
"$wordcount" "$source/README.md" | grep -Eq '^node [0-9]+: [0-9]+ pages? of [0-9]+ kB$' ||
    fail "no word of where the memory is"

refuse "No such file" "$scratch/missing"
refuse "Is a directory" "$scratch"
refuse "no such kind" --kind MEMKIND_NONSENSE "$scratch/empty"
refuse "usage" --kind MEMKIND_DEFAULT
unset MEMKIND_HBW_NODES
refuse "MEMKIND_HBW" --kind MEMKIND_HBW "$scratch/empty"
exit $failed

#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# examples/wordcount counts what tr, sort and uniq count, whatever kind its table comes from and whoever
# manages the heaps, and says clearly what is wrong with bad input.
#
# usage: test_wordcount.sh WORDCOUNT SOURCE_DIR
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../support/check.sh"
wordcount=$1 source=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset "${!MEMKIND_@}"
export LC_ALL=C MEMKIND_HBW_NODES=0 MEMKIND_DAX_KMEM_NODES=0

# No other test changes how many huge pages are reserved meanwhile: support.c has the same lock.
exec 9>>/tmp/memkind-test-hugepages.lock
flock 9

# What wordcount is to find. (In front of the first word there may be an empty one.)
expected()
{
    cat "$@" | tr -cs '[:alpha:]' '\n' | tr '[:upper:]' '[:lower:]' | sort | uniq -c |
        awk 'NF == 2 { print $1, $2 }' | sort -k1,1nr -k2,2
}

# compare KIND FILE...: what is expected of the same files is counted once for all kinds.
compare()
{
    local kind=$1 expected
    shift
    expected=$scratch/expected-$(cksum <<<"$*" | tr ' ' -)
    [ -f "$expected" ] || expected "$@" >"$expected"
    if ! "$wordcount" --kind "$kind" --all "$@" >"$scratch/found"; then
        fail "wordcount --kind $kind $*"
    elif ! cmp "$expected" "$scratch/found"; then
        fail "other counts with --kind $kind for $*"
    else
        echo "ok: ${MEMKIND_HEAP_MANAGER:-}" "$kind, $(wc -l <"$scratch/found") words of ${*##*/}"
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
seq 1 50000 | tr '0-9' 'a-j' >"$scratch/many"

# compare_all: under the heap manager of the environment, every kind that this machine has. How many huge
# pages are reserved is the machine's business: those kinds have to do only if there are enough.
compare_all()
{
    local kind kinds file
    mapfile -t kinds < <("$wordcount" --list)
    for kind in "${kinds[@]}"; do
        if [[ $kind == *HUGETLB ]] && ! "$wordcount" --kind "$kind" "$scratch/many" >/dev/null 2>&1; then
            echo "$kind: not enough huge pages"
            continue
        fi
        compare "$kind" "$source/README.md" "$source"/include/*.h
        compare "$kind" "$scratch/many"
    done
    [ "${#kinds[@]}" -ge 3 ] || fail "too few kinds: ${kinds[*]}"
    for file in empty open random; do
        compare MEMKIND_DEFAULT "$scratch/$file"
    done
}

compare_all
export MEMKIND_HEAP_MANAGER=TBB
if "$wordcount" --list 2>&1 | grep -q 'cannot be loaded'; then
    echo "SKIP: wordcount/TBB: libtbbmalloc.so.2 cannot be loaded"
else
    compare_all
fi
unset MEMKIND_HEAP_MANAGER
compare hbw_interleave "$source/README.md"
printf 'a\0b B' >"$scratch/nul"
[ "$("$wordcount" --all "$scratch/nul")" = "2 b
1 a" ] || fail "a NUL byte is no letter"
"$wordcount" "$source/README.md" | grep -Eq '^node [0-9]+: [0-9]+ pages? of [0-9]+ kB$' ||
    fail "no word of where the memory is"

refuse "No such file" "$scratch/missing"
refuse "Is a directory" "$scratch"
refuse "no such kind" --kind MEMKIND_NONSENSE "$scratch/empty"
if [ "$(echo "a b a" | "$wordcount" --all | xargs)" != "2 a 1 b" ] || ! "$wordcount" </dev/null >"$scratch/found"; then
    fail "wordcount without a file"
fi
unset MEMKIND_HBW_NODES
refuse "MEMKIND_HBW" --kind MEMKIND_HBW "$scratch/empty"
exit $failed

#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# ARCHITECTURE.md is about this code: its example of a new page source compiles against the internal headers,
# links with the library and works under every heap manager, and each file that the text names exists, as
# does each file of src/ in its map.
#
# usage: test_architecture.sh SOURCE_DIR STATIC_LIBRARY COMPILER
set -euo pipefail
source=$1 library=$2 cc=$3
text=$source/ARCHITECTURE.md
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset "${!MEMKIND_@}"
failed=0

fail()
{
    echo "FAILED: $*"
    failed=1
}

# Each block of C begins with the name of its file.
awk -v folder="$scratch" '
    /^```c$/ { getline; name = $2; gsub(/\//, "-", name); file = folder "/" name; print >file; next }
    /^```/ { file = "" }
    file != "" { print >file }' "$text"
objects=0
for file in "$scratch"/*.c; do
    [ -e "$file" ] || break
    "$cc" -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -O1 -I "$source/include" -I "$source/src" \
        -c "$file" -o "${file%.c}.o" || fail "${file##*/} does not compile"
    objects=$((objects + 1))
done
[ "$objects" -eq 3 ] || fail "the example has $objects files, not 3"
if [ "$failed" -eq 0 ]; then
    "$cc" -o "$scratch/locked" "$scratch"/*.o "$library" -lpthread -ldl || fail "the example does not link"
    for manager in JEMALLOC TBB; do
        status=0
        MEMKIND_HEAP_MANAGER=$manager "$scratch/locked" || status=$?
        if [ "$status" -eq 2 ] && [ "$(ulimit -l)" != unlimited ]; then
            echo "SKIP: architecture: no memory with $(ulimit -l) KiB that may be locked"
        elif [ "$status" -ne 0 ]; then
            fail "the example under $manager: $status"
        fi
    done
fi

while IFS= read -r name; do
    found=$(find "$source" -path "$source/build" -prune -o -path "*/$name" -print -quit)
    [ -n "$found" ] || fail "the text names $name, which is not there"
done < <(sed '/^## Adding a page source/,/^## /d' "$text" | grep -oE '`[a-z_*/-]+\.[ch]`' | tr -d '`' | grep -v '\*' | sort -u)
for file in "$source"/src/*/*.c; do
    name=${file##*/}
    case $name in
    source_*) ;; # the map says source_*.c
    *) grep -qw -- "$name" "$text" || fail "the map does not have $name" ;;
    esac
done
exit $failed

#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# The documents are about this code: docs/extending.md's example of a new page source compiles against the
# internal headers, links with the library and works under every heap manager. ARCHITECTURE.md is short. Every file
# and every name of the code that a document has in it exists, each room of src/ and preload/ has a README that names all its
# modules and no others, and docs/README.md lists the pages on design.
#
# usage: test_architecture.sh SOURCE_DIR STATIC_LIBRARY COMPILER
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../support/check.sh"
source=$1 library=$2 cc=$3
text=$source/docs/extending.md
most_lines=200
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset "${!MEMKIND_@}"

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

lines=$(wc -l <"$source/ARCHITECTURE.md")
[ "$lines" -le "$most_lines" ] || fail "ARCHITECTURE.md has $lines lines, more than $most_lines"

# The words in backticks of all documents, a line each: DOCUMENT WORD. Not those of code blocks, nor those with
# NAME in them, which stands for a name of the reader's.
mapfile -t documents < <(cd "$source" && find ARCHITECTURE.md CONTRIBUTING.md docs src preload bindings test tools scripts -name '*.md' | sort)
(cd "$source" && awk '
    /^ *```/ { code = !code; next }
    code { next }
    {
        n = split($0, part, "`")
        for (i = 2; i < n; i += 2)
            if (part[i] !~ /NAME/)
                print FILENAME, part[i]
    }' "${documents[@]}") | sort -u >"$scratch/named"

# Files and folders: from the root of the project, from src as in an include, from the folder of the document. A
# name without a folder may be anywhere.
(cd "$source" && find . -path ./build -prune -o -path ./.git -prune -o -type f -printf '%f\n') | sort -u >"$scratch/files"
checked=0
while read -r document name; do
    checked=$((checked + 1))
    case $name in
    */*) [ -e "$source/$name" ] || [ -e "$source/src/$name" ] || [ -e "$source/${document%/*}/$name" ] ;;
    *) grep -qxF -- "$name" "$scratch/files" ;;
    esac || fail "$document names $name, which is not there"
done < <(grep -E '^[^ ]+ [A-Za-z_][A-Za-z0-9_./-]*(/|\.(c|h|cpp|md|sh|py|txt|map|abi|cmake|suppressions|symbols))$' "$scratch/named")
[ "$checked" -ge 50 ] || fail "only $checked names of files were found"

# Functions, structures and constants.
(cd "$source" && grep -rhoE '[A-Za-z_][A-Za-z0-9_]*' src include preload test tools cmake examples bindings \
    --include='*.[ch]' --include='*.rs' --include='*.txt' --include='*.cmake' --include='*.sh') | sort -u >"$scratch/words"
checked=0
while read -r document name; do
    checked=$((checked + 1))
    grep -qxF -- "$name" "$scratch/words" || fail "$document names $name, which is not in the code"
done < <(sed -nE 's/^([^ ]+) ((struct|enum) )?([A-Za-z_][A-Za-z0-9_]*)\(\)$/\1 \4/p
    s/^([^ ]+) (struct|enum) ([a-z_0-9]+)$/\1 \3/p
    s/^([^ ]+) ([A-Z][A-Z0-9]*(_[A-Z0-9]+)+)$/\1 \2/p' "$scratch/named")
[ "$checked" -ge 50 ] || fail "only $checked names of the code were found"

# A room is a folder of src/ with code in it, or preload/. Its README has a table of modules: `name` in the first column is
# name.c, name.h or both.
folders=0
while IFS= read -r room; do
    folders=$((folders + 1))
    if [ ! -e "$source/$room/README.md" ]; then
        fail "$room has no README.md"
        continue
    fi
    find "$source/$room" -maxdepth 1 \( -name '*.[ch]' -o -name '*.h.in' \) -printf '%f\n' |
        sed -E 's/\.[ch](\.in)?$//' | sort -u >"$scratch/there"
    # shellcheck disable=SC2016 # backticks of Markdown
    sed -nE 's/^\| (`[^|]*`) \|.*/\1/p' "$source/$room/README.md" | grep -oE '[a-z_0-9]+' | sort -u >"$scratch/told"
    while IFS= read -r module; do
        fail "$room/README.md does not have $module"
    done < <(comm -23 "$scratch/there" "$scratch/told")
    while IFS= read -r module; do
        fail "$room/README.md has $module, which is not there"
    done < <(comm -13 "$scratch/there" "$scratch/told")
done < <(cd "$source" && { find src -mindepth 2 -name '*.[ch]' -printf '%h\n' && echo preload; } | sort -u)
[ "$folders" -ge 7 ] || fail "only $folders folders were found"

for page in "$source"/docs/design/*.md; do
    grep -qF "(design/${page##*/})" "$source/docs/README.md" || fail "docs/README.md does not list ${page##*/}"
done
exit $failed

#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# The manual pages are well-formed, and those of section 3 say what the headers say: every name that a
# program can use has an entry, no entry is about a name that is gone, the synopsis has the headers'
# types, the examples compile. Nothing is run.
set -euo pipefail

if [ $# -ne 1 ] || [ ! -d "$1/include" ] || [ ! -d "$1/man" ]; then
    printf 'usage: test_man.sh SOURCE_DIR\n' >&2
    exit 2
fi
source=$(cd "$1" && pwd)
cc=${CC:-cc}
for tool in mandoc "$cc"; do
    if ! command -v "$tool" >/dev/null 2>&1; then
        printf 'test_man.sh: %s is missing: scripts/bootstrap --test installs it\n' "$tool" >&2
        exit 1
    fi
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

# fail WORD...: says what is wrong, and the test goes on.
fail()
{
    printf 'FAIL: %s\n' "$*"
    failures=$((failures + 1))
}

# compile FILE WHAT [LANGUAGE]
compile()
{
    local said language=${3:-c}
    if ! said=$("$cc" -Wall -Werror -fsyntax-only -I "$source/include" -x "$language" "$1" 2>&1); then
        fail "$2 does not compile:"$'\n'"$said"
    fi
}

# --- what the headers declare ---------------------------------------------------------------------

# declarations HEADER: what it declares, with the header of ours it includes, in one line. The
# preprocessor has removed comments and expanded macros.
declarations()
{
    printf '#include <%s>\n' "$1" | "$cc" -E -I "$source/include" -x c - | awk -v ours="\"$source/include/" '
        /^# [0-9]+ "/ { keep = index($0, ours); next }
        /^#/ { next }
        keep { printf "%s ", $0 }
        END { print "" }'
}

# The following read declarations and print one name a line.
functions()
{
    grep -oE '\<(memkind|hbw|memtier)_[a-z0-9_]+ *\(' | tr -d ' ('
}

kinds()
{
    grep -oE '\<extern +memkind_t +\w+' | sed 's/.* //'
}

constants()
{
    grep -oE '\<enum\>[^{};]*\{[^}]*\}' | sed 's/.*{//; s/}//' | tr ',' '\n' |
        sed -n 's/^ *\([A-Za-z_][A-Za-z0-9_]*\).*/\1/p'
}

# macros HEADER...
macros()
{
    sed -n 's/^# *define \(MEMKIND_[A-Z0-9_]*\).*/\1/p' "$@"
}

# environment HEADER: the variables in the table of its group of environment variables.
environment()
{
    sed -n '/@defgroup memkind_environment/,/\*\//s/^ \* | \(MEMKIND_[A-Z_]*\) .*/\1/p' "$1"
}

# --- what the pages say ---------------------------------------------------------------------------

# prototypes PAGE: the functions of its synopsis as declarations in C, one a line.
prototypes()
{
    awk '
        /^\.Sh / { on = $0 == ".Sh SYNOPSIS" }
        on && /^\.Ft / { type = substr($0, 5); gsub(/"/, "", type) }
        on && /^\.Fn / {
            arguments = substr($0, 5)
            name = arguments
            sub(/ .*/, "", name)
            sub(/^[^ ]* /, "", arguments)
            gsub(/" "/, ", ", arguments)
            gsub(/"/, "", arguments)
            print type, name "(" arguments ");"
        }' "$1"
}

# examples PAGE PREFIX: writes each program under EXAMPLES to PREFIX1.c, PREFIX2.c, ...
examples()
{
    awk -v prefix="$2" '
        /^\.Sh / { on = $0 == ".Sh EXAMPLES" }
        on && /^\.Bd -literal/ { count++; file = prefix count ".c"; next }
        /^\.Ed/ { file = "" }
        file != "" {
            gsub(/\\&/, "")
            gsub(/\\\(aq/, "\047")
            gsub(/\\-/, "-")
            gsub(/\\e/, "\\")
            print >file
        }' "$1"
}

# has PAGE MACROS NAME: an entry ".It MACRO NAME", where other names may come first; MACROS being alternatives of a regular expression.
has()
{
    grep -qE "^\.It (.* )?($2) $3( |\$)" "$1"
}

# --- the checks -----------------------------------------------------------------------------------

# check_names WHAT MACROS PAGE LIST: every name of the list has its entry. Remembers the names.
check_names()
{
    local name
    if [ ! -s "$4" ]; then
        fail "no $1 found for ${3##*/}: has the form of the headers changed?"
    fi
    while read -r name; do
        has "$3" "$2" "$name" || fail "${3##*/} has no entry for the $1 $name"
    done <"$4"
    cat "$4" >>"$scratch/known"
}

# check_form PAGE
check_form()
{
    local said
    # Its advice on style, too: lines of text of more than 80 bytes, say. Which manuals are installed here
    # is nobody's fault.
    said=$(mandoc -T lint -W style "$source/man/$1" 2>&1 |
        grep -vE 'referenced manual not found|mandoc\.db') || true
    [ -z "$said" ] || fail "mandoc -T lint:"$'\n'"$said"
}

# check_page PAGE HEADER [PREFIX]: what each page about a header in C has to be. It is about names with that
# prefix, whatever else the header includes.
check_page()
{
    local page=$source/man/$1 header=$2 prefix=${3:-} name
    local list=$scratch/list text=$scratch/$1

    check_form "$1"
    declarations "$header" >"$text"
    functions <"$text" | grep "^$prefix" >"$list" || true
    check_names function Fn "$page" "$list"
    prototypes "$page" >"$scratch/prototypes"
    while read -r name; do
        grep -qE "[ *]$name\(" "$scratch/prototypes" || fail "$1 has no $name in its synopsis"
    done <"$list"
    constants <"$text" | grep -i "^$prefix" >"$list" || true
    check_names constant Dv "$page" "$list"

    # Against the header, a prototype of another type is an error, and so is a wrong number.
    {
        printf '#include <%s>\n' "$header"
        cat "$scratch/prototypes"
        sed -nE 's/^\.It Dv (\w+) Ta ([0-9]+)$/_Static_assert(\1 == \2, "\1");/p' "$page"
    } >"$scratch/synopsis.c"
    compile "$scratch/synopsis.c" "the synopsis of $1"

    check_examples "$1"
}

# members HEADER: member functions of its classes. What an operator compares is one of them.
members()
{
    sed '/^ *\(\/\*\| \*\)/d' "$1" | awk '
        /^class allocator(_base)?( :.*)?$/ { on = 1 }
        /^};/ { on = 0 }
        /^private:|^protected:/ { open = 0 }
        /^public:/ { open = 1 }
        on && open' |
        grep -oE '^    ([a-z][^=:]*[ *&])?\w+\(' | grep -oE '\w+\($' | tr -d '(' | sort -u
}

# check_class PAGE HEADER: a page about a header in C++.
check_class()
{
    local page=$source/man/$1 header=$source/include/$2 name
    local list=$scratch/list

    check_form "$1"
    grep -qxF ".In $2" "$page" || fail "$1 does not say that it is about $2"
    members "$header" >"$list"
    members "$source/include/memkind/allocator_base.h" >>"$list"
    grep -qx allocator "$list" || fail "$2: no constructor found: has the form of the headers changed?"
    while read -r name; do
        grep -qE "^\.It .*Fn $name( |\$)" "$page" || fail "$1 has no entry for the member $name"
    done < <(grep -vx allocator_base "$list")
    check_examples "$1" c++
}

# check_examples PAGE [LANGUAGE]
check_examples()
{
    local file count=0
    examples "$source/man/$1" "$scratch/$1-example-"
    for file in "$scratch/$1-example-"*.c; do
        [ -e "$file" ] || continue
        compile "$file" "an example of $1" "${2:-c}"
        count=$((count + 1))
    done
    [ "$count" -gt 0 ] || fail "$1 has no program under EXAMPLES"
}

# check_stale PAGE: no entry is about a name that does not exist.
check_stale()
{
    local name
    while read -r name; do
        grep -qxF "$name" "$scratch/known" || fail "$1 has an entry for $name, which does not exist"
    done < <(sed -nE 's/^\.It (Fn|Va|Dv|Ev) ((mem(kind|tier)|MEM(KIND|TIER)|hbw|HBW)_\w*).*/\2/p' "$source/man/$1")
}

: >"$scratch/known"
check_page memkind.3 memkind.h
check_page hbwmalloc.3 hbwmalloc.h
check_page memkind_memtier.3 memkind_memtier.h memtier_
for header in "$source"/include/*_allocator.h; do
    name=${header##*/}
    check_class "${name/_allocator.h/allocator.3}" "$name"
done

list=$scratch/list
kinds <"$scratch/memkind.3" >"$list" || true
check_names kind Va "$source/man/memkind.3" "$list"
environment "$source/include/memkind.h" >"$list"
check_names "environment variable" Ev "$source/man/memkind.3" "$list"
macros "$source"/include/memkind*.h | sort -u >"$list"
cat "$list" >>"$scratch/known"
while read -r name; do
    grep -qE "^\.(It )?Dv $name( |\$)" "$source/man/memkind.3" ||
        fail "memkind.3 has no word on the macro $name"
done <"$list"

for page in "$source"/man/*.[157]; do
    check_form "${page##*/}"
done

check_stale memkind.3
check_stale hbwmalloc.3
check_stale memkind_memtier.3

if [ "$failures" -gt 0 ]; then
    printf '%d failures\n' "$failures"
    exit 1
fi
printf 'manual pages: %d names, all with an entry\n' "$(sort -u "$scratch/known" | wc -l)"

#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# Decorators as the linker sees them. A program built the plain way, with no flag but -lmemkind, has its
# decorators called, be they in the program itself or in a library that is preloaded; with none, nothing
# is called. The usual library never asks for them. Both export the same names.
#
# usage: test_decorators.sh DECORATED_LIBRARY LIBRARY SOURCE_DIR IS_LIBRARY_DECORATED
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../support/check.sh"
decorated=$1 library=$2 source=$3 same=$4
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
cc=${CC:-cc}

# names OPTION LIBRARY
names()
{
    nm -D "$1" "$2" | awk '{ print $(NF - 1), $NF }' | sort
}

hooks()
{
    nm -D --undefined-only "$1" | awk '$2 ~ /^memkind_/ { print $1, $2 }' | sort
}

every_hook=$(for name in calloc free malloc posix_memalign realloc; do
    printf 'w memkind_%s_post\nw memkind_%s_pre\n' "$name" "$name"
done | sort)

check "a library with decorators asks for all ten, weakly" "$every_hook" "$(hooks "$decorated")"
check "both libraries export the same" "$(names --defined-only "$library")" \
    "$(names --defined-only "$decorated")"
if [ "$same" = 0 ]; then
    check "the usual library asks for none" "" "$(hooks "$library")"
fi

cat >program.c <<'END'
#include <memkind.h>
int main(void)
{
    void *block = memkind_malloc(MEMKIND_DEFAULT, 123);
    memkind_free(MEMKIND_DEFAULT, block);
    return block ? 0 : 1;
}
END
cat >decorators.c <<'END'
#include <memkind.h>
#include <stdio.h>
void memkind_malloc_pre(memkind_t *kind, size_t *size)
{
    printf("malloc: %zu of %d\n", *size, *kind == MEMKIND_DEFAULT);
}
void memkind_free_post(memkind_t kind, void *ptr)
{
    printf("free: %d of %d\n", ptr != NULL, kind == MEMKIND_DEFAULT);
}
END
said=$(printf 'malloc: 123 of 1\nfree: 1 of 1')
if ! command -v "$cc" >/dev/null; then
    echo "SKIP: decorators_linking/programs: there is no compiler"
    exit "$failed"
fi
link=(-L "$(dirname "$decorated")" -lmemkind)
"$cc" -I "$source/include" program.c -o without "${link[@]}"
"$cc" -I "$source/include" program.c decorators.c -o with "${link[@]}"
"$cc" -I "$source/include" -fvisibility=hidden program.c decorators.c -o hidden "${link[@]}"
"$cc" -I "$source/include" -shared -fPIC decorators.c -o decorators.so

# run LIBRARY PROGRAM [VARIABLE=VALUE]
run()
{
    env "LD_LIBRARY_PATH=$(dirname "$1")" "${@:3}" "./$2" || echo "exit status $?"
}

check "decorators in the program" "$said" "$(run "$decorated" with)"
check "decorators in a program whose names are hidden" "$said" "$(run "$decorated" hidden)"
check "decorators in a preloaded library" "$said" \
    "$(run "$decorated" without LD_PRELOAD=./decorators.so)"
check "no decorators" "" "$(run "$decorated" without)"
if [ "$same" = 0 ]; then
    check "the usual library does not call them" "" "$(run "$library" with)"
fi
exit "$failed"

#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# The same sources give the same bytes: all that is installed is built once more, from a copy of the sources
# in another folder, on another day, and compared. The private jemalloc, a minute's work, is not built as a
# whole: its objects do not know where they were built, and some of them are compiled once more elsewhere.
#
# usage: test_reproducible.sh BUILD SOURCE_DIR
set -euo pipefail
build=$1 source=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

# value NAME: of a variable of the build.
value()
{
    sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"
}

# same WHAT FILE FILE: files, or folders of files.
same()
{
    if diff -r --no-dereference "$2" "$3"; then
        echo "ok: $1"
    else
        echo "FAILED: $1"
        failed=1
    fi
}

if [ "$(value MEMKIND_PREFIX_MAP)" != ON ]; then
    echo "SKIP: reproducible: this build has its folders in it, MEMKIND_PREFIX_MAP is off"
    exit 0
fi

# --- jemalloc -------------------------------------------------------------------------------------

root=$(value MEMKIND_JEMALLOC_ROOT)
jemalloc=$(value MEMKIND_JEMALLOC_FOLDER)
if grep -lraF -e "$root" "$jemalloc/objects" "$jemalloc/build/include"; then
    echo "FAILED: the above know where jemalloc was built"
    failed=1
fi
mkdir -p "$scratch/another/jemalloc/build/src"
cp -r "$jemalloc/source" "$scratch/another/jemalloc"
cp -r "$jemalloc/build/include" "$scratch/another/jemalloc/build"
for object in arena ctl pac; do
    # The line of the log that compiled it.
    command=$(grep -m 1 -e "-o src/$object\.sym\.o " "$jemalloc/log")
    (cd "$scratch/another/jemalloc/build" && eval "${command//"$jemalloc"/$scratch/another/jemalloc}")
    same "jemalloc's $object.o" "$jemalloc/build/src/$object.sym.o" \
        "$scratch/another/jemalloc/build/src/$object.sym.o"
done

# --- the library ----------------------------------------------------------------------------------

mkdir "$scratch/elsewhere"
tar -C "$source" --exclude=./build --exclude=./.git -c . | tar -C "$scratch/elsewhere" -x
find "$scratch/elsewhere" -exec touch -d 2001-02-03 {} +
options=(-DMEMKIND_JEMALLOC_ROOT="$root")
for name in CMAKE_BUILD_TYPE CMAKE_C_COMPILER CMAKE_CXX_COMPILER CMAKE_C_FLAGS CMAKE_CXX_FLAGS \
    CMAKE_INSTALL_LIBDIR MEMKIND_DECORATORS MEMKIND_JEMALLOC_DEBUG MEMKIND_JEMALLOC_CFLAGS; do
    options+=("-D$name=$(value "$name")")
done
export SOURCE_DATE_EPOCH=1000000000
if ! {
    cmake -S "$scratch/elsewhere" -B "$scratch/objects" "${options[@]}" &&
        cmake --build "$scratch/objects" --parallel 2 --target memkind memkind_archive \
            memkind_preload memkind_autohbw memkind_memtier memtier memkind-run memkind-profile memkind-advise memkind-info memkind-hbw-nodes \
            memkind-auto-dax-kmem-nodes
} >"$scratch/log" 2>&1; then
    cat "$scratch/log"
    exit 1
fi
for folder in "$build" "$scratch/objects"; do
    DESTDIR=$scratch/installed-$(basename "$folder") cmake --install "$folder" --prefix /usr >/dev/null
done
same "all that is installed" "$scratch/installed-$(basename "$build")" "$scratch/installed-objects"
exit $failed

#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# What `cmake --install` makes is complete, in the folders and components it should be in, and can be used
# from wherever it was moved to: test/system/consumers and the examples are built against it, by pkg-config and by
# find_package, with the shared and with the static library.
#
# usage: test_install.sh BUILD SOURCE_DIR
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../support/check.sh"
build=$1 source=$2
cc=${CC:-cc} cxx=${CXX:-c++}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# install PREFIX [COMPONENT]
install()
{
    cmake --install "$build" --prefix "$1" ${2:+--component "$2"} >/dev/null
}

# files FOLDER: what is in there, folders apart.
files()
{
    (cd "$1" && find . ! -type d | sed 's|^\./||' | LC_ALL=C sort)
}

# --- what is installed where ----------------------------------------------------------------------

# value NAME: of a variable of the build.
value()
{
    sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"
}

lib=$(value CMAKE_INSTALL_LIBDIR) include=$(value CMAKE_INSTALL_INCLUDEDIR)
doc=share/doc/memkind version=$(value CMAKE_PROJECT_VERSION)
file=libmemkind.so.0.$(cut -d . -f 1-2 <<<"$version")
number=$(awk -F . '{ printf "%d%03d%03d", $1, $2, $3 }' <<<"$version")

# expected COMPONENT
expected()
{
    case $1 in
    runtime)
        printf "$lib/%s\n" libmemkind.so.0 "$file" lib{autohbw,memtier}.so.{0,0.0.0}
        ;;
    development)
        printf "$lib/%s\n" lib{autohbw,memkind,memtier}.so libmemkind.a pkgconfig/memkind.pc \
            cmake/memkind/memkind-{config,config-version,targets,"targets-$(value CMAKE_BUILD_TYPE | tr '[:upper:]' '[:lower:]')"}.cmake
        (cd "$source/include" && find . -name '*.h' -printf "$include/%P\n")
        (cd "$source/man" && printf 'share/man/man3/%s\n' *.3)
        ;;
    tools)
        printf 'bin/%s\n' memkind-info memkind-hbw-nodes memkind-auto-dax-kmem-nodes memkind-run \
            memkind-profile memkind-advise memtier
        (cd "$source/man" && printf 'share/man/man1/%s\n' *.1)
        printf '%s\n' share/man/man5/memkind-rules.5
        printf '%s\n' "$lib/memkind/libmemkind-preload.so"
        ;;
    documentation)
        printf "$doc/%s\n" README.md CHANGELOG.md LICENSE
        (cd "$source" && printf "$doc/%s\n" examples/*)
        (cd "$source" && find bindings -type f ! -name CMakeLists.txt -printf "$doc/%p\n")
        printf "$doc/bindings/%s.md\n" fortran python rust
        (cd "$source/man" && find . -name '*.7' -printf 'share/man/man7/%P\n')
        ;;
    esac | LC_ALL=C sort
}

components=(runtime development tools documentation)
for component in "${components[@]}"; do
    install "$scratch/$component" "$component"
    check "component $component" "$(expected "$component")" "$(files "$scratch/$component")"
done
DESTDIR=$scratch/stage install /usr
check "DESTDIR and a prefix have all components and nothing else" \
    "$(for component in "${components[@]}"; do expected "$component"; done | LC_ALL=C sort)" \
    "$(files "$scratch/stage/usr")"
check "nothing is beside the prefix" usr "$(ls "$scratch/stage")"
check "the links lead to the library" "$file $file" \
    "$(basename -a "$(readlink -f "$scratch/stage/usr/$lib/libmemkind.so")" \
        "$(readlink -f "$scratch/stage/usr/$lib/libmemkind.so.0")" | xargs)"
pc=$scratch/stage/usr/$lib/pkgconfig/memkind.pc
check "memkind.pc in /usr says so" "prefix=/usr" "$(grep '^prefix=' "$pc")"
check "and names no folder that the compiler searches anyway" "-lmemkind" "$(sed -n 's/^Libs: *//p' "$pc")"
check "no file knows where it was built or installed" "" \
    "$(grep -rlaF -e "$scratch" -e "$source" "$scratch/stage" || true)"

# --- the archive ----------------------------------------------------------------------------------

check "libmemkind.a: global are the public names, and no others" \
    "$(awk '$1 == "symbol" { sub(/,$/, "", $3); print $3 }' "$source/test/system/abi/libmemkind.abi" | LC_ALL=C sort)" \
    "$(nm -g --defined-only "$scratch/development/$lib/libmemkind.a" | awk 'NF == 3 { print $3 }' | LC_ALL=C sort)"

# --- whole programs -------------------------------------------------------------------------------

family=$(printf '%s\n' aligned_alloc calloc free free_aligned_sized free_sized mallinfo mallinfo2 malloc malloc_trim \
        malloc_usable_size memalign posix_memalign pvalloc realloc reallocarray valloc \
        _Zn{w,a}m{,RKSt9nothrow_t,St11align_val_t,St11align_val_tRKSt9nothrow_t} \
        _Zd{l,a}Pv{,m,RKSt9nothrow_t,St11align_val_t,mSt11align_val_t,St11align_val_tRKSt9nothrow_t} | LC_ALL=C sort)
# takes_over LIBRARY [NAME...]
takes_over()
{
    check "${1##*/} takes over these names, and no others" "$(printf '%s\n' "$family" "${@:2}" | LC_ALL=C sort)" \
        "$(nm -D --defined-only "$1" | awk '{ print $3 }' | LC_ALL=C sort)"
}
takes_over "$scratch/tools/$lib/memkind/libmemkind-preload.so"
takes_over "$scratch/runtime/$lib/libautohbw.so.0" disableAutoHBW enableAutoHBW
takes_over "$scratch/runtime/$lib/libmemtier.so.0"

# --- those who use it -----------------------------------------------------------------------------

install "$scratch/first"
mv "$scratch/first" "$scratch/moved"
moved=$scratch/moved
export PKG_CONFIG_PATH=$moved/$lib/pkgconfig
cd "$scratch"

# runs PROGRAM WHAT [LIBRARY]: it says the version, and has the library of that file, or none.
runs()
{
    check "$2 runs" "$number" "$(LD_LIBRARY_PATH=$moved/$lib "$1" 2>&1 || echo "exit status $?")"
    check "$2 has ${3:-no shared libmemkind}" "${3:-}" \
        "$(LD_LIBRARY_PATH=$moved/$lib ldd "$1" 2>/dev/null | sed -n 's/.*libmemkind.* => \(.*\) (.*/\1/p')"
}

shared=$moved/$lib/libmemkind.so.0
check "memkind-run finds libmemkind-preload.so from where it lies, and that the library" "$shared" \
    "$("$moved/bin/memkind-run" bash -c 'exec grep -om1 "/.*libmemkind[.]so.*" /proc/self/maps' | sed 's/[.]so[.].*/.so.0/')"
check "memtier finds libmemtier.so.0, and that the library" "$shared" \
    "$("$moved/bin/memtier" -r 1:0 bash -c 'exec grep -om1 "/.*libmemkind[.]so.*" /proc/self/maps' | sed 's/[.]so[.].*/.so.0/')"
check "pkg-config knows the version" "$version" "$(pkg-config --modversion memkind)"
read -ra flags <<<"$(pkg-config --cflags --libs memkind)"
read -ra all_flags <<<"$(pkg-config --cflags --libs --static memkind)"
"$cc" "$source/test/system/consumers/program.c" -o c "${flags[@]}"
"$cxx" "$source/test/system/consumers/program.cpp" -o cxx "${flags[@]}"
"$cc" "$source/test/system/consumers/program.c" -o c_archive -Wl,-Bstatic "${all_flags[@]}" -Wl,-Bdynamic
"$cxx" "$source/test/system/consumers/program.cpp" -o cxx_archive -Wl,-Bstatic "${all_flags[@]}" -Wl,-Bdynamic
# The linker says that dlopen wants a libc of the same version.
"$cc" -static "$source/test/system/consumers/program.c" -o c_static "${all_flags[@]}" 2>warnings ||
    { cat warnings && exit 1; }
"$cc" -static-pie "$source/test/system/consumers/program.c" -o c_static_pie "${all_flags[@]}" 2>warnings ||
    { cat warnings && exit 1; }
runs ./c "C, pkg-config" "$shared"
runs ./cxx "C++, pkg-config" "$shared"
runs ./c_archive "C, pkg-config, the archive"
runs ./cxx_archive "C++, pkg-config, the archive"
runs ./c_static "C, pkg-config, -static"
runs ./c_static_pie "C, pkg-config, -static-pie"

# cmake_build SOURCE FOLDER
cmake_build()
{
    if ! {
        cmake -S "$1" -B "$2" -DCMAKE_PREFIX_PATH="$moved" -DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx" &&
            cmake --build "$2" --parallel 2
    } >log 2>&1; then
        cat log
        exit 1
    fi
}

cmake_build "$source/test/system/consumers" consumers
runs consumers/c_memkind "C, find_package" "$shared"
runs consumers/cxx_memkind "C++, find_package" "$shared"
runs consumers/c_memkind_static "C, find_package, the archive"
runs consumers/cxx_memkind_static "C++, find_package, the archive"

sed 's/memkind 1.14/memkind 2.0/' "$source/test/system/consumers/CMakeLists.txt" >CMakeLists.txt
check "find_package: version 2 is not this one" 1 \
    "$(cmake -S . -B too_new -DCMAKE_PREFIX_PATH="$moved" 2>&1 | grep -c 'requested version "2.0"' || true)"

cmake_build "$moved/$doc/examples" examples
check "the examples say what those of the build say" "$("$build/examples/custom_kind" 2>&1)" \
    "$(examples/custom_kind 2>&1)"

# The bindings, as docs/languages says.
bindings=$moved/$doc/bindings link=("-L$moved/$lib" -lmemkind)
export LD_LIBRARY_PATH=$moved/$lib
if [ "$(value MEMKIND_BUILD_FORTRAN)" = ON ]; then
    fortran=$(value CMAKE_Fortran_COMPILER)
    "$fortran" -O2 -c "$bindings/fortran/memkind.F90"
    "$fortran" -O2 -o fortran_example "$bindings/fortran/example.f90" memkind.o "${link[@]}"
    check "Fortran" "in the kind: T" "$(./fortran_example | tail -n 1)"
fi
if [ "$(value MEMKIND_BUILD_PYTHON)" = ON ]; then
    python=$(value MEMKIND_PYTHON)
    "$cc" -O2 -fPIC -shared "$bindings/python/memkind.c" -o memkind.so "-I$moved/$include" "${link[@]}" \
        $("$python" -c 'import sysconfig, numpy; print("-I" + sysconfig.get_path("include"), "-I" + numpy.get_include())')
    check "Python" "in the kind: True" "$(PYTHONPATH=. "$python" -B "$bindings/python/example.py" | grep "in the kind")"
fi
if [ "$(value MEMKIND_BUILD_RUST)" = ON ]; then
    rustc=$(value MEMKIND_RUSTC)
    "$rustc" --edition 2021 -O --crate-type rlib --crate-name memkind_sys "$bindings/rust/src/lib.rs" "${link[@]}"
    "$rustc" --edition 2021 -O "$bindings/rust/examples/global.rs" --extern memkind_sys=libmemkind_sys.rlib \
        "${link[@]::1}"
    check "Rust" "in the kind: true" "$(./global | tail -n 1)"
fi
check "installed tools run" "$("$build/tools/memkind-info" --json | grep -v free)" \
    "$("$moved/bin/memkind-info" --json | grep -v free)"
exit $failed

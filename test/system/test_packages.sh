#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# The packages: they can be built, the checkers of the distributions find no error, Debian's, RPM's and the
# tarball have the same files, and a new Debian system that has nothing but them compiles and runs every
# example, shows the manual, and has nothing left of them when they are removed.
#
# usage: test_packages.sh SOURCE_DIR BUILD_DIR JEMALLOC_ROOT
set -euo pipefail
source=$1 build=$2 jemalloc_root=$3
export LC_ALL=C
for tool in dpkg-buildpackage dh lintian rpmbuild rpmlint; do
    if ! command -v $tool >/dev/null 2>&1; then
        echo "SKIP: packages: there is no $tool; scripts/bootstrap --test installs it on Debian and Ubuntu"
        exit 0
    fi
done
scratch=$(mktemp -d)
trap 'rm -rf --one-file-system "$scratch"' EXIT
failed=0

# check WHAT COMMAND...: says what the command said if it fails.
check()
{
    if "${@:2}" >"$scratch/said" 2>&1; then
        echo "ok: $1"
    else
        echo "FAILED: $1"
        tail -n 40 "$scratch/said"
        failed=1
    fi
}

# --- building and linting -------------------------------------------------------------------------

check "Debian packages" "$source/packaging/build-deb" "$scratch/deb"
check "lintian: no error" lintian --allow-root --fail-on error "$scratch"/deb/*.changes
check "RPM packages" "$source/packaging/build-rpm" "$scratch/rpm" --define "jemalloc_root $jemalloc_root"
# rpm_has_no_error: rpmlint counts them.
rpm_has_no_error()
{
    rpmlint -c "$source/packaging/rpm/rpmlint.toml" "$scratch"/rpm/SPECS/*.spec "$scratch"/rpm/RPMS/*/*.rpm |
        tee /dev/stderr | grep -q ' 0 errors'
}
check "rpmlint: no error" rpm_has_no_error
check "tarball" cpack --config "$build/CPackConfig.cmake" -B "$scratch/tarball"
[ "$failed" -eq 0 ] || exit 1

# --- the same files -------------------------------------------------------------------------------

# Without the folders that differ, compression, what is Debian's own, and the name of a kind of build.
plain()
{
    grep -v '/$' | sed -E 's|^\.?/?(usr/)?||; s|^lib(64)?/(x86_64-linux-gnu/)?|lib/|; s|\.gz$||
        s|^share/doc/[^/]*/|share/doc/|; s|-(none\|relwithdebinfo)\.cmake$|.cmake|
        /^share\/doc\/(copyright|changelog|NEWS\.Debian|changelog\.Debian)$/d; /^share\/licenses\//d; /^lib\/\.build-id/d
        /^share\/doc\/(LICENSE|README\.md|CHANGELOG\.md)$/d' | sort -u
}
deb_files()
{
    local deb
    for deb in "$scratch"/deb/*[a-z0]_*.deb; do
        case $deb in
        *-dbgsym_*) ;;
        *) dpkg -c "$deb" | sed -E 's/.* (\.\/[^ ]*)( -> .*)?$/\1/' ;;
        esac
    done | plain
}
rpm_files()
{
    rpm -qp --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' "$scratch"/rpm/RPMS/*/*.rpm | sed -n 's/^[^d][^ ]* //p' | plain
}
tarball_files()
{
    tar -tf "$scratch"/tarball/*.tar.gz | sed 's|^[^/]*/||' | plain
}
deb_files >"$scratch/deb_files"
check "there are files" test "$(wc -l <"$scratch/deb_files")" -gt 30
check "RPM packages have the files of Debian's" diff "$scratch/deb_files" <(rpm_files)
check "the tarball has them, too" diff "$scratch/deb_files" <(tarball_files)

# --- a system of its own --------------------------------------------------------------------------

# What is done inside, with the packages in /debs and the test in /test.
cat >"$scratch/inside" <<'END'
set -euo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
files()
{
    find / -xdev \( -path /debs -o -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /var/lib/dpkg \
        -o -path /var/log -o -path /var/cache -o -path /etc/ld.so.cache \) -prune -o -print | sort
}
files >/tmp/before
dpkg -i /debs/*.deb
ldconfig -p | grep -q libmemkind.so.0
mkdir /tmp/programs
cd /usr/share/doc/libmemkind-dev/examples
for example in *.c; do
    case $example in placement.c) continue ;; wordcount.c) more=placement.c ;; *) more= ;; esac
    cc -O2 -o /tmp/programs/"${example%.c}" "$example" $more $(pkg-config --cflags --libs memkind)
done
c++ -std=c++11 -O2 -o /tmp/programs/cxx_allocators cxx_allocators.cpp $(pkg-config --cflags --libs memkind)
cc -O2 -o /tmp/programs/static fallback.c $(pkg-config --variable=libdir memkind)/libmemkind.a -ldl -lpthread
# Each one runs, and says what it is to say.
/tmp/programs/static
/tmp/programs/cxx_allocators
echo "a b a" >/tmp/words
/tmp/programs/wordcount --kind MEMKIND_DEFAULT /tmp/words
bash /debs/test_examples.sh /tmp/programs JEMALLOC
memkind-info
/debs/memkind-tour
for page in memkind hbwmalloc memkind_memtier memkindallocator memkind-info; do
    man $page | grep -qi "$page"
done
man 7 memkind | grep -q "WHICH KIND"
dpkg --purge memkind-progs libmemkind-dev libmemkind0
files >/tmp/after
diff /tmp/before /tmp/after
END

# in_root: makes the system, in a mount namespace of its own, and runs the above.
in_root()
{
    local site codename root=$scratch/root
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    # From where this system has its own packages.
    site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Component: main' \
        "Codename: $codename" | sed -n 1p)
    [ -n "$site" ] || { echo "apt knows no packages of $codename" && return 1; }
    mkdir "$root"
    mount -t tmpfs -o size=2g,mode=755 tmpfs "$root"
    debootstrap --variant=minbase --include=gcc,g++,libc6-dev,pkgconf,man-db "$codename" "$root" "$site"
    mkdir "$root/debs"
    cp "$scratch"/deb/{libmemkind0,libmemkind-dev,memkind-progs}_*.deb "$source/test/integration/test_examples.sh" \
        "$build/tools/memkind-tour" "$root/debs"
    mount --rbind /dev "$root/dev"
    mount --rbind /sys "$root/sys"
    mount -t proc proc "$root/proc"
    chroot "$root" /bin/bash -s <"$scratch/inside"
}

if [ "$(id -u)" -ne 0 ] || ! unshare --mount true 2>/dev/null; then
    echo "SKIP: packages::clean_root: this needs root and a mount namespace"
else
    export -f in_root
    export scratch source build
    check "a new system compiles and runs the examples, and is as before afterwards" \
        unshare --mount --propagation private bash -euo pipefail -c in_root
fi
exit $failed

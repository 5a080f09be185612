#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# The packages: they can be built, the checkers of the distributions find no error, Debian's, RPM's and the
# tarball have the same files, and a new Debian system that has nothing but them compiles and runs every
# example of C and C++, shows the manual, and has nothing left of them when they are removed (other languages:
# scripts/languages). Debian's packages of 1.14.0 and a program that is linked with its libmemtier become ours by
# `apt upgrade` and go back, and all of it runs.
#
# usage: test_packages.sh SOURCE_DIR BUILD_DIR JEMALLOC_ROOT
set -euo pipefail
source=$1 build=$2 jemalloc_root=$3
. "$(dirname "${BASH_SOURCE[0]}")/../support/debian_root.sh"
export LC_ALL=C
for tool in dpkg-buildpackage dpkg-scanpackages dh lintian mmdebstrap rpmbuild rpmlint; do
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
    local since=$SECONDS
    if "${@:2}" >"$scratch/said" 2>&1; then
        echo "ok: $1 ($((SECONDS - since)) s)"
    else
        echo "FAILED: $1"
        tail -n 40 "$scratch/said"
        failed=1
    fi
}

# --- building and linting -------------------------------------------------------------------------

# Without debug information, which nobody looks at here, and with less optimization: how a release is compiled is
# what all other tests see, and that one takes half the time. Debian's is the one that builds its own jemalloc.
check "Debian packages" env DEB_BUILD_OPTIONS=noautodbgsym DEB_CPPFLAGS_APPEND="-O1 -g0" \
    "$source/packaging/build-deb" "$scratch/deb"
check "lintian: no error" lintian --allow-root --fail-on error "$scratch"/deb/*.changes
check "RPM packages" "$source/packaging/build-rpm" "$scratch/rpm" --define "jemalloc_root $jemalloc_root" \
    --define "optflags -O1"
# rpm_has_no_error: rpmlint counts them.
rpm_has_no_error()
{
    rpmlint -c "$source/packaging/rpm/rpmlint.toml" "$scratch"/rpm/SPECS/*.spec "$scratch"/rpm/RPMS/*/*.rpm |
        tee /dev/stderr | grep -q ' 0 errors'
}
check "rpmlint: no error" rpm_has_no_error
# Of what is built already: with make's name cpack would have it look at every target first.
check "tarball" cpack --config "$build/CPackConfig.cmake" -B "$scratch/tarball" -D CPACK_CMAKE_GENERATOR=Ninja
[ "$failed" -eq 0 ] || exit 1

# --- the same files -------------------------------------------------------------------------------

# Without the folders that differ, compression, what is Debian's own, and the name of a kind of build. Sources must
# not be compressed: compilers read them where they lie.
plain()
{
    grep -v '/$' | sed -E 's|^\.?/?(usr/)?||; s|^lib(64)?/(x86_64-linux-gnu/)?|lib/|
        /\/(bindings|examples)\//!s|\.gz$||
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

# What is done inside, with the packages in /debs/new and Debian's in /debs/old. Both say what failed: no reader
# of a pipe ends before the writer has, whom that would kill without a word.
cat >"$scratch/common" <<'END'
set -eEuo pipefail
trap 'echo "failed with status $?, line $LINENO: $BASH_COMMAND"' ERR
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
# says WORD COMMAND...
says()
{
    "${@:2}" >/tmp/said
    grep -qi -e "$1" /tmp/said || { echo "\"$1\" is not in what ${*:2} says" && cat /tmp/said && return 1; }
}
END
cat "$scratch/common" - >"$scratch/inside" <<'END'
files()
{
    find / -xdev \( -path /debs -o -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /var/lib/dpkg \
        -o -path /var/log -o -path /var/cache -o -path /etc/ld.so.cache \) -prune -o -print | sort
}
files >/tmp/before
dpkg -i /debs/new/*.deb
says libmemkind.so.0 ldconfig -p
[ "$(pkg-config --variable=prefix memkind)" = /usr ]
[ -z "$(grep -E '^(Libs|Cflags):.*-[LI]' "$(pkg-config --variable=pcfiledir memkind)/memkind.pc" || true)" ]
grep -q memkind /usr/share/doc/libmemkind-dev/README.md
bash /debs/installed_examples.sh /tmp/programs
cd /usr/share/doc/libmemkind-dev/examples
cc -O2 -o /tmp/programs/static fallback.c $(pkg-config --variable=libdir memkind)/libmemkind.a -ldl -lpthread
# Each one runs, and says what it is to say.
/tmp/programs/static
/tmp/programs/cxx_allocators
says "vector: yes" /tmp/programs/cxx_resource
says "vector: yes" /tmp/programs/cxx_deduced
/tmp/programs/hello
echo "a b a" | says "2 a" /tmp/programs/wordcount
bash /debs/test_examples.sh /tmp/programs JEMALLOC
memkind-info
memkind-run --report=/tmp/report ls >/dev/null
says "memkind report of ls" cat /tmp/report
memkind-profile --rate 4K --output /tmp/profile ls >/dev/null
says "ls" cat /tmp/profile.html
/debs/memkind-tour
for page in memkind hbwmalloc memkind_memtier memkindallocator memkind-info memkind-run memkind-profile memkind-advise memkind-rules libmemkind-preload memtier libmemtier autohbw; do
    says $page man $page
done
says "WHICH KIND" man 7 memkind
dpkg --purge libmemkind-progs libmemkind-dev libmemkind0
files >/tmp/after
diff /tmp/before /tmp/after
END

# From Debian's packages, and a site's own one that is linked with libmemtier, to ours, and back: twice.
cat "$scratch/common" - >"$scratch/upgrade" <<'END'
names=(libmemkind0 libmemkind-dev libmemkind-progs)
# offer FOLDER...: what apt knows.
offer()
{
    printf 'deb [trusted=yes] file:/debs/%s ./\n' "$@" >/etc/apt/sources.list
    apt-get -qq update
}
# expect VERSION: everything is there, and runs.
expect()
{
    local name
    for name in "${names[@]}"; do
        [ "$(dpkg-query -W -f '${db:Status-Abbrev}${Version}' "$name")" = "ii $1" ]
    done
    [ "$(dpkg-query -W -f '${db:Status-Abbrev}' site)" = "ii " ]
    [ -z "$(dpkg --audit)" ]
    apt-get check
    says "upgraded, 0 newly installed, 0 to remove" apt-get -s dist-upgrade
    MEMKIND_MEM_TIERS="KIND:DRAM,RATIO:1;POLICY:STATIC_RATIO" says "the site's program runs" site
    MEMKIND_DAX_KMEM_NODES=0 says tiered memtier -r 1:1 echo tiered
    MEMKIND_HBW_NODES=0 says 0 memkind-hbw-nodes
    says memkind man memtier
}
offer old
apt-get -y --no-install-recommends install "${names[@]}"
old=$(dpkg-query -W -f '${Version}' libmemkind0)
mkdir -p /tmp/site/DEBIAN /tmp/site/usr/bin
cat >/tmp/site/DEBIAN/control <<SITE
Package: site
Version: 1
Architecture: $(dpkg --print-architecture)
Maintainer: a site <root@localhost>
Depends: libmemkind0 (>= 1.14.0)
Description: a program that is linked with libmemtier
SITE
cat >/tmp/site.c <<'SITE'
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
    char *block = malloc(1000);

    return !block || puts("the site's program runs") < 0;
}
SITE
cc -o /tmp/site/usr/bin/site /tmp/site.c -Wl,--no-as-needed -lmemtier
says libmemtier.so.0 ldd /tmp/site/usr/bin/site
dpkg-deb --root-owner-group --build /tmp/site /tmp/site.deb
dpkg -i /tmp/site.deb
expect "$old"
for way in "upgrade --with-new-pkgs" dist-upgrade; do
    offer old new
    apt-get -y $way
    new=$(dpkg-query -W -f '${Version}' libmemkind0)
    [ "$new" != "$old" ]
    expect "$new"
    offer old
    apt-get -y --allow-downgrades install $(printf "%s=$old " "${names[@]}")
    expect "$old"
done
END

# Debian's packages and what they need beyond what the new system has, as archives of apt.
make_archives()
{
    local deb folder
    cp "$scratch"/deb/*[a-z0]_*.deb "$root/debs/new"
    rm -f "$root"/debs/new/*-dbgsym_*
    apt-get -qq -o Dir::State::status="$root/var/lib/dpkg/status" -o Dir::Cache::archives="$root/debs/old" \
        -o APT::Sandbox::User= -o Debug::NoLocking=1 -y --no-install-recommends --download-only \
        install libmemkind0 libmemkind-dev libmemkind-progs
    for folder in old new; do
        (cd "$root/debs/$folder" && dpkg-scanpackages . >Packages)
    done
}

# in_root: makes the system, in a mount namespace of its own, and runs the above.
in_root()
{
    local root=$scratch/root
    . "$source/test/support/debian_root.sh"
    debian_root "$root" "$scratch/deb" gcc g++ libc6-dev pkgconf man-db
    mkdir -p "$root"/debs/{old/partial,new}
    make_archives
    cp "$source"/test/{integration/test_examples.sh,support/installed_examples.sh} "$build/tools/memkind-tour" \
        "$root/debs"
    echo "== in a new system"
    chroot "$root" /bin/bash -s <"$scratch/inside"
    echo "== from Debian's packages to these, and back"
    chroot "$root" /bin/bash -s <"$scratch/upgrade"
}

if ! can_debian_root; then
    echo "SKIP: packages::clean_root: this needs root and a mount namespace"
else
    export -f in_root make_archives
    export scratch source build
    check "a new system compiles and runs the examples, and is as before; Debian's packages become ours and theirs" \
        unshare --mount --propagation private bash -euo pipefail -c in_root
fi
exit $failed

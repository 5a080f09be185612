# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# A new Debian system in a folder, for what is to be seen with nothing but our packages: sourced, not run.
# shellcheck shell=bash

# can_debian_root: whether this user may make one.
can_debian_root()
{
    [ "$(id -u)" -eq 0 ] && unshare --mount true 2>/dev/null
}

# debian_codename, debian_site: the release that this system is, and where it has its own packages from.
debian_codename()
{
    (. /etc/os-release && echo "$VERSION_CODENAME")
}

debian_site()
{
    local site
    site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Component: main' \
        "Codename: $(debian_codename)" | sed -n 1p)
    [ -n "$site" ] || { echo "apt knows no packages of $(debian_codename)" >&2 && return 1; }
    printf '%s\n' "$site"
}

# debian_root ROOT DEBS PACKAGE...: makes the system in the folder ROOT, of the release that this system is and from
# where it has its own packages, with those and what the packages in the folder DEBS need of others, which dpkg does
# not get. To be called in a mount namespace of its own, with which all that it mounts ends: it is in memory.
debian_root()
{
    local root=$1 debs=$2 site needed
    shift 2
    site=$(debian_site)
    needed=$(for deb in "$debs"/*.deb; do dpkg-deb -f "$deb" Depends; done | tr ',' '\n' |
        sed -E 's/^ +//; s/[ :|].*//' | grep -v '^libmemkind' | sort -u)
    mkdir "$root"
    mount -t tmpfs -o size=4g,mode=755 tmpfs "$root"
    mmdebstrap --quiet --variant=minbase --mode=root \
        --include="$(printf '%s\n' "$@" $needed | paste -s -d ,)" "$(debian_codename)" "$root" "$site"
    mount --rbind /dev "$root/dev"
    mount --rbind /sys "$root/sys"
    mount -t proc proc "$root/proc"
}

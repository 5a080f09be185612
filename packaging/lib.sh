# Shared by the scripts of this folder: sourced, not run.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

# shellcheck disable=SC2034 # used by the scripts
VERSION=$(sed -n 's/^ *VERSION \([0-9.]*\)$/\1/p' "$ROOT/CMakeLists.txt" | sed -n 1p)
# shellcheck disable=SC2034
JEMALLOC_VERSION=$(sed -n 's/^set(MEMKIND_JEMALLOC_VERSION \(.*\))$/\1/p' "$ROOT/cmake/jemalloc.cmake")

# with_versions FILE: what it says, with the versions of the library and of jemalloc put in.
with_versions()
{
    sed "s/@VERSION@/$VERSION/g; s/@JEMALLOC_VERSION@/$JEMALLOC_VERSION/g" "$1"
}

# The files of the source package, one a line: what git knows or would add, else all but the build folder.
source_files()
{
    if [ -e "$ROOT/.git" ] && have git; then
        git -C "$ROOT" ls-files --cached --others --exclude-standard |
            while IFS= read -r file; do
                [ ! -e "$ROOT/$file" ] || printf '%s\n' "$file"
            done
    else
        (cd "$ROOT" && find . -path ./build -prune -o \( -type f -o -type l \) -print | sed 's|^\./||')
    fi | LC_ALL=C sort
}

# make_source_tarball FILE: the sources in a folder memkind-VERSION. The same files are the same bytes: times
# are that of the newest entry in packaging/debian/changelog.in.
make_source_tarball()
{
    local epoch
    epoch=$(date +%s -d "$(sed -n 's/^ -- .*>  //p' "$ROOT/packaging/debian/changelog.in" | sed -n 1p)")
    source_files | tar -C "$ROOT" --create --no-recursion --files-from=- --transform="s|^|memkind-$VERSION/|" \
        --owner=root:0 --group=root:0 --mode=u=rwX,go=rX --mtime="@$epoch" | gzip -n >"$1"
}

# make_jemalloc_tarball FILE: a copy of the one that scripts/bootstrap has.
make_jemalloc_tarball()
{
    "$ROOT/scripts/bootstrap"
    cp "${MEMKIND_JEMALLOC_TARBALL:-$(echo "$ROOT"/build/downloads/jemalloc-*.tar.bz2)}" "$1"
}

#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# The workflow of a public host has the jobs of scripts/ci, all of them and no others; each of these is told and runs a
# script that is there. And the tarball of a release is the same bytes when it is made again, wherever its folder is.
#
# usage: test_ci.sh SOURCE_DIR
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../support/check.sh"
source=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$source/scripts/ci" --list | sort >"$scratch/jobs"
sed -nE 's/^          - ([a-z0-9-]+)$/\1/p; s/^ *- run: scripts\/ci ([a-z0-9-]+)$/\1/p' \
    "$source/.github/workflows/ci.yml" | sort >"$scratch/workflow"
check "jobs of the workflow" "$(cat "$scratch/jobs")" "$(cat "$scratch/workflow")"
"$source/scripts/ci" --help >"$scratch/help"
check "jobs that are told" "$(cat "$scratch/jobs")" "$(sed -nE 's/^  ([a-z0-9-]+)  .*/\1/p' "$scratch/help" | sort)"
while read -r script; do
    [ -x "$source/$script" ] || fail "scripts/ci names $script, which is not there"
done < <(grep -oE 'scripts/[a-z-]+' "$source/scripts/ci" | sort -u)
status=0
"$source/scripts/ci" no-such-job 2>/dev/null || status=$?
check "a job that is not there" 2 "$status"

# In a clone, so that what is not committed here does not matter.
if [ -e "$source/.git" ]; then
    git -c safe.directory='*' clone -q "$source" "$scratch/clone"
    mkdir -p "$scratch/clone/build/downloads"
    ln -s "$source"/build/downloads/jemalloc-*.tar.bz2 "$scratch/clone/build/downloads"
    for time in first second; do
        find "$scratch/clone" -path "$scratch/clone/.git" -prune -o -type f -exec touch -d "now - $RANDOM seconds" {} +
        "$scratch/clone/scripts/release" "$scratch/$time" >"$scratch/log" || fail "scripts/release: $(tail -n 3 "$scratch/log")"
    done
    check "the tarball again" "$(cat "$scratch/first/SHA256SUMS")" "$(cat "$scratch/second/SHA256SUMS")"
    (cd "$scratch/first" && sha256sum --quiet --check SHA256SUMS) || fail "the checksums are others"

    # As RELEASING.md tells, into a folder that is named from where one is. The build is not what is looked at: a cmake
    # that takes no time, and wants the tarball that it is given.
    mkdir "$scratch/bin"
    cat >"$scratch/bin/cmake" <<END
#!/bin/bash
set -e
case \$1 in
-S) ;;
--build) exit ;;
*) exec $(command -v cmake) "\$@" ;;
esac
for word; do
    case \$word in
    -DMEMKIND_JEMALLOC_TARBALL=*) [ -s "\${word#*=}" ] ;;
    esac
done
mkdir -p "\$4/examples"
cp /bin/true "\$4/examples/hello"
END
    chmod +x "$scratch/bin/cmake"
    for time in first second; do # what is there from the first time is the script's own
        (cd "$scratch/clone" && PATH=$scratch/bin:$PATH scripts/release --build build/release-files) \
            >"$scratch/log" 2>&1 || fail "scripts/release --build build/release-files, $time time: $(tail -n 3 "$scratch/log")"
    done
    check "the tarball in build/release-files" "$(cat "$scratch/first/SHA256SUMS")" \
        "$(cat "$scratch/clone/build/release-files/SHA256SUMS")"
    mkdir "$scratch/home"
    echo mine >"$scratch/home/letters"
    if "$scratch/clone/scripts/release" "$scratch/home" >/dev/null 2>&1; then
        fail "a release is made in a folder with other files"
    fi
    check "what was in that folder" mine "$(cat "$scratch/home/letters")"
    echo change >>"$scratch/clone/README.md"
    if "$scratch/clone/scripts/release" "$scratch/third" >/dev/null 2>&1; then
        fail "a release is made of what is not committed"
    fi
fi
exit "$failed"

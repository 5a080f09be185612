#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# The workflow of a public host has the jobs of scripts/ci, all of them and no others; each of these is told and runs a
# script that is there. And the tarball of a release is the same bytes when it is made again.
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
    echo change >>"$scratch/clone/README.md"
    if "$scratch/clone/scripts/release" "$scratch/third" >/dev/null 2>&1; then
        fail "a release is made of what is not committed"
    fi
fi
exit "$failed"

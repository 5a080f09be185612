#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# tools/memkind-tour finds nothing wrong on this machine, with and without memory that plays a part, and
# its table is the same under both heap managers.
#
# usage: test_tour.sh MEMKIND_TOUR
set -euo pipefail
tour=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset "${!MEMKIND_@}"
failed=0

# No other test reserves huge pages meanwhile: support.c has the same lock.
exec 9>>/tmp/memkind-test-hugepages.lock
flock 9

# show MANAGER [VARIABLE=VALUE]...: the table, in a file of the manager's name. Its first line names the
# heap manager; some virtual machines change the size of their memory, and so the capacity.
show()
{
    local manager=$1
    if ! env "${@:2}" MEMKIND_HEAP_MANAGER="$manager" "$tour" >"$scratch/output" 2>&1; then
        echo "FAILED: memkind-tour, $*"
        cat "$scratch/output"
        failed=1
    elif ! grep -q "^libmemkind .* heap manager $manager\$" "$scratch/output"; then
        echo "FAILED: memkind-tour does not name $manager"
        failed=1
    fi
    sed -E '1d; /^node /d; s/ [0-9.]+ [KMGT]iB( .*  (ok|not))/\1/' "$scratch/output" >"$scratch/$manager"
}

# same [VARIABLE=VALUE]...
same()
{
    show JEMALLOC "$@"
    show TBB "$@"
    if diff "$scratch/JEMALLOC" "$scratch/TBB"; then
        echo "ok: the same table, ${*:-nothing set}"
    else
        echo "FAILED: the tables differ, ${*:-nothing set}"
        failed=1
    fi
    [ "$(grep -c '^memkind_create_.* ok, ' "$scratch/TBB")" -ge 3 ] || {
        echo "FAILED: created kinds are missing"
        failed=1
    }
}

if MEMKIND_HEAP_MANAGER=TBB "$tour" 2>&1 | grep -q 'cannot be loaded'; then
    echo "SKIP: tour: libtbbmalloc.so.2 cannot be loaded"
    exit 0
fi
same
same MEMKIND_HBW_NODES=0 MEMKIND_DAX_KMEM_NODES=0
exit $failed

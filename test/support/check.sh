# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# Sourced by the tests that are shell scripts and go on after a failure: they end with `exit $failed`.
# shellcheck shell=bash disable=SC2034 # failed is read by the test
failed=0

fail()
{
    echo "FAILED: $*"
    failed=1
}

# check WHAT EXPECTED FOUND
check()
{
    if [ "$2" = "$3" ]; then
        echo "ok: $1"
    else
        echo "FAILED: $1"
        diff <(printf '%s\n' "$2") <(printf '%s\n' "$3") || true
        failed=1
    fi
}

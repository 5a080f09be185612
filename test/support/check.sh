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

# code_blocks FILE LANGUAGE: the lines of all code blocks in that language.
code_blocks()
{
    awk -v start="\`\`\`$2" '$0 == start { on = 1; next } /^```/ { on = 0 } on' "$1"
}

# same_options COMMAND...: the tool's manual page has the options of its --help, and in that order.
same_options()
{
    local page
    page=$(dirname "${BASH_SOURCE[0]}")/../../man/$(basename "$1").1
    check "$(basename "$1") has the options of its manual page" \
        "$("$1" --help | sed -nE 's/^  -(.), --([a-z-]+).*/\1 \2/p')" \
        "$(sed -nE 's/^\.It Fl (.) , -([a-z-]+).*/\1 \2/p' "$page")"
}

#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# What scripts/test makes of ctest's results: junit/NAME.xml were recorded from programs that pass, fail, crash,
# skip, and that a sanitizer reports; NAME.expected is what is to be said of them. A file that is not whole is
# an error. A test that is disabled looks as one that a filter leaves out, which counts for nothing: there is none.
#
# usage: test_junit_summary.sh SOURCE_DIR
set -euo pipefail
source=$1
here=$source/test/system/junit
failed=0

summary()
{
    python3 "$source/scripts/junit_summary.py" release "$1"
}

for file in "$here"/*.xml; do
    if diff <(summary "$file") "${file%.xml}.expected"; then
        echo "ok: ${file##*/}"
    else
        echo "FAILED: ${file##*/}: < said, > expected"
        failed=1
    fi
done
if grep -rnE '\.disabled *=' "$source/test" --include='*.c' --include='*.cpp'; then
    echo "FAILED: these are not counted, and nobody reads why: test_skip() says the reason"
    failed=1
fi
if head -c 300 "$here/failing.xml" | summary /dev/stdin 2>/dev/null; then
    echo "FAILED: half a file is no error"
    failed=1
fi
exit $failed

#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# The library as the dynamic linker sees it: needs nothing but libc, is bound at load and never unloaded,
# has little thread-local storage, starts no code of jemalloc's. What it exports: test/system/abi.
#
# usage: test_symbols.sh LIBRARY [sanitized]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../support/check.sh"
library=$1 sanitized=${2:-}

dynamic=$(readelf -dW "$library")

check "soname" libmemkind.so.0 "$(sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p' <<<"$dynamic")"
check "flag NODELETE" 1 "$(grep -c '(FLAGS_1).*NODELETE' <<<"$dynamic")"
check "flag NOW" 1 "$(grep -c '(FLAGS_1).*NOW' <<<"$dynamic")"
check "no segment is writable and executable" 0 "$(readelf -lW "$library" | grep -c ' RWE ' || true)"
if [ -z "$sanitized" ]; then
    check "needs libc only" libc.so.6 \
        "$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' <<<"$dynamic" | grep -v '^ld-linux' | sort)"
    check "two initializers, the compiler's and that of fork handlers" 16 \
        "$((16#$(readelf -SW "$library" | sed -n 's/.* \.init_array *INIT_ARRAY *[0-9a-f]* *[0-9a-f]* *\([0-9a-f]*\).*/\1/p')))"
    tls=$(readelf -lW "$library" | awk '$1 == "TLS" { print $6 }')
    check "at most 64 bytes of thread-local storage" yes "$([ $((tls)) -le 64 ] && echo yes || echo "$tls")"
fi
exit $failed

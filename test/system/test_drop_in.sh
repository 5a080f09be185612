#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# Our library in the place of libmemkind 1.14.0, as Debian has it: programs that were compiled against that
# one's headers and linked with it, its tools, and its malloc for tiers of memory below programs of the
# system, all of them as they are. The packages are unpacked in build/reference, none of them is installed.
#
# usage: test_drop_in.sh LIBRARY SOURCE_DIR
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../support/check.sh"
ours=$(cd "$(dirname "$1")" && pwd) source=$2
reference=$source/build/reference/root
cc=${CC:-cc} cxx=${CXX:-c++}
if [ ! -d "$reference" ]; then
    echo "SKIP: drop_in: there is no $reference, scripts/bootstrap --test gets it"
    exit 0
fi
headers=$reference/usr/include
theirs=$(dirname "$(find "$reference" -name 'libmemkind.so.0' | head -n 1)")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
mkdir files

# with FOLDER COMMAND...: with the library of that folder; its output and exit status.
with()
{
    LD_LIBRARY_PATH=$1 "${@:2}" 2>&1 || echo "exit status $?"
}

# --- what is compiled in --------------------------------------------------------------------------

# facts FOLDER: of the headers in there.
facts()
{
    "$source/test/system/abi/list.py" "$cc" "$1" | LC_ALL=C sort
}
check "no fact of their headers is another one in ours" "" \
    "$(LC_ALL=C comm -23 <(facts "$headers") <(facts "$source/include"))"

# --- programs -------------------------------------------------------------------------------------

# build PROGRAM COMPILER FILE OPTION...: their library needs others, which nobody has to have here.
build()
{
    "$2" -O1 -Wno-deprecated-declarations -I "$headers" "$source/test/system/drop_in/$3" -o "$1" -L "$theirs" -lmemkind \
        -ldl -Wl,--unresolved-symbols=ignore-in-shared-libs "${@:4}"
}
build functions "$cc" functions.c
build kinds "$cc" kinds.c
build hbw "$cc" hbw.c
build tiers "$cc" tiers.c
build allocators "$cxx" allocators.cpp
# Kinds that the linker has copied into the program.
build fixed_address "$cc" kinds.c -no-pie -fno-pie

names()
{
    nm -D "$@" | sed -nE 's/.* ((memkind|hbw|memtier|MEMKIND)_[A-Za-z0-9_]+)(@.*)?$/\1/p' | LC_ALL=C sort -u
}
check "together they use every function and every kind" \
    "$(facts "$headers" | sed -nE 's/^(function|variable) (\w+):.*/\2/p' | LC_ALL=C sort)" \
    "$(names functions kinds hbw tiers allocators)"

# runs WHAT FILE COMMAND...: says what test/system/drop_in/FILE says; theirs is asked, too, for whoever reads this.
runs()
{
    local expected
    expected=$(cat "$source/test/system/drop_in/$2")
    check "$1" "$expected" "$(with "$ours" "${@:3}")"
    if [ "$(with "$theirs" "${@:3}")" != "$expected" ]; then
        echo "note: $1: 1.14.0 says something else on this machine"
    fi
}
node_0=(env MEMKIND_HBW_NODES=0 MEMKIND_DAX_KMEM_NODES=0)
runs "functions" functions.expected ./functions files
runs "kinds" kinds.expected "${node_0[@]}" ./kinds
runs "kinds, copied" kinds.expected "${node_0[@]}" ./fixed_address
runs "hbwmalloc" hbw.expected "${node_0[@]}" ./hbw
if [ "$(with "$ours" "$reference/usr/bin/memkind-hbw-nodes")" = "exit status 1" ]; then
    runs "hbwmalloc without such memory" hbw_none.expected ./hbw none
fi
runs "tiers" tiers.expected "${node_0[@]}" ./tiers
runs "C++ allocators" allocators.expected ./allocators files

# --- the tools of libmemkind-progs ----------------------------------------------------------------

# tool NAME STATUS: theirs and ours find the same; with a node, that node; else the exit status for none.
tool()
{
    local theirs_found
    theirs_found=$(with "$ours" "$reference/usr/bin/$1")
    check "$1: says what ours says" "$(with "$ours" "$ours/../tools/$1")" "$theirs_found"
    check "$1: node 0" 0 "$(with "$ours" "${node_0[@]}" "$reference/usr/bin/$1")"
    check "$1: no such node" "exit status $2" \
        "$(with "$ours" env MEMKIND_HBW_NODES=1022 MEMKIND_DAX_KMEM_NODES=1022 "$reference/usr/bin/$1" |
            grep -v '^MEMKIND: ' || true)"
}
tool memkind-hbw-nodes 1
tool memkind-auto-dax-kmem-nodes 3

# --- libmemtier below programs of the system ------------------------------------------------------

# tiered TIERS COMMAND...: with that library as its malloc, and ours below that.
tiered()
{
    LD_LIBRARY_PATH=$ours LD_PRELOAD=$theirs/libmemtier.so.0 MEMKIND_MEM_TIERS=$1 MEMKIND_DAX_KMEM_NODES=0 \
        "${@:2}" 2>&1 || echo "exit status $?"
}
file="KIND:FS_DAX,PATH:$scratch/files,PMEM_SIZE_LIMIT:256M,RATIO:4"
tiers=("KIND:DRAM,RATIO:1;POLICY:STATIC_RATIO"
    "KIND:DRAM,RATIO:1;KIND:KMEM_DAX,RATIO:4;POLICY:STATIC_RATIO"
    "KIND:DRAM,RATIO:4;KIND:KMEM_DAX,RATIO:1;POLICY:DYNAMIC_THRESHOLD")

# below TIERS COMMAND...: says what it says without.
below()
{
    check "$2 on $1" "$("${@:2}" 2>&1)" "$(tiered "$@")"
}
seq 1 200000 >numbers
cat >threads.py <<'END'
import subprocess, sys, threading
found = {}
def work(number):
    found[number] = sum(len(str(i) * number) for i in range(20000))
for _ in range(3):
    threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    said = subprocess.run(["sort", "-r", "numbers"], stdout=subprocess.PIPE, check=True).stdout
    for thread in threads:
        thread.join()
    print(sorted(found.items()), len(said), said[:20])
END
for tier in "${tiers[@]}"; do
    below "$tier" ls -l /usr/bin
    below "$tier" sort -R --random-source=numbers numbers
    below "$tier" python3 threads.py
    below "$tier" "$cc" -O2 -S -o - "$source/test/system/consumers/program.c" -I "$headers"
done
# The pages of a file are common to a process and its child: these programs fork none, or call exec(2) at once.
for policy in STATIC_RATIO DYNAMIC_THRESHOLD; do
    tier="KIND:DRAM,RATIO:1;$file;POLICY:$policy"
    below "$tier" ls -l /usr/bin
    below "$tier" sort -R --random-source=numbers numbers
    below "$tier" "$cc" -O2 -S -o - "$source/test/system/consumers/program.c" -I "$headers"
done
said=$(tiered "$tier" env MEMKIND_DEBUG=1 ls /)
check "a tier is in a file" "MEMKIND: created a file in $scratch/files" \
    "$(grep -o "MEMKIND: created a file in [^ ]*" <<<"$said" | head -n 1)"
exit $failed

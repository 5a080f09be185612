#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# Programs that know nothing of this library take all their memory from it: each runs with and without
# libmemkind-preload.so, and has to say the same and end the same. All of it for several kinds, for both heap
# managers, and with libdaxctl answering, silent and absent, since the search for DAX nodes itself allocates.
#
# usage: test_interposer.sh SETTING,... PRELOAD THREADED_PROGRAM FAKE_DAXCTL LIBRARY
#   SETTING: default tbb regular hbw hbw-debug dax-answers dax-absent dax-machine dax-nodes
set -euo pipefail
settings=$1 preload=$2 program=$3 fake=$4 library=$5

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
export LC_ALL=C
unset "${!MEMKIND_@}" LD_PRELOAD
failed=0
variables=()

# --- what the programs work on ----------------------------------------------------------------------

seq 1 80000 | awk '{ print ($1 * 7919) % 200003, "line", $1 }' >numbers
mkdir tree
for i in $(seq 1 300); do
    mkdir "tree/$((i % 20)).d" 2>/dev/null || true
    head -c "$((i * 37))" numbers >"tree/$((i % 20)).d/file$i"
done
cat >source.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
struct point { double x, y; };
static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
int main(int argc, char **argv)
{
    int numbers[] = {3, 1, 2};
    struct point p = {argc, argc * 2.0};
    qsort(numbers, 3, sizeof *numbers, compare);
    printf("%s %d %f\n", argv[0], numbers[0], p.x + p.y);
    return 0;
}
END
cat >script.py <<'END'
import ctypes, gc, json, math, re, subprocess, sys, threading, zlib

def work(seed, results):
    tree = {str(i): [seed, i, {"x": "y" * (i % 50), "z": [math.sqrt(i)] * (i % 10)}] for i in range(1000)}
    text = json.dumps(tree)
    assert json.loads(text) == tree
    results[seed] = zlib.crc32(zlib.compress(text.encode()))

results = {}
for _ in range(3):
    threads = [threading.Thread(target=work, args=(i, results)) for i in range(6)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    gc.collect()
print(sorted(results.items()))
print(subprocess.run(["sort", "-n"], input="3\n1\n2\n", capture_output=True, text=True).stdout.split())
print(subprocess.run([sys.executable, "-c", "print(sum(range(1000)))"], capture_output=True, text=True).stdout)
for name in ("libm.so.6", "libz.so.1", "libcrypt.so.1"):
    try:
        print(name, bool(ctypes.CDLL(name)._handle))
    except OSError:
        print(name, "not here")
libc = ctypes.CDLL(None)
libc.strdup.restype = ctypes.c_void_p
copy = libc.strdup(b"a block of libc's")
print(ctypes.string_at(copy)); libc.free(ctypes.c_void_p(copy))
print(len(re.findall("a+b", "aaab" * 10000)), len(set("%d" % i for i in range(80000))))
END
# Re-entry in its plainest form: the library itself, opened by a program that it already serves.
cat >library.py <<'END'
import ctypes, sys, threading
library = ctypes.CDLL(sys.argv[1])
library.memkind_malloc.restype = ctypes.c_void_p
for kind in ("MEMKIND_DEFAULT", "MEMKIND_REGULAR"):
    kind = ctypes.c_void_p.in_dll(library, kind)
    def body():
        for size in (1, 1000, 100000):
            block = ctypes.c_void_p(library.memkind_malloc(kind, ctypes.c_size_t(size)))
            ctypes.memset(block, 1, size)
            library.memkind_free(None, block)
    threads = [threading.Thread(target=body) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
print("well")
END

# --- one program, with and without ------------------------------------------------------------------

# run FOLDER COMMAND...: output, messages and status of the command go to the folder.
run()
{
    local folder=$1 status=0
    shift
    rm -rf "$folder" made
    mkdir "$folder"
    timeout 120 "$@" >"$folder/output" 2>"$folder/messages" </dev/null || status=$?
    echo "$status" >"$folder/status"
    sed -i '/^MEMKIND: /d' "$folder/messages"
    if [ -e made ]; then
        mv made "$folder/made"
    fi
}

# same WHAT COMMAND...: the command says the same below the library. It may write a file "made". What it says
# without the library is asked once, by the first setting.
same()
{
    local what=$1 part wrong='' plain="plain $1"
    shift
    [ -d "$plain" ] || run "$plain" "$@"
    run preloaded env "${variables[@]}" LD_PRELOAD="$preload" "$@"
    for part in status output messages made; do
        if [ -e "$plain/$part" ] && ! cmp -s "$plain/$part" "preloaded/$part"; then
            wrong="$wrong $part"
        fi
    done
    if [ -z "$wrong" ]; then
        echo "ok: $setting: $what"
        return
    fi
    echo "FAILED: $setting: $what: differs in:$wrong"
    for part in $wrong; do
        diff "$plain/$part" "preloaded/$part" 2>&1 | head -n 10 || true
    done
    failed=1
}

# of_the_kind WHAT COMMAND...: the same, and with a report: nine of ten blocks of each process are of the kind.
of_the_kind()
{
    rm -f log
    variables+=(MEMKIND_PRELOAD_REPORT="$scratch/log")
    same "$@"
    unset 'variables[-1]'
    if ! awk -v kind="$kind" '
        /^memkind report/ { if (all * 0.9 > of_kind) wrong = 1; all = of_kind = 0; reports++ }
        $2 ~ /^[0-9]+$/ && $1 ~ /^[A-Z_]+$/ { all += $2; if ($1 == kind) of_kind += $2 }
        END { exit wrong || !reports || all * 0.9 > of_kind }' log; then
        echo "FAILED: $setting: $1: not of the kind $kind"
        head -n 4 log 2>/dev/null || true
        failed=1
    fi
}

# have PROGRAM: is it installed? If not, says that it is not run.
have()
{
    command -v "$1" >/dev/null && return
    echo "SKIP: interposer/$setting/$1: it is not installed"
    return 1
}

# shellcheck disable=SC2016 # the programs' own variables
# programs KIND VARIABLE...: everything, with these variables; most blocks are to be of the kind.
programs()
{
    kind=$1
    shift
    variables=("$@")
    of_the_kind "threaded program, watched" "$program"
    same "threaded program" "$program"
    same "ls" /bin/ls -lR tree /usr/include
    same "grep" grep -rn "line 1[0-9]*7\$" tree
    same "sort" sort -k3,3n --parallel=4 -S 4M numbers
    same "sort, unique" sort -u -k1,1 numbers
    same "bash and its children" bash -c 'for i in $(seq 1 30); do x=$(echo "$i" | sed s/1/2/); echo "${x}"; done'
    same "awk" awk '{ n[$1 % 1000] = n[$1 % 1000] "," $3 } END { for (i = 0; i < 1000; i++) print i, length(n[i]) }' numbers
    if have python3; then
        of_the_kind "python3" python3 script.py
        same "python3, opening the library" python3 library.py "$library"
    fi
    if have cc; then
        same "cc" cc -O2 -c source.c -o made
    fi
    if have c++; then
        same "c++" c++ -x c++ -O2 -c source.c -o made
    fi
    if have perl; then
        same "perl" perl -e 'my %h; $h{$_ % 997} .= $_ for 1 .. 100000; print "$_ ", length $h{$_}, "\n" for sort keys %h'
    fi
    if have xz; then
        same "xz in threads" xz -T4 -1 --block-size=500000 -c numbers
    fi
}

# more_programs: after programs, with the same variables.
more_programs()
{
    if have python3; then
        same "python3, not watched" python3 script.py
    fi
    if have sqlite3; then
        same "sqlite3" sqlite3 :memory: "create table t(a, b); with recursive n(i) as (select 1 union all select i + 1
            from n where i < 30000) insert into t select i, hex(i * 7919 % 10007) from n; create index x on t(b);
            select b, count(*), group_concat(a) from t group by b order by b limit 50;"
    fi
    if have git; then
        same "git" bash -c 'rm -rf repository && git init -q repository && cd repository && cp -r ../tree . &&
            export GIT_AUTHOR_DATE=@0 GIT_COMMITTER_DATE=@0 && git add . &&
            git -c user.name=x -c user.email=x@x commit -qm all && git gc -q && git fsck --strict && git log --stat | cat'
    fi
}

# --- kinds --------------------------------------------------------------------------------------------

for setting in ${settings//,/ }; do
    case $setting in
    default)
        programs DEFAULT
        more_programs
        ;;
    tbb)
        programs DEFAULT MEMKIND_HEAP_MANAGER=TBB
        more_programs
        ;;
    regular) programs REGULAR MEMKIND_PRELOAD_KIND=REGULAR ;;
    hbw) programs HBW_PREFERRED MEMKIND_PRELOAD_KIND=HBW_PREFERRED MEMKIND_HBW_NODES=0 ;;
    hbw-debug) programs HBW MEMKIND_PRELOAD_KIND=HBW MEMKIND_HBW_NODES=0 MEMKIND_DEBUG=1 ;;
    dax-answers)
        mkdir answering
        cp "$fake" answering/libdaxctl.so.1
        variables=(MEMKIND_PRELOAD_KIND=DAX_KMEM_PREFERRED LD_LIBRARY_PATH="$scratch/answering")
        programs DAX_KMEM_PREFERRED "${variables[@]}"
        env "${variables[@]}" MEMKIND_DEBUG=1 LD_PRELOAD="$preload" /bin/ls >/dev/null 2>messages
        if ! grep -q 'dax0\.0.*node 0' messages; then
            echo "FAILED: the fake libdaxctl was never asked"
            head -n 20 messages
            failed=1
        fi
        ;;
    # Without DAX nodes, what is preloaded says so and takes MEMKIND_DEFAULT.
    dax-absent)
        mkdir absent
        echo "not a library" >absent/libdaxctl.so.1
        programs DEFAULT MEMKIND_PRELOAD_KIND=DAX_KMEM_PREFERRED LD_LIBRARY_PATH="$scratch/absent"
        ;;
    dax-machine)
        kind=$(LD_PRELOAD=$preload MEMKIND_PRELOAD_KIND=DAX_KMEM_PREFERRED MEMKIND_PRELOAD_REPORT=- ls -d . 2>&1 >/dev/null |
            awk '$2 ~ /^[0-9]+$/ && $1 ~ /^DAX/ { kind = $1 } END { print kind ? kind : "DEFAULT" }')
        programs "$kind" MEMKIND_PRELOAD_KIND=DAX_KMEM_PREFERRED
        ;;
    dax-nodes) programs DAX_KMEM_PREFERRED MEMKIND_PRELOAD_KIND=DAX_KMEM_PREFERRED MEMKIND_DAX_KMEM_NODES=0 MEMKIND_DEBUG=1 ;;
    *)
        echo "no such setting: $setting" >&2
        exit 2
        ;;
    esac
done
exit $failed

#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# Large programs give the results that they give without, with all their memory from the library: PostgreSQL,
# Redis, a Java virtual machine, Node.js. What is not installed is not run.
#
# usage: test_programs.sh MEMKIND_RUN|MEMTIER|LIBAUTOHBW HEAP_MANAGER
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../support/check.sh"
run=$1 manager=$2

scratch=$(mktemp -d)
chmod 755 "$scratch"
cd "$scratch"
unset "${!MEMKIND_@}" LD_PRELOAD
export LC_ALL=C
under=("$run" --heap-manager "$manager" --report="$scratch/report")
fast= # a kind that has some of the blocks
case ${run##*/} in
memtier) # three quarters of the bytes are in node 0, as DAX memory
    under=(env MEMKIND_HEAP_MANAGER="$manager" MEMKIND_DAX_KMEM_NODES=0 MEMKIND_PRELOAD_REPORT="$scratch/report" "$run" -r 1:3)
    ;;
libautohbw.so*) # blocks of 4 KiB and more are in node 0, as high-bandwidth memory
    under=(env MEMKIND_HEAP_MANAGER="$manager" MEMKIND_HBW_NODES=0 MEMKIND_PRELOAD_REPORT="$scratch/report"
        AUTO_HBW_SIZE=4K AUTO_HBW_LOG=-1 LD_PRELOAD="$run")
    fast=HBW
    ;;
esac
server=
clean()
{
    [ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null || true
    rm -rf "$scratch"
}
trap clean EXIT

# absent PROGRAM: says that it is not run.
absent()
{
    echo "SKIP: programs/${1##*/}: it is not installed"
}

# same WHAT COMMAND...: the command says the same below the library, which was there.
same()
{
    local plain preloaded
    plain=$("${@:2}" 2>&1 </dev/null || echo "exit status $?")
    rm -f report
    preloaded=$("${under[@]}" "${@:2}" 2>&1 </dev/null || echo "exit status $?")
    check "$1" "$plain" "$preloaded"
    was_there "$1"
}

was_there()
{
    grep -q '^DEFAULT  *[1-9]' report 2>/dev/null || fail "$1: no report of the library's"
    [ -z "$fast" ] || grep -q "^$fast[A-Z_]*  *[1-9]" report || fail "$1: no block was of $fast"
}

# wait_for COMMAND...: until it succeeds, or the server has ended. How long that takes is the machine's load; who
# runs this test says how long it may take.
wait_for()
{
    while kill -0 "$server" 2>/dev/null; do
        "$@" >/dev/null 2>&1 && return
        sleep 0.1
    done
    echo "the server has ended before it answered"
}

# answers WHAT: the server's are the same, and there was one.
answers()
{
    check "$1" "$(cat plain)" "$(cat preloaded)"
    ! grep -q '^the server has ended' plain preloaded || fail "$1: a server has ended before it answered"
    was_there "$1"
}

# --- interpreters ---------------------------------------------------------------------------------------

if command -v node >/dev/null; then
    cat >work.js <<'END'
const zlib = require("zlib"), crypto = require("crypto");
const list = [];
for (let i = 0; i < 100000; i++) list.push({ i, text: "x".repeat(i % 40) });
const text = JSON.stringify(list.filter(o => o.i % 3 === 0));
console.log(text.length, zlib.inflateSync(zlib.deflateSync(text)).toString() === text);
console.log(crypto.createHash("sha256").update(Buffer.alloc(5000000, 7)).digest("hex"));
const { Worker } = require("worker_threads");
const worker = new Worker("require('worker_threads').parentPort.postMessage(Buffer.alloc(1000000).length)", { eval: true });
worker.on("message", m => console.log("worker", m));
END
    same "node" node work.js
else
    absent node
fi

if command -v javac >/dev/null; then
    cat >Work.java <<'END'
import java.util.*;
import java.util.stream.*;
import java.util.zip.*;
public class Work {
    public static void main(String[] arguments) throws Exception {
        Map<String, Integer> lengths = new TreeMap<>();
        IntStream.range(0, 100000).parallel().mapToObj(i -> "k" + i % 5000)
            .collect(Collectors.groupingByConcurrent(k -> k, Collectors.counting()))
            .forEach((k, n) -> { synchronized (lengths) { lengths.put(k, n.intValue()); } });
        System.out.println(lengths.hashCode());
        byte[] data = new byte[3000000];
        for (int round = 0; round < 20; round++) {
            Deflater deflater = new Deflater();
            deflater.setInput(data);
            deflater.finish();
            byte[] packed = new byte[100000];
            System.out.println(deflater.deflate(packed));
            deflater.end();
        }
    }
}
END
    same "javac" javac -J-Xmx256m -J-Xshare:auto Work.java
    same "java" java -Xmx256m Work
else
    absent javac
fi

# --- servers ----------------------------------------------------------------------------------------------

# redis: in the answers of the server, those of a script of commands.
redis()
{
    "$@" --port 0 --unixsocket "$scratch/redis" --save '' --daemonize no >redis.log 2>&1 &
    server=$!
    wait_for redis-cli -s redis ping
    {
        redis-cli -s redis eval 'for i = 1, 50000 do redis.call("set", "k" .. i, string.rep("v", i % 200)) end
            return redis.call("dbsize")' 0
        redis-cli -s redis eval 'for i = 1, 50000, 2 do redis.call("del", "k" .. i) end return redis.call("dbsize")' 0
        redis-cli -s redis get k1234
    } 2>&1
    redis-cli -s redis shutdown nosave || true
    wait "$server" || true
    server=
}
if command -v redis-server >/dev/null; then
    redis redis-server >plain
    rm -f report
    redis "${under[@]}" redis-server >preloaded
    answers "redis-server"
else
    absent redis-server
fi

# postgres FOLDER COMMAND...: in the answers of a server that the command starts, with data in the folder.
postgres()
{
    local sql='create table t (a int primary key, b text);
        insert into t select i, md5(i::text) from generate_series(1, 30000) i; create index on t (b);
        select count(*), min(b), max(b) from t; select left(b, 1) c, count(*) from t group by 1 order by 1;
        select sum(x.a) from t x join t y on x.b = y.b where x.a % 7 = 0; vacuum analyze t;'
    "${as[@]}" "${@:2}" "$bin/postgres" -D "$1" -k "$1" -c listen_addresses= -c fsync=off >postgres.log 2>&1 &
    server=$!
    wait_for "${as[@]}" "$bin/psql" -h "$1" -d postgres -c 'select 1'
    "${as[@]}" "$bin/psql" -h "$1" -d postgres -At <<<"$sql" 2>&1
    "${as[@]}" "$bin/pg_ctl" -D "$1" -m fast stop >/dev/null
    wait "$server" || true
    server=
}
bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
if [ -z "$bin" ]; then
    absent postgres
elif [ "$(id -u)" -eq 0 ] && ! setpriv --reuid=postgres --regid=postgres --clear-groups test -x "$run"; then
    echo "SKIP: programs/postgres: its user may not run what is built here"
else
    as=()
    [ "$(id -u)" -ne 0 ] || as=(setpriv --reuid=postgres --regid=postgres --clear-groups)

    mkdir data && chmod 777 data
    "${as[@]}" "$bin/initdb" -D data/plain -A trust -N >/dev/null
    "${as[@]}" cp -r data/plain data/preloaded
    postgres "$scratch/data/plain" >plain
    rm -f report && : >report && chmod 666 report
    postgres "$scratch/data/preloaded" "${under[@]}" >preloaded
    answers "postgres"
fi
exit $failed

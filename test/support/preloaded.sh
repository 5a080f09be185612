# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# Sourced, after check.sh, by the tests of what whole programs run under: `preload` is the library.
# shellcheck shell=bash disable=SC2154 # preload is the test's

# begin: the test has an empty folder and none of our variables.
begin()
{
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    cd "$scratch"
    unset "${!MEMKIND_@}" LD_PRELOAD
}

# under VARIABLE... PROGRAM ARGUMENT...: what the program says below the library, and its status if it is not 0.
under()
{
    local status=0
    env LD_PRELOAD="$preload" "$@" 2>&1 </dev/null || status=$?
    [ "$status" -eq 0 ] || echo "exit status $status"
}

# row KIND FILE: calls, peak, live of the kind in the last report, and the sum of what is on nodes.
row()
{
    awk -v kind="$1" '
        /^memkind report/ { found = "" }
        $1 == kind { sum = 0; for (i = 6; i <= NF; i += 2) sum += $i; found = $2 " " $3 " " $4 " " sum }
        END { print found }' "$2"
}

# same WHAT VARIABLE... -- PROGRAM ARGUMENT...: it says below the library what it says without.
same()
{
    local what=$1 variables=()
    shift
    while [ "$1" != -- ]; do
        variables+=("$1")
        shift
    done
    shift
    check "$what" "$("$@" 2>&1 </dev/null)" "$(under "${variables[@]}" "$@")"
}

# same_programs WHAT VARIABLE...: interpreters, a compiler, a database, as far as they are here.
same_programs()
{
    local what=$1
    seq 1 20000 >numbers
    same "$what: sort" "${@:2}" -- sort -R --random-source=numbers numbers
    same "$what: perl" "${@:2}" -- perl -e 'push @a, "x" x ($_ % 3000) for 1 .. 20000; print length(join "", @a)'
    if command -v python3 >/dev/null; then
        same "$what: python3" "${@:2}" -- python3 -c '
import subprocess, threading
found = {}
def work(number):
    found[number] = sum(len(str(i) * number) for i in range(5000))
threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 5)]
for thread in threads: thread.start()
said = subprocess.run(["sort", "-r", "numbers"], stdout=subprocess.PIPE, check=True).stdout
for thread in threads: thread.join()
print(sorted(found.items()), len(said))'
    fi
    if command -v "${CC:-cc}" >/dev/null; then
        printf 'int twice(int number) { return 2 * number; }\n' >twice.c
        same "$what: a compiler" "${@:2}" -- "${CC:-cc}" -O2 -S -o - twice.c
    fi
    if command -v git >/dev/null; then
        git init -q repository
        same "$what: git" "${@:2}" -- git -C repository hash-object --stdin
    fi
    if command -v sqlite3 >/dev/null; then
        same "$what: sqlite3" "${@:2}" -- sqlite3 :memory: \
            'create table t (n); with recursive c (n) as (select 1 union all select n + 1 from c where n < 20000)
             insert into t select n from c; select sum(n), max(n) from t;'
    fi
}

# not_told VARIABLE WORDS: a wrong value of the variable is told with these words, but not in a setuid program, which
# runs the library's code all the same: it is linked with it.
not_told()
{
    local name=${0##*/} library folder
    name=${name#test_} name=${name%.sh}
    if [ "$(id -u)" -ne 0 ] || ! command -v setpriv >/dev/null; then
        echo "SKIP: $name/linked_setuid: this needs root and setpriv"
        return
    fi
    cat >linked.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
int main(void)
{
    Dl_info info;
    void *volatile block = malloc(1000);

    printf("%s %s\n", block && dladdr(dlsym(RTLD_DEFAULT, "malloc"), &info) && strstr(info.dli_fname, "linked/") ? "ours" : "another",
           getauxval(AT_SECURE) ? "secure" : "plain");
    return 0;
}
END
    if ! command -v "${CC:-cc}" >/dev/null; then
        echo "SKIP: $name/linked_setuid: there is no compiler"
        return
    fi
    folder=$PWD/linked library=$PWD/linked/${preload##*/}
    library=${library%.0.0} # its soname, if it has one
    mkdir linked
    cp "$preload" "$library"
    cp "$(ldd "$preload" | sed -n 's/.*libmemkind.so.0 => \(.*\) (.*/\1/p')" linked/libmemkind.so.0
    # An absolute path and DT_RPATH are what the dynamic loader goes by in setuid programs, too.
    "${CC:-cc}" linked.c -o plain -Wl,--no-as-needed "$library" "$folder/libmemkind.so.0" -ldl \
        -Wl,--disable-new-dtags,-rpath,"$folder"
    cp plain secure
    chmod 755 . linked linked/*
    chmod 4755 secure
    check "$1 is told in a program that is linked with the library" "1 ours plain" \
        "$(setpriv --reuid=65534 --clear-groups env "$1" ./plain 2>&1 | awk -v words="$2" 'index($0, words) { told = 1; next } / / { said = $0 } END { print told, said }')"
    case $(setpriv --reuid=65534 --clear-groups env "$1" ./secure 2>&1) in
    "ours plain") echo "SKIP: $name/linked_setuid: a file system without setuid programs" ;;
    "ours secure") echo "ok: $1 is not read in a setuid program" ;;
    *) fail "$1 in a setuid program: $(setpriv --reuid=65534 --clear-groups env "$1" ./secure 2>&1)" ;;
    esac
}

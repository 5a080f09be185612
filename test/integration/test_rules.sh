#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# Rules: memkind-run --rules and --check-rules, and which kind each block of a program comes from by them.
#
# usage: test_rules.sh MEMKIND_RUN PROGRAM PLUGIN_A PLUGIN_B SOURCE [sanitized]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../support/check.sh"
run=$1 program=$2 plugin_a=$3 plugin_b=$4 source=$5

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
unset "${!MEMKIND_@}" LD_PRELOAD
export MEMKIND_HBW_NODES=0

# --- what is checked ------------------------------------------------------------------------------------

# checked RULE...: what --check-rules says of a file with these lines, and its exit status.
checked()
{
    local status=0
    printf '%s\n' "$@" >file
    "$run" --check-rules file 2>&1 || status=$?
    echo "status $status"
}
check "rules as they are understood" \
    "2: size 1M..1G module libfoo.so* -> HBW limit 2G else REGULAR
3: size 4K..4K function \"operator new[](unsigned long)\" -> HBW
4: site program+0x11d4 line src/a.c:17 thread worker? type particle -> DEFAULT
5: size 100.. -> HBW
6: any -> ratio HBW:1 REGULAR:3
status 0" \
    "$(checked '# a comment, and a line without a rule' 'module libfoo.so* size 1024k..1G -> memkind_hbw limit 2048M else regular' \
        'size 4096 function "operator new[](unsigned long)" -> Hbw # and so on' \
        'site program+0x11d4 line src/a.c:17 thread worker? type particle -> DEFAULT' $'\tsize\t100.. -> HBW\r' \
        'any -> ratio HBW:1 REGULAR:3')"
check "a rule that no block comes to" "file:3:1: warning: no block comes as far as here: line 1 takes all of them
1: size 10.. -> HBW
2: function f -> HBW
3: size 10..20 thread t -> HBW
status 0" "$(checked 'size 10.. -> HBW' 'function f -> HBW' 'size 10..20 thread t -> HBW')"
while read -r column rule; do
    check "what is wrong is told where it is: $rule" "file:1:$column: status 1" \
        "$(checked "$rule" | sed 's/^\(file:1:[0-9]*: \).*/\1/' | tr -d '\n')"
done <<'END'
1 colour red -> HBW
6 size 10..5 -> HBW
10 size 10..1X -> HBW
6 size many.. -> HBW
6 size .. -> HBW
14 size 4096 -> QUICK
8 module "a -> HBW
8 module -> HBW
17 any -> HBW limit
21 size 1 -> HBW limit 1Q
1 any size 1 -> HBW
19 any -> ratio HBW:1
14 any -> ratio HBW:0 REGULAR:1
20 any -> ratio HBW:1 REGULAR
4 any
1 -> HBW
6 site program -> HBW
6 site program+11 -> HBW
6 line a.c -> HBW
6 line a.c:0 -> HBW
12 function f function g -> HBW
19 function f -> HBW REGULAR
14 function f ->
17 any -> HBW else SLOW
END
check "no such file" "nothing: No such file or directory
memkind-run: --rules: nothing is not to be gone by
status 125" "$("$run" --rules nothing true 2>&1 || echo "status $?")"
mkfifo pipe
check "a pipe that nobody writes to" "pipe: it is no regular file
memkind-run: --rules: pipe is not to be gone by
status 125" "$(timeout 20 "$run" --rules pipe true 2>&1 || echo "status $?")"
check "a folder" "125" "$("$run" --rules . true 2>/dev/null || echo $?)"
check "a pipe whose rules are only checked" "1: any -> HBW" "$(echo 'any -> HBW' | "$run" --check-rules /dev/stdin)"
printf 'any -> HBW\n' >hbw
check "a kind that is not here" "hbw:1: MEMKIND_HBW is not available here: status 125" \
    "$({ MEMKIND_HBW_NODES=1000 "$run" --rules hbw true 2>&1 || echo "status $?"; } |
        sed '/^MEMKIND: /d; /^memkind-run: /d; s/\(here: \).*/\1/' | tr -d '\n')"
[ "${6:-}" != sanitized ] || {
    echo "SKIP: rules: preloaded into programs that lack the sanitizer's runtime"
    exit $failed
}
printf 'any -> HBW else REGULAR\n' >hbw
check "but not where another one is named" 0 "$(MEMKIND_HBW_NODES=1000 "$run" --rules hbw true && echo $?)"

# --- whose blocks go where ------------------------------------------------------------------------------

# by RULE...: the report of the program under these rules, for row().
by()
{
    printf '%s\n' "$@" >by.rules
    rm -f report
    "$run" --rules by.rules --report=report "$program" ${arguments:-}
}

# row LINE: calls and those elsewhere, of the rule of that line.
row()
{
    awk -v line="$1" '$1 == "line" { rules = 1; next } rules && $1 == line { print $2, $3 }' report
}

# column LINE NUMBER: a column of that row in KiB: 4 bytes, 5 peak, 6 live.
column()
{
    awk -v line="$1" -v column="$2" '$1 == "line" { rules = 1; next } rules && $1 == line { print $column }' report
}
line=$(grep -n 'LINE of first' "$source" | cut -d: -f1)

for manager in JEMALLOC TBB; do
    export MEMKIND_HEAP_MANAGER=$manager
    by 'function first -> HBW' 'function space::third -> REGULAR' 'function second thread worker -> INTERLEAVE' \
        'function second -> HBW' 'type own -> REGULAR' 'type particle -> HBW' 'size 16..100 module rules_program -> REGULAR' \
        'module rules_program -> HBW'
    check "a function, $manager" "100 0" "$(row 1)"
    check "a function of C++, $manager" "100 0" "$(row 2)"
    # It gets its name after its first block at the latest.
    read -r calls elsewhere <<<"$(row 3)"
    [ "$calls" -ge 98 ] && [ "$calls" -le 100 ] || fail "a thread's name, $manager: $calls blocks"
    read -r others elsewhere <<<"$(row 4)"
    check "all other blocks of that function, $manager" 200 $((calls + others))
    check "a class with an operator new of its own, $manager" "100 0" "$(row 5)"
    check "a type, by the allocator of a vector and by make_unique, $manager" "2 0" "$(row 6)"
    check "a size and a module: realloc asks again, $manager" "3 0" "$(row 7)"
    check "a module, $manager" "10 0" "$(row 8)"

    by "line rules/program.cpp:$line -> HBW" "line program.cpp:$((line + 5)) -> REGULAR" 'line xprogram.cpp:1 -> HBW'
    check "a source line, $manager" "100 0" "$(row 1)"
    check "a source line of any folder, $manager" "200 0" "$(row 2)"

    by 'function first -> HBW limit 50K else REGULAR' 'function second -> HBW limit 1M' \
        'function space::third -> ratio HBW:1 REGULAR:3'
    read -r calls elsewhere <<<"$(row 1)"
    [ "$calls" = 100 ] && [ "$elsewhere" -ge 49 ] && [ "$elsewhere" -le 53 ] ||
        fail "a limit of 50 KiB, $manager: of $calls blocks $elsewhere went elsewhere"
    [ "$(column 1 5)" -le 50 ] && [ "$(column 1 5)" -ge 45 ] || fail "a limit of 50 KiB, $manager: $(column 1 5) KiB"
    check "what is freed counts no more, $manager" "200 0" "$(row 2)"
    read -r hbw regular <<<"$(awk '$1 == "HBW" { h = $2 } $1 == "REGULAR" { r = $2 } END { print h, r }' report)"
    [ "$regular" = $((75 + elsewhere)) ] || fail "a ratio of 1 to 3, $manager: $regular blocks of REGULAR, $elsewhere of them past a limit"

    arguments=half by 'function grow -> HBW limit 8M else REGULAR'
    check "a block's own bytes do not keep it from its limit, $manager" "7 1" "$(row 1)"
    [ "$(column 1 6)" = 0 ] || fail "a limit after realloc, $manager: $(column 1 6) KiB are left"

    arguments="plugins $plugin_a $plugin_b" by 'module *plugin_a* -> HBW' 'module *plugin_b* -> REGULAR'
    check "a library where another one was, $manager" "50 0, 50 0" "$(row 1), $(row 2)"

    printf '%s\n' 'function first -> HBW limit 20K else REGULAR' 'size ..500 -> ratio HBW:1 REGULAR:1' \
        'thread rules* size 1000.. -> INTERLEAVE' 'function grow -> REGULAR' >churn.rules
    check "threads and forks, $manager" well "$("$run" --rules churn.rules "$program" churn)"
done
unset MEMKIND_HEAP_MANAGER

# malloc is no cancellation point, whatever files are read in it.
printf 'function first -> HBW\n' >first
check "a thread that is cancelled" well "$("$run" --rules first "$program" cancel)"

# Nor does what is written at the end change how a program ends.
check "a report that may not be so long" "status 0" "$(ulimit -f 0; "$run" -rlong "$program" half 2>/dev/null; echo "status $?")"
mkfifo gone
sleep 60 <gone &
reader=$!
check "a report that nobody reads" "status 0" \
    "$(status=0; "$run" --report sh -c "kill $reader; sleep 0.1" 2>gone || status=$?; echo "status $status")"

# Where nobody counts, malloc() looks sizes up in a table, of every caller or of this one.
kinds='0 HBW 2 DEFAULT 40 HBW 101 REGULAR 102 DEFAULT 144 HBW 161 REGULAR 300 DEFAULT 4090 HBW 5001 DEFAULT '
for manager in JEMALLOC TBB; do
    for who in '' 'function first' 'module rules_program'; do
        printf "$who size %s\n" '1 -> HBW' '40..100 -> HBW' '101 -> REGULAR' '144..160 -> HBW' \
            '161..299 -> REGULAR' '200..400 -> DEFAULT' '4090..5000 -> HBW' >sizes
        check "kinds by size of ${who:-everybody}, $manager" "$kinds" \
            "$(MEMKIND_HEAP_MANAGER=$manager "$run" --rules sizes "$program" kinds)"
        [ "$who" = 'function first' ] || check "kinds of aligned blocks by size of ${who:-everybody}, $manager" "$kinds" \
            "$(MEMKIND_HEAP_MANAGER=$manager "$run" --rules sizes "$program" kinds aligned)"
    done
done

# Where nothing is reported, a limit holds just the same.
for manager in JEMALLOC TBB; do
    for who in '' 'module rules_program'; do
        echo "$who size 900..1100 -> HBW limit 50K else REGULAR" >limit
        check "a limit of ${who:-everybody}, $manager" "50 50 50, 50 50 50, 50 50 50" \
            "$(MEMKIND_HEAP_MANAGER=$manager "$run" --rules limit "$program" limit)"
    done
done

# A size is that which the program asks for.
by 'size ..999 -> HBW' 'size 1000..1000 -> REGULAR' 'size 1001..2500 -> HBW limit 1G'
check "sizes" "100 0" "$(row 2)"
# A site, as addr2line takes it.
site=$(objdump -d "$program" --disassemble=first | awk '/[[:space:]](call|bl|jal)q?[[:space:]].*malloc/ { found = 1; next } found { sub(":", "", $1); print $1; exit }')
if [ -n "$site" ]; then
    by "site rules_program+0x$site -> HBW"
    check "a site" "100 0" "$(row 1)"
else
    echo "SKIP: rules/site: objdump does not show the call"
fi

# --- a file that cannot be gone by ----------------------------------------------------------------------

preload=$("$run" sh -c 'echo "$LD_PRELOAD"')
echo x >xs
printf 'any -> HBW\nsize -> HBW\nfunny -> HBW\n' >wrong
check "an error is told in one line" "MEMKIND: MEMKIND_PRELOAD_RULES=wrong:2:6: what \"size\" is to be, is missing; there are no rules
x" "$(LD_PRELOAD=$preload MEMKIND_PRELOAD_RULES=wrong sort -u xs 2>&1)"
check "a file that is not there" "MEMKIND: MEMKIND_PRELOAD_RULES=none: No such file or directory; there are no rules
x" "$(LD_PRELOAD=$preload MEMKIND_PRELOAD_RULES=none sort -u xs 2>&1)"
check "a pipe that nobody writes to, without memkind-run" "MEMKIND: MEMKIND_PRELOAD_RULES=pipe: Invalid argument; there are no rules
x" "$(timeout 20 env LD_PRELOAD="$preload" MEMKIND_PRELOAD_RULES=pipe sort -u xs 2>&1)"
# Text in another encoding has such characters in it, and what is behind one would not be read.
printf 'any -> HBW\0\nfunny -> HBW\n' >zero
check "a character 0" 125 "$("$run" --rules zero true 2>/dev/null || echo $?)"
: >empty
check "no rules at all" x "$("$run" --rules empty sort -u xs 2>&1)"
exit $failed

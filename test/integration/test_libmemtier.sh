#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# libmemtier.so.0 and memtier: variables and options, right and wrong; where the bytes go; programs of the system.
#
# usage: test_libmemtier.sh LIBRARY MEMTIER RULES OPERATORS ASK
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../support/check.sh"
. "$(dirname "${BASH_SOURCE[0]}")/../support/preloaded.sh"
preload=$1 memtier=$2 rules=$3 operators=$4 ask=$5

begin
mkdir files more
export MEMKIND_DAX_KMEM_NODES=0
static=POLICY:STATIC_RATIO dynamic=POLICY:DYNAMIC_THRESHOLD
dram=KIND:DRAM,RATIO:1 far=KIND:KMEM_DAX,RATIO:3
file=KIND:FS_DAX,PATH:$scratch/files,PMEM_SIZE_LIMIT:64M,RATIO:1

# tiered TIERS THRESHOLDS PROGRAM ARGUMENT...
tiered()
{
    under MEMKIND_MEM_TIERS="$1" ${2:+MEMKIND_MEM_THRESHOLDS="$2"} "${@:3}"
}

# --- what is not accepted -------------------------------------------------------------------------

# refused TIERS THRESHOLDS WHY: it is told, and MEMKIND_DEFAULT serves.
error="MEMKIND_MEM_TIERING_LOG_ERROR: "
refused()
{
    check "refused: $1 $2" "$error$3
${error}there are no tiers; MEMKIND_DEFAULT serves all blocks
well" "$(tiered "$1" "$2" "$ask" malloc:1000)"
}
check "no tiers at all" "${error}MEMKIND_MEM_TIERS is not set
${error}there are no tiers; MEMKIND_DEFAULT serves all blocks
well" "$(under "$ask")"
tiers=MEMKIND_MEM_TIERS:
missing="$tiers tiers are missing, or a POLICY behind the last ;:"
last="$tiers the last part is not the POLICY:"
refused "" "" "$missing "
refused "$dram" "" "$missing $dram"
refused "$dram;$static;" "" "$last "
refused "$static;$dram" "" "$last KIND"
refused "$dram;POLICY" "" "$last POLICY"
refused "$dram;POLICY:CIRCULAR" "" "$tiers POLICY: accepted: STATIC_RATIO or DYNAMIC_THRESHOLD: CIRCULAR"
refused ";$static" "" "$tiers a parameter that is not known: "
refused "$dram;;$static" "" "$tiers a parameter that is not known: "
refused "$dram,;$static" "" "$tiers a parameter that is not known: $dram,"
refused " $dram;$static" "" "$tiers a parameter that is not known:  $dram"
refused "$dram,SIZE:1;$static" "" "$tiers a parameter that is not known: $dram,SIZE:1"
refused "$dram,RATIO:2;$static" "" "$tiers a parameter that is there twice: $dram,RATIO:2"
refused "KIND:,RATIO:1;$static" "" "$tiers a parameter without a value: KIND:,RATIO:1"
refused "KIND,RATIO:1;$static" "" "$tiers a parameter without a value: KIND,RATIO:1"
refused "KIND:DRAM;$static" "" "$tiers a tier needs a KIND and a RATIO: KIND:DRAM"
refused "RATIO:1;$static" "" "$tiers a tier needs a KIND and a RATIO: RATIO:1"
refused "KIND:dram,RATIO:1;$static" "" "$tiers KIND: accepted: DRAM, KMEM_DAX or FS_DAX: KIND:dram,RATIO:1"
for ratio in 0 -1 +1 x 1x 4294967296; do
    refused "KIND:DRAM,RATIO:$ratio;$static" "" "$tiers RATIO: accepted: numbers from 1 on: KIND:DRAM,RATIO:$ratio"
done
refused "$dram;$dram;$static" "" "$tiers a KIND that is a tier already: $dram"
for parameter in PATH:/tmp PMEM_SIZE_LIMIT:64M; do
    refused "$dram,$parameter;$static" "" "$tiers PATH and PMEM_SIZE_LIMIT are for FS_DAX: $dram,$parameter"
done
refused "KIND:FS_DAX,RATIO:1;$static" "" "$tiers FS_DAX needs a PATH: KIND:FS_DAX,RATIO:1"
for limit in 0 x 64MB -1; do
    tier=KIND:FS_DAX,PATH:$scratch/files,RATIO:1,PMEM_SIZE_LIMIT:$limit
    refused "$tier;$static" "" "$tiers PMEM_SIZE_LIMIT: accepted: bytes from 1 on, or with K, M, G or T: $tier"
done
for tier in KIND:FS_DAX,PATH:/nowhere,RATIO:1 KIND:FS_DAX,PATH:$scratch/files,PMEM_SIZE_LIMIT:1K,RATIO:1; do
    check "refused: $tier" "$error$tiers why: $tier" \
        "$(tiered "$dram;$tier;$static" "" "$ask" | sed -nE "s/($tiers) .*: (KIND:FS)/\1 why: \2/p")"
done
check "refused: no such nodes" "$error$tiers why: $far" \
    "$(MEMKIND_DAX_KMEM_NODES=1000 tiered "$far;$static" "" "$ask" | sed -nE "s/($tiers) .*: (KIND:K)/\1 why: \2/p")"
refused "$dram;$dynamic" "" "$tiers DYNAMIC_THRESHOLD needs two tiers or more: $dram"

thresholds=MEMKIND_MEM_THRESHOLDS:
refused "$dram;$far;$static" INIT_VAL:64 "$thresholds this is for the policy DYNAMIC_THRESHOLD: INIT_VAL:64"
order="$thresholds not MIN_VAL <= INIT_VAL <= MAX_VAL, or not more than the one before:"
for values in INIT_VAL:64 MIN_VAL:2K MAX_VAL:1000; do
    refused "$dram;$far;$dynamic" $values "$order $values"
done
refused "$dram;$far;$file;$dynamic" "INIT_VAL:1K;MIN_VAL:1K" "$order INIT_VAL:1K;MIN_VAL:1K"
refused "$dram;$far;$dynamic" "INIT_VAL:1K;" "$thresholds a parameter that is not known: "
refused "$dram;$far;$dynamic" "INIT_VAL:1K;INIT_VAL:2K" "$thresholds more thresholds than tiers have between them: INIT_VAL:2K"
refused "$dram;$far;$dynamic" "VAL:1" "$thresholds a parameter that is not known: VAL:1"
refused "$dram;$far;$dynamic" "INIT_VAL:1K,INIT_VAL:1K" "$thresholds a parameter that is there twice: INIT_VAL:1K,INIT_VAL:1K"
for size in -1 x 0; do
    refused "$dram;$far;$dynamic" INIT_VAL:$size "$thresholds accepted: bytes from 1 on, or with K, M, G or T: INIT_VAL:$size"
done
check "what is refused leaves no file" "" "$(ls files)"

# --- where the bytes go ---------------------------------------------------------------------------

# live TIERS THRESHOLDS ARGUMENT...: KiB of DRAM, of DAX memory and of files in the end.
live()
{
    tiered "$1" "$2" env MEMKIND_PRELOAD_REPORT="$scratch/report" "$ask" "${@:3}" >said
    [ "$(cat said)" = well ] || fail "$1: $(cat said)"
    for kind in DEFAULT DAX_KMEM created; do
        set -- "$(row $kind report)"
        awk '{ print $3 + 0 }' <<<"$1"
    done | xargs
}

# near WHAT EXPECTED FOUND: in KiB, three numbers; 60 KiB are the program's own.
near()
{
    if awk -v expected="$2" -v found="$3" 'BEGIN {
        split(expected, e); split(found, f)
        for (i = 1; i <= 3; i++) if (f[i] < e[i] - 60 || f[i] > e[i] + 60) exit 1 }'; then
        echo "ok: $1"
    else
        fail "$1: expected about $2 KiB, found $3"
    fi
}
# times COUNT WORD
times()
{
    for ((i = 0; i < $1; i++)); do echo "$2"; done
}
mapfile -t sixteen < <(times 16 malloc:98304)
near "1:3" "384 1152 0" "$(live "$dram;$far;$static" "" "${sixteen[@]}")"
near "3:1, ratio first" "1152 384 0" "$(live "RATIO:3,KIND:DRAM;RATIO:1,KIND:KMEM_DAX;$static" "" "${sixteen[@]}")"
near "1:3 of all ways to ask" "384 1152 0" \
    "$(live "$dram;$far;$static" "" {malloc,calloc,aligned,realloc}:98304 {malloc,calloc,aligned,realloc}:98304 \
        {malloc,calloc,aligned,realloc}:98304 {malloc,calloc,aligned,realloc}:98304)"
near "a file" "768 0 768" "$(live "$dram;$file;$static" "" "${sixteen[@]}")"
near "two files" "0 0 1536" \
    "$(live "$file;KIND:FS_DAX,PATH:$scratch/more,RATIO:1;$static" "" "${sixteen[@]}")"
near "three tiers" "384 384 768" \
    "$(live "$dram;KIND:KMEM_DAX,RATIO:1;KIND:FS_DAX,PATH:$scratch/files,RATIO:2;$static" "" "${sixteen[@]}")"
near "small ones here, large ones there" "0 1536 0" \
    "$(live "KIND:DRAM,RATIO:1;KIND:KMEM_DAX,RATIO:1000;$dynamic" INIT_VAL:64K,MIN_VAL:64K,MAX_VAL:64K "${sixteen[@]}")"
near "below the threshold" "1536 0 0" \
    "$(live "KIND:DRAM,RATIO:1;KIND:KMEM_DAX,RATIO:1000;$dynamic" INIT_VAL:128K,MIN_VAL:128K,MAX_VAL:128K "${sixteen[@]}")"
near "the usual thresholds, three tiers" "0 112 1440" \
    "$(live "$dram;KIND:KMEM_DAX,RATIO:1;KIND:FS_DAX,PATH:$scratch/files,RATIO:1;$dynamic" "" \
        $(times 15 malloc:98304) $(times 64 malloc:1600))"
check "a file that is full is the end of it" "1 well" \
    "$(tiered "KIND:FS_DAX,PATH:$scratch/files,PMEM_SIZE_LIMIT:64M,RATIO:1;$static" "" "$ask" fill |
        awk 'NR == 1 { print ($1 > 30 && $1 <= 64) } NR > 1' | xargs)"
check "no file is left" "" "$(find files more -type f)"

# --- the log --------------------------------------------------------------------------------------

level=MEMKIND_MEM_TIERING_LOG_LEVEL info="MEMKIND_MEM_TIERING_LOG_INFO: "
check "level 0" well "$(tiered "$dram;$static" "" env $level=0 "$ask")"
check "level 1" "${info}MEMKIND_MEM_TIERS=$dram;$static
${info}libmemtier.so.0 ends with the program
well" "$(export $level=1 && tiered "$dram;$static" "" "$ask" | LC_ALL=C sort)"
check "level 2" "MEMKIND_MEM_TIERING_LOG_DEBUG: $level=2" "$(export $level=2 && tiered "$dram;$static" "" "$ask" | head -n 1)"
for value in 3 -1 x; do
    check "level $value" "$error$level=$value is not accepted; accepted: 0, 1 or 2; 0 is used
well" "$(export $level=$value && tiered "$dram;$static" "" "$ask")"
done

# --- memtier --------------------------------------------------------------------------------------

# said ARGUMENT...: in one go, and the exit status.
said()
{
    local status=0
    "$memtier" "$@" 2>&1 </dev/null || status=$?
    echo "status $status"
}
set_preload="setting LD_PRELOAD=$(realpath "$preload")"
check "-v, -r" "$set_preload
setting MEMKIND_MEM_TIERS=KIND:DRAM,RATIO:1;KIND:KMEM_DAX,RATIO:4;POLICY:STATIC_RATIO
status 7" "$(MEMKIND_MEM_THRESHOLDS=x said -v -r 1:4 sh -c 'exit 7')"
for form in INIT_VAL=1K,MIN_VAL=512,MAX_VAL=64K INIT_VAL:1K,MIN_VAL:512,MAX_VAL:64K; do
    check "-t $form" "$set_preload
setting MEMKIND_MEM_TIERS=KIND:DRAM,RATIO:1;KIND:KMEM_DAX,RATIO:4;POLICY:DYNAMIC_THRESHOLD
setting MEMKIND_MEM_THRESHOLDS=INIT_VAL:1K,MIN_VAL:512,MAX_VAL:64K
status 0" "$(said --verbose --ratio 1:4 --threshold $form true)"
done
for ratio in 1:0=DRAM 0:1=KMEM_DAX; do
    check "-r $ratio" "setting MEMKIND_MEM_TIERS=KIND:${ratio#*=},RATIO:1;POLICY:STATIC_RATIO" \
        "$(said -v -r "${ratio%=*}" true | grep MEM_TIERS)"
done
check "no -r: as much as there is" "1" \
    "$(said -v true | sed -n 's/.*DRAM,RATIO:\([0-9]*\);KIND:KMEM_DAX,RATIO:\([0-9]*\);.*/\1 \2/p' | awk '{ print ($1 == $2 && $1 > 0) }')"
check "no -r, no such memory" "memtier: there is no DAX memory here status 125" \
    "$(MEMKIND_DAX_KMEM_NODES=1000 said true | sed '/^MEMKIND: /d; s/ here .*/ here/' | xargs)"
for ratio in 1 x:y 1:2:3 1:99999999999 -1:1 1: :1 ""; do
    check "-r $ratio" "memtier: --ratio: accepted: two numbers with a colon, as 1:3; not $ratio
status 125" "$(said -r "$ratio" true)"
done
check "-r 0:0" "memtier: --ratio: one of the shares is to be more than 0
status 125" "$(said -r 0:0 true)"
check "-t with one tier" "memtier: --threshold: both shares are to be more than 0
status 125" "$(said -r 1:0 -t INIT_VAL=1K true)"
check "no program" "memtier: no program is named; --help tells how
status 125" "$(said -r 1:1)"
check "an unknown option" "status 125" "$(said -x true | tail -n 1)"
check "no such program" "memtier: nobody: No such file or directory
status 127" "$(said -r 1:1 nobody)"
same_options "$memtier"
check "-h" "usage: memtier status 0" "$(said -h | sed -n 's/\(usage: memtier\).*/\1/p; $p' | xargs)"
check "the bytes" "1" "$(MEMKIND_PRELOAD_REPORT=- said -r 1:3 "$ask" "${sixteen[@]}" |
    awk '$1 == "DAX_KMEM" { print ($4 > 1100 && $4 < 1220) }')"

not_told MEMKIND_MEM_TIERS=nonsense "MEMKIND_MEM_TIERING_LOG_ERROR: MEMKIND_MEM_TIERS: "

# --- programs -------------------------------------------------------------------------------------

for manager in JEMALLOC TBB; do
    for tier in "$dram;$far;$static" "$dram;$far;$dynamic" "$dram;$file;$static"; do
        variables=(MEMKIND_HEAP_MANAGER=$manager MEMKIND_MEM_TIERS="$tier")
        check "rules, $manager, $tier" well "$(under "${variables[@]}" "$rules")"
        check "operators, $manager, $tier" well "$(under "${variables[@]}" "$operators")"
    done
    for tier in "$dram;$far;$static" "$dram;$file;$static" "$file;$static"; do
        check "fork, $manager, $tier" well \
            "$(under MEMKIND_HEAP_MANAGER=$manager MEMKIND_MEM_TIERS="$tier" "$ask" fork malloc:1000 fork)"
    done
done
same_programs "1:3" MEMKIND_MEM_TIERS="$dram;$far;$static"
same "a shell that forks, in a file" MEMKIND_MEM_TIERS="$file;$static" -- \
    bash -c 'for i in 1 2 3; do word=$i$i; (word=child$word; echo $word $(echo $word)); echo $word; done'
exit $failed

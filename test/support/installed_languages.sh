#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# Installs the packages that lie beside this script, compiles the examples of every language that they have, and
# compares what each says. Where the manual gives commands, they are those. scripts/languages runs it in a system that
# was made for it, without a network.
set -eEuo pipefail
trap 'echo "failed with status $?, line $LINENO: $BASH_COMMAND"' ERR
export LC_ALL=C
debs=$(dirname "${BASH_SOURCE[0]}")
manual=/usr/share/doc/libmemkind-dev/bindings

# code FENCE PAGE NUMBER: that block of code of the page.
code()
{
    awk -v fence="\`\`\`$1" -v number="$3" '
        /^```$/ { inside = 0 }
        inside
        $0 == fence && ++blocks == number { inside = 1 }' "$manual/$2.md" >/tmp/code
    [ -s /tmp/code ] || { echo "$2.md has no code $1, $3" && return 1; }
    cat /tmp/code
}

# sources LANGUAGE: goes to a copy of the package's sources.
sources()
{
    cp -r "$manual/$1" "/tmp/$1"
    cd "/tmp/$1"
}

# says LANGUAGE LINE... -- COMMAND...: it runs, and these lines are in what it says.
says()
{
    local language=$1 lines=() line
    shift
    while [ "$1" != -- ]; do
        lines+=("$1")
        shift
    done
    shift
    "$@" >/tmp/said
    for line in "${lines[@]}"; do
        grep -qxF -e "$line" /tmp/said ||
            { echo "$language: no line \"$line\" in:" && cat /tmp/said && return 1; }
    done
    echo "ok: $language"
}

dpkg -i "$debs"/*.deb >/tmp/log
bash "$debs/installed_examples.sh" /tmp/programs
bash "$debs/test_examples.sh" /tmp/programs JEMALLOC
echo "ok: C"
says "C++, allocators" "nodes with CPUs: 5000050000" "a file: 5000050000" -- /tmp/programs/cxx_allocators
says "C++, std::pmr" "vector: yes, its string: yes" "in a pool over it: 998001" -- /tmp/programs/cxx_resource
says "C++23, deduced" "vector: yes, map: yes" "copy of an ordinary one: yes" -- /tmp/programs/cxx_deduced

sources fortran
code sh fortran 1 >build.sh
bash -e build.sh
says Fortran "sum: 250000.0" "in the kind: T" -- ./example

sources python
code sh python 1 >build.sh
bash -e build.sh
says Python "sum: 500000.0" "in the kind: True" "allocated: True" -- python3 -B example.py

sources rust
code sh rust 1 >build.sh
bash -e build.sh
says "Rust, rustc" "sum: 500000500000" "in the kind: true" -- ./global
mkdir -p /tmp/program/src
cd /tmp/program
printf '[package]\nname = "program"\nversion = "0.0.0"\nedition = "2021"\n\n' >Cargo.toml
code toml rust 1 >>Cargo.toml
cp "$manual/rust/examples/global.rs" src/main.rs
cargo build --quiet --offline --release
says "Rust, cargo" "sum: 500000500000" "in the kind: true" -- target/release/program

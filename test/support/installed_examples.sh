#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (C) 2026 the libmemkind developers.
#
# Compiles every example of C and C++ where the library is installed by packages, as their users do: with pkg-config.
#
# usage: installed_examples.sh FOLDER_OF_PROGRAMS
set -euo pipefail
folder=$1
mkdir -p "$folder"
cd /usr/share/doc/libmemkind-dev/examples
read -ra flags <<<"$(pkg-config --cflags --libs memkind)"
for example in *.c; do
    more=()
    case $example in
    placement.c) continue ;;
    wordcount.c) more=(placement.c) ;;
    esac
    cc -O2 -o "$folder/${example%.c}" "$example" "${more[@]}" "${flags[@]}"
done
for example in *.cpp; do
    case $example in
    cxx_deduced.cpp) standard=23 ;;
    cxx_resource.cpp) standard=17 ;;
    *) standard=11 ;;
    esac
    c++ "-std=c++$standard" -O2 -o "$folder/${example%.cpp}" "$example" "${flags[@]}"
done

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * cpp_name: functions by the names that people give them, and what a function allocates by its
 * name.
 *
 * Names are demangled by the C++ runtime that the program has from the start. In a program without
 * one they are compared as the linker knows them.
 *
 * Threads: any, but cpp_name_begin(), which comes first. Memory comes from malloc().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

void cpp_name_begin(void);

/* Whether a function has a name like this, as the linker knows it, with its parameters ("f(int)"),
 * or without ("f"). */
bool cpp_name_is_function(const char *name, const char *pattern);

/* Whether what such a function gets from operator new is of a type like this. Where the name does
 * not tell, it is not. */
bool cpp_name_is_type(const char *name, const char *pattern);

/* The part of a demangled name that says so, cut off in place; NULL: it does not tell. */
const char *cpp_name_type(char *function);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * module: what an executable's or a library's file says of addresses in it: which function, which
 * source line.
 *
 * The dynamic loader knows exported functions only, and to ask it takes its lock, which a thread
 * may hold that waits for this one. So the file is read: its full table of symbols, or that of the
 * file with its debug information (/usr/lib/debug/.build-id). Once a file; what was read is kept,
 * for libraries that are closed and opened again.
 *
 * Threads: any. No locks: two threads that come at a time read a file twice. Memory comes from
 * malloc() and from the kernel.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct module;

/* Of lines, those that a rule asks for are kept. NULL: the file cannot be read. */
const struct module *module_find(const char *path);

/* Addresses are those in the file: without what the module is loaded at. */

/* The names of the function as the linker knows them, from number 0 on; NULL: there are no more. */
const char *module_function(const struct module *module, uintptr_t address, size_t number);

/* Whether it is of the line that this rule, a number of plan_rules(), asks for. */
bool module_is_at(const struct module *module, uintptr_t address, size_t rule);

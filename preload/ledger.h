/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * ledger: which rule a block is of, so that the rule has its bytes back when the block goes.
 *
 * A table by address: two bytes for every 16 of memory, of which pages exist where blocks that are
 * in it begin. Nothing is searched, and nothing is locked.
 *
 * Threads: any; those that put and take the same block are the program's to keep apart, as with
 * free() itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* False: there is no memory. One thread, before all else. */
bool ledger_begin(void);

/* False: there is no memory for it, or the address is beyond what a table can hold. */
bool ledger_put(const void *block, size_t number);

/* False: the block is not in it. */
bool ledger_take(const void *block, size_t *number);

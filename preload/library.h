/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * library: what libmemkind.so has for the libraries of this folder, and no header of its own
 * declares: src/frontend/compat.c, src/frontend/program.c.
 *
 * Threads: any.
 */
#pragma once

#include <memkind.h>

#include <stdbool.h>
#include <stddef.h>

/* What memkind_free() is given and does not know goes there. */
void memkind_take_foreign(void (*take)(void *block));

/* A child of fork(2) has copies of the kind's blocks, be it a file. */
void memkind_copy_at_fork(memkind_t kind);

/* --- kinds by size ---------------------------------------------------------------------------- */

/* Which kind small blocks are of, by their size; never freed. */
struct memkind_sizes;

/* No kind is known for any size. `fallback` serves sizes that are not known, large ones, 0, and
 * those whose kind has no memory. NULL: there is no memory. */
struct memkind_sizes *memkind_sizes_new(void *(*fallback)(size_t size, const void *argument,
                                                          const void *caller),
                                        const void *argument);

/* Blocks of `low` to `high` bytes are of this kind; NULL: it is not known. Nobody else has the
 * table yet. */
void memkind_sizes_set(struct memkind_sizes *sizes, size_t low, size_t high, memkind_t kind);

/* A block that is aligned as malloc(3) has it. */
void *memkind_sizes_malloc(size_t size, const void *sizes, const void *caller);

/* A block that is aligned so, by a power of two above 16. NULL: the thread has none at hand, or the
 * table does not know the size. */
void *memkind_sizes_aligned(size_t alignment, size_t size, const void *sizes);

/* --- questions -------------------------------------------------------------------------------- */

/* The bytes of a block; `foreign` is asked for those of one that is not the library's. */
size_t memkind_usable_size_or(void *block, size_t (*foreign)(void *block));

/* --- free ------------------------------------------------------------------------------------- */

/* Before memkind_free_trusted() is called. Takes 128 MiB of addresses. False: it cannot be called,
 * or would not be quicker: with the heap manager TBB, and with MEMKIND_CHECK=2. */
bool memkind_trust_frees(void);

/* As memkind_free() of any block, whichever kind is named. The caller vouches for it: a pointer
 * into a block may be taken for one. */
void memkind_free_trusted(memkind_t kind, void *block);

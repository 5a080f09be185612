/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * exact: large blocks of the pages that they need, where pages are few.
 *
 * jemalloc rounds a large block up to its size class, of which there are four between two powers
 * of two, so up to a fifth of it is left over: of a file of 64 MiB, blocks of 540,000 bytes could
 * use 82 %. In a pool with a limit such a block has just its pages. To jemalloc it is a block of
 * its class whose extent is smaller, which it never looks at: only its statistics count the class,
 * and what is not there is counted here.
 *
 * Threads: any that hold none of this folder's locks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "backend_jemalloc/jemalloc_internals.h"

/* A block of `size` bytes, whole pages and no fewer than the least large class. NULL: there is no
 * memory. */
void *jem_exact_alloc(tsdn_t *tsdn, arena_t *arena, size_t size, size_t alignment, bool zero);

/* Whether a large block is such a one. */
static inline bool jem_is_exact(const edata_t *extent)
{
    return edata_size_get(extent) != edata_usize_get(extent);
}

/* Makes such a block larger or smaller where it is. False: it has to move. */
bool jem_exact_resize(tsdn_t *tsdn, edata_t *extent, size_t size);

/* A large block of any sort is about to be freed. */
void jem_exact_freed(const edata_t *extent);

/* Bytes that jemalloc counts for the arena's large blocks, and that these do not have. */
size_t jem_exact_saved(const arena_t *arena);
/* All blocks of the arena are gone. */
void jem_exact_forget(const arena_t *arena);

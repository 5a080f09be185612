/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * short_slab: slabs of fewer pages than their class has.
 *
 * Slabs of most classes have three, five or seven pages in a row, so that nothing is left over at
 * their end. In a pool at its limit whose sizes drift, what is freed lies in pieces of one and two
 * pages between live blocks, and up to a sixth of the pool was of no use. A short slab takes such a
 * piece. To jemalloc it is a slab of its class some of whose blocks are never freed: those that
 * would lie behind its end. So jemalloc never sees it empty, and whoever frees its last block asks
 * here.
 *
 * Threads: any that hold none of this folder's locks, unless it says so.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "backend_jemalloc/jemalloc_internals.h"
#include "kinds/pages/pool.h"

/* Gives an arena a short slab of a small class. False: there is no piece of memory that is shorter
 * than a slab of the class and holds enough blocks to be worth it. */
bool jem_short_slab_add(tsdn_t *tsdn, arena_t *arena, const struct page_pool *pool, szind_t index);

/* How many blocks of its class a slab has. */
static inline unsigned jem_slab_blocks(const edata_t *slab, szind_t index)
{
    const bin_info_t *info = &bin_infos[index];
    size_t size = edata_size_get(slab);

    return likely(size == info->slab_size) ? info->nregs : (unsigned)(size / info->reg_size);
}

/* A block of the slab has been freed, which jemalloc does not see empty. True: it was the last one;
 * the bin has forgotten the slab. With the bin's lock. */
static inline bool jem_short_slab_emptied(tsdn_t *tsdn, arena_t *arena, bin_t *bin, edata_t *slab,
                                          szind_t index)
{
    if (likely(edata_nfree_get(slab) != jem_slab_blocks(slab, index)))
        return false;
    arena_dalloc_bin_locked_handle_newly_empty(tsdn, arena, slab, bin);
    return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see exact.h. */
#include "backend_jemalloc/exact.h"

#include <stdatomic.h>

static atomic_size_t saved[MALLOCX_ARENA_LIMIT]; /* by arena */

static size_t saved_by(const edata_t *extent)
{
    return edata_usize_get(extent) - edata_size_get(extent);
}

static void save(const edata_t *extent)
{
    atomic_fetch_add_explicit(&saved[edata_arena_ind_get(extent)], saved_by(extent),
                              memory_order_relaxed);
}

void jem_exact_freed(const edata_t *extent)
{
    if (jem_is_exact(extent))
        atomic_fetch_sub_explicit(&saved[edata_arena_ind_get(extent)], saved_by(extent),
                                  memory_order_relaxed);
}

size_t jem_exact_saved(const arena_t *arena)
{
    return atomic_load_explicit(&saved[arena_ind_get(arena)], memory_order_relaxed);
}

void jem_exact_forget(const arena_t *arena)
{
    atomic_store_explicit(&saved[arena_ind_get(arena)], 0, memory_order_relaxed);
}

/* A block of the class comes or goes, as jemalloc's statistics have it. */
static void count(tsdn_t *tsdn, arena_t *arena, szind_t index, bool comes)
{
    arena_stats_large_t *class = &arena->stats.lstats[index - SC_NBINS];

    LOCKEDINT_MTX_LOCK(tsdn, arena->stats.mtx);
    locked_inc_u64(tsdn, LOCKEDINT_MTX(arena->stats.mtx), comes ? &class->nmalloc : &class->ndalloc,
                   1);
    LOCKEDINT_MTX_UNLOCK(tsdn, arena->stats.mtx);
}

void *jem_exact_alloc(tsdn_t *tsdn, arena_t *arena, size_t size, size_t alignment, bool zero)
{
    szind_t index = sz_size2index(size);
    bool deferred = false; /* a thread of jemalloc's own would have work: it has none */
    edata_t *extent = pa_alloc(tsdn, &arena->pa_shard, size, alignment > PAGE ? alignment : PAGE,
                               false, index, zero, false, &deferred);

    if (!extent)
        return NULL;
    count(tsdn, arena, index, true);
    save(extent);
    malloc_mutex_lock(tsdn, &arena->large_mtx);
    edata_list_active_append(&arena->large, extent);
    malloc_mutex_unlock(tsdn, &arena->large_mtx);
    return edata_addr_get(extent);
}

/* True: the pages are so many now. */
static bool set_size(tsdn_t *tsdn, arena_t *arena, edata_t *extent, size_t size)
{
    size_t old = edata_size_get(extent);
    bool deferred = false;

    if (size < old)
        return !pa_shrink(tsdn, &arena->pa_shard, extent, old, size, sz_size2index(size),
                          &deferred);
    return !pa_expand(tsdn, &arena->pa_shard, extent, old, size, sz_size2index(size), false,
                      &deferred);
}

/* What grows may go on growing, so that it gets the rest of its class if that is free. */
bool jem_exact_resize(tsdn_t *tsdn, edata_t *extent, size_t size)
{
    arena_t *arena = arena_get_from_edata(extent);
    szind_t old_index = edata_szind_get(extent);
    size_t old = edata_size_get(extent), saved_before = saved_by(extent);
    size_t pages = PAGE_CEILING(size);
    bool done;

    if (pages == old)
        return true;
    if (pages < SC_LARGE_MINCLASS)
        return false;
    done = pages > old && set_size(tsdn, arena, extent, sz_s2u(size));
    if (!done && !set_size(tsdn, arena, extent, pages))
        return false;
    count(tsdn, arena, old_index, false);
    count(tsdn, arena, edata_szind_get(extent), true);
    atomic_fetch_sub_explicit(&saved[arena_ind_get(arena)], saved_before, memory_order_relaxed);
    save(extent);
    return true;
}

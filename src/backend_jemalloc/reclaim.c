/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see reclaim.h. */
#include "backend_jemalloc/reclaim.h"

#include <pthread.h>
#include <stdatomic.h>

#include "backend_jemalloc/fast.h"
#include "backend_jemalloc/internal.h"
#include "backend_jemalloc/purge.h"
#include "backend_jemalloc/retained.h"
#include "backend_jemalloc/thread.h"
#include "kinds/system/guard.h"

static pthread_mutex_t reclaim_lock = PTHREAD_MUTEX_INITIALIZER;

static bool has_unused(tsdn_t *tsdn, arena_t *arena, bool retained_too)
{
    pac_t *pac = &arena->pa_shard.pac;

    return ecache_npages_get(&pac->ecache_dirty) || ecache_npages_get(&pac->ecache_muzzy) ||
           (retained_too && ecache_npages_get(&pac->ecache_retained)) ||
           jem_retained_is_purging(tsdn, arena);
}

/* Among dirty extents only large ones are joined when they come. Taken out, they are joined with
 * their neighbours, and go back as they are then. False: there are none. */
static bool join(tsdn_t *tsdn, arena_t *arena)
{
    pac_t *pac = &arena->pa_shard.pac;
    ehooks_t *hooks = arena_get_ehooks(arena);
    edata_list_inactive_t joined;
    edata_t *extent;

    edata_list_inactive_init(&joined);
    while ((extent = ecache_evict(tsdn, pac, hooks, &pac->ecache_dirty, 0)))
        edata_list_inactive_append(&joined, extent);
    if (!edata_list_inactive_first(&joined))
        return false;
    while ((extent = edata_list_inactive_first(&joined))) {
        edata_list_inactive_remove(&joined, extent);
        ecache_dalloc(tsdn, pac, hooks, &pac->ecache_dirty, extent);
    }
    return true;
}

bool jem_reclaim_join(tsd_t *tsd, struct jem_arena_set *set)
{
    bool any = false;

    pthread_mutex_lock(&reclaim_lock);
    for (struct jem_arena *arena = jem_arena_set_arenas(set); arena; arena = arena->next)
        any |= join(tsd_tsdn(tsd), arena->arena);
    pthread_mutex_unlock(&reclaim_lock);
    return any;
}

/* A program at its limit comes here with every allocation. It then pays for what it has freed
 * since the last time, and for a look at each arena. */
static bool reclaim(tsd_t *tsd, struct jem_arena_set *set)
{
    tsdn_t *tsdn = tsd_tsdn(tsd);
    struct page_pool *pool = &set->heap->pages;
    bool release = pool_limit(pool) ||
                   atomic_exchange_explicit(&set->hooks.whole, false, memory_order_relaxed);
    struct jem_arena *arenas = jem_arena_set_arenas(set);
    bool any = jem_thread_flush(set->heap);

    pool_reuse_begin(pool);
    for (struct jem_arena *arena = arenas; arena; arena = arena->next) {
        if (!has_unused(tsdn, arena->arena, release))
            continue;
        any = true;
        jem_retained_purge(tsdn, arena->arena);
        /* Purging may have made a region whole. */
        release =
            atomic_exchange_explicit(&set->hooks.whole, false, memory_order_relaxed) || release;
        if (release)
            jem_retained_release(tsdn, pool, arena->arena);
    }
    pool_reuse_end(pool);
    return any;
}

bool jem_reclaim(tsd_t *tsd, struct jem_arena_set *set)
{
    bool waited = pthread_mutex_trylock(&reclaim_lock) != 0, any;

    if (waited)
        pthread_mutex_lock(&reclaim_lock);
    any = reclaim(tsd, set);
    pthread_mutex_unlock(&reclaim_lock);
    return any || waited;
}

bool jem_reclaim_from_threads(tsd_t *tsd, struct jem_arena_set *set)
{
    bool any;

    pthread_mutex_lock(&reclaim_lock);
    any = jem_thread_steal(tsd, set->heap);
    if (any)
        (void)reclaim(tsd, set);
    pthread_mutex_unlock(&reclaim_lock);
    return any;
}

ssize_t jem_trim(struct heap *heap)
{
    struct guard guard;
    ssize_t given = -1;

    guard_enter(&guard);
    if (jem_tsd() && jem_thread_enter()) {
        jem_thread_now->given = 0;
        (void)jem_thread_flush(heap);
        pthread_mutex_lock(&reclaim_lock);
        (void)jem_thread_steal(jem_tsd(), heap);
        jem_purge_unused(jem_tsd(), heap);
        pthread_mutex_unlock(&reclaim_lock);
        given = (ssize_t)jem_thread_now->given;
    }
    guard_leave(&guard);
    return given;
}

bool jem_reclaim_may_serve(tsd_t *tsd, const struct jem_arena_set *set, arena_t *arena,
                           size_t usize)
{
    const struct page_pool *pool = &set->heap->pages;
    tsdn_t *tsdn = tsd_tsdn(tsd);
    size_t pages = usize;
    bin_t *bin;
    bool has;

    if (usize <= SC_SMALL_MAXCLASS)
        pages = bin_infos[sz_size2index(usize)].slab_size;
    if (jem_retained_bytes(arena) >= usize || pool_has_room(pool, pages))
        return true;
    if (usize > SC_SMALL_MAXCLASS)
        return false;
    bin = arena_get_bin(arena, sz_size2index(usize), 0);
    malloc_mutex_lock(tsdn, &bin->lock);
    has = (bin->slabcur && edata_nfree_get(bin->slabcur)) || !edata_heap_empty(&bin->slabs_nonfull);
    malloc_mutex_unlock(tsdn, &bin->lock);
    return has;
}

void jem_reclaim_prefork(void)
{
    pthread_mutex_lock(&reclaim_lock);
}

void jem_reclaim_postfork(void)
{
    pthread_mutex_unlock(&reclaim_lock);
}

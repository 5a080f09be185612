/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see purge.h. */
#include "backend_jemalloc/purge.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "backend_jemalloc/arena_set.h"
#include "backend_jemalloc/fast.h"
#include "backend_jemalloc/internal.h"
#include "backend_jemalloc/retained.h"

#define NOTED_LEAST ((size_t)1 << 20)
#define NOTED_MOST ((size_t)16 << 20)
#define NOTED_PER_ARENA ((size_t)16 << 10) /* a look at all arenas costs about as much as these */
#define STEP_PAGES (POOL_PURGE_STEP >> LG_PAGE)
#define PAUSE_NS UINT64_C(50000000) /* a step of jemalloc's decay: a 200th of the decay time */

static pthread_mutex_t purge_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint_least64_t due; /* nanoseconds: nothing is given back for its age before that */
static unsigned visited;          /* index of an arena; guarded by purge_lock */

void jem_purge_lock(void)
{
    pthread_mutex_lock(&purge_lock);
}

bool jem_purge_trylock(void)
{
    return pthread_mutex_trylock(&purge_lock) == 0;
}

void jem_purge_unlock(void)
{
    pthread_mutex_unlock(&purge_lock);
}

/* --- one arena -------------------------------------------------------------------------------- */

static size_t dirty_pages(arena_t *arena)
{
    return ecache_npages_get(&arena->pa_shard.pac.ecache_dirty);
}

/* The arena of an index, if it is a heap's, or jemalloc's own, which is of no set. Called with
 * purge_lock. */
static arena_t *arena_at(tsdn_t *tsdn, unsigned index, struct jem_arena_set **set)
{
    *set = atomic_load_explicit(&jem_set_of_arena[index], memory_order_acquire);
    if (index && (!*set || (*set)->frozen))
        return NULL;
    return arena_get(tsdn, index, false);
}

/* Whether the pool takes any part of an extent back, or whole regions only. */
static bool goes_in_pieces(const struct jem_arena_set *set)
{
    return !set || pool_is_demand_paged(set->hooks.pool) || pool_is_page_granular(set->hooks.pool);
}

static bool purging_begin(tsdn_t *tsdn, decay_t *decay)
{
    bool free;

    malloc_mutex_lock(tsdn, &decay->mtx);
    free = !decay->purging;
    decay->purging = true;
    malloc_mutex_unlock(tsdn, &decay->mtx);
    return free;
}

/* What is gone was unpurged when the epoch began: decay_limit() tells by that what is newer. What
 * the curve still leaves counts as there: jemalloc's arithmetic rests on it. */
static void purging_end(tsdn_t *tsdn, decay_t *decay, size_t gone)
{
    size_t least, rest;

    malloc_mutex_lock(tsdn, &decay->mtx);
    decay->purging = false;
    least = decay_npages_limit_get(decay);
    rest = decay->nunpurged > gone ? decay->nunpurged - gone : 0;
    if (decay->nunpurged > least)
        decay->nunpurged = rest > least ? rest : least;
    malloc_mutex_unlock(tsdn, &decay->mtx);
}

/* Cuts an extent down to so many pages. The rest is dirty as before. */
static void extent_cut(tsdn_t *tsdn, arena_t *arena, edata_t *extent, size_t pages)
{
    pac_t *pac = &arena->pa_shard.pac;
    ehooks_t *ehooks = arena_get_ehooks(arena);
    size_t size = pages << LG_PAGE;
    edata_t *rest =
        extent_split_wrapper(tsdn, pac, ehooks, extent, size, edata_size_get(extent) - size, false);

    if (rest)
        ecache_dalloc(tsdn, pac, ehooks, &pac->ecache_dirty, rest);
}

/*
 * Gives back the oldest dirty pages of an arena, until there are no more than `keep`, or `most`
 * have gone. An extent that would be too much is cut, unless it is no larger than `whole`, or the
 * pool takes whole regions only. Returns how many pages went.
 */
static size_t purge_arena(tsdn_t *tsdn, arena_t *arena, const struct jem_arena_set *set,
                          size_t keep, size_t most, size_t whole)
{
    pac_t *pac = &arena->pa_shard.pac;
    ehooks_t *ehooks = arena_get_ehooks(arena);
    bool cuts = goes_in_pieces(set);
    size_t gone = 0;
    edata_t *extent;

    if (!purging_begin(tsdn, &pac->decay_dirty))
        return 0;
    while (gone < most && (extent = ecache_evict(tsdn, pac, ehooks, &pac->ecache_dirty, keep))) {
        size_t pages = edata_size_get(extent) >> LG_PAGE;

        if (cuts && pages > most - gone && pages > whole)
            extent_cut(tsdn, arena, extent, most - gone);
        gone += edata_size_get(extent) >> LG_PAGE;
        extent_dalloc_wrapper(tsdn, pac, ehooks, extent);
    }
    purging_end(tsdn, &pac->decay_dirty, gone);
    atomic_fetch_sub_zu(&pac->stats->pac_mapped, gone << LG_PAGE, ATOMIC_RELAXED);
    return gone;
}

/* --- pages that are old ----------------------------------------------------------------------- */

/* How many dirty pages the arena may keep now: what the curve leaves of those that it had when the
 * epoch began, and all that are newer, for which the curve has not begun. */
static size_t decay_limit(tsdn_t *tsdn, arena_t *arena)
{
    decay_t *decay = &arena->pa_shard.pac.decay_dirty;
    size_t limit = SIZE_MAX, dirty;
    nstime_t now;

    malloc_mutex_lock(tsdn, &decay->mtx);
    if (decay_gradually(decay)) {
        nstime_init_update(&now);
        dirty = dirty_pages(arena);
        (void)decay_maybe_advance_epoch(decay, &now, dirty);
        limit = decay_npages_limit_get(decay);
        if (dirty > decay->nunpurged)
            limit += dirty - decay->nunpurged;
    }
    malloc_mutex_unlock(tsdn, &decay->mtx);
    return limit;
}

/* All arenas in turn, from the one after that which was served last. False: there is more to do. */
static bool purge_decayed(tsdn_t *tsdn)
{
    unsigned count = narenas_total_get();
    size_t left = STEP_PAGES;

    for (unsigned i = 0; i < count && left; i++) {
        struct jem_arena_set *set;
        arena_t *arena;
        size_t limit, gone;

        visited = (visited + 1) % count;
        arena = arena_at(tsdn, visited, &set);
        if (!arena || !dirty_pages(arena))
            continue;
        limit = decay_limit(tsdn, arena);
        gone = dirty_pages(arena) > limit ? purge_arena(tsdn, arena, set, limit, left, 0) : 0;
        left = gone < left ? left - gone : 0;
    }
    return left != 0;
}

void jem_purge_stop_clock(tsd_t *tsd)
{
    tsd_arena_decay_tickerp_get(tsd)->tick = INT32_MAX;
}

bool jem_purge_decayed(tsd_t *tsd)
{
    nstime_t now;
    bool done;

    jem_purge_stop_clock(tsd);
    nstime_init_update(&now);
    if (nstime_ns(&now) < atomic_load_explicit(&due, memory_order_relaxed) ||
        pthread_mutex_trylock(&purge_lock))
        return false;
    done = purge_decayed(tsd_tsdn(tsd));
    (void)pool_give_back(NULL);
    if (done)
        atomic_store_explicit(&due, nstime_ns(&now) + PAUSE_NS, memory_order_relaxed);
    pthread_mutex_unlock(&purge_lock);
    return !done;
}

/* --- pages that are too many ------------------------------------------------------------------ */

void jem_purge_note(size_t size)
{
    if (jem_thread_now->slots) /* not one of the shared states, see thread.h */
        jem_thread_now->dirtied += size;
}

/* What there is beyond the bound, in pages. *most: the arena that has most of it. */
static size_t excess(tsdn_t *tsdn, arena_t **most, struct jem_arena_set **most_set)
{
    size_t dirty = 0, live = 0, largest = 0, bound;

    for (unsigned i = 0, count = narenas_total_get(); i < count; i++) {
        struct jem_arena_set *set;
        arena_t *arena = arena_at(tsdn, i, &set);
        size_t pages;

        if (!arena || arena_decay_ms_get(arena, extent_state_dirty) < 0)
            continue;
        pages = dirty_pages(arena);
        dirty += pages;
        live += atomic_load_zu(&arena->pa_shard.nactive, ATOMIC_RELAXED);
        if (pages > largest) {
            largest = pages;
            *most = arena;
            *most_set = set;
        }
    }
    bound = live / POOL_UNUSED_SHARE;
    if (bound < POOL_UNUSED_LEAST >> LG_PAGE)
        bound = POOL_UNUSED_LEAST >> LG_PAGE;
    return dirty > bound ? dirty - bound : 0;
}

/* Gives back a step, or one extent that is no larger than what the thread has dirtied. Returns how
 * many pages went; 0: there is no excess. */
static size_t purge_excess(tsdn_t *tsdn, size_t own)
{
    struct jem_arena_set *set = NULL;
    arena_t *arena = NULL;
    size_t pages = excess(tsdn, &arena, &set), dirty;

    if (!pages || !arena)
        return 0;
    dirty = dirty_pages(arena);
    return purge_arena(tsdn, arena, set, dirty > pages ? dirty - pages : 0, STEP_PAGES, own);
}

/* Where another thread is purging, there is no hurry; but no thread may run away from it. */
static bool lock_for_excess(size_t dirtied)
{
    if (pthread_mutex_trylock(&purge_lock) == 0)
        return true;
    if (dirtied < NOTED_MOST)
        return false;
    pthread_mutex_lock(&purge_lock);
    return true;
}

void jem_purge_excess(tsd_t *tsd)
{
    struct jem_thread *thread = jem_thread_now;
    size_t own, gone = 0, now;

    if (likely(thread->dirtied < NOTED_LEAST) ||
        thread->dirtied < narenas_total_get() * NOTED_PER_ARENA ||
        !lock_for_excess(thread->dirtied))
        return;
    own = thread->dirtied >> LG_PAGE;
    thread->dirtied = 0;
    for (;;) {
        now = purge_excess(tsd_tsdn(tsd), own - gone);
        pthread_mutex_unlock(&purge_lock);
        gone += now;
        if (!now || gone >= own)
            return;
        pthread_mutex_lock(&purge_lock); /* others that wait have had their turn */
    }
}

/* --- whatever is unused ----------------------------------------------------------------------- */

/* A step of an arena's pages; then, once, what it retains, where that is more than addresses.
 * False: there is no more. */
static bool purge_step(tsdn_t *tsdn, unsigned index, const struct heap *heap)
{
    struct jem_arena_set *set;
    arena_t *arena;
    bool more = false;

    pthread_mutex_lock(&purge_lock);
    arena = arena_at(tsdn, index, &set);
    if (arena && (!heap || (set && set->heap == heap))) {
        struct page_pool *pool = set ? &set->heap->pages : NULL;

        more = purge_arena(tsdn, arena, set, 0, STEP_PAGES, 0) != 0;
        if (!more && pool && (!pool_is_demand_paged(pool) || pool_limit(pool)))
            jem_retained_release(tsdn, pool, arena);
        if (!more && pool)
            jem_note_given(pool_give_back(pool));
    }
    pthread_mutex_unlock(&purge_lock);
    return more;
}

void jem_purge_unused(tsd_t *tsd, const struct heap *heap)
{
    for (unsigned i = 0; i < narenas_total_get(); i++)
        while (purge_step(tsd_tsdn(tsd), i, heap))
            ;
}

/* --- a thread's end --------------------------------------------------------------------------- */

void jem_purge_left(tsd_t *tsd, unsigned index)
{
    tsdn_t *tsdn = tsd_tsdn(tsd);
    struct jem_arena_set *set;
    arena_t *arena;

    pthread_mutex_lock(&purge_lock);
    arena = arena_at(tsdn, index, &set);
    if (arena && arena_decay_ms_get(arena, extent_state_dirty) > 0)
        (void)purge_arena(tsdn, arena, set, STEP_PAGES, SIZE_MAX, 0);
    pthread_mutex_unlock(&purge_lock);
}

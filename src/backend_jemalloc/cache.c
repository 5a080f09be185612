/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see cache.h. */
#include "backend_jemalloc/cache.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "backend_jemalloc/exact.h"
#include "backend_jemalloc/fast.h"
#include "backend_jemalloc/internal.h"
#include "backend_jemalloc/purge.h"
#include "backend_jemalloc/short_slab.h"
#include "kinds/pages/wrong_free.h"

#define ROOM_FIRST ((size_t)8 << 10)
#define ROOM_EASY ((size_t)64 << 10)
#define ROOM_LITTLE ((size_t)2 << 10) /* of a conservative heap */
#define BLOCKS_FIRST_LEAST 4u         /* of a small class */
#define BLOCKS_FIRST_LARGE 2u
#define BLOCKS_FIRST_MOST 64u
#define VISITS_SHARED 16u
#define GROWTH_MOST ((size_t)2 << 20)
#define GROWTH_ALL ((size_t)64 << 20)
#define GROWTH_SHARE 64 /* of a pool's limit */
#define LARGE_MOST ((size_t)32 << 10)
#define FILL_MOST ((size_t)32 << 10) /* what one thread keeps, others lack */
#define FLUSH_MOST 128u /* blocks at a time: all are looked up before the first goes back */

struct store {
    void **array;   /* NULL: no block has been in the bin yet */
    unsigned slots; /* of the array */
    unsigned first; /* blocks that there is always room for */
    unsigned most;  /* blocks that there is room for now */
    unsigned fill;  /* blocks to take from the arena next time */
    bool filled;    /* since the bin was last flushed or grew */
};

struct jem_cache {
    struct jem_bins bins; /* first: what a thread's table points to */
    const struct page_pool *pool;
    arena_t *arena;       /* to fill from */
    size_t growth;        /* bytes by which bins may still grow */
    unsigned visits;      /* by its thread: up to VISITS_SHARED */
    struct store store[]; /* by size class, of those that are cached */
};

/* --- size classes ----------------------------------------------------------------------------- */

static unsigned bins; /* size classes that are cached */
static atomic_size_t grown;

void jem_cache_start(void)
{
    bins = sz_size2index(LARGE_MOST) + 1;
    if (bins > JEM_BINS_MOST)
        bins = JEM_BINS_MOST;
}

static unsigned first_blocks(const struct jem_arena_set *set, szind_t index)
{
    size_t size = sz_index2size(index);
    unsigned blocks;

    if (set->heap->pages.conservative)
        return (unsigned)(ROOM_LITTLE / size) < BLOCKS_FIRST_MOST ? (unsigned)(ROOM_LITTLE / size)
                                                                  : BLOCKS_FIRST_MOST;
    if (index >= SC_NBINS)
        return BLOCKS_FIRST_LARGE;
    blocks = (unsigned)(ROOM_FIRST / size);
    if (blocks < BLOCKS_FIRST_LEAST)
        return BLOCKS_FIRST_LEAST;
    return blocks < BLOCKS_FIRST_MOST ? blocks : BLOCKS_FIRST_MOST;
}

/* Blocks in the caches of other threads are lost to a pool that is at its limit. */
static size_t growth_of(const struct jem_arena_set *set)
{
    const struct page_pool *pool = &set->heap->pages;
    size_t share = pool_limit(pool) / GROWTH_SHARE;

    if (pool->conservative)
        return 0;
    return pool_limit(pool) && share < GROWTH_MOST ? share : GROWTH_MOST;
}

/* --- bins ------------------------------------------------------------------------------------- */

static void **bin_head(const struct jem_bin *bin)
{
    return atomic_load_explicit(&bin->head, memory_order_relaxed);
}

static void bin_set_head(struct jem_bin *bin, void **head)
{
    atomic_store_explicit(&bin->head, head, memory_order_relaxed);
}

static void **bin_empty(const struct jem_bin *bin)
{
    return atomic_load_explicit(&bin->empty, memory_order_relaxed);
}

static void **bin_low(const struct jem_bin *bin)
{
    return atomic_load_explicit(&bin->low, memory_order_relaxed);
}

static void bin_set_low(struct jem_bin *bin, void **low)
{
    atomic_store_explicit(&bin->low, low, memory_order_relaxed);
}

static size_t bin_count(const struct jem_bin *bin)
{
    return (size_t)(bin_empty(bin) - bin_head(bin));
}

/* The bin's blocks move to the end of an array. */
static void bin_place(struct jem_bin *bin, struct store *store, void **array, unsigned slots)
{
    size_t count = store->array ? bin_count(bin) : 0;
    size_t low = store->array ? (size_t)(bin_empty(bin) - bin_low(bin)) : 0;
    void **empty = array + slots;

    if (count)
        memmove(empty - count, bin_head(bin), count * sizeof *array);
    store->array = array;
    store->slots = slots;
    atomic_store_explicit(&bin->empty, empty, memory_order_relaxed);
    bin_set_low(bin, empty - low);
    bin_set_head(bin, empty - count);
}

static void bin_set_room(struct jem_bin *bin, struct store *store, unsigned blocks)
{
    store->most = blocks;
    bin->full = store->array + store->slots - blocks;
}

/* Blocks that were stolen have left their room, at the end of the array. */
static void bin_use_all_room(struct jem_bin *bin, struct store *store)
{
    if (store->array && bin_empty(bin) != store->array + store->slots)
        bin_place(bin, store, store->array, store->slots);
}

/* Where the fast path found no block, or no room: nobody is stealing afterwards, and from a bin
 * that is empty then nobody will. */
static void bin_settle(struct jem_bin *bin, struct store *store)
{
    if (!store->array)
        return;
    pthread_mutex_lock(&jem_thread_now->lock);
    bin_use_all_room(bin, store);
    pthread_mutex_unlock(&jem_thread_now->lock);
}

static bool growth_take(struct jem_cache *cache, size_t size)
{
    if (size > cache->growth ||
        atomic_fetch_add_explicit(&grown, size, memory_order_relaxed) + size > GROWTH_ALL) {
        if (size <= cache->growth)
            atomic_fetch_sub_explicit(&grown, size, memory_order_relaxed);
        return false;
    }
    cache->growth -= size;
    return true;
}

static void growth_return(struct jem_cache *cache, size_t size)
{
    cache->growth += size;
    atomic_fetch_sub_explicit(&grown, size, memory_order_relaxed);
}

/* Statistics read a cache under its thread's lock, so they do not see this half done. */
static bool bin_move(tsd_t *tsd, struct jem_bin *bin, struct store *store, unsigned blocks)
{
    /* jem_fast_alloc() reads one place beyond an empty bin. Whole cache lines are allocated. */
    void **array = jem_internal_alloc(tsd, CACHELINE_CEILING((blocks + 1) * sizeof *array));
    void **old = store->array;

    if (!array)
        return false;
    array[blocks] = NULL; /* no block: see is_double_free() */
    pthread_mutex_lock(&jem_thread_now->lock);
    bin_place(bin, store, array, blocks);
    pthread_mutex_unlock(&jem_thread_now->lock);
    if (old)
        jem_internal_free(tsd, old);
    return true;
}

/* A bin gets its array with its first block. False: there is no memory. */
static bool bin_prepare(tsd_t *tsd, struct jem_bin *bin, struct store *store)
{
    if (likely(store->array))
        return true;
    if (!bin_move(tsd, bin, store, store->first))
        return false;
    bin_set_room(bin, store, store->first);
    return true;
}

/* Whether the bin is so small that it is doubled only to make exchanges with arenas rarer. */
static bool bin_is_easy(const struct store *store, szind_t index)
{
    return store->most * sz_index2size(index) < ROOM_EASY;
}

static bool bin_double(tsd_t *tsd, struct jem_cache *cache, szind_t index)
{
    struct jem_bin *bin = &cache->bins.of[index];
    struct store *store = &cache->store[index];
    size_t more = store->most * sz_index2size(index);
    unsigned blocks = 2 * store->most;

    if (!growth_take(cache, more))
        return false;
    if (blocks > store->slots && !bin_move(tsd, bin, store, blocks)) {
        growth_return(cache, more);
        return false;
    }
    bin_set_room(bin, store, blocks);
    return true;
}

/* --- filling and flushing --------------------------------------------------------------------- */

/* Takes up to so many blocks from the arena, in front of `empty`; returns where they begin. */
static void **fill_from(tsdn_t *tsdn, arena_t *arena, void **empty, szind_t index, unsigned blocks)
{
    cache_bin_info_t info = {(cache_bin_sz_t)blocks};
    uint16_t low_bits = (uint16_t)(uintptr_t)empty;
    /* jemalloc's counter of requests gets one for each block. */
    cache_bin_t filled = {empty, {blocks}, low_bits, 0, low_bits};

    filled.low_bits_full = (uint16_t)(low_bits - blocks * sizeof(void *));
    arena_cache_bin_fill_small(tsdn, arena, &filled, &info, index, blocks);
    return filled.stack_head;
}

/* How many blocks of a class the arena has without new pages, at the least, if it is known that
 * there are none to be had; else any number. At a pool's limit nearly every bin is filled this way:
 * slabs have a free block or two. */
static unsigned blocks_at_hand(tsdn_t *tsdn, const struct jem_cache *cache, szind_t index)
{
    pac_t *pac = &cache->arena->pa_shard.pac;
    bin_t *bin = arena_get_bin(cache->arena, index, 0);
    size_t blocks;

    if (pool_has_room(cache->pool, bin_infos[index].slab_size) ||
        ecache_npages_get(&pac->ecache_dirty) || ecache_npages_get(&pac->ecache_muzzy) ||
        ecache_npages_get(&pac->ecache_retained))
        return UINT_MAX;
    malloc_mutex_lock(tsdn, &bin->lock);
    blocks = bin->stats.nonfull_slabs + (bin->slabcur ? edata_nfree_get(bin->slabcur) : 0);
    malloc_mutex_unlock(tsdn, &bin->lock);
    return (unsigned)blocks;
}

/* The bin is empty. False: the arena has no memory. */
static bool bin_fill(tsd_t *tsd, struct jem_cache *cache, szind_t index)
{
    struct jem_bin *bin = &cache->bins.of[index];
    struct store *store = &cache->store[index];
    unsigned blocks;

    if (!bin_prepare(tsd, bin, store))
        return false;
    if (store->filled && bin_is_easy(store, index))
        (void)bin_double(tsd, cache, index);
    blocks = blocks_at_hand(tsd_tsdn(tsd), cache, index);
    if (!blocks)
        return false;
    if (blocks > store->fill)
        blocks = store->fill;
    bin_set_head(bin, fill_from(tsd_tsdn(tsd), cache->arena, bin_empty(bin), index, blocks));
    store->filled = true;
    blocks = 2 * store->fill;
    if (blocks <= store->most / 2 && blocks * sz_index2size(index) <= FILL_MOST)
        store->fill = blocks;
    return bin_count(bin) != 0;
}

/* Gives back those blocks that belong to the same arena's bin as the first one. The others are left
 * in front; returns how many they are. */
static unsigned give_back_some(tsd_t *tsd, szind_t index, void **blocks, edata_t **extents,
                               unsigned count)
{
    tsdn_t *tsdn = tsd_tsdn(tsd);
    edata_t *emptied[FLUSH_MOST];
    unsigned arena_index = edata_arena_ind_get(extents[0]);
    unsigned shard = edata_binshard_get(extents[0]), rest = 0, empty = 0;
    arena_t *arena = arena_get(tsdn, arena_index, false);
    bin_t *bin = arena_get_bin(arena, index, shard);
    arena_dalloc_bin_locked_info_t info;

    malloc_mutex_lock(tsdn, &bin->lock);
    bin->stats.nflushes++;
    arena_dalloc_bin_locked_begin(&info, index);
    for (unsigned i = 0; i < count; i++) {
        edata_t *extent = extents[i];

        if (edata_arena_ind_get(extent) != arena_index || edata_binshard_get(extent) != shard) {
            blocks[rest] = blocks[i];
            extents[rest++] = extent;
        } else if (arena_dalloc_bin_locked_step(tsdn, arena, bin, &info, index, extent,
                                                blocks[i]) ||
                   jem_short_slab_emptied(tsdn, arena, bin, extent, index)) {
            emptied[empty++] = extent;
        }
    }
    arena_dalloc_bin_locked_finish(tsdn, arena, bin, &info);
    malloc_mutex_unlock(tsdn, &bin->lock);
    if (empty)
        jem_purge_note(empty * edata_size_get(emptied[0]));
    for (unsigned i = 0; i < empty; i++)
        arena_slab_dalloc(tsdn, arena, emptied[i]);
    return rest;
}

static void give_back(tsd_t *tsd, szind_t index, void **blocks, unsigned count)
{
    edata_t *extents[FLUSH_MOST];

    for (unsigned i = 0; i < count; i++) {
        extents[i] = (edata_t *)(jem_page(blocks[i]) & JEM_PAGE_EXTENT);
        if (!extents[i])
            not_reached(); /* every block of a cache has an extent */
    }
    if (index >= SC_NBINS) {
        jem_purge_note(count * sz_index2size(index));
        for (unsigned i = 0; i < count; i++) {
            jem_exact_freed(extents[i]);
            large_dalloc(tsd_tsdn(tsd), extents[i]);
        }
    } else {
        while (count)
            count = give_back_some(tsd, index, blocks, extents, count);
    }
}

void jem_cache_give_back(tsd_t *tsd, szind_t index, void *block)
{
    give_back(tsd, index, &block, 1);
}

/* The oldest blocks go back. Called with the lock of the cache's thread. */
static void bin_flush(tsd_t *tsd, struct jem_bin *bin, szind_t index, size_t keep)
{
    size_t count = bin_count(bin);
    void **head = bin_head(bin), **empty = bin_empty(bin);

    for (size_t left = count - keep; left;) {
        unsigned some = left < FLUSH_MOST ? (unsigned)left : FLUSH_MOST;

        give_back(tsd, index, head + keep + left - some, some);
        left -= some;
    }
    memmove(empty - keep, head, keep * sizeof *head);
    bin_set_head(bin, empty - keep);
    if (bin_low(bin) < empty - keep)
        bin_set_low(bin, empty - keep);
}

void *jem_cache_alloc(tsd_t *tsd, struct jem_cache *cache, szind_t index)
{
    struct jem_bin *bin = &cache->bins.of[index];
    struct store *store = &cache->store[index];
    void *block;

    while (!jem_fast_pop(bin, &block)) {
        bin_settle(bin, store);
        if (!bin_count(bin) && (index >= SC_NBINS || !bin_fill(tsd, cache, index))) {
            store->filled = true;
            return NULL;
        }
    }
    return block;
}

/* Takes the oldest blocks out, all but `keep`, FLUSH_MOST at the most. Returns how many. Called
 * with the thread's lock. */
static unsigned bin_take_oldest(struct jem_bin *bin, size_t keep, void **blocks)
{
    size_t count = bin_count(bin);
    void **empty = bin_empty(bin);

    if (count <= keep)
        return 0;
    count = count - keep < FLUSH_MOST ? count - keep : FLUSH_MOST;
    empty -= count;
    memcpy(blocks, empty, count * sizeof *blocks);
    *empty = NULL; /* no block: see is_double_free() */
    atomic_store_explicit(&bin->empty, empty, memory_order_relaxed);
    if (bin_low(bin) > empty)
        bin_set_low(bin, empty);
    return (unsigned)count;
}

/* The bin is full, or was until somebody stole from it. Arenas are called without the lock, for
 * which whoever steals waits with jem_lock. */
static void bin_halve(tsd_t *tsd, struct jem_bin *bin, struct store *store, szind_t index)
{
    void *oldest[FLUSH_MOST];
    unsigned count;

    do {
        pthread_mutex_lock(&jem_thread_now->lock);
        count = bin_take_oldest(bin, store->most / 2, oldest);
        if (!count)
            bin_use_all_room(bin, store);
        pthread_mutex_unlock(&jem_thread_now->lock);
        jem_thread_now->calls -= (int)count; /* frees that the fast path did not count */
        give_back(tsd, index, oldest, count);
    } while (count);
}

/* What the bin would give next is free. */
static bool is_double_free(const struct jem_bin *bin, const void *block)
{
    return bin_count(bin) && *bin_head(bin) == block;
}

void jem_cache_free(tsd_t *tsd, struct jem_cache *cache, szind_t index, void *block)
{
    struct jem_bin *bin = &cache->bins.of[index];
    struct store *store = &cache->store[index];

    if (jem_fast_push(bin, block))
        return;
    bin_settle(bin, store);
    if (is_double_free(bin, block)) {
        wrong_free_tell_twice(block, sz_index2size(index), cache->pool);
        return;
    }
    if (!store->array && !bin_prepare(tsd, bin, store)) {
        give_back(tsd, index, &block, 1);
        return;
    }
    if (jem_fast_push(bin, block)) /* there is room now, or again: others were stolen */
        return;
    if (!(store->filled || bin_is_easy(store, index)) || !bin_double(tsd, cache, index))
        bin_halve(tsd, bin, store, index);
    store->filled = false;
    jem_fast_push(bin, block);
}

bool jem_cache_serves(const struct jem_cache *cache, szind_t index)
{
    return cache && index < bins && cache->store[index].most;
}

/* --- unused blocks ---------------------------------------------------------------------------- */

static void bin_collect(tsd_t *tsd, struct jem_cache *cache, szind_t index)
{
    struct jem_bin *bin = &cache->bins.of[index];
    struct store *store = &cache->store[index];
    size_t count = bin_count(bin), unused = (size_t)(bin_empty(bin) - bin_low(bin));
    size_t most = store->most / 2;

    bin_use_all_room(bin, store);
    if (unused) {
        count -= unused - unused / 4;
        bin_flush(tsd, bin, index, count);
        if (store->fill > 1)
            store->fill /= 2;
        if (most < store->first)
            most = store->first;
        if (most < store->most && most >= count) {
            growth_return(cache, (store->most - most) * sz_index2size(index));
            bin_set_room(bin, store, (unsigned)most);
        }
    }
    bin_set_low(bin, bin_head(bin));
}

void jem_cache_collect(tsd_t *tsd, struct jem_cache *cache)
{
    for (szind_t i = 0; i < bins; i++)
        if (bin_count(&cache->bins.of[i]))
            bin_collect(tsd, cache, i);
        else
            bin_set_low(&cache->bins.of[i], bin_empty(&cache->bins.of[i]));
}

bool jem_cache_flush(tsd_t *tsd, struct jem_cache *cache)
{
    bool any = false;

    for (szind_t i = 0; cache && i < bins; i++)
        if (bin_count(&cache->bins.of[i])) {
            bin_flush(tsd, &cache->bins.of[i], i, 0);
            any = true;
        }
    return any;
}

void jem_cache_give_back_stolen(tsd_t *tsd, struct jem_stolen *stolen)
{
    void **blocks = stolen->blocks;

    for (szind_t i = 0; i < bins; blocks += stolen->count[i++])
        give_back(tsd, i, blocks, stolen->count[i]);
}

size_t jem_cache_blocks(const struct jem_cache *cache)
{
    size_t blocks = 0;

    for (szind_t i = 0; i < bins; i++)
        blocks += bin_count(&cache->bins.of[i]);
    return blocks;
}

size_t jem_cache_bytes(const struct jem_cache *cache)
{
    size_t bytes = 0;

    for (szind_t i = 0; i < bins; i++)
        bytes += bin_count(&cache->bins.of[i]) * sz_index2size(i);
    return bytes;
}

/* --- a cache's life --------------------------------------------------------------------------- */

struct jem_cache *jem_cache_create(tsd_t *tsd, struct jem_arena_set *set, arena_t *arena)
{
    struct jem_cache *cache =
        jem_internal_alloc(tsd, sizeof *cache + bins * sizeof cache->store[0]);

    if (!cache)
        return NULL;
    cache->bins = jem_cache_none;
    cache->pool = &set->heap->pages;
    cache->arena = arena;
    cache->growth = growth_of(set);
    for (szind_t i = 0; i < bins; i++) {
        struct store *store = &cache->store[i];

        store->first = store->most = first_blocks(set, i);
        store->fill = store->first > 1 ? store->first / 2 : 1;
    }
    return cache;
}

size_t jem_cache_growth(const struct jem_cache *cache)
{
    size_t size = 0;

    for (szind_t i = 0; i < bins; i++)
        size += (cache->store[i].most - cache->store[i].first) * sz_index2size(i);
    return size;
}

void jem_cache_release(tsd_t *tsd, struct jem_cache *cache)
{
    growth_return(cache, jem_cache_growth(cache));
    for (szind_t i = 0; i < bins; i++)
        if (cache->store[i].array)
            jem_internal_free(tsd, cache->store[i].array);
    jem_internal_free(tsd, cache);
}

void jem_cache_postfork_child(size_t growth)
{
    atomic_store_explicit(&grown, growth, memory_order_relaxed);
}

bool jem_cache_is_of(const struct jem_cache *cache, const struct heap *heap)
{
    return cache->pool == &heap->pages;
}

arena_t *jem_cache_arena(const struct jem_cache *cache)
{
    return cache->arena;
}

arena_t *jem_cache_visit(tsd_t *tsd, struct jem_cache *cache)
{
    struct jem_arena_set *set;

    if (likely(cache->visits == VISITS_SHARED))
        return cache->arena;
    if (++cache->visits == VISITS_SHARED) {
        set = atomic_load_explicit(&jem_set_of_arena[arena_ind_get(cache->arena)],
                                   memory_order_relaxed);
        pthread_mutex_lock(&jem_lock);
        jem_arena_set_count_thread(cache->arena, -1);
        cache->arena = jem_arena_set_take_arena(tsd, set, true)->arena;
        pthread_mutex_unlock(&jem_lock);
    }
    return cache->arena;
}

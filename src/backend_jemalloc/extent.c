/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * extent: where arenas get their pages, and how unused ones go back.
 *
 * jemalloc asks for pages through hooks, which call the page layer. Pages that stay unused for its
 * time of decay come back through the dalloc hook; what that refuses is purged and stays with the
 * arena, in jemalloc's list of retained extents. There are three ways of it:
 *   page-granular pool  every extent goes back as it is. An arena takes a step at a time, and what
 * it has not used of one is all that is ever retained. whole regions   an extent goes back if it is
 * a whole region; else it is purged, if that is possible. (Huge pages: "decommit", since such pages
 * must be had again before they are touched.) demand-paged    the same, but regions are kept and
 * purged: they cost addresses only.
 *
 * jemalloc runs with "retain" off. On, it takes for granted that what one arena has mapped never
 * becomes another arena's, and joins neighbours without looking whose they are; off, it compares
 * their arenas. It then asks for single extents. An arena gets more at a time, and the rest as a
 * retained extent right behind, which jemalloc uses first and joins with what comes back.
 *
 * Reclaim: when a pool has no more, the pages that other arenas of the arena set hold unused are
 * all given back, and what no arena can give back is found where it is. It runs under a lock of its
 * own, because pages on their way from an arena to the pool are in neither.
 *
 * Threads: hooks are called with some of jemalloc's locks held, and inside jemalloc's own mark of
 * re-entry: nothing here may allocate from a heap.
 */
#include "backend_jemalloc/jem.h"

#include <stdatomic.h>

#define STOCK ((size_t)2 << 20)
#define ROOM_TIMES 8 /* the size of a block that grew */
#define ROOM_MOST ((size_t)64 << 30)
#define STOCK_LEAST ((size_t)128 << 10)

/* --- hooks --------------------------------------------------------------------------------------
 */

static struct page_pool *hooks_pool(extent_hooks_t *hooks)
{
    return &((struct jem_arena_set *)hooks)->heap->pages;
}

/* Pages that belong to an arena, but are not in use. */
static void retain(tsdn_t *tsdn, pac_t *pac, ehooks_t *ehooks, edata_t *extent)
{
    edata_state_set(extent, extent_state_active); /* nobody else's, until it is recorded */
    if (emap_register_boundary(tsdn, pac->emap, extent, SC_NSIZES, false))
        edata_cache_put(tsdn, pac->edata_cache, extent); /* no memory: lost until the heap's end */
    else
        extent_record(tsdn, pac, ehooks, &pac->ecache_retained, extent);
}

static void retain_rest(tsdn_t *tsdn, arena_t *arena, void *address, size_t size, bool zeroed,
                        bool committed)
{
    pac_t *pac = &arena->pa_shard.pac;
    edata_t *extent = edata_cache_get(tsdn, pac->edata_cache);

    if (!extent)
        return;
    edata_init(extent, arena_ind_get(arena), address, size, false, SC_NSIZES, extent_sn_next(pac),
               extent_state_active, zeroed, committed, EXTENT_PAI_PAC, EXTENT_NOT_HEAD);
    retain(tsdn, pac, arena_get_ehooks(arena), extent);
}

static size_t round_up(size_t size, size_t granule)
{
    return (size + granule - 1) & ~(granule - 1);
}

/* How much an arena asks for, if it needs `size`. */
static size_t grow_size(tsdn_t *tsdn, arena_t *arena, size_t size, size_t granule)
{
    pac_t *pac = &arena->pa_shard.pac;
    exp_grow_t *grow = &pac->exp_grow;
    size_t step;

    malloc_mutex_lock(tsdn, &pac->grow_mtx);
    step = sz_pind2sz(grow->next);
    if (step > size && grow->next < grow->limit)
        grow->next++;
    malloc_mutex_unlock(tsdn, &pac->grow_mtx);
    return round_up(step > size ? step : size, granule);
}

/* A block that grew and had to move goes on growing, as a rule: with room behind it, it stays where
 * it is the next times. Addresses are all that room costs. */
static size_t grow_size_with_room(struct jem_arena_set *set, size_t whole, size_t size)
{
    size_t room = size < ROOM_MOST / ROOM_TIMES ? size * (ROOM_TIMES - 1) : ROOM_MOST;

    if (!jem_thread_now->grows || size < SC_LARGE_MINCLASS || whole >= size + room ||
        !pool_has_spare_addresses(&set->heap->pages, set->domain))
        return whole;
    return round_up(size + room, pool_granule(&set->heap->pages));
}

/*
 * *zero on entry: jemalloc relies on zeroes, and does not write them itself. *commit is true: it
 * uses the pages as they are. What it has not asked for looks like what is purged later, so that
 * both join.
 */
static void *hooks_alloc(extent_hooks_t *hooks, void *new_addr, size_t size, size_t alignment,
                         bool *zero, bool *commit, unsigned arena_ind)
{
    struct jem_arena_set *set = (struct jem_arena_set *)hooks;
    struct page_pool *pool = hooks_pool(hooks);
    tsdn_t *tsdn = tsd_tsdn(jem_tsd());
    arena_t *arena = arena_get(tsdn, arena_ind, false);
    size_t granule = pool_granule(pool), least = round_up(size, granule), whole;
    bool zeroed;
    char *address;

    if (new_addr || least < size)
        return NULL; /* a place of one's choice is not on offer */
    whole = grow_size_with_room(set, grow_size(tsdn, arena, size, granule), size);
    address = pool_map(pool, set->domain, whole, alignment, &zeroed);
    if (!address && whole > least) {
        whole = least;
        address = pool_map(pool, set->domain, whole, alignment, &zeroed);
    }
    if (!address)
        return NULL;
    if (whole > size)
        retain_rest(tsdn, arena, address + size, whole - size, zeroed, !pool_needs_commit(pool));
    if (*zero && !zeroed)
        memset(address, 0, size);
    *zero = *zero || zeroed;
    *commit = true;
    return address;
}

static bool hooks_keep(extent_hooks_t *hooks, void *addr, size_t size, bool committed,
                       unsigned arena_ind)
{
    (void)hooks, (void)addr, (void)size, (void)committed, (void)arena_ind;
    return true;
}

static bool hooks_unmap(extent_hooks_t *hooks, void *addr, size_t size, bool committed,
                        unsigned arena_ind)
{
    (void)committed, (void)arena_ind;
    return !pool_unmap(hooks_pool(hooks), addr, size);
}

static bool hooks_purge(extent_hooks_t *hooks, void *addr, size_t size, size_t offset,
                        size_t length, unsigned arena_ind)
{
    (void)size, (void)arena_ind;
    return pool_purge(hooks_pool(hooks), (char *)addr + offset, length) != 0;
}

static bool hooks_commit(extent_hooks_t *hooks, void *addr, size_t size, size_t offset,
                         size_t length, unsigned arena_ind)
{
    (void)size, (void)arena_ind;
    return pool_commit(hooks_pool(hooks), (char *)addr + offset, length) != 0;
}

static bool hooks_split(extent_hooks_t *hooks, void *addr, size_t size, size_t size_a,
                        size_t size_b, bool committed, unsigned arena_ind)
{
    (void)hooks, (void)addr, (void)size, (void)size_a, (void)size_b, (void)committed;
    (void)arena_ind;
    return false;
}

/* Extents of two regions stay apart, so that a region can go back whole. One that comes together
 * piece by piece, purged, does not pass through the dalloc hook: it is noted. */
static bool hooks_merge(extent_hooks_t *hooks, void *addr_a, size_t size_a, void *addr_b,
                        size_t size_b, bool committed, unsigned arena_ind)
{
    struct jem_arena_set *set = (struct jem_arena_set *)hooks;
    bool whole;

    (void)committed, (void)arena_ind;
    if (!pool_in_one_region(addr_a, addr_b, size_a + size_b, &whole))
        return true;
    if (whole && !atomic_load_explicit(&set->whole, memory_order_relaxed))
        atomic_store_explicit(&set->whole, true, memory_order_relaxed);
    return false;
}

static void *forget_alloc(extent_hooks_t *hooks, void *new_addr, size_t size, size_t alignment,
                          bool *zero, bool *commit, unsigned arena_ind)
{
    (void)hooks, (void)new_addr, (void)size, (void)alignment, (void)arena_ind;
    *zero = *commit = true;
    return NULL;
}

static bool forget_dalloc(extent_hooks_t *hooks, void *addr, size_t size, bool committed,
                          unsigned arena_ind)
{
    (void)hooks, (void)addr, (void)size, (void)committed, (void)arena_ind;
    return false;
}

static void forget_destroy(extent_hooks_t *hooks, void *addr, size_t size, bool committed,
                           unsigned arena_ind)
{
    (void)hooks, (void)addr, (void)size, (void)committed, (void)arena_ind;
}

static bool forget_merge(extent_hooks_t *hooks, void *addr_a, size_t size_a, void *addr_b,
                         size_t size_b, bool committed, unsigned arena_ind)
{
    (void)hooks, (void)addr_a, (void)size_a, (void)addr_b, (void)size_b, (void)committed;
    (void)arena_ind;
    return false;
}

extent_hooks_t jem_extent_forget = {
    .alloc = forget_alloc,
    .dalloc = forget_dalloc,
    .destroy = forget_destroy,
    .split = hooks_split,
    .merge = forget_merge,
};

/*
 * The manager's own memory, arena 0, has jemalloc's own hooks: others would want a thread's data,
 * and that data comes from this arena. So it is given pages in advance instead of steps; without,
 * each of its extents would be a mapping of its own.
 */
void jem_extent_stock(tsd_t *tsd)
{
    tsdn_t *tsdn = tsd_tsdn(tsd);
    arena_t *arena = arena_get(tsdn, 0, false);
    void *address;

    if (ecache_npages_get(&arena->pa_shard.pac.ecache_retained) * PAGE >= STOCK_LEAST)
        return;
    address = os_map(STOCK, PAGE);
    if (address)
        retain_rest(tsdn, arena, address, STOCK, true, true);
}

void jem_extent_hooks(struct jem_arena_set *set)
{
    const struct page_pool *pool = &set->heap->pages;

    set->hooks = (extent_hooks_t){
        .alloc = hooks_alloc,
        .dalloc = pool_is_demand_paged(pool) ? hooks_keep : hooks_unmap,
        .destroy = forget_destroy,
        .split = hooks_split,
        .merge = pool_is_page_granular(pool) ? forget_merge : hooks_merge,
    };
    if (pool_is_page_granular(pool))
        return;
    if (pool_needs_commit(pool)) {
        set->hooks.commit = hooks_commit;
        set->hooks.decommit = hooks_purge;
    } else {
        set->hooks.purge_forced = hooks_purge;
    }
}

/* By ever larger steps only where a step costs nothing until it is used. */
void jem_extent_configure(struct jem_arena_set *set, arena_t *arena)
{
    const struct page_pool *pool = &set->heap->pages;
    exp_grow_t *grow = &arena->pa_shard.pac.exp_grow;

    exp_grow_init(grow);
    if (!pool_is_demand_paged(pool))
        grow->next = grow->limit = sz_psz2ind(pool_step(pool));
}

/* --- reclaim ------------------------------------------------------------------------------------
 */

static pthread_mutex_t reclaim_lock = PTHREAD_MUTEX_INITIALIZER;

/* Gives back what an arena retains; what does not go stays. */
static void retained_release(tsdn_t *tsdn, struct page_pool *pool, arena_t *arena)
{
    pac_t *pac = &arena->pa_shard.pac;
    ehooks_t *ehooks = arena_get_ehooks(arena);
    edata_list_inactive_t kept;
    edata_t *extent;

    edata_list_inactive_init(&kept);
    while ((extent = ecache_evict(tsdn, pac, ehooks, &pac->ecache_retained, 0)) != NULL) {
        if (pool_unmap(pool, edata_base_get(extent), edata_size_get(extent)))
            edata_cache_put(tsdn, pac->edata_cache, extent);
        else
            edata_list_inactive_append(&kept, extent);
    }
    while ((extent = edata_list_inactive_first(&kept)) != NULL) {
        edata_list_inactive_remove(&kept, extent);
        retain(tsdn, pac, ehooks, extent);
    }
}

static bool is_purging(tsdn_t *tsdn, decay_t *decay)
{
    bool purging;

    malloc_mutex_lock(tsdn, &decay->mtx);
    purging = decay->purging;
    malloc_mutex_unlock(tsdn, &decay->mtx);
    return purging;
}

/* Where another thread is at it, jemalloc does nothing; that thread's pages are then awaited. */
static void arena_purge(tsdn_t *tsdn, arena_t *arena)
{
    pac_t *pac = &arena->pa_shard.pac;

    for (;;) {
        arena_decay(tsdn, arena, false, true);
        if (!is_purging(tsdn, &pac->decay_dirty) && !is_purging(tsdn, &pac->decay_muzzy))
            return;
        os_yield();
    }
}

static bool has_unused(tsdn_t *tsdn, arena_t *arena, bool retained_too)
{
    pac_t *pac = &arena->pa_shard.pac;

    return ecache_npages_get(&pac->ecache_dirty) || ecache_npages_get(&pac->ecache_muzzy) ||
           (retained_too && ecache_npages_get(&pac->ecache_retained)) ||
           is_purging(tsdn, &pac->decay_dirty) || is_purging(tsdn, &pac->decay_muzzy);
}

/* A program at its limit comes here with every allocation. It then pays for what it has freed
 * since the last time, and for a look at each arena. */
static bool reclaim(tsd_t *tsd, struct jem_arena_set *set, struct jem_cache *cache)
{
    tsdn_t *tsdn = tsd_tsdn(tsd);
    struct page_pool *pool = &set->heap->pages;
    bool release = pool_is_page_granular(pool) ||
                   atomic_exchange_explicit(&set->whole, false, memory_order_relaxed);
    struct jem_arena *arenas = jem_arena_set_arenas(set);
    bool any = jem_cache_flush(tsd, cache);

    for (struct jem_arena *arena = arenas; arena; arena = arena->next) {
        if (!has_unused(tsdn, arena->arena, release))
            continue;
        any = true;
        arena_purge(tsdn, arena->arena);
        /* Purging may have made a region whole. */
        release = atomic_exchange_explicit(&set->whole, false, memory_order_relaxed) || release;
        if (release)
            retained_release(tsdn, pool, arena->arena);
    }
    return any;
}

bool jem_extent_reclaim(tsd_t *tsd, struct jem_arena_set *set, struct jem_cache *cache)
{
    bool waited = pthread_mutex_trylock(&reclaim_lock) != 0, any;

    if (waited)
        pthread_mutex_lock(&reclaim_lock);
    any = reclaim(tsd, set, cache);
    pthread_mutex_unlock(&reclaim_lock);
    return any || waited;
}

bool jem_extent_may_serve(tsd_t *tsd, arena_t *arena, size_t usize)
{
    tsdn_t *tsdn = tsd_tsdn(tsd);
    bin_t *bin;
    bool has;

    if (ecache_npages_get(&arena->pa_shard.pac.ecache_retained) * PAGE >= usize)
        return true;
    if (usize > SC_SMALL_MAXCLASS)
        return false;
    bin = arena_get_bin(arena, sz_size2index(usize), 0);
    malloc_mutex_lock(tsdn, &bin->lock);
    has = (bin->slabcur && edata_nfree_get(bin->slabcur)) || !edata_heap_empty(&bin->slabs_nonfull);
    malloc_mutex_unlock(tsdn, &bin->lock);
    return has;
}

void jem_extent_prefork(void)
{
    pthread_mutex_lock(&reclaim_lock);
}

void jem_extent_postfork(void)
{
    pthread_mutex_unlock(&reclaim_lock);
}

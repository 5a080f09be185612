/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * Why and thread rules: see extent_hooks.h.
 *
 * jemalloc runs with "retain" off. On, it takes for granted that what one arena has mapped never
 * becomes another arena's, and joins neighbours without looking whose they are; off, it compares
 * their arenas. It then asks for single extents. An arena gets more at a time, and the rest as a
 * retained extent right behind.
 */
#include "backend_jemalloc/extent_hooks.h"

#include <string.h>

#include "backend_jemalloc/fast.h"
#include "backend_jemalloc/internal.h"
#include "backend_jemalloc/retained.h"
#include "kinds/system/round.h"

#define ROOM_TIMES 8 /* the size of a block that grew */
#define LARGE_REGION ((size_t)32 << 20)
#define ROOM_MOST ((size_t)64 << 30)

/* Whether the arena asks for more each time: only addresses are spent. */
static bool grows_by_more(const struct page_pool *pool)
{
    return pool_is_demand_paged(pool) && !pool_limit(pool);
}

/* What sizes are multiples of: jemalloc's pages may be larger than those that the pool is cut in,
 * which are the kernel's, and all that it is given is whole ones. */
static size_t granule_of(const struct page_pool *pool)
{
    size_t granule = pool_granule(pool);

    return granule > PAGE ? granule : PAGE;
}

/* How much an arena that needs `size` asks the pool for. Many threads may come at once, since
 * jemalloc looks at what is unused only before: as long as that is more than what the arena would
 * ask for, they get the least. Called with the arena's lock for growth where it grows by more. */
static size_t grow_size(arena_t *arena, struct page_pool *pool, size_t size)
{
    exp_grow_t *grow = &arena->pa_shard.pac.exp_grow;
    size_t step;

    if (!grows_by_more(pool))
        return round_down(pool_region_size(pool, size), granule_of(pool));
    step = sz_pind2sz(grow->next);
    if (jem_retained_bytes(arena) >= step / 2)
        step = 0;
    else if (step > size && grow->next < grow->limit)
        grow->next++;
    return round_up(step > size ? step : size, granule_of(pool));
}

/* A block that grew and had to move goes on growing, as a rule: with room behind it, it stays where
 * it is the next times. Addresses are all that room costs. */
static size_t grow_size_with_room(const struct jem_extent_hooks *own, size_t whole, size_t size)
{
    size_t room = size < ROOM_MOST / ROOM_TIMES ? size * (ROOM_TIMES - 1) : ROOM_MOST;

    if (!jem_thread_now->grows || size < SC_LARGE_MINCLASS || whole >= size + room ||
        !pool_has_spare_addresses(own->pool, own->domain))
        return whole;
    return round_up(size + room, granule_of(own->pool));
}

/* A region of *size bytes, or of less: what the limit of the pool leaves, or `least`. A program at
 * that limit comes here in vain all the time. */
static void *map_at_least(const struct jem_extent_hooks *own, size_t *size, size_t least,
                          size_t alignment, bool *zeroed)
{
    struct page_pool *pool = own->pool;
    size_t granule = granule_of(pool), whole = *size;
    void *address = NULL;

    while (pool_has_room(pool, least)) {
        if (pool_has_room(pool, whole))
            address = pool_map(pool, own->domain, whole, alignment, zeroed);
        if (address || whole <= least)
            break;
        whole =
            pool_is_demand_paged(pool) ? least : least + (whole - least) / 2 / granule * granule;
    }
    *size = whole;
    return address;
}

/* The least that a program can have asked for where jemalloc wants pages for `size` bytes: it
 * rounds up to classes that lie up to a quarter apart, which may be more than the machine has. */
static size_t least_wanted(size_t size)
{
    return sz_psz_quantize_floor(size - PAGE) + PAGE;
}

/* Pages for `size` bytes, and as retained ones what comes along. */
static void *grow(const struct jem_extent_hooks *own, arena_t *arena, size_t size, size_t alignment,
                  bool *zeroed)
{
    struct page_pool *pool = own->pool;
    size_t least = round_up(size, granule_of(pool)), whole;
    char *address;

    if (size > PAGE && !pool_may_promise(pool, least_wanted(size)))
        return NULL;
    whole = grow_size_with_room(own, grow_size(arena, pool, size), size);
    address = map_at_least(own, &whole, least, alignment, zeroed);
    if (!address || whole == size ||
        jem_retained_add_pages(tsd_tsdn(jem_tsd()), arena, address + size, whole - size, *zeroed,
                               !pool_needs_commit(pool)))
        return address;
    if (!pool_unmap(pool, address, whole))
        (void)pool_purge(pool, address, whole);
    return NULL;
}

/*
 * jemalloc relies on zeroes where *zero is true on entry, and does not write them itself. *commit
 * is always true, since it uses the pages as they are. The pages beyond those it has asked for are
 * recorded in the same state as pages that are purged later, so that both can be joined.
 */
static void *hooks_alloc(extent_hooks_t *hooks, void *new_addr, size_t size, size_t alignment,
                         bool *zero, bool *commit, unsigned arena_ind)
{
    const struct jem_extent_hooks *own = (struct jem_extent_hooks *)hooks;
    tsdn_t *tsdn = tsd_tsdn(jem_tsd());
    arena_t *arena = arena_get(tsdn, arena_ind, false);
    bool in_turn = grows_by_more(own->pool), zeroed;
    void *address;

    if (new_addr || size > SIZE_MAX - granule_of(own->pool)) /* it cannot choose the place */
        return NULL;
    if (in_turn)
        malloc_mutex_lock(tsdn, &arena->pa_shard.pac.grow_mtx);
    address = grow(own, arena, size, alignment, &zeroed);
    if (in_turn)
        malloc_mutex_unlock(tsdn, &arena->pa_shard.pac.grow_mtx);
    if (!address)
        return NULL;
    if (*zero && !zeroed)
        memset(address, 0, size);
    *zero = *zero || zeroed;
    *commit = true;
    return address;
}

static struct page_pool *hooks_pool(extent_hooks_t *hooks)
{
    return ((struct jem_extent_hooks *)hooks)->pool;
}

static bool hooks_unmap(extent_hooks_t *hooks, void *addr, size_t size, bool committed,
                        unsigned arena_ind)
{
    struct jem_extent_hooks *own = (struct jem_extent_hooks *)hooks;
    bool whole;

    (void)committed, (void)arena_ind;
    if (pool_unmap(own->pool, addr, size)) {
        jem_note_given(size);
        return false;
    }
    /* What the system refuses is purged and used again, and can go when memory is scarce. */
    (void)pool_in_one_region(addr, addr, size, &whole);
    if (whole)
        atomic_store_explicit(&own->whole, true, memory_order_relaxed);
    return true;
}

/* A large block's region goes back whole: its addresses then serve a block that is larger still.
 * Where addresses are limited, every region does. */
static bool hooks_unmap_large(extent_hooks_t *hooks, void *addr, size_t size, bool committed,
                              unsigned arena_ind)
{
    return (size < LARGE_REGION && !pool_limit(hooks_pool(hooks))) ||
           hooks_unmap(hooks, addr, size, committed, arena_ind);
}

static bool hooks_purge(extent_hooks_t *hooks, void *addr, size_t size, size_t offset,
                        size_t length, unsigned arena_ind)
{
    (void)size, (void)arena_ind;
    if (pool_purge(hooks_pool(hooks), (char *)addr + offset, length))
        return true;
    jem_note_given(length);
    return false;
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

/* Extents of two regions stay apart, so that a region can go back whole. A region whose purged
 * pieces are joined one by one does not pass through the dalloc hook, so it is noted here. */
static bool hooks_merge(extent_hooks_t *hooks, void *addr_a, size_t size_a, void *addr_b,
                        size_t size_b, bool committed, unsigned arena_ind)
{
    struct jem_extent_hooks *own = (struct jem_extent_hooks *)hooks;
    bool whole;

    (void)committed, (void)arena_ind;
    if (!pool_in_one_region(addr_a, addr_b, size_a + size_b, &whole))
        return true;
    if (whole && !atomic_load_explicit(&own->whole, memory_order_relaxed))
        atomic_store_explicit(&own->whole, true, memory_order_relaxed);
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

void jem_extent_hooks_init(struct jem_extent_hooks *hooks, struct page_pool *pool, unsigned domain)
{
    hooks->pool = pool;
    hooks->domain = domain;
    hooks->table = (extent_hooks_t){
        .alloc = hooks_alloc,
        .dalloc = pool_is_demand_paged(pool) ? hooks_unmap_large : hooks_unmap,
        .destroy = forget_destroy,
        .split = hooks_split,
        .merge = pool_is_page_granular(pool) ? forget_merge : hooks_merge,
    };
    if (pool_is_page_granular(pool))
        return;
    if (pool_needs_commit(pool)) {
        hooks->table.commit = hooks_commit;
        hooks->table.decommit = hooks_purge;
    } else {
        hooks->table.purge_forced = hooks_purge;
    }
}

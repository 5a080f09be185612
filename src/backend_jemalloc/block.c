/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * block: allocation and deallocation through the caches, and what an address belongs to.
 *
 * Every operation has a fast path that touches the thread's own memory only: state pointer, cache
 * of the heap's slot, bin of the size class. Whatever does not fit (first use, empty or full bin,
 * large block, a kind with several locality domains, a thread on its way out) takes the slow path,
 * which works with whatever the thread has, down to the arena without any cache.
 *
 * Lookup: jemalloc's radix tree maps every page of a slab, and the first and last page of a large
 * block, to its extent, which knows its arena and so its group. Reading it takes no lock. A pointer
 * that is not the start of a block is no block.
 *
 * Threads: any; see thread.c for the states a thread can be in.
 */
#include "backend_jemalloc/jem.h"

#include <errno.h>
#include <stdatomic.h>

#include "kinds/reserve.h"

/* --- lookup -------------------------------------------------------------------------------------
 */

struct place {
    edata_t *extent;
    struct jem_group *group;
    emap_alloc_ctx_t size_class;
};

/* False: not the start of a block of any heap. */
static inline bool place_find(tsd_t *tsd, const void *block, struct place *place)
{
    rtree_ctx_t *ctx, fallback;
    rtree_contents_t found;
    uintptr_t offset, region;

    /* The radix tree ignores the bits that no address has: such a pointer would find another's. */
    if (unlikely((uintptr_t)block >> LG_VADDR))
        return false;
    ctx = tsdn_rtree_ctx(tsd_tsdn(tsd), &fallback);
    if (rtree_read_independent(tsd_tsdn(tsd), &arena_emap_global.rtree, ctx, (uintptr_t)block,
                               &found))
        return false;
    if (!found.edata || found.metadata.state != extent_state_active ||
        found.metadata.szind >= SC_NSIZES)
        return false;
    place->extent = found.edata;
    place->size_class = (emap_alloc_ctx_t){found.metadata.szind, found.metadata.slab};
    place->group = atomic_load_explicit(&jem_arena_group[edata_arena_ind_get(found.edata)],
                                        memory_order_acquire);
    if (!place->group)
        return false;
    offset = (uintptr_t)block - (uintptr_t)edata_addr_get(found.edata);
    if (!found.metadata.slab)
        return offset == 0;
    /* A division by the size class through jemalloc's table of inverses; exact for a multiple. */
    region = offset * arena_binind_div_info[found.metadata.szind].magic >> 32;
    return region * sz_index2size(found.metadata.szind) == offset;
}

/* --- allocation ---------------------------------------------------------------------------------
 */

static inline cache_bin_t *fast_bin(struct jem_thread *thread, const struct heap *heap, szind_t ind)
{
    unsigned slot = heap->slot;

    if (unlikely(slot >= thread->slots || !thread->cache[slot]))
        return NULL;
    return &thread->cache[slot]->bins[ind];
}

/* A block from the calling thread's cache, NULL on a miss. size is 1..SC_LOOKUP_MAXCLASS. */
static inline void *fast_alloc(const struct heap *heap, size_t size)
{
    cache_bin_t *bin = fast_bin(jem_thread_now, heap, sz_size2index_lookup(size));
    bool hit;
    void *block;

    if (unlikely(!bin))
        return NULL;
    block = cache_bin_alloc(bin, &hit);
    if (unlikely(!hit))
        return NULL;
    bin->tstats.nrequests++;
    return block;
}

/* What the calling thread allocates with: its cache, or none, and the arena. */
struct means {
    tsd_t *tsd;
    struct jem_group *group;
    tcache_t *cache;
    arena_t *arena;
};

static void means_of_group(struct means *means, struct jem_group *group)
{
    means->group = group;
    means->cache = jem_thread_cache(means->tsd, group);
    means->arena = means->cache ? means->cache->tcache_slow->arena : group->arenas->arena;
}

/* False: no memory for a group. */
static bool means_here(struct means *means, struct heap *heap)
{
    struct jem_group *group;

    means->tsd = jem_tsd();
    group = means->tsd ? jem_group_here(means->tsd, heap) : NULL;
    if (!group)
        return false;
    means_of_group(means, group);
    return true;
}

/* A block that is asked for; the sizes have been checked. */
struct wish {
    size_t usize;     /* as a size class */
    size_t alignment; /* 0: that of the size class */
    bool zero;
};

static void *alloc_once(const struct means *means, const struct wish *wish)
{
    if (wish->alignment)
        return ipalloct(tsd_tsdn(means->tsd), wish->usize, wish->alignment, wish->zero,
                        means->cache, means->arena);
    return iallocztm(tsd_tsdn(means->tsd), wish->usize, sz_size2index(wish->usize), wish->zero,
                     means->cache, false, means->arena, true);
}

/* From any arena of the group, and without a cache: it would take more than the one block. */
static void *alloc_anywhere(const struct means *means, const struct wish *wish)
{
    struct means other = {means->tsd, means->group, NULL, means->arena};
    void *block = alloc_once(&other, wish);

    for (struct jem_arena *arena = jem_group_arenas(means->group); arena && !block;
         arena = arena->next) {
        other.arena = arena->arena;
        if (other.arena != means->arena &&
            jem_extent_may_serve(means->tsd, other.arena, wish->usize))
            block = alloc_once(&other, wish);
    }
    return block;
}

/* The size class above, or one that nothing small has. */
static size_t next_usize(const struct wish *wish)
{
    return wish->alignment ? sz_sa2u(wish->usize + 1, wish->alignment) : sz_s2u(wish->usize + 1);
}

/*
 * The pool has no more. Before the program hears of it: what the group's arenas do not use is given
 * back, and what they cannot give back is used where it is. A small block may be one of the next
 * size class: each has slabs of its own, and some need several pages in a row. (Still larger ones
 * would waste more than they save.)
 */
static __attribute__((noinline)) void *alloc_scarce(const struct means *means,
                                                    const struct wish *wish)
{
    size_t limit = pool_limit(&means->group->heap->pages), most = wish->usize * 5 / 4;
    struct wish larger = *wish;
    void *block = NULL;

    if (limit && wish->usize > limit)
        return NULL;
    if (jem_extent_reclaim(means->tsd, means->group, means->cache))
        block = alloc_once(means, wish);
    if (most > SC_SMALL_MAXCLASS)
        most = SC_SMALL_MAXCLASS;
    do {
        if (!block)
            block = alloc_anywhere(means, &larger);
        larger.usize = next_usize(&larger);
    } while (!block && larger.usize <= most && larger.usize > wish->usize);
    return block;
}

static void *alloc(const struct means *means, const struct wish *wish)
{
    void *block = alloc_once(means, wish);

    return likely(block != NULL) ? block : alloc_scarce(means, wish);
}

static void *out_of_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

/* Whatever the system calls on the way set, a success leaves errno as it was. */
static void *finish(void *block, int saved_errno)
{
    if (!block)
        return out_of_memory();
    errno = saved_errno;
    return block;
}

static __attribute__((noinline)) void *alloc_slow(struct heap *heap, size_t size, bool zero)
{
    int saved_errno = errno;
    struct wish wish = {.zero = zero};
    struct means means;

    if (unlikely(!jem_thread_enter()))
        return reserve_alloc(size, 1);
    if (unlikely(size > SC_LARGE_MAXCLASS || !means_here(&means, heap)))
        return out_of_memory();
    wish.usize = sz_s2u(size);
    return finish(alloc(&means, &wish), saved_errno);
}

void *jem_malloc(struct heap *heap, size_t size)
{
    if (likely(size <= SC_LOOKUP_MAXCLASS)) {
        void *block = fast_alloc(heap, size);

        if (likely(block != NULL))
            return block;
    }
    return alloc_slow(heap, size, false);
}

void *jem_calloc(struct heap *heap, size_t size)
{
    if (likely(size <= SC_LOOKUP_MAXCLASS)) {
        void *block = fast_alloc(heap, size);

        if (likely(block != NULL))
            return memset(block, 0, size);
    }
    return alloc_slow(heap, size, true);
}

void *jem_aligned_alloc(struct heap *heap, size_t alignment, size_t size)
{
    int saved_errno = errno;
    struct wish wish = {.alignment = alignment};
    struct means means;

    if (unlikely(!jem_thread_enter()))
        return reserve_alloc(size, alignment);
    wish.usize = sz_sa2u(size, alignment); /* 0 on overflow */
    if (unlikely(wish.usize == 0 || wish.usize > SC_LARGE_MAXCLASS ||
                 alignment > SC_LARGE_MAXCLASS - wish.usize || !means_here(&means, heap)))
        return out_of_memory();
    return finish(alloc(&means, &wish), saved_errno);
}

/* --- deallocation -------------------------------------------------------------------------------
 */

static bool free_known(void *block)
{
    int saved_errno = errno;
    struct means means;
    struct place place;

    if (unlikely(!jem_thread_enter()))
        return false;
    means.tsd = jem_tsd();
    if (!means.tsd || !place_find(means.tsd, block, &place))
        return false;
    if (unlikely(place.group->frozen))
        return true; /* the block is the parent's */
    means_of_group(&means, place.group);
    idalloctm(tsd_tsdn(means.tsd), block, means.cache, &place.size_class, false, true);
    errno = saved_errno;
    return true;
}

static __attribute__((noinline)) void free_slow(void *block)
{
    if (!free_known(block))
        reserve_free(block);
}

/* False: no cache of the slot, or its bin is full. */
static inline bool fast_free(struct jem_thread *thread, unsigned slot, szind_t ind, void *block)
{
    return likely(slot < thread->slots && thread->cache[slot]) &&
           likely(cache_bin_dalloc_easy(&thread->cache[slot]->bins[ind], block));
}

/* Without a kind the block is checked, and goes to the cache of the group it belongs to. */
static void free_unknown(struct jem_thread *thread, void *block)
{
    struct place place;

    if (likely(thread->slots && place_find(thread->tsd, block, &place)) &&
        likely(place.size_class.slab) &&
        fast_free(thread, place.group->slot, place.size_class.szind, block))
        return;
    free_slow(block);
}

/* With the kind at hand the caller vouches for the block: the size class is all that is read. */
void jem_free(struct heap *heap, void *block)
{
    struct jem_thread *thread = jem_thread_now;
    emap_alloc_ctx_t size_class;

    if (!heap) {
        free_unknown(thread, block);
        return;
    }
    if (likely(thread->slots) &&
        likely(
            !emap_alloc_ctx_try_lookup_fast(thread->tsd, &arena_emap_global, block, &size_class)) &&
        likely(size_class.slab) && fast_free(thread, heap->slot, size_class.szind, block))
        return;
    free_slow(block);
}

/* --- reallocation -------------------------------------------------------------------------------
 */

/* The thread is being set up: the block is copied out of its heap and stays behind. */
static void *realloc_reentered(const void *block, size_t size)
{
    size_t old_size = jem_usable_size(block);
    void *copy;

    if (!old_size) {
        errno = EINVAL;
        return NULL;
    }
    copy = reserve_alloc(size, 1);
    return copy ? memcpy(copy, block, old_size < size ? old_size : size) : NULL;
}

/* A block in a new place: the heap has no room to grow it where it was asked for. */
static void *move_scarce(const struct means *means, void *block, size_t old_size, size_t size)
{
    const struct wish wish = {.usize = sz_s2u(size)};
    void *moved = alloc_scarce(means, &wish);

    if (!moved)
        return NULL;
    memcpy(moved, block, old_size < size ? old_size : size);
    idalloctm(tsd_tsdn(means->tsd), block, means->cache, NULL, false, true);
    return moved;
}

/* The block stays behind: it is the parent's. */
static void *copy_frozen(const struct place *place, const void *block, size_t size)
{
    size_t old_size = sz_index2size(place->size_class.szind);
    void *copy = jem_malloc(place->group->heap, size);

    return copy ? memcpy(copy, block, old_size < size ? old_size : size) : NULL;
}

/* A block stays in its group: with the kind's nodes, and near the CPU that first asked for it. */
void *jem_realloc(struct heap *heap, void *block, size_t size)
{
    int saved_errno = errno;
    struct means means;
    struct place place;
    hook_ralloc_args_t hook = {false, {(uintptr_t)block, size, 0, 0}};
    size_t old_size;
    void *moved;

    (void)heap;
    if (unlikely(!jem_thread_enter()))
        return realloc_reentered(block, size);
    means.tsd = jem_tsd();
    if (unlikely(!means.tsd))
        return out_of_memory();
    if (unlikely(!place_find(means.tsd, block, &place))) {
        errno = EINVAL;
        return NULL;
    }
    if (unlikely(size > SC_LARGE_MAXCLASS))
        return out_of_memory();
    if (unlikely(place.group->frozen))
        return copy_frozen(&place, block, size);
    old_size = sz_index2size(place.size_class.szind);
    if (sz_s2u(size) == old_size)
        return block;
    means_of_group(&means, place.group);
    moved = iralloct(tsd_tsdn(means.tsd), block, old_size, size, 0, false, means.cache, means.arena,
                     &hook);
    if (unlikely(!moved))
        moved = move_scarce(&means, block, old_size, size);
    return finish(moved, saved_errno);
}

/* --- questions ----------------------------------------------------------------------------------
 */

/* A thread without state has no tsd: the tree is then read with a context of the moment. */
static bool place_ask(const void *block, struct place *place)
{
    return place_find(jem_thread_now->tsd, block, place);
}

size_t jem_usable_size(const void *block)
{
    struct place place;

    return place_ask(block, &place) ? sz_index2size(place.size_class.szind) : 0;
}

struct heap *jem_detect(const void *block)
{
    struct place place;

    return place_ask(block, &place) ? place.group->heap : NULL;
}

/*
 * Worth moving: a small block in a slab that is emptier than the average slab of its class. The new
 * block comes from the arena itself, not from the cache (which would hand out a block of just such
 * a slab), and the old one goes straight back, so that the slab can empty.
 */
void *jem_defrag(void *block)
{
    int saved_errno = errno;
    struct place place;
    size_t free_here, regions_here, size, free_all, regions_all;
    void *current, *moved;
    tsd_t *tsd;

    tsd = jem_thread_enter() ? jem_tsd() : NULL;
    if (!tsd || !place_find(tsd, block, &place) || !place.size_class.slab || place.group->frozen)
        return NULL;
    inspect_extent_util_stats_verbose_get(tsd_tsdn(tsd), block, &free_here, &regions_here, &size,
                                          &free_all, &regions_all, &current);
    if (!regions_here || !regions_all || free_here == 0 || current == edata_addr_get(place.extent))
        return NULL;
    if (free_here * regions_all <= free_all * regions_here)
        return NULL;
    size = sz_index2size(place.size_class.szind);
    moved = iallocztm(tsd_tsdn(tsd), size, place.size_class.szind, false, NULL, false,
                      arena_get_from_edata(place.extent), true);
    if (!moved)
        return NULL;
    memcpy(moved, block, size);
    idalloctm(tsd_tsdn(tsd), block, NULL, NULL, false, true);
    errno = saved_errno;
    return moved;
}

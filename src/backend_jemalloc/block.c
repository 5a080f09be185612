/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * block: allocation and deallocation through the caches, and what an address belongs to.
 *
 * What the thread's cache can answer at once is inline in the frontend (fast.h) and does not come
 * here. Whatever does (first use, empty or full bin, large block, a kind with several locality
 * domains, a thread on its way out) is done with what the thread has, down to the arena without any
 * cache.
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

/* --- jemalloc as fast.h sees it ------------------------------------------------------------------
 */

#if RTREE_HEIGHT != 2 || !defined(RTREE_LEAF_COMPACT)
#error "jemalloc's radix tree has other nodes than fast.h reads: see --with-lg-vaddr"
#endif
_Static_assert(JEM_TREE_BITS == LG_VADDR && JEM_TREE_PAGE_BITS == LG_PAGE, "addresses");
_Static_assert(RTREE_NSB / 2 == JEM_TREE_BITS - JEM_TREE_LEAF_BITS, "the root has all leaves");
_Static_assert(sizeof(rtree_node_elm_t) == sizeof(void *), "an element of the root is a pointer");
_Static_assert(sizeof(rtree_leaf_elm_t) == sizeof(uintptr_t), "an element of a leaf is a word");
_Static_assert(RTREE_LEAF_STATE_MASK == JEM_PAGE_STATE && extent_state_active == 0, "page");
_Static_assert(JEM_PAGE_EXTENT == (((uint64_t)1 << LG_VADDR) - EDATA_ALIGNMENT), "page");
_Static_assert(offsetof(edata_t, e_bits) == offsetof(struct jem_extent, bits), "extent");
_Static_assert(offsetof(edata_t, e_addr) == offsetof(struct jem_extent, start), "extent");
_Static_assert(EDATA_BITS_ARENA_MASK == JEM_ARENAS - 1, "extent");
_Static_assert(JEM_FAST_MOST <= SC_LOOKUP_MAXCLASS && JEM_FAST_MOST <= PAGE, "sizes");
_Static_assert(SC_NBINS <= JEM_BINS_MOST, "size classes");

const _Atomic(uintptr_t) *const _Atomic *const jem_tree =
    (const _Atomic(uintptr_t) *const _Atomic *)arena_emap_global.rtree.root;

/* --- lookup -------------------------------------------------------------------------------------
 */

struct place {
    edata_t *extent;
    struct jem_group *group;
    emap_alloc_ctx_t size_class;
};

/* False: not the start of a block of any heap. */
static bool place_find(const void *block, struct place *place)
{
    uintptr_t page = jem_page(block);
    szind_t index = (szind_t)(page >> JEM_PAGE_CLASS_SHIFT);
    uintptr_t offset, region;

    place->extent = (edata_t *)(page & JEM_PAGE_EXTENT);
    if (!place->extent || page & JEM_PAGE_STATE || index >= SC_NSIZES)
        return false;
    place->size_class = (emap_alloc_ctx_t){index, page & JEM_PAGE_SLAB};
    place->group = atomic_load_explicit(&jem_arena_group[edata_arena_ind_get(place->extent)],
                                        memory_order_acquire);
    if (!place->group)
        return false;
    offset = (uintptr_t)block - (uintptr_t)edata_addr_get(place->extent);
    if (!place->size_class.slab)
        return offset == 0;
    /* A division by the size class through jemalloc's table of inverses; exact for a multiple. */
    region = offset * arena_binind_div_info[index].magic >> 32;
    return region * sz_index2size(index) == offset;
}

/* --- allocation ---------------------------------------------------------------------------------
 */

/* What the calling thread allocates with: its cache, or none, and the arena. */
struct means {
    tsd_t *tsd;
    struct jem_group *group;
    struct jem_cache *cache;
    arena_t *arena;
};

static void means_of_group(struct means *means, struct jem_group *group)
{
    means->group = group;
    means->cache = jem_thread_cache(means->tsd, group);
    means->arena = means->cache ? jem_cache_arena(means->cache) : group->arenas->arena;
}

/* False: no memory for a group. */
static bool means_here(struct means *means, struct heap *heap)
{
    struct jem_group *group;

    jem_thread_collect_due();
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

static void *alloc_uncached(const struct means *means, const struct wish *wish)
{
    if (wish->alignment)
        return ipalloct(tsd_tsdn(means->tsd), wish->usize, wish->alignment, wish->zero, NULL,
                        means->arena);
    return iallocztm(tsd_tsdn(means->tsd), wish->usize, sz_size2index(wish->usize), wish->zero,
                     NULL, false, means->arena, true);
}

/* Blocks of cached classes begin at multiples of the class, or at a page. */
static void *alloc_once(const struct means *means, const struct wish *wish)
{
    szind_t index = sz_size2index(wish->usize);
    void *block;

    if (!jem_cache_serves(means->cache, index) || wish->alignment > PAGE)
        return alloc_uncached(means, wish);
    block = jem_cache_alloc(means->tsd, means->cache, index);
    if (block)
        return wish->zero ? memset(block, 0, wish->usize) : block;
    return index < SC_NBINS ? NULL : alloc_uncached(means, wish);
}

/* From any arena of the group, and without a cache: it would take more than the one block. */
static void *alloc_anywhere(const struct means *means, const struct wish *wish)
{
    struct means other = {means->tsd, means->group, NULL, means->arena};
    void *block = alloc_uncached(&other, wish);

    for (struct jem_arena *arena = jem_group_arenas(means->group); arena && !block;
         arena = arena->next) {
        other.arena = arena->arena;
        if (other.arena != means->arena &&
            jem_extent_may_serve(means->tsd, other.arena, wish->usize))
            block = alloc_uncached(&other, wish);
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

static void *alloc_slow(struct heap *heap, size_t size, bool zero)
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
    return alloc_slow(heap, size, false);
}

void *jem_calloc(struct heap *heap, size_t size)
{
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

static void free_block(const struct means *means, const struct place *place, void *block)
{
    if (jem_cache_serves(means->cache, place->size_class.szind))
        jem_cache_free(means->tsd, means->cache, place->size_class.szind, block);
    else
        idalloctm(tsd_tsdn(means->tsd), block, NULL, (emap_alloc_ctx_t *)&place->size_class, false,
                  true);
}

static bool free_known(void *block)
{
    int saved_errno = errno;
    struct means means;
    struct place place;

    if (unlikely(!jem_thread_enter()))
        return false;
    means.tsd = jem_tsd();
    if (!means.tsd || !place_find(block, &place))
        return false;
    if (unlikely(place.group->frozen))
        return true; /* the block is the parent's */
    means_of_group(&means, place.group);
    free_block(&means, &place, block);
    errno = saved_errno;
    return true;
}

/* Whatever kind the caller named: that of the block is the one that counts. */
void jem_free(struct heap *heap, void *block)
{
    (void)heap;
    if (!free_known(block))
        reserve_free(block);
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

/* To a new place. */
static void *move(const struct means *means, const struct place *place, void *block, size_t size)
{
    const struct wish wish = {.usize = sz_s2u(size)};
    size_t old_size = sz_index2size(place->size_class.szind);
    void *moved;

    if (jem_thread_now->slots) /* the thread's own state */
        jem_thread_now->grows = size > old_size;
    moved = alloc(means, &wish);
    if (jem_thread_now->slots)
        jem_thread_now->grows = false;
    if (!moved)
        return NULL;
    memcpy(moved, block, old_size < size ? old_size : size);
    free_block(means, place, block);
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
    size_t old_size, new_size;

    (void)heap;
    if (unlikely(!jem_thread_enter()))
        return realloc_reentered(block, size);
    means.tsd = jem_tsd();
    if (unlikely(!means.tsd))
        return out_of_memory();
    if (unlikely(!place_find(block, &place))) {
        errno = EINVAL;
        return NULL;
    }
    if (unlikely(size > SC_LARGE_MAXCLASS))
        return out_of_memory();
    if (unlikely(place.group->frozen))
        return copy_frozen(&place, block, size);
    old_size = sz_index2size(place.size_class.szind);
    if (sz_s2u(size) == old_size ||
        !arena_ralloc_no_move(tsd_tsdn(means.tsd), block, old_size, size, 0, false, &new_size)) {
        errno = saved_errno;
        return block;
    }
    means_of_group(&means, place.group);
    return finish(move(&means, &place, block, size), saved_errno);
}

/* --- questions ----------------------------------------------------------------------------------
 */

size_t jem_usable_size(const void *block)
{
    struct place place;

    return place_find(block, &place) ? sz_index2size(place.size_class.szind) : 0;
}

struct heap *jem_detect(const void *block)
{
    struct place place;

    return place_find(block, &place) ? place.group->heap : NULL;
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
    if (!tsd || !place_find(block, &place) || !place.size_class.slab || place.group->frozen)
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

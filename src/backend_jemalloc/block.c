/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see block.h. */
#include "backend_jemalloc/block.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "backend_jemalloc/arena_set.h"
#include "backend_jemalloc/cache.h"
#include "backend_jemalloc/exact.h"
#include "backend_jemalloc/fast.h"
#include "backend_jemalloc/heap.h"
#include "backend_jemalloc/internal.h"
#include "backend_jemalloc/purge.h"
#include "backend_jemalloc/reclaim.h"
#include "backend_jemalloc/short_slab.h"
#include "backend_jemalloc/thread.h"
#include "kinds/pages/wrong_free.h"
#include "kinds/system/callout.h"
#include "kinds/system/guard.h"
#include "kinds/system/reserve.h"

/* --- lookup ----------------------------------------------------------------------------------- */

struct place {
    edata_t *extent;
    struct jem_arena_set *set;
    emap_alloc_ctx_t size_class;
};

/* Finds out what a block is part of. False: this is not the start of a block of any heap. */
static bool place_find(const void *block, struct place *place)
{
    uintptr_t page = jem_page(block);
    szind_t index = (szind_t)(page >> JEM_PAGE_CLASS_SHIFT);

    place->extent = (edata_t *)(page & JEM_PAGE_EXTENT);
    if (!place->extent || page & JEM_PAGE_STATE || index >= SC_NSIZES)
        return false;
    place->size_class = (emap_alloc_ctx_t){index, page & JEM_PAGE_SLAB};
    place->set = atomic_load_explicit(&jem_set_of_arena[edata_arena_ind_get(place->extent)],
                                      memory_order_acquire);
    if (!place->set)
        return false;
    return place->size_class.slab ? jem_is_start(block, page)
                                  : block == edata_addr_get(place->extent);
}

static size_t place_size(const struct place *place)
{
    return place->size_class.slab ? sz_index2size(place->size_class.szind)
                                  : edata_size_get(place->extent);
}

/* --- allocation ------------------------------------------------------------------------------- */

/* What the calling thread allocates with: its cache, or none, and the arena. */
struct alloc_context {
    tsd_t *tsd;
    struct jem_arena_set *set;
    struct jem_cache *cache;
    arena_t *arena;
};

static void context_of_set(struct alloc_context *context, struct jem_arena_set *set)
{
    context->set = set;
    context->cache = jem_thread_cache(context->tsd, set);
    context->arena =
        context->cache ? jem_cache_visit(context->tsd, context->cache) : set->arenas->arena;
}

/* What a slow path does besides. */
static void serve(void)
{
    jem_thread_collect_due();
    jem_free_orphans(false);
}

/* False: no memory for an arena set. */
static bool context_here(struct alloc_context *context, struct heap *heap)
{
    struct jem_arena_set *set;

    serve();
    context->tsd = jem_tsd();
    set = context->tsd ? jem_heap_set_here(context->tsd, heap) : NULL;
    if (!set)
        return false;
    context_of_set(context, set);
    return true;
}

/* A block that is asked for; the sizes have been checked. */
struct alloc_request {
    size_t usize;     /* as a size class */
    size_t exact;     /* the whole pages that are enough; 0: the class is wanted */
    size_t alignment; /* 0: that of the size class */
    bool zero;
};

/* What it takes of an arena. */
static size_t bytes_of(const struct alloc_request *request)
{
    return request->exact ? request->exact : request->usize;
}

/* Of a pool with a limit, large blocks have no more pages than they need. */
static size_t exact_size(const struct heap *heap, size_t size, size_t usize)
{
    size_t pages = PAGE_CEILING(size);

    if (pages < SC_LARGE_MINCLASS)
        pages = SC_LARGE_MINCLASS;
    return pages < usize && pool_limit(&heap->pages) ? pages : 0;
}

static void *alloc_uncached(const struct alloc_context *context,
                            const struct alloc_request *request)
{
    if (request->exact)
        return jem_exact_alloc(tsd_tsdn(context->tsd), context->arena, request->exact,
                               request->alignment, request->zero);
    if (request->alignment)
        return ipalloct(tsd_tsdn(context->tsd), request->usize, request->alignment, request->zero,
                        NULL, context->arena);
    return iallocztm(tsd_tsdn(context->tsd), request->usize, sz_size2index(request->usize),
                     request->zero, NULL, false, context->arena, true);
}

/* Blocks of cached classes begin at multiples of the class, or at a page. */
static void *alloc_once(const struct alloc_context *context, const struct alloc_request *request)
{
    szind_t index = sz_size2index(request->usize);
    void *block;

    if (!jem_cache_serves(context->cache, index) || request->alignment > PAGE)
        return alloc_uncached(context, request);
    block = jem_cache_alloc(context->tsd, context->cache, index);
    if (block)
        return request->zero ? memset(block, 0, request->usize) : block;
    return index < SC_NBINS ? NULL : alloc_uncached(context, request);
}

/* From any arena of the arena set, and without a cache: it would take more than the one block. */
static void *alloc_anywhere(const struct alloc_context *context,
                            const struct alloc_request *request)
{
    struct alloc_context other = {context->tsd, context->set, NULL, context->arena};
    struct jem_arena *next = jem_arena_set_arenas(context->set);
    void *block = NULL;

    while (!block && other.arena) {
        if (jem_reclaim_may_serve(context->tsd, context->set, other.arena, bytes_of(request)))
            block = alloc_uncached(&other, request);
        if (next && next->arena == context->arena)
            next = next->next;
        other.arena = next ? next->arena : NULL;
        next = next ? next->next : NULL;
    }
    return block;
}

static void *alloc_from_short_slab(const struct alloc_context *context,
                                   const struct alloc_request *request)
{
    if (request->usize > SC_SMALL_MAXCLASS || request->alignment > PAGE ||
        !jem_short_slab_add(tsd_tsdn(context->tsd), context->arena, &context->set->heap->pages,
                            sz_size2index(request->usize)))
        return NULL;
    return alloc_once(context, request);
}

/* The next larger size class; beyond the largest, one that no small block has. */
static size_t next_usize(const struct alloc_request *request)
{
    return request->alignment ? sz_sa2u(request->usize + 1, request->alignment)
                              : sz_s2u(request->usize + 1);
}

/* What the arena set's arenas cannot give back is used where it is. For a small block, where its
 * slabs need more pages in a row than are free, there may be a short slab. Else it may be one of
 * the next size class, since each class has slabs of its own. (Still larger ones would waste more
 * than they save; and a short slab of that class would leave fewer blocks than they are worth.) */
static void *alloc_where_it_is(const struct alloc_context *context,
                               const struct alloc_request *request)
{
    size_t most = request->usize * 5 / 4;
    struct alloc_request larger = *request;
    void *block = alloc_anywhere(context, request);

    if (most > SC_SMALL_MAXCLASS)
        most = SC_SMALL_MAXCLASS;
    if (!block)
        block = alloc_from_short_slab(context, request);
    for (larger.usize = next_usize(&larger);
         !block && larger.usize <= most && larger.usize > request->usize;
         larger.usize = next_usize(&larger))
        block = alloc_anywhere(context, &larger);
    return block;
}

/* The pool has no more. Before the program hears of it, what the arena set's arenas do not use is
 * joined, then given back, and in the end what other threads have at hand. */
static __attribute__((noinline)) void *alloc_scarce(const struct alloc_context *context,
                                                    const struct alloc_request *request)
{
    size_t limit = pool_limit(&context->set->heap->pages);
    void *block = NULL;

    if (limit && bytes_of(request) > limit)
        return NULL;
    if (jem_reclaim_join(context->tsd, context->set))
        block = alloc_once(context, request);
    if (!block && jem_reclaim(context->tsd, context->set))
        block = alloc_once(context, request);
    if (!block)
        block = alloc_where_it_is(context, request);
    if (!block && jem_reclaim_from_threads(context->tsd, context->set)) {
        block = alloc_once(context, request);
        if (!block)
            block = alloc_where_it_is(context, request);
    }
    return block;
}

static void *alloc(const struct alloc_context *context, const struct alloc_request *request)
{
    void *block = alloc_once(context, request);

    return likely(block != NULL) ? block : alloc_scarce(context, request);
}

/* A successful call leaves errno as it was, whatever the system calls on the way have set. */
static void *finish(void *block, int saved_errno)
{
    if (!block)
        return heap_out_of_memory();
    errno = saved_errno;
    return block;
}

static void *alloc_guarded(struct heap *heap, size_t size, bool zero)
{
    int saved_errno = errno;
    struct alloc_request request = {.zero = zero};
    struct alloc_context context;

    if (unlikely(!jem_thread_enter()))
        return reserve_alloc(size, 1);
    if (unlikely(size > SC_LARGE_MAXCLASS || !context_here(&context, heap)))
        return heap_out_of_memory();
    request.usize = sz_s2u(size);
    request.exact = exact_size(heap, size, request.usize);
    return finish(alloc(&context, &request), saved_errno);
}

static void *alloc_slow(struct heap *heap, size_t size, bool zero)
{
    struct guard guard;
    void *block;

    guard_enter(&guard);
    block = alloc_guarded(heap, size, zero);
    guard_leave(&guard);
    return block;
}

void *jem_malloc(struct heap *heap, size_t size)
{
    return alloc_slow(heap, size, false);
}

void *jem_calloc(struct heap *heap, size_t size)
{
    return alloc_slow(heap, size, true);
}

static void *aligned_alloc_guarded(struct heap *heap, size_t alignment, size_t size)
{
    int saved_errno = errno;
    struct alloc_request request = {.alignment = alignment};
    struct alloc_context context;

    if (unlikely(!jem_thread_enter()))
        return reserve_alloc(size, alignment);
    request.usize = sz_sa2u(size, alignment); /* 0 on overflow */
    if (unlikely(request.usize == 0 || request.usize > SC_LARGE_MAXCLASS ||
                 alignment > SC_LARGE_MAXCLASS - request.usize || !context_here(&context, heap)))
        return heap_out_of_memory();
    request.exact = exact_size(heap, size, request.usize);
    return finish(alloc(&context, &request), saved_errno);
}

void *jem_aligned_alloc(struct heap *heap, size_t alignment, size_t size)
{
    struct guard guard;
    void *block;

    guard_enter(&guard);
    block = aligned_alloc_guarded(heap, alignment, size);
    guard_leave(&guard);
    return block;
}

/* --- deallocation ----------------------------------------------------------------------------- */

/* Whether the arena has handed a small block out: to the program or to a cache. (A large block that
 * is free has no extent, and is not found.) */
static bool is_handed_out(const struct place *place, const void *block)
{
    const bin_info_t *info = &bin_infos[place->size_class.szind];
    size_t index = (size_t)((const char *)block - (const char *)edata_base_get(place->extent)) /
                   info->reg_size;

    return bitmap_get(edata_slab_data_get(place->extent)->bitmap, &info->bitmap_info, index);
}

static void free_block(const struct alloc_context *context, const struct place *place, void *block)
{
    if (jem_cache_serves(context->cache, place->size_class.szind))
        jem_cache_free(context->tsd, context->cache, place->size_class.szind, block);
    else if (place->size_class.slab && !is_handed_out(place, block))
        wrong_free_tell_twice(block, sz_index2size(place->size_class.szind),
                              &place->set->heap->pages);
    else
        jem_cache_give_back(context->tsd, place->size_class.szind, block);
    jem_purge_excess(context->tsd);
}

/* jemalloc's data of a thread that can free; NULL: it cannot now. */
static tsd_t *able_tsd(void)
{
    return likely(jem_thread_enter()) ? jem_tsd() : NULL;
}

/* False: there is nothing to free here, nor to tell. */
static bool free_known(void *block)
{
    struct alloc_context context = {.tsd = able_tsd()};
    struct place place;

    if (unlikely(!context.tsd && callout_is_on()))
        return false; /* the block's pages may be just those that go */
    if (!place_find(block, &place))
        return wrong_free_tell_no_start(block);
    if (unlikely(place.set->frozen))
        return true; /* the block is the parent's */
    if (unlikely(!context.tsd)) {
        orphans_add(&place.set->heap->orphans, block);
        return true;
    }
    context_of_set(&context, place.set);
    free_block(&context, &place, block);
    serve();
    return true;
}

/* The kind that counts is that of the block, whatever kind the caller named. */
void jem_free(struct heap *heap, void *block)
{
    int saved_errno = errno;
    struct guard guard;

    (void)heap;
    guard_enter(&guard);
    if (!free_known(block))
        reserve_free(block);
    guard_leave(&guard);
    errno = saved_errno;
}

void jem_free_orphans(bool wait)
{
    static const struct orphan_functions functions = {jem_detect, jem_free};
    struct heap *heap;

    if ((!wait && !orphans_anywhere) || !able_tsd() || !orphans_begin(wait))
        return;
    while ((heap = jem_heap_with_orphans()))
        orphans_free(&heap->orphans, heap, &functions);
    orphans_end();
}

/* --- reallocation ----------------------------------------------------------------------------- */

/* The thread is being set up: the block is copied out of its heap. */
static void *realloc_reentered(void *block, size_t size)
{
    size_t old_size = jem_usable_size(block);
    void *copy;

    if (!old_size) {
        errno = EINVAL;
        return NULL;
    }
    copy = reserve_alloc(size, 1);
    if (!copy)
        return NULL;
    memcpy(copy, block, old_size < size ? old_size : size);
    (void)free_known(block);
    return copy;
}

/* Copies the block to a new one and frees the old one. One that grows may go on growing: it gets
 * its class, which is copied less often, unless that is not to be had. */
static void *move(const struct alloc_context *context, const struct place *place, void *block,
                  size_t size)
{
    struct alloc_request request = {.usize = sz_s2u(size)};
    size_t old_size = place_size(place), exact;
    void *moved;

    if (jem_thread_now->slots) /* not one of the shared states, see thread.h */
        jem_thread_now->grows = size > old_size;
    exact = exact_size(place->set->heap, size, request.usize);
    if (size <= old_size)
        request.exact = exact;
    moved = alloc(context, &request);
    if (!moved && exact && !request.exact) {
        request.exact = exact;
        moved = alloc(context, &request);
    }
    if (jem_thread_now->slots)
        jem_thread_now->grows = false;
    if (!moved)
        return NULL;
    memcpy(moved, block, old_size < size ? old_size : size);
    free_block(context, place, block);
    return moved;
}

/* The block stays behind: it is the parent's. */
static void *copy_frozen(const struct place *place, const void *block, size_t size)
{
    size_t old_size = place_size(place);
    void *copy = jem_malloc(place->set->heap, size);

    return copy ? memcpy(copy, block, old_size < size ? old_size : size) : NULL;
}

/* Whether the block is of that size without a move. */
static bool resize(tsd_t *tsd, const struct place *place, void *block, size_t size)
{
    size_t old_size = sz_index2size(place->size_class.szind);
    size_t new_size;

    if (!place->size_class.slab && jem_is_exact(place->extent))
        return jem_exact_resize(tsd_tsdn(tsd), place->extent, size);
    return sz_s2u(size) == old_size ||
           !arena_ralloc_no_move(tsd_tsdn(tsd), block, old_size, size, 0, false, &new_size);
}

static void *realloc_guarded(void *block, size_t size)
{
    int saved_errno = errno;
    struct alloc_context context;
    struct place place;
    size_t old_size;

    if (unlikely(!jem_thread_enter()))
        return realloc_reentered(block, size);
    context.tsd = jem_tsd();
    if (unlikely(!context.tsd))
        return heap_out_of_memory();
    if (unlikely(!place_find(block, &place))) {
        errno = EINVAL;
        return NULL;
    }
    if (unlikely(size > SC_LARGE_MAXCLASS))
        return heap_out_of_memory();
    if (unlikely(place.set->frozen))
        return copy_frozen(&place, block, size);
    old_size = place_size(&place);
    if (resize(context.tsd, &place, block, size)) {
        if (place_size(&place) < old_size)
            jem_purge_note(old_size - place_size(&place));
        jem_purge_excess(context.tsd);
        serve();
        errno = saved_errno;
        return block;
    }
    context_of_set(&context, place.set);
    return finish(move(&context, &place, block, size), saved_errno);
}

/* A block stays in its arena set: with the kind's nodes, and near the CPU that first asked for it.
 */
void *jem_realloc(struct heap *heap, void *block, size_t size)
{
    struct guard guard;

    (void)heap;
    guard_enter(&guard);
    block = realloc_guarded(block, size);
    guard_leave(&guard);
    return block;
}

/* --- questions -------------------------------------------------------------------------------- */

size_t jem_usable_size(const void *block)
{
    struct place place;

    return place_find(block, &place) ? place_size(&place) : 0;
}

struct heap *jem_detect(const void *block)
{
    struct place place;

    return place_find(block, &place) ? place.set->heap : NULL;
}

/*
 * Worth moving: a small block in a slab that is emptier than the average slab of its class. The new
 * block comes from the arena itself, not from the cache (which would hand out a block of just such
 * a slab), and the old one goes straight back, so that the slab can empty.
 */
static void *defrag_guarded(void *block)
{
    struct place place;
    size_t free_here, regions_here, size, free_all, regions_all;
    void *current, *moved;
    tsd_t *tsd;

    tsd = jem_thread_enter() ? jem_tsd() : NULL;
    if (!tsd || !place_find(block, &place) || !place.size_class.slab || place.set->frozen)
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
    jem_cache_give_back(tsd, place.size_class.szind, block);
    return moved;
}

void *jem_defrag(void *block)
{
    int saved_errno = errno;
    struct guard guard;

    guard_enter(&guard);
    block = defrag_guarded(block);
    guard_leave(&guard);
    errno = saved_errno;
    return block;
}

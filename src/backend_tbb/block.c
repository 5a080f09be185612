/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * block: allocation and deallocation.
 *
 * The fast paths are a gate, a call of the library, and a count. What a block's size is, which the
 * count needs when it is freed, stands in the address map (lookup.h).
 *
 * Alignment: blocks of a class whose size is a multiple of it are aligned by themselves. Where no
 * such class does without waste, the block is shifted inside a larger one.
 *
 * Threads: any; see thread.c for the states a thread can be in.
 */
#include "backend_tbb/lookup.h"

#include <errno.h>
#include <string.h>

#include "kinds/pages/wrong_free.h"
#include "kinds/system/callbacks.h"
#include "kinds/system/callout.h"
#include "kinds/system/guard.h"
#include "kinds/system/reserve.h"

#define PLAIN_ALIGNMENT 16             /* what blocks of that size and more have anyway */
#define LOOK_BYTES ((size_t)128 << 10) /* a power of two */

/* Only the thread itself writes. The store is atomic, so that readers see whole numbers. True: it
 * is time to look at what is unused, as it is with every LOOK_BYTES. */
/* NOLINTNEXTLINE(readability-non-const-parameter): it is written */
static inline bool count_add(size_t *count, size_t size)
{
    size_t old = __atomic_load_n(count, __ATOMIC_RELAXED), sum = old + size;

    __atomic_store_n(count, sum, __ATOMIC_RELAXED);
    return unlikely((old ^ sum) >= LOOK_BYTES);
}

/* Whoever allocates or frees serves all heaps, whatever blocks he has to do with: only large ones
 * lead to the run cache by themselves. The heap's pools are used. Returns the block. */
static __attribute__((noinline)) void *look(struct heap *heap, void *block)
{
    int saved_errno = errno;
    struct guard guard;

    guard_enter(&guard);
    callbacks->resume_background();
    tbb_trim_heap_used(heap);
    (void)tbb_give_back();
    guard_leave(&guard);
    errno = saved_errno;
    return block;
}

/* --- allocation ------------------------------------------------------------------------------- */

static void *alloc_run(struct tbb_thread *thread, struct heap *heap, struct tbb_pool *pool,
                       size_t size, bool *zeroed)
{
    void *block = tbb_run_alloc(pool, &size, zeroed);

    if (block)
        (void)count_add(&thread->counts[heap->slot].allocated, size);
    return block;
}

static void *alloc_in_area(struct tbb_thread *thread, struct heap *heap, struct tbb_area *area,
                           size_t alignment, size_t size)
{
    void *block = tbb_area_alloc(area, alignment, &size);

    if (!block)
        return NULL;
    return count_add(&thread->counts[heap->slot].allocated, size) ? look(heap, block) : block;
}

/* Whether the block, or the larger one that it is aligned in, is a small one of the library's. */
static inline bool is_small(size_t alignment, size_t size)
{
    return size <= tbb_classes.small_most && alignment <= tbb_classes.small_most - size;
}

static void *alloc_in_library(struct tbb_thread *thread, struct heap *heap,
                              struct tbb_memory_pool *pool, size_t alignment, size_t size)
{
    bool small = is_small(alignment, size);
    size_t room = alignment > TBB_HEADER_ALIGNMENT ? alignment : TBB_HEADER_ALIGNMENT;
    size_t outer_size = size + (small ? alignment : TBB_HEADER_ROOM(room));
    struct tbb_place place;
    void *outer, *block;

    tbb_gate_enter(thread);
    outer = tbb_library.pool_malloc(pool, outer_size);
    tbb_gate_leave(thread);
    if (!outer)
        return NULL;
    if (small)
        tbb_unmark(outer);
    block = small ? tbb_place_small(outer, tbb_class_of(outer_size), alignment ? alignment : 1)
                  : tbb_place_large(outer, tbb_library.pool_msize(pool, outer), alignment);
    if (unlikely(!tbb_place_find(block, &place))) { /* no memory for the note */
        tbb_place_erase(&(struct tbb_place){.note = small ? 0 : TBB_UNIT_LARGE, .outer = outer},
                        block);
        tbb_gate_enter(thread);
        tbb_library.pool_free(pool, outer);
        tbb_gate_leave(thread);
        return NULL;
    }
    return count_add(&thread->counts[heap->slot].allocated, place.usable) ? look(heap, block)
                                                                          : block;
}

/* `alignment` 0: what the library gives by itself. */
static void *alloc_guarded(struct heap *heap, size_t alignment, size_t size, bool *zeroed)
{
    const struct tbb_heap *state = heap->state;
    bool may_be_run = size > tbb_classes.small_most && alignment <= ADDRESS_MAP_UNIT, is_run;
    size_t run_least = tbb_run_least(&heap->pages);
    struct tbb_pool *pool;
    struct tbb_thread *thread;
    struct tbb_area *pack;
    int saved_errno = errno;
    void *block = NULL;

    *zeroed = false;
    size = tbb_markable(size);
    if (!tbb_thread_enter(&thread))
        return reserve_alloc(size, alignment ? alignment : 1);
    tbb_free_orphans(false);
    if (!thread || size > PTRDIFF_MAX || alignment > PTRDIFF_MAX - size)
        return heap_out_of_memory();
    if (state->area) {
        block = alloc_in_area(thread, heap, state->area, alignment, size);
        return block ? block : heap_out_of_memory();
    }
    pool = tbb_heap_pool_here(heap);
    if (!pool)
        return heap_out_of_memory();
    pack = run_least <= TBB_PACK_MOST && tbb_area_packs(alignment, size) ? tbb_heap_pack(heap, pool)
                                                                         : NULL;
    if (pack)
        block = alloc_in_area(thread, heap, pack, alignment, size);
    is_run = !block && may_be_run && size >= run_least;
    if (is_run)
        block = alloc_run(thread, heap, pool, size, zeroed);
    if (is_run && !block && tbb_heap_shrink_pack(state, false))
        block = alloc_run(thread, heap, pool, size, zeroed);
    if (is_run && !block && tbb_heap_pack_has(state, alignment, size))
        block = alloc_in_area(thread, heap, state->pack, alignment, size);
    if (!block)
        block = alloc_in_library(thread, heap, pool->memory, alignment, size);
    if (!block && may_be_run && !is_run)
        block = alloc_run(thread, heap, pool, size, zeroed);
    if (!block)
        return heap_out_of_memory();
    errno = saved_errno;
    return block;
}

static __attribute__((noinline)) void *alloc_slow(struct heap *heap, size_t alignment, size_t size,
                                                  bool *zeroed)
{
    struct guard guard;
    void *block;

    guard_enter(&guard);
    block = alloc_guarded(heap, alignment, size, zeroed);
    guard_leave(&guard);
    return block;
}

static __attribute__((noinline)) void *malloc_slow(struct heap *heap, size_t size)
{
    bool zeroed;

    return alloc_slow(heap, 0, size, &zeroed);
}

/* The library has no block: there may be some that were freed, but not by it. */
static __attribute__((cold, noinline)) void *alloc_again(struct heap *heap, size_t alignment,
                                                         size_t size)
{
    bool zeroed;

    return orphans_anywhere ? alloc_slow(heap, alignment, size, &zeroed) : heap_out_of_memory();
}

/* The first block of a slab, as far as the address map knows: the class is noted. */
static __attribute__((noinline)) void *first_of_slab(struct heap *heap, struct tbb_thread *thread,
                                                     void *block, unsigned class)
{
    tbb_unit_note(block, class);
    return count_add(&thread->counts[heap->slot].allocated, tbb_classes.size[class])
               ? look(heap, block)
               : block;
}

/* Behind the call of the library, nothing but a last call: so little has to be kept on the stack.
 */
static inline __attribute__((always_inline)) void *
malloc_fast(struct heap *heap, size_t size, void *(*otherwise)(struct heap *heap, size_t size),
            bool marks)
{
    struct tbb_memory_pool *pool = ((const struct tbb_heap *)heap->state)->only;
    struct tbb_thread *thread = tbb_thread_now;
    unsigned class;
    void *block;

    if (unlikely(size > tbb_classes.small_most || !pool ||
                 !tbb_gate_try_but(thread, marks ? TBB_GATE_MARKS : 0)))
        return otherwise(heap, size);
    block = tbb_library.pool_malloc(pool, size);
    atomic_store_explicit(&thread->busy, 0, memory_order_release);
    if (unlikely(!block))
        return alloc_again(heap, 0, size);
    class = tbb_class_of(size);
    if (marks)
        *tbb_mark_of(block) = 0;
    if (unlikely(address_map_note_inside(block) != class))
        return first_of_slab(heap, thread, block, class);
    return count_add(&thread->counts[heap->slot].allocated, tbb_classes.size[class])
               ? look(heap, block)
               : block;
}

void *tbb_malloc_looking(struct heap *heap, size_t size)
{
    return malloc_fast(heap, size < TBB_MARKABLE ? TBB_MARKABLE : size, malloc_slow, true);
}

static __attribute__((noinline)) void *malloc_marked(struct heap *heap, size_t size)
{
    return tbb_marks ? tbb_malloc_looking(heap, size) : malloc_slow(heap, size);
}

void *tbb_malloc(struct heap *heap, size_t size)
{
    return malloc_fast(heap, size, malloc_marked, false);
}

void *tbb_calloc(struct heap *heap, size_t size)
{
    bool zeroed = false;
    void *block =
        size > tbb_classes.small_most ? alloc_slow(heap, 0, size, &zeroed) : tbb_malloc(heap, size);

    return block && !zeroed ? memset(block, 0, size) : block;
}

/* The class whose blocks are aligned by themselves, if it is no larger than the one that the
 * library would cut the block out of; 0: there is none. */
static unsigned aligned_class(size_t alignment, size_t size)
{
    size_t most = tbb_classes.small_most;
    unsigned class;

    if (size > most || alignment > most)
        return 0;
    if (size + alignment <= most)
        most = tbb_classes.size[tbb_class_of(size + alignment)];
    class = tbb_classes.aligned[__builtin_ctzl(alignment)][tbb_class_of(size)];
    return tbb_classes.size[class] <= most ? class : 0;
}

/* A block that is shifted inside another, if need be. */
static void *aligned_shifted(struct heap *heap, size_t alignment, size_t size)
{
    struct tbb_memory_pool *pool = ((const struct tbb_heap *)heap->state)->only;
    struct tbb_thread *thread = tbb_thread_now;
    unsigned class;
    bool zeroed;
    void *block;
    size_t rest;

    if (unlikely(!is_small(alignment, size) || !pool || !tbb_gate_try(thread)))
        return alloc_slow(heap, alignment, size, &zeroed);
    class = tbb_class_of(size + alignment);
    block = tbb_library.pool_malloc(pool, size + alignment);
    atomic_store_explicit(&thread->busy, 0, memory_order_release);
    if (unlikely(!block))
        return alloc_again(heap, alignment, size);
    block = tbb_place_small(block, class, alignment);
    rest = tbb_to_end(block, class);
    return count_add(&thread->counts[heap->slot].allocated, rest ? rest : tbb_classes.size[class])
               ? look(heap, block)
               : block;
}

void *tbb_aligned_alloc(struct heap *heap, size_t alignment, size_t size)
{
    unsigned class;
    bool zeroed;

    if (alignment <= PLAIN_ALIGNMENT)
        return tbb_malloc(heap, size < alignment ? alignment : size);
    if (unlikely(((const struct tbb_heap *)heap->state)->area))
        return alloc_slow(heap, alignment, size, &zeroed);
    class = aligned_class(alignment, size);
    return class ? tbb_malloc(heap, tbb_classes.size[class])
                 : aligned_shifted(heap, alignment, size);
}

/* --- deallocation ----------------------------------------------------------------------------- */

/* There is nothing to free. False: nor to tell. */
static bool tell_wrong_free(const void *block)
{
    struct tbb_place place;

    if (tbb_is_freed(block, &place)) {
        wrong_free_tell_twice(block, place.usable, &place.heap->pages);
        return true;
    }
    return wrong_free_tell_no_start(block);
}

/* What blocks of an area are of. */
static struct tbb_area *area_of(const struct heap *heap)
{
    const struct tbb_heap *state = heap->state;

    return state->area ? state->area : state->pack;
}

/* False: there is nothing to free here, nor to tell. */
static bool free_known(void *block)
{
    struct tbb_thread *thread;
    struct tbb_place place;
    bool due;

    if (!tbb_place_find_own(block, &place)) /* a parent's block stays as it is */
        return (place.region && place.region->inherited) || tell_wrong_free(block);
    if (unlikely(!tbb_thread_enter(&thread) || !thread)) {
        if (callout_is_on())
            return false; /* the block's pages may be just those that go */
        orphans_add(&place.heap->orphans, block);
        return true;
    }
    due = count_add(&thread->counts[place.heap->slot].freed, place.usable);
    if (place.note == TBB_UNIT_RUN) {
        tbb_run_free(tbb_heap_pool_of(place.region), block, place.usable);
        return true;
    }
    tbb_place_erase(&place, block);
    if (tbb_unit_is_slab(place.note) || tbb_unit_is_shifted(place.note))
        tbb_mark(place.outer);
    if (place.note == TBB_UNIT_AREA) {
        tbb_area_free(area_of(place.heap), &place, block);
        if (due)
            look(place.heap, NULL);
        return true;
    }
    tbb_gate_enter(thread);
    tbb_library.pool_free(tbb_heap_pool_of(place.region)->memory, place.outer);
    tbb_gate_leave(thread);
    if (due)
        look(place.heap, NULL);
    return true;
}

bool (*tbb_foreign)(void *block);

/* As all of free, it leaves errno alone. */
static __attribute__((noinline)) void free_slow(void *block)
{
    int saved_errno = errno;
    struct guard guard;

    if (tbb_foreign && tbb_foreign(block))
        return;
    guard_enter(&guard);
    if (!free_known(block))
        reserve_free(block);
    guard_leave(&guard);
    errno = saved_errno;
}

/* A block in a unit with this note. */
static inline __attribute__((always_inline)) void
free_fast(struct heap *heap, unsigned note, void *block,
          void (*otherwise)(struct heap *heap, unsigned note, void *block), bool marks)
{
    struct tbb_memory_pool *pool = ((const struct tbb_heap *)heap->state)->only;
    struct tbb_thread *thread = tbb_thread_now;

    if (unlikely(!pool || !(marks ? tbb_mark_start(block, note) : tbb_unit_is_slab(note)))) {
        free_slow(block);
        return;
    }
    if (unlikely(!tbb_gate_try_but(thread, marks ? TBB_GATE_MARKS : 0))) {
        otherwise(heap, note, block);
        return;
    }
    tbb_library.pool_free(pool, block);
    atomic_store_explicit(&thread->busy, 0, memory_order_release);
    if (count_add(&thread->counts[heap->slot].freed, tbb_classes.size[note]))
        look(heap, NULL);
}

static void free_unmarked(struct heap *heap, unsigned note, void *block)
{
    (void)heap;
    (void)note;
    if (tbb_marks)
        tbb_unmark(block); /* it is the slow path that frees it */
    free_slow(block);
}

static __attribute__((noinline)) void free_marked(struct heap *heap, unsigned note, void *block)
{
    if (tbb_marks)
        free_fast(heap, note, block, free_unmarked, true);
    else
        free_slow(block);
}

static inline void free_noted(struct heap *heap, unsigned note, void *block)
{
    free_fast(heap, note, block, free_marked, false);
}

static __attribute__((noinline)) void free_unknown(void *block)
{
    struct tbb_place place;

    if (likely(tbb_place_find_own(block, &place)))
        free_noted(place.heap, place.note, block);
    else
        free_slow(block);
}

/* A caller that names the kind vouches for the block; else the block is looked up. */
void tbb_free(struct heap *heap, void *block)
{
    if (heap)
        free_noted(heap, address_map_note(block), block);
    else
        free_unknown(block);
}

void tbb_free_looking(struct heap *heap, void *block)
{
    if (likely(heap))
        free_fast(heap, address_map_note(block), block, free_unmarked, true);
    else
        free_unknown(block);
}

/* The lock is tried only where others are: the caller may hold any, see trim.c. */
static struct heap *find_orphans(bool wait)
{
    struct heap *heap;

    if (wait)
        pthread_mutex_lock(&tbb_lock);
    else if (pthread_mutex_trylock(&tbb_lock)) {
        orphans_anywhere = true; /* the next one's turn */
        return NULL;
    }
    heap = tbb_heap_with_orphans();
    pthread_mutex_unlock(&tbb_lock);
    return heap;
}

/* Not inside the library, which may be in the middle of the very pool. */
static bool is_able(void)
{
    struct tbb_thread *thread;

    return tbb_thread_enter(&thread) && thread &&
           !atomic_load_explicit(&thread->busy, memory_order_relaxed);
}

void tbb_free_orphans(bool wait)
{
    static const struct orphan_functions functions = {tbb_detect, tbb_free};
    struct heap *heap;

    if ((!wait && !orphans_anywhere) || !is_able() || !orphans_begin(wait))
        return;
    while ((heap = find_orphans(wait)))
        orphans_free(&heap->orphans, heap, &functions);
    orphans_end();
}

/* --- reallocation ----------------------------------------------------------------------------- */

/* Copies into a block of another place; the old one stays. */
static void *copy_to(void *copy, const struct tbb_place *place, const void *block, size_t size)
{
    return copy ? memcpy(copy, block, place->usable < size ? place->usable : size) : NULL;
}

/* A run, or a block of an area, becomes smaller or larger where it is; unless a run is to be none
 * any more. */
static bool resize(struct tbb_thread *thread, const struct tbb_place *place, void *block,
                   size_t size)
{
    size_t new_size = size;
    bool done = false;

    if (place->note == TBB_UNIT_RUN)
        done = tbb_run_resize(tbb_heap_pool_of(place->region), block, place->usable, &new_size);
    else if (place->note == TBB_UNIT_AREA)
        done = tbb_area_resize(area_of(place->heap), place, block, &new_size);
    if (!done)
        return false;
    (void)count_add(&thread->counts[place->heap->slot].freed, place->usable);
    (void)count_add(&thread->counts[place->heap->slot].allocated, new_size);
    return true;
}

/* Whether a block of the library, or of an area, stays as it is: a small one as long as it is large
 * enough, a large one as long as half of it is used, one that can be cut as long as most of it is.
 */
static bool is_good_for(const struct tbb_place *place, size_t size)
{
    if (place->region->inherited || place->note == TBB_UNIT_RUN || size > place->usable)
        return false;
    if (place->note == TBB_UNIT_AREA)
        return size > place->usable - place->usable / 8;
    return place->note != TBB_UNIT_LARGE || size > place->usable / 2;
}

/* What has grown will grow again: so that it need not move, and be copied, each time, there is room
 * behind a large block. It stays free where blocks can be cut; of others it is a part. */
static void *malloc_to_grow(struct tbb_thread *thread, struct heap *heap, size_t size)
{
    size_t room = size >= tbb_run_least(&heap->pages) ? size / 4 : size / 8;
    void *block = size > tbb_classes.small_most ? tbb_malloc(heap, size + room) : NULL;
    struct tbb_place place;

    if (!block)
        return tbb_malloc(heap, size);
    if (tbb_place_find(block, &place))
        (void)resize(thread, &place, block, size);
    return block;
}

static void *realloc_guarded(void *block, size_t size)
{
    struct tbb_thread *thread;
    struct tbb_place place;
    void *moved;

    if (!tbb_place_find(block, &place)) {
        errno = EINVAL;
        return NULL;
    }
    if (!tbb_thread_enter(&thread))
        moved = reserve_alloc(size, 1);
    else if (!thread || size > PTRDIFF_MAX)
        return heap_out_of_memory();
    else if (!place.region->inherited && resize(thread, &place, block, size))
        return block;
    else
        moved = size > place.usable ? malloc_to_grow(thread, place.heap, size)
                                    : tbb_malloc(place.heap, size);
    moved = copy_to(moved, &place, block, size);
    if (moved && !place.region->inherited)
        free_known(block);
    return moved;
}

/* A block stays in its heap: with the kind's nodes. Where it moves, more may have been asked for,
 * and refused, before it is served: errno does not tell. */
void *tbb_realloc(struct heap *heap, void *block, size_t size)
{
    struct tbb_place place;
    struct guard guard;
    int saved_errno;

    (void)heap;
    if (tbb_place_find(block, &place) && is_good_for(&place, size))
        return block;
    saved_errno = errno;
    guard_enter(&guard);
    block = realloc_guarded(block, size);
    guard_leave(&guard);
    if (block)
        errno = saved_errno;
    return block;
}

/* --- questions -------------------------------------------------------------------------------- */

size_t tbb_usable_size(const void *block)
{
    struct tbb_place place;

    return tbb_place_find(block, &place) ? place.usable : 0;
}

struct heap *tbb_detect(const void *block)
{
    struct tbb_place place;

    return tbb_place_find(block, &place) ? place.heap : NULL;
}

void *tbb_defrag(void *block)
{
    callbacks->log("libtbbmalloc does not tell how full its slabs are: %p stays where it is",
                   block);
    errno = ENOTSUP;
    return NULL;
}

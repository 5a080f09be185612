/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * block: allocation and deallocation, and what an address belongs to.
 *
 * The fast paths are a gate, a call of the library, and a count. What a block's size is, which the
 * count needs when it is freed, stands in the address map: whoever allocates a small block notes
 * its size class for the unit, if that is not there already. A slab keeps its class as long as one
 * of its blocks is live, so a note is right for every live block. Units of large blocks are noted
 * as such.
 *
 * Alignment: blocks of a class whose size is a multiple of it are aligned by themselves. Where no
 * such class does without waste, the library aligns a pointer inside a larger block; the note says
 * so of the slab, and the library is asked for such a block's size.
 *
 * Lookup: the address map tells the region, and so the heap; the unit's note tells whether a block
 * can start at this address. A pointer to the inside of a small or large block is no block; but
 * where blocks may start inside others, one with the least alignment of these passes for one.
 *
 * Threads: any; see thread.c for the states a thread can be in.
 */
#include "backend_tbb/tbb.h"

#include <errno.h>
#include <string.h>

#include "kinds/system/callbacks.h"
#include "kinds/system/guard.h"
#include "kinds/system/reserve.h"

#define LARGE_ALIGNMENT 64  /* of the library's large blocks */
#define PLAIN_ALIGNMENT 16  /* what blocks of that size and more have anyway */
#define SHIFT_ALIGNMENT 128 /* the least for which the library shifts a block inside another */

/* --- counts and notes ---------------------------------------------------------------------------
 */

/* Only the thread itself writes. The store is atomic, so that readers see whole numbers. */
/* NOLINTNEXTLINE(readability-non-const-parameter): it is written */
static inline void count_add(size_t *count, size_t size)
{
    __atomic_store_n(count, *count + size, __ATOMIC_RELAXED);
}

static inline void unit_note(void *block, unsigned note)
{
    unsigned noted = address_map_note_inside(block);

    if (unlikely(noted != note && noted != (note | TBB_UNIT_SHIFTED) && noted != TBB_UNIT_ASK))
        address_map_set_note(block, (uint8_t)note);
}

static inline bool unit_is_slab(unsigned note)
{
    return note - 1 < TBB_CLASSES_MOST - 1;
}

static inline bool unit_is_shifted(unsigned note)
{
    return note - TBB_UNIT_SHIFTED - 1 < TBB_CLASSES_MOST - 1;
}

static inline unsigned class_of(size_t size)
{
    return tbb_classes.by_size[(size + TBB_CLASS_STEP - 1) / TBB_CLASS_STEP];
}

/* From an address in a slab to the end of the block of this class that it is in; 0: to its start.
 */
static size_t to_end(const void *address, unsigned class)
{
    uint64_t rest = (0 - (uintptr_t)address) % ADDRESS_MAP_UNIT;

    return rest - (rest * tbb_classes.inverse[class] >> 32) * tbb_classes.size[class];
}

/* Whether the note tells the sizes of the unit's blocks. */
static inline bool unit_is_small(unsigned note)
{
    return unit_is_slab(note) || unit_is_shifted(note);
}

/* The size of a block in a unit of small ones. One that is shifted ends where its outer one does.
 */
static inline size_t small_size(unsigned note, const void *block)
{
    unsigned class = note % TBB_UNIT_SHIFTED;
    size_t rest = class == note ? 0 : to_end(block, class);

    return rest ? rest : tbb_classes.size[class];
}

/* The note for a block of `usable` bytes, requested as `size` with an alignment, or with 0. */
static unsigned note_for(const void *block, size_t size, size_t alignment, size_t usable)
{
    unsigned class;
    size_t rest;

    if (!tbb_classes.small_most)
        return TBB_UNIT_ASK;
    if (size > tbb_classes.small_most)
        return TBB_UNIT_LARGE;
    if (!alignment)
        return class_of(size);
    if (!tbb_classes.slabs_from_end)
        return TBB_UNIT_ASK;
    if (size + alignment > tbb_classes.small_most)
        return TBB_UNIT_LARGE;
    class = class_of(size + alignment);
    rest = to_end(block, class);
    if (rest == 0 && usable == tbb_classes.size[class])
        return class;
    return rest == usable && (uintptr_t)block % SHIFT_ALIGNMENT == 0 ? TBB_UNIT_SHIFTED | class
                                                                     : TBB_UNIT_ASK;
}

/* A block that was just allocated. Returns it. */
static void *note_block(struct tbb_thread *thread, struct heap *heap, struct tbb_memory_pool *pool,
                        void *block, size_t size, size_t alignment)
{
    size_t usable = tbb_library.pool_msize(pool, block);
    unsigned note = note_for(block, size, alignment, usable);

    unit_note(block, note);
    if (note == TBB_UNIT_LARGE) /* slabs may have been where its inside is now */
        address_map_clear_notes((char *)block + 1, usable - 1);
    count_add(&thread->counts[heap->slot].allocated, usable);
    return block;
}

/* --- lookup -------------------------------------------------------------------------------------
 */

struct place {
    struct page_region *region;
    struct heap *heap;
    unsigned note; /* of its unit */
};

/* A large block's header is in front of it: a pointer to the beginning of all of it, which lies in
 * the same region. */
static bool is_large_start(const struct page_region *region, const void *block)
{
    uintptr_t at = (uintptr_t)block, start = (uintptr_t)region->start, begin;

    if (at % LARGE_ALIGNMENT || at - start < 2 * sizeof(uintptr_t))
        return false;
    if (!tbb_classes.large_headers)
        return true;
    begin = ((const uintptr_t *)block)[-2];
    return begin >= start && begin < at;
}

/* False: no block of any heap starts there. */
static inline bool place_find(const void *block, struct place *place)
{
    place->region = address_map_find(block);
    if (!place->region)
        return false;
    place->heap = tbb_heap_of(place->region);
    place->note = address_map_note(block);
    if (place->note == TBB_UNIT_NONE || (uintptr_t)block % TBB_CLASS_STEP)
        return false;
    if (unit_is_slab(place->note))
        return !tbb_classes.slabs_from_end || to_end(block, place->note) == 0;
    if (unit_is_shifted(place->note))
        return (uintptr_t)block % SHIFT_ALIGNMENT == 0 ||
               to_end(block, place->note & ~TBB_UNIT_SHIFTED) == 0;
    if (place->note == TBB_UNIT_RUN)
        return (uintptr_t)block % ADDRESS_MAP_UNIT == 0;
    return place->note != TBB_UNIT_LARGE || is_large_start(place->region, block);
}

static size_t place_size(const struct place *place, const void *block)
{
    struct tbb_pool *pool;

    if (unit_is_small(place->note))
        return small_size(place->note, block);
    if (place->note == TBB_UNIT_RUN)
        return run_cache_size(block);
    pool = tbb_heap_pool_of(place->region);
    /* The library only checks that the pool is not NULL. */
    return tbb_library.pool_msize(pool ? pool->memory : (struct tbb_memory_pool *)place,
                                  (void *)block);
}

/* --- allocation ---------------------------------------------------------------------------------
 */

static void *out_of_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

static void *alloc_run(struct tbb_thread *thread, struct heap *heap, struct tbb_pool *pool,
                       size_t size, bool *zeroed)
{
    void *block = tbb_run_alloc(pool, &size, zeroed);

    if (block)
        count_add(&thread->counts[heap->slot].allocated, size);
    return block;
}

static void *alloc_in_library(struct tbb_thread *thread, struct heap *heap,
                              struct tbb_memory_pool *pool, size_t alignment, size_t size)
{
    void *block;

    tbb_gate_enter(thread);
    block = alignment ? tbb_library.pool_aligned_malloc(pool, size, alignment)
                      : tbb_library.pool_malloc(pool, size);
    tbb_gate_leave(thread);
    return block ? note_block(thread, heap, pool, block, size, alignment) : NULL;
}

/* `alignment` 0: what the library gives by itself. */
static void *alloc_guarded(struct heap *heap, size_t alignment, size_t size, bool *zeroed)
{
    bool may_be_run = size > tbb_classes.small_most && alignment <= ADDRESS_MAP_UNIT;
    struct tbb_pool *pool;
    struct tbb_thread *thread;
    int saved_errno = errno;
    void *block = NULL;

    *zeroed = false;
    if (!tbb_thread_enter(&thread))
        return reserve_alloc(size, alignment ? alignment : 1);
    if (!thread || size > PTRDIFF_MAX || alignment > PTRDIFF_MAX - size)
        return out_of_memory();
    pool = tbb_heap_pool_here(heap);
    if (!pool)
        return out_of_memory();
    if (may_be_run && size >= pool->run_least)
        block = alloc_run(thread, heap, pool, size, zeroed);
    if (!block)
        block = alloc_in_library(thread, heap, pool->memory, alignment, size);
    if (!block && may_be_run && size < pool->run_least)
        block = alloc_run(thread, heap, pool, size, zeroed);
    if (!block)
        return out_of_memory();
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

/* Little is needed after the call, so that nothing has to be kept on the stack. */
void *tbb_malloc(struct heap *heap, size_t size)
{
    struct tbb_memory_pool *pool = ((const struct tbb_heap *)heap->state)->only;
    struct tbb_thread *thread = tbb_thread_now;
    unsigned class;
    void *block;

    if (unlikely(size > tbb_classes.small_most || !pool || !tbb_gate_try(thread)))
        return malloc_slow(heap, size);
    class = class_of(size);
    block = tbb_library.pool_malloc(pool, size);
    atomic_store_explicit(&thread->busy, 0, memory_order_release);
    if (unlikely(!block))
        return out_of_memory();
    unit_note(block, class);
    count_add(&thread->counts[heap->slot].allocated, tbb_classes.size[class]);
    return block;
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

    if (!tbb_classes.slabs_from_end || size > most || alignment > most)
        return 0;
    if (size + alignment <= most)
        most = tbb_classes.size[class_of(size + alignment)];
    class = tbb_classes.aligned[__builtin_ctzl(alignment)][class_of(size)];
    return tbb_classes.size[class] <= most ? class : 0;
}

/* A block that the library shifts inside another: in a unit that is known to have such blocks of
 * the class, its size need not be asked for. */
static void *aligned_shifted(struct heap *heap, size_t alignment, size_t size)
{
    struct tbb_memory_pool *pool = ((const struct tbb_heap *)heap->state)->only;
    struct tbb_thread *thread = tbb_thread_now;
    size_t most = tbb_classes.small_most;
    unsigned note;
    bool zeroed;
    void *block;

    if (unlikely(size > most || alignment > most - size || alignment < SHIFT_ALIGNMENT || !pool ||
                 !tbb_gate_try(thread)))
        return alloc_slow(heap, alignment, size, &zeroed);
    block = tbb_library.pool_aligned_malloc(pool, size, alignment);
    atomic_store_explicit(&thread->busy, 0, memory_order_release);
    if (unlikely(!block))
        return out_of_memory();
    note = TBB_UNIT_SHIFTED | class_of(size + alignment);
    if (unlikely(address_map_note_inside(block) != note))
        return note_block(thread, heap, pool, block, size, alignment);
    count_add(&thread->counts[heap->slot].allocated, small_size(note, block));
    return block;
}

void *tbb_aligned_alloc(struct heap *heap, size_t alignment, size_t size)
{
    unsigned class;

    if (alignment <= PLAIN_ALIGNMENT)
        return tbb_malloc(heap, size < alignment ? alignment : size);
    class = aligned_class(alignment, size);
    return class ? tbb_malloc(heap, tbb_classes.size[class])
                 : aligned_shifted(heap, alignment, size);
}

/* --- deallocation -------------------------------------------------------------------------------
 */

static bool free_known(void *block)
{
    struct tbb_thread *thread;
    struct tbb_pool *pool;
    struct place place;
    size_t size;

    if (!place_find(block, &place))
        return false;
    if (place.region->inherited)
        return true; /* the block is the parent's, and stays as it is */
    if (!tbb_thread_enter(&thread) || !thread)
        return false;
    pool = tbb_heap_pool_of(place.region);
    size = place_size(&place, block);
    count_add(&thread->counts[place.heap->slot].freed, size);
    if (place.note == TBB_UNIT_RUN) {
        tbb_run_free(pool, block, size);
        return true;
    }
    tbb_gate_enter(thread);
    tbb_library.pool_free(pool->memory, block);
    tbb_gate_leave(thread);
    return true;
}

static __attribute__((noinline)) void free_slow(void *block)
{
    struct guard guard;

    guard_enter(&guard);
    if (!free_known(block))
        reserve_free(block);
    guard_leave(&guard);
}

/* A caller that names the kind vouches for the block; else the block is looked up. */
void tbb_free(struct heap *heap, void *block)
{
    struct tbb_thread *thread = tbb_thread_now;
    struct tbb_memory_pool *pool;
    struct place place;
    size_t size;

    if (heap) {
        place.note = address_map_note(block);
    } else {
        if (unlikely(!place_find(block, &place) || place.region->inherited)) {
            free_slow(block);
            return;
        }
        heap = place.heap;
    }
    pool = ((const struct tbb_heap *)heap->state)->only;
    if (unlikely(!unit_is_small(place.note) || !pool || !tbb_gate_try(thread))) {
        free_slow(block);
        return;
    }
    /* Asked now: after the free the slab may have another class. */
    size = small_size(place.note, block);
    tbb_library.pool_free(pool, block);
    atomic_store_explicit(&thread->busy, 0, memory_order_release);
    count_add(&thread->counts[heap->slot].freed, size);
}

/* --- reallocation -------------------------------------------------------------------------------
 */

/* Copies into a block of another place; the old one stays. */
static void *copy_to(void *copy, const struct place *place, const void *block, size_t size)
{
    size_t old_size = place_size(place, block);

    return copy ? memcpy(copy, block, old_size < size ? old_size : size) : NULL;
}

/* For blocks that are a run, or shall be one: the library knows nothing of the other. */
static void *realloc_run(struct tbb_thread *thread, struct place *place, void *block, size_t size)
{
    struct tbb_pool *pool = tbb_heap_pool_of(place->region);
    size_t old_size = place_size(place, block), new_size = size;
    void *moved;

    if (place->note == TBB_UNIT_RUN && tbb_run_resize(pool, block, old_size, &new_size)) {
        count_add(&thread->counts[place->heap->slot].freed, old_size);
        count_add(&thread->counts[place->heap->slot].allocated, new_size);
        return block;
    }
    moved = copy_to(tbb_malloc(place->heap, size), place, block, size);
    if (moved)
        free_known(block);
    return moved;
}

static void *realloc_in_library(struct tbb_thread *thread, const struct place *place, void *block,
                                size_t size)
{
    struct tbb_memory_pool *pool = tbb_heap_pool_of(place->region)->memory;
    int saved_errno = errno;
    size_t old_size;
    void *moved;

    tbb_gate_enter(thread);
    old_size = place_size(place, block);
    moved = tbb_library.pool_realloc(pool, block, size);
    tbb_gate_leave(thread);
    if (!moved)
        return out_of_memory();
    errno = saved_errno;
    count_add(&thread->counts[place->heap->slot].freed, old_size);
    if (moved != block)
        return note_block(thread, place->heap, pool, moved, size, 0);
    count_add(&thread->counts[place->heap->slot].allocated, place_size(place, moved));
    return moved;
}

static void *realloc_guarded(void *block, size_t size)
{
    struct tbb_thread *thread;
    struct place place;

    if (!place_find(block, &place)) {
        errno = EINVAL;
        return NULL;
    }
    if (!tbb_thread_enter(&thread)) /* the block stays behind */
        return copy_to(reserve_alloc(size, 1), &place, block, size);
    if (!thread || size > PTRDIFF_MAX)
        return out_of_memory();
    if (place.region->inherited)
        return copy_to(tbb_malloc(place.heap, size), &place, block, size);
    if (place.note == TBB_UNIT_RUN || size >= tbb_heap_pool_of(place.region)->run_least)
        return realloc_run(thread, &place, block, size);
    return realloc_in_library(thread, &place, block, size);
}

/* A block stays in its pool: with the kind's nodes, and, unless it becomes a run, near the CPU that
 * first asked for it. */
void *tbb_realloc(struct heap *heap, void *block, size_t size)
{
    struct place place;
    struct guard guard;

    (void)heap;
    /* The library leaves a small block where it is as long as it is large enough. */
    if (place_find(block, &place) && unit_is_small(place.note) &&
        size <= small_size(place.note, block) && !place.region->inherited)
        return block;
    guard_enter(&guard);
    block = realloc_guarded(block, size);
    guard_leave(&guard);
    return block;
}

/* --- questions ----------------------------------------------------------------------------------
 */

size_t tbb_usable_size(const void *block)
{
    struct place place;
    struct guard guard;
    size_t size;

    if (!place_find(block, &place))
        return 0;
    if (unit_is_small(place.note))
        return small_size(place.note, block);
    guard_enter(&guard);
    size = place_size(&place, block);
    guard_leave(&guard);
    return size;
}

struct heap *tbb_detect(const void *block)
{
    struct place place;

    return place_find(block, &place) ? place.heap : NULL;
}

void *tbb_defrag(void *block)
{
    callbacks->log("libtbbmalloc does not tell how full its slabs are: %p stays where it is",
                   block);
    return NULL;
}

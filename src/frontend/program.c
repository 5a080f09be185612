/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * program: malloc and free of whole programs, for `preload`: names that no header declares.
 *
 * Where a block's size alone says which kind it is of, a table has the heap for each size, and a
 * hit of the thread's cache costs what memkind_malloc() costs. What the table does not know, and
 * what its kind has no memory for, is asked of the table's fallback. A free finds the kind in a
 * table by address. All of it are jumps: nobody waits for the block.
 *
 * Threads: any; a table is filled in by one thread, before others see it.
 */
#include <memkind.h>

#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "backend_jemalloc/fast.h"
#include "frontend/export.h"
#include "frontend/managers.h"
#include "frontend/registry.h"
#include "kinds/pages/address_map.h"
#include "kinds/pages/page_region.h"

/* --- malloc ----------------------------------------------------------------------------------- */

#define ALIGNMENT 16 /* of every block of a program */
#define HEAPS 64     /* different ones of a table; there are not as many static kinds */

typedef void *(*fallback_function)(size_t size, const void *argument, const void *caller);

struct memkind_sizes {
    struct heap *heap[HEAPS];      /* the first one stands for none */
    uint8_t of[JEM_FAST_MOST + 1]; /* a number of these, by size */
    fallback_function fallback;
    const void *argument;
};

/* No thread has a cache for it. */
static struct heap no_heap = {.slot = UINT_MAX};

/* 0 for none. */
static uint8_t heap_number(struct memkind_sizes *sizes, memkind_t kind)
{
    for (unsigned i = 1; kind && i < HEAPS; i++) {
        if (!sizes->heap[i])
            sizes->heap[i] = &kind->heap;
        if (sizes->heap[i] == &kind->heap)
            return (uint8_t)i;
    }
    return 0;
}

EXPORT void memkind_sizes_set(struct memkind_sizes *sizes, size_t low, size_t high, memkind_t kind)
{
    uint8_t number = heap_number(sizes, kind);

    for (size_t size = low; size <= high && size <= JEM_FAST_MOST; size++)
        sizes->of[size] = number;
}

EXPORT struct memkind_sizes *memkind_sizes_new(fallback_function fallback, const void *argument)
{
    struct memkind_sizes *sizes = memkind_calloc(MEMKIND_DEFAULT, 1, sizeof *sizes);

    if (!sizes)
        return NULL;
    sizes->heap[0] = &no_heap;
    sizes->fallback = fallback;
    sizes->argument = argument;
    return sizes;
}

static inline bool is_in_table(size_t size)
{
    return size - 1 < JEM_FAST_MOST; /* not 0 */
}

static __attribute__((noinline)) void *sizes_slow(size_t size, const struct memkind_sizes *sizes,
                                                  const void *caller)
{
    struct heap *heap = is_in_table(size) ? sizes->heap[sizes->of[size]] : &no_heap;
    void *block = NULL;

    if (heap != &no_heap)
        block =
            memkind_malloc(registry_of_heap(heap), size > ALIGNMENT / 2 ? size : ALIGNMENT / 2 + 1);
    return likely(block) ? block : sizes->fallback(size, sizes->argument, caller);
}

#ifndef MEMKIND_DECORATORS
/* Small blocks are of 8 bytes or of multiples of 16: with this bit there are none of 8, which are
 * not aligned to 16, and all others stay as they are. */
static inline size_t aligned_size(size_t size)
{
    return ((size - 1) | (ALIGNMENT / 2)) + 1;
}
#endif

EXPORT void *memkind_sizes_malloc(size_t size, const void *table, const void *caller)
{
    const struct memkind_sizes *sizes = table;
#ifndef MEMKIND_DECORATORS
    void *block;

    if (likely(is_in_table(size) &&
               jem_fast_alloc(sizes->heap[sizes->of[size]], aligned_size(size), &block)))
        return block;
#endif
    return sizes_slow(size, sizes, caller);
}

EXPORT void *memkind_sizes_aligned(size_t alignment, size_t size, const void *table)
{
#ifndef MEMKIND_DECORATORS
    const struct memkind_sizes *sizes = table;
    void *block;

    /* As memkind_posix_memalign() has it. */
    if (likely(is_in_table(size) && jem_fast_alloc(sizes->heap[sizes->of[size]],
                                                   (size + alignment - 1) & -alignment, &block)))
        return block;
#endif
    (void)alignment, (void)size, (void)table;
    return NULL;
}

/* --- questions -------------------------------------------------------------------------------- */

static __attribute__((noinline)) size_t size_slow(void *block, size_t (*foreign)(void *block))
{
    size_t size = memkind_malloc_usable_size(NULL, block);

    return likely(size) || !block ? size : foreign(block);
}

EXPORT size_t memkind_usable_size_or(void *block, size_t (*foreign)(void *block))
{
    size_t size = jem_fast_size(block);

    return likely(size) ? size : size_slow(block, foreign);
}

/* --- free ------------------------------------------------------------------------------------- */

/* Where all calls come to the heap manager, it has nothing to gain. */
EXPORT bool memkind_trust_frees(void)
{
    bool can = false;

    if (managers_enter()) {
        can = managers_get()->countdown && page_region_begin_owners();
        managers_leave();
    }
    return can;
}

#ifndef MEMKIND_DECORATORS
_Static_assert(JEM_TREE_BITS == ADDRESS_MAP_BITS, "both maps are of the same addresses");

static inline bool free_fast(void *block)
{
    struct page_pool *pool;

    /* As jem_page() asks, so that it is asked once. */
    if (unlikely((uintptr_t)block >> JEM_TREE_LEAF_BITS >=
                 (uintptr_t)1 << (JEM_TREE_BITS - JEM_TREE_LEAF_BITS)))
        return false;
    pool = address_map_owner(block);
    return likely(pool) &&
           jem_fast_free((struct heap *)((char *)pool - offsetof(struct heap, pages)), block);
}
#endif

EXPORT void memkind_free_trusted(memkind_t kind, void *block)
{
    (void)kind; /* whichever it is */
#ifndef MEMKIND_DECORATORS
    if (likely(free_fast(block)))
        return;
#endif
    memkind_free(NULL, block);
}

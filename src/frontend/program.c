/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * program: malloc and free of whole programs, for `preload`: names that no header declares.
 *
 * Where a block's size alone says which kind it is of, a table has the heap for each size, and a
 * hit of the thread's cache costs what memkind_malloc() costs. What the table does not know, and
 * what its kind has no memory for, is asked of the table's owner. All of it are jumps: nobody
 * waits for the block.
 *
 * Threads: any; a table is filled in by one thread, before others see it.
 */
#include <memkind.h>

#include <limits.h>
#include <stdint.h>

#include "backend_jemalloc/fast.h"
#include "frontend/export.h"
#include "frontend/registry.h"

/* --- malloc ----------------------------------------------------------------------------------- */

/* Sizes that are looked up together: a multiple of what every block of a program is aligned to. */
#define UNIT 16
#define UNITS (JEM_FAST_MOST / UNIT)

typedef void *(*owner_function)(size_t size, const void *argument, const void *caller);

struct memkind_sizes {
    struct heap *heap[UNITS]; /* of sizes from 1 to UNIT, and so on */
    owner_function otherwise;
    const void *argument;
};

/* Of sizes that are not known: no thread has a cache for it. */
static struct heap nowhere = {.slot = UINT_MAX};

EXPORT void memkind_sizes_set(struct memkind_sizes *sizes, size_t low, size_t high, memkind_t kind)
{
    for (size_t i = 0; i < UNITS; i++) {
        size_t first = i * UNIT + 1, last = first + UNIT - 1;

        if (high < first || low > last)
            continue;
        sizes->heap[i] = kind && low <= first && high >= last ? &kind->heap : &nowhere;
    }
}

EXPORT struct memkind_sizes *memkind_sizes_new(owner_function otherwise, const void *argument)
{
    struct memkind_sizes *sizes = memkind_malloc(MEMKIND_DEFAULT, sizeof *sizes);

    if (!sizes)
        return NULL;
    sizes->otherwise = otherwise;
    sizes->argument = argument;
    memkind_sizes_set(sizes, 1, SIZE_MAX, NULL);
    return sizes;
}

static inline bool is_in_table(size_t size)
{
    return size - 1 < JEM_FAST_MOST; /* not 0 */
}

static __attribute__((noinline)) void *sizes_slow(size_t size, const struct memkind_sizes *sizes,
                                                  const void *caller)
{
    struct heap *heap = is_in_table(size) ? sizes->heap[(size - 1) / UNIT] : &nowhere;
    void *block = NULL;

    if (heap != &nowhere)
        block = memkind_malloc(registry_of_heap(heap), size > UNIT / 2 ? size : UNIT / 2 + 1);
    return likely(block) ? block : sizes->otherwise(size, sizes->argument, caller);
}

/* Small blocks are of 8 bytes or of multiples of 16: with this bit there are none of 8, which are
 * not aligned to 16, and all others stay as they are. */
static inline size_t aligned_size(size_t size)
{
    return ((size - 1) | (UNIT / 2)) + 1;
}

EXPORT void *memkind_sizes_malloc(size_t size, const void *table, const void *caller)
{
    const struct memkind_sizes *sizes = table;
#ifndef MEMKIND_DECORATORS
    void *block;

    if (likely(is_in_table(size) &&
               jem_fast_alloc(sizes->heap[(size - 1) / UNIT], aligned_size(size), &block)))
        return block;
#endif
    return sizes_slow(size, sizes, caller);
}

/* --- free ------------------------------------------------------------------------------------- */

#ifndef MEMKIND_DECORATORS
/* The caller vouches for the block, as where memkind_free() is told its kind. */
static inline bool free_fast(void *block)
{
    struct jem_thread *thread = jem_thread_now;
    uintptr_t page = jem_page(block);
    unsigned slot;
    size_t bin;

    if (unlikely(!((uint8_t)page & jem_trusted_pages)) && !jem_is_start(block, page))
        return false;
    slot = jem_slot_of(page);
    bin = (page >> JEM_PAGE_CLASS_SHIFT) * sizeof(struct jem_bin);
    return likely(slot < thread->slots) && jem_fast_push(jem_fast_bin(thread, slot, bin), block);
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

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * Why: see reserve.h. One region of address space, mapped at the first need and never given back;
 * its pages appear as they are touched. The size of a block stands in front of it.
 *
 * Threads: the region's start is set by compare-and-swap (the loser unmaps its own), its
 * fill level moves by atomic addition.
 */
#include "kinds/system/reserve.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>

#include "kinds/system/callbacks.h"
#include "kinds/system/leftover.h"
#include "kinds/system/os.h"
#include "kinds/system/round.h"

#define RESERVE_SIZE ((size_t)64 << 20)

static _Atomic uintptr_t region;
static atomic_size_t used;

static uintptr_t region_start(void)
{
    uintptr_t start = atomic_load_explicit(&region, memory_order_acquire);
    uintptr_t fresh;

    if (start)
        return start;
    fresh = (uintptr_t)os_map(RESERVE_SIZE, os_page_size());
    if (!fresh || atomic_compare_exchange_strong(&region, &start, fresh))
        return fresh;
    leftover_unmap((void *)fresh, RESERVE_SIZE);
    return start;
}

void *reserve_alloc(size_t size, size_t alignment)
{
    uintptr_t start = region_start();
    size_t header = sizeof(size_t);
    size_t take, from;
    uintptr_t block;

    if (alignment < 2 * sizeof(size_t))
        alignment = 2 * sizeof(size_t);
    if (!start || size > RESERVE_SIZE || alignment > RESERVE_SIZE) {
        errno = ENOMEM;
        return NULL;
    }
    take = header + alignment + size;
    from = atomic_fetch_add(&used, take);
    if (from > RESERVE_SIZE - take || take > RESERVE_SIZE) {
        atomic_fetch_sub(&used, take);
        errno = ENOMEM;
        return NULL;
    }
    block = round_up(start + from + header, alignment);
    ((size_t *)block)[-1] = size;
    return (void *)block;
}

bool reserve_owns(const void *block)
{
    uintptr_t start = atomic_load_explicit(&region, memory_order_relaxed);

    return start && (uintptr_t)block - start < RESERVE_SIZE;
}

static _Atomic(void (*)(void *)) take_foreign;

void reserve_take_foreign(void (*take)(void *block))
{
    atomic_store_explicit(&take_foreign, take, memory_order_relaxed);
}

void reserve_free(void *block)
{
    void (*take)(void *) = atomic_load_explicit(&take_foreign, memory_order_relaxed);

    if (reserve_owns(block))
        return;
    if (take)
        take(block);
    else
        callbacks->log("memkind_free(%p) does nothing: it is not a block of this library", block);
}

size_t reserve_size(const void *block)
{
    return ((const size_t *)block)[-1];
}

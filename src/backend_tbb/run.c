/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * run: blocks of a MiB and more, each a run of the page layer.
 *
 * The library keeps freed large blocks in one of several hundred bins, for as many operations as it
 * thinks fit: a program that asks for sizes from 1 to 9 MiB gets cold pages nearly each time, and
 * the bins hold gigabytes. The run cache, which joins what comes back and hands out what fits best,
 * is what such blocks need; so they never get to the library.
 *
 * Where memory is scarce (a pool with a limit, huge pages, the program's own pages), every block
 * that is not small is a run: the library takes 72 KiB for 64 and wants a MiB at a time. With base
 * pages of 64 KiB, which a run is made of, only those that need more than half of one: the library
 * takes 16 KiB for 10,000 bytes. Elsewhere smaller blocks only become runs when the library finds
 * no memory for them: run_cache's lock is everybody's.
 *
 * Threads: any; no gate, as nothing here is inside the library.
 */
#include "backend_tbb/tbb.h"

#include "kinds/system/os.h"

#define RUN_LEAST ((size_t)1 << 20) /* where memory is not scarce */

size_t tbb_run_least(const struct page_pool *pages)
{
    bool whole = !pool_is_demand_paged(pages) && !pool_is_page_granular(pages);
    bool scarce = whole || pool_limit(pages);
    size_t half = os_page_size() / 2, small = tbb_classes.small_most;

    return scarce ? (half > small ? half : small) + 1 : RUN_LEAST;
}

void *tbb_run_alloc(struct tbb_pool *pool, size_t *size, bool *zeroed)
{
    void *block = run_cache_take(&pool->raw, size, zeroed);

    if (block)
        address_map_set_note(block, TBB_UNIT_RUN);
    return block;
}

void tbb_run_free(struct tbb_pool *pool, void *block, size_t size)
{
    address_map_set_note(block, TBB_UNIT_NONE);
    run_cache_give(&pool->raw, block, size);
}

bool tbb_run_resize(struct tbb_pool *pool, void *block, size_t size, size_t *new_size)
{
    /* What has become a small block is better off among those. */
    return *new_size > tbb_classes.small_most &&
           run_cache_resize(&pool->raw, block, size, new_size);
}

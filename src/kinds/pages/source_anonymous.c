/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * source_anonymous: base pages of private anonymous memory under a memory policy.
 *
 * The policy is set once per region with mbind(2), before the first touch, so every page obeys it
 * whenever it is faulted. Interleaved regions keep transparent huge pages away: with 2 MiB pages
 * "page by page" would mean 2 MiB by 2 MiB.
 */
#include <string.h>

#include "kinds/machine/page_kind.h"
#include "kinds/pages/page_source.h"
#include "kinds/pages/pool.h"
#include "kinds/system/sysfs.h"

static size_t granule(const struct page_pool *pool)
{
    (void)pool;
    return REGION_GRANULE;
}

static void *map(struct page_pool *pool, const struct os_policy *policy, size_t size,
                 size_t alignment, bool *zeroed)
{
    void *address = os_map(size, alignment);
    int error;

    *zeroed = true;
    if (!address)
        return NULL;
    error = page_kind_bind(address, size, policy);
    if (!error && page_kind_interleaves(policy))
        error = os_no_huge_pages(address, size);
    return page_source_mapped(pool->kind->name, address, size, error);
}

/* Whether the kernel backs memory with huge pages that nobody asked for. */
static bool has_transparent_huge_pages(void)
{
    char text[64];

    return sysfs_read(text, sizeof text, "kernel/mm/transparent_hugepage/enabled") > 0 &&
           strstr(text, "[always]");
}

/* A part of a transparent huge page is not free before the kernel gets round to splitting that, and
 * used again takes other pages. Where room is counted (commitment.h), whole ones go back or none.
 */
static int purge(struct page_pool *pool, void *address, size_t size)
{
    if (commitment_is_watched(&pool->commitment) && has_transparent_huge_pages())
        return page_source_purge_whole(address, size, REGION_GRANULE);
    return os_discard(address, size);
}

const struct page_source page_source_anonymous = {.name = "anonymous",
                                                  .demand_paged = true,
                                                  .granule = granule,
                                                  .map = map,
                                                  .unmap = page_source_unmap,
                                                  .purge = purge};

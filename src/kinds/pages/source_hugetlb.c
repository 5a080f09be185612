/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * source_hugetlb: pages from the kernel's pools of 2 MiB and 1 GiB pages.
 *
 * A fault that finds the pool of the policy's nodes empty is a SIGBUS, so no page is left to a
 * fault: regions are populated when they are mapped and purged pages again when they are reused,
 * and an empty pool is an error code here. (Before Linux 5.14, which cannot populate, the free
 * pages of the nodes are counted instead; another process may be faster.)
 *
 * After fork(2) a child has its parent's pages as copies that are made when one of the two writes:
 * by a fault, for which the pool may have no page left. The kernel then takes the page from the
 * child. So the child hands out none of them, but regions of its own.
 *
 * A heap manager frees ranges of base pages; only whole huge pages inside them can be given back.
 * The rest of the range is zeroed by hand, so that a purged range reads as zeroes all over.
 */
#include <errno.h>
#include <stdint.h>

#include "kinds/machine/facts.h"
#include "kinds/machine/hugepages.h"
#include "kinds/machine/page_kind.h"
#include "kinds/machine/topology.h"
#include "kinds/pages/page_source.h"
#include "kinds/pages/pool.h"
#include "kinds/system/round.h"

static size_t granule(const struct page_pool *pool)
{
    return pool->kind->page_size;
}

static int check_free(const struct page_pool *pool, const struct os_policy *policy, size_t size)
{
    struct nodemask nodes = policy->nodes;
    struct hugepages_pool free_pages;

    if (policy->mode < 0) {
        facts_begin(FACTS_INSIDE);
        nodes = topology_get()->with_memory;
        facts_end(FACTS_INSIDE);
    }
    hugepages_read(&nodes, pool->kind->page_size, &free_pages);
    return free_pages.free * pool->kind->page_size < size ? ENOMEM : 0;
}

static void *map(struct page_pool *pool, const struct os_policy *policy, size_t size,
                 size_t alignment, bool *zeroed)
{
    void *address = os_map_huge(size, alignment, pool->kind->page_size);
    int error;

    *zeroed = true;
    if (!address)
        return NULL;
    error = page_kind_bind(address, size, policy);
    if (!error)
        error = os_can_populate() ? os_populate(address, size) : check_free(pool, policy, size);
    if (error && error != EPERM)
        error = ENOMEM;
    return page_source_mapped(pool->kind->name, address, size, error);
}

/* The huge pages that only a part of [address, address + size) lies in. */
static int edges_commit(void *address, size_t size, size_t page)
{
    uintptr_t start = (uintptr_t)address, end = start + size, rest = page - 1;
    int error = start & rest ? os_populate((void *)round_down(start, page), page) : 0;

    return error || !(end & rest) ? error : os_populate((void *)round_down(end, page), page);
}

static int purge(struct page_pool *pool, void *address, size_t size)
{
    size_t page = pool->kind->page_size;
    int error;

    if (!os_can_populate() || size < page)
        return ENOTSUP; /* nothing to give back, or no way to get it again without a SIGBUS */
    /* What is zeroed by hand may be gone, too: a neighbour that is about to be committed. */
    error = edges_commit(address, size, page);
    return error ? error : page_source_purge_whole(address, size, page);
}

static int commit(struct page_pool *pool, void *address, size_t size)
{
    size_t page = pool->kind->page_size;
    uintptr_t first = round_down((uintptr_t)address, page);
    uintptr_t last = round_up((uintptr_t)address + size, page);

    return os_populate((void *)first, last - first);
}

/* There is nothing to remember: the pool has noted which regions are the parent's. */
static void forked(struct page_pool *pool)
{
    (void)pool;
}

const struct page_source page_source_hugetlb = {.name = "hugetlb",
                                                .granule = granule,
                                                .map = map,
                                                .unmap = page_source_unmap,
                                                .purge = purge,
                                                .commit = commit,
                                                .forked = forked};

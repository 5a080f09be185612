/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * source_custom: pages from functions of the program (memkind_create_custom()).
 *
 * What they return is not trusted further than needed: a region at the wrong place is refused, and
 * its content counts as arbitrary. Locks of heap managers may be held while they run.
 */
#include <errno.h>
#include <stdint.h>

#include "kinds/system/callbacks.h"
#include "kinds/pages/page_source.h"
#include "kinds/pages/pool.h"

static int open_pool(struct page_pool *pool, const struct page_setup *setup)
{
    pool->own.custom.ops = *setup->ops;
    pool->own.custom.context = setup->context;
    return 0;
}

static size_t granule(const struct page_pool *pool)
{
    (void)pool;
    return REGION_GRANULE;
}

static void *map(struct page_pool *pool, const struct os_policy *policy, size_t size,
                 size_t alignment, bool *zeroed)
{
    struct source_custom *own = &pool->own.custom;
    void *address = own->ops.map(own->context, size, alignment);

    (void)policy;
    *zeroed = false;
    if (!address) {
        errno = ENOMEM;
        return NULL;
    }
    if ((uintptr_t)address & (alignment - 1)) {
        callbacks->log("%s: map() returned %p, which is not aligned to %zu", pool->kind->name,
                       address, alignment);
        own->ops.unmap(own->context, address, size);
        errno = EINVAL;
        return NULL;
    }
    return address;
}

static void unmap(struct page_pool *pool, void *address, size_t size)
{
    pool->own.custom.ops.unmap(pool->own.custom.context, address, size);
}

static int purge(struct page_pool *pool, void *address, size_t size)
{
    struct source_custom *own = &pool->own.custom;

    if (!own->ops.purge)
        return ENOTSUP;
    return own->ops.purge(own->context, address, size) ? EIO : 0;
}

const struct page_source page_source_custom = {.name = "custom",
                                               .open = open_pool,
                                               .granule = granule,
                                               .map = map,
                                               .unmap = unmap,
                                               .purge = purge};

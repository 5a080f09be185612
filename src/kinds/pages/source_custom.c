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
#include "kinds/pages/source_custom.h"

struct source_custom {
    struct memkind_page_ops ops;
    void *context;
};

PAGE_SOURCE_STATE(struct source_custom)

static int open_pool(struct page_pool *pool, const void *request)
{
    const struct source_custom_request *wanted = request;

    *state_of(pool) = (struct source_custom){.ops = *wanted->ops, .context = wanted->context};
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
    struct source_custom *own = state_of(pool);
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

static int unmap(struct page_pool *pool, void *address, size_t size)
{
    struct source_custom *own = state_of(pool);

    own->ops.unmap(own->context, address, size);
    return 0;
}

static int purge(struct page_pool *pool, void *address, size_t size)
{
    struct source_custom *own = state_of(pool);

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

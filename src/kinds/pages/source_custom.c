/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * source_custom: pages from functions of the program (memkind_create_custom()).
 *
 * What they return is not trusted further than needed: a region at the wrong place, or where
 * nothing is mapped, is refused, and its content counts as arbitrary. Locks of heap managers may be
 * held while they run; what they ask of the library meanwhile is callout.h's affair.
 */
#include <errno.h>
#include <stdint.h>

#include "kinds/pages/page_region.h"
#include "kinds/pages/page_source.h"
#include "kinds/pages/pool.h"
#include "kinds/pages/source_custom.h"
#include "kinds/system/callbacks.h"
#include "kinds/system/callout.h"
#include "kinds/system/os.h"

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

static void give(const struct source_custom *own, void *address, size_t size)
{
    void *hidden = callout_begin();

    own->ops.unmap(own->context, address, size);
    callout_end(hidden);
}

/* What is wrong with a region; NULL: nothing. */
static const char *fault_of(const void *address, size_t size, size_t alignment)
{
    uintptr_t start = (uintptr_t)address, last = start + size - 1;

    if (start & (alignment - 1))
        return "is not aligned";
    if (last < start || last >> ADDRESS_MAP_BITS)
        return "goes beyond the address space";
    return os_is_mapped((void *)start, size) ? NULL : "is not mapped";
}

static void *map(struct page_pool *pool, const struct os_policy *policy, size_t size,
                 size_t alignment, bool *zeroed)
{
    struct source_custom *own = state_of(pool);
    void *hidden = callout_begin();
    void *address = own->ops.map(own->context, size, alignment);
    const char *fault;

    callout_end(hidden);
    (void)policy;
    *zeroed = false;
    if (!address) {
        errno = ENOMEM;
        return NULL;
    }
    fault = fault_of(address, size, alignment);
    if (fault) {
        callbacks->log("%s: map() was asked for %zu bytes aligned to %zu; what it returned, %p, %s",
                       pool->kind->name, size, alignment, address, fault);
        /* To have it unmapped would be to lose what another kind has there. */
        if (!page_region_is_taken(address, size))
            give(own, address, size);
        errno = EINVAL;
        return NULL;
    }
    return address;
}

static int unmap(struct page_pool *pool, void *address, size_t size)
{
    give(state_of(pool), address, size);
    return 0;
}

static int purge(struct page_pool *pool, void *address, size_t size)
{
    struct source_custom *own = state_of(pool);
    void *hidden;
    int error;

    if (!own->ops.purge)
        return ENOTSUP;
    hidden = callout_begin();
    error = own->ops.purge(own->context, address, size);
    callout_end(hidden);
    return error ? EIO : 0;
}

const struct page_source page_source_custom = {.name = "custom",
                                               .open = open_pool,
                                               .granule = granule,
                                               .map = map,
                                               .unmap = unmap,
                                               .purge = purge};

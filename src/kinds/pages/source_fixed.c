/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * source_fixed: pages from an area that the caller owns (memkind_create_fixed()).
 *
 * The area is one window over the whole base pages inside it. Nothing here maps, unmaps, purges or
 * even reads it: what the caller did to the area stays, its pages are of any size, their content is
 * arbitrary. The first and the last byte are written over themselves once, so that an area that
 * cannot be used is an error code and not a signal later.
 */
#include <errno.h>
#include <stdint.h>

#include "kinds/pages/page_source.h"
#include "kinds/pages/pool.h"
#include "kinds/pages/range_allocator.h"
#include "kinds/pages/source_fixed.h"
#include "kinds/system/callbacks.h"
#include "kinds/system/round.h"

struct source_fixed {
    struct range_allocator ranges;
    size_t size; /* of the whole base pages */
};

PAGE_SOURCE_STATE(struct source_fixed)

static int refuse(const struct source_fixed_request *wanted, const char *why)
{
    callbacks->log("cannot make a fixed kind of the %zu bytes at %p: %s", wanted->size,
                   wanted->address, why);
    return MEMKIND_ERROR_INVALID;
}

/* Where the kernel does not let a process rewrite its own memory this way, the caller's word has to
 * do. */
static bool cannot_write(const void *byte)
{
    int error = os_rewrite((void *)byte);

    return error && error != EPERM && error != ENOSYS;
}

static int open_pool(struct page_pool *pool, const void *request)
{
    const struct source_fixed_request *wanted = request;
    struct source_fixed *own = state_of(pool);
    uintptr_t start = (uintptr_t)wanted->address, end = start + wanted->size;
    size_t page = os_page_size();
    uintptr_t first = round_up(start, page);
    int error;

    if (wanted->size < MEMKIND_FIXED_MIN_SIZE) {
        callbacks->log("a fixed kind of %zu bytes is too small: at least %zu", wanted->size,
                       (size_t)MEMKIND_FIXED_MIN_SIZE);
        return MEMKIND_ERROR_INVALID;
    }
    if (end < start)
        return refuse(wanted, "they go beyond the address space");
    if (round_down(end, page) <= first)
        return refuse(wanted, "there is no whole page in them");
    own->size = round_down(end, page) - first;
    if (!os_is_mapped((void *)first, own->size))
        return refuse(wanted, "not all of them are mapped");
    if (cannot_write((void *)start) || cannot_write((void *)(end - 1)))
        return refuse(wanted, "they cannot be written");
    range_allocator_init(&own->ranges);
    error = range_allocator_put(&own->ranges, (void *)first, own->size)
                ? page_region_add(&pool->regions, 0, (void *)first, own->size, 0)
                : MEMKIND_ERROR_MALLOC;
    if (error)
        range_allocator_end(&own->ranges);
    return error;
}

static void close_pool(struct page_pool *pool)
{
    range_allocator_end(&state_of(pool)->ranges);
}

static size_t granule(const struct page_pool *pool)
{
    (void)pool;
    return os_page_size();
}

static void *map(struct page_pool *pool, const struct os_policy *policy, size_t size,
                 size_t alignment, bool *zeroed)
{
    void *address = range_allocator_take(&state_of(pool)->ranges, size, alignment);

    (void)policy;
    *zeroed = false;
    if (!address)
        errno = ENOMEM;
    return address;
}

static int unmap(struct page_pool *pool, void *address, size_t size)
{
    return range_allocator_put(&state_of(pool)->ranges, address, size) ? 0 : ENOMEM;
}

static bool has_room(const struct page_pool *pool, size_t size)
{
    return range_allocator_largest(&state_of(pool)->ranges) >= size;
}

static size_t limit(const struct page_pool *pool)
{
    return state_of(pool)->size;
}

const struct page_source page_source_fixed = {.name = "fixed",
                                              .page_granular = true,
                                              .open = open_pool,
                                              .close = close_pool,
                                              .granule = granule,
                                              .map = map,
                                              .unmap = unmap,
                                              .has_room = has_room,
                                              .limit = limit};

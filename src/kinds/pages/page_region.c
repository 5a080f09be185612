/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see page_region.h. */
#include "kinds/pages/page_region.h"

#include <memkind.h>
#include <pthread.h>

#include "kinds/system/callbacks.h"
#include "kinds/system/object_pool.h"
#include "kinds/system/os.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct object_pool objects = {.size = sizeof(struct page_region)}; /* guarded by lock */
static LIST_HEAD(, page_regions) tracked;                                 /* guarded by lock */

void page_regions_init(struct page_regions *regions, struct page_pool *pool, const char *name)
{
    *regions = (struct page_regions){.pool = pool, .name = name};
}

/* --- one region ------------------------------------------------------------------------------- */

/* False: no memory. Called with the lock. */
static bool note(struct page_regions *regions, const struct page_region *wanted)
{
    struct page_region *region = object_pool_get(&objects);

    if (!region)
        return false;
    /* Its links in the address map stay: a reader that comes late may still follow them. */
    region->pool = regions->pool;
    region->start = wanted->start;
    region->size = wanted->size;
    region->domain = wanted->domain;
    region->offset = wanted->offset;
    region->inherited = false;
    region->copy = NULL;
    if (!address_map_add(region)) {
        object_pool_put(&objects, region);
        return false;
    }
    LIST_INSERT_HEAD(&regions->list, region, entry);
    return true;
}

bool page_region_is_taken(const void *address, size_t size)
{
    bool taken;

    pthread_mutex_lock(&lock);
    taken = address_map_overlaps(address, size);
    pthread_mutex_unlock(&lock);
    return taken;
}

bool page_region_begin_owners(void)
{
    bool begun;

    pthread_mutex_lock(&lock);
    begun = address_map_begin_owners();
    pthread_mutex_unlock(&lock);
    return begun;
}

int page_region_add(struct page_regions *regions, unsigned domain, void *address, size_t size,
                    size_t offset)
{
    const struct page_region wanted = {
        .start = address, .size = size, .domain = domain, .offset = offset};
    bool taken, noted;

    pthread_mutex_lock(&lock);
    taken = address_map_overlaps(address, size);
    noted = !taken && note(regions, &wanted);
    pthread_mutex_unlock(&lock);
    if (taken)
        callbacks->log("%s: some of the %zu bytes at %p belong to a live kind", regions->name, size,
                       address);
    return noted ? 0 : taken ? MEMKIND_ERROR_INVALID : MEMKIND_ERROR_MALLOC;
}

struct page_region *page_region_detach(struct page_regions *regions, void *address, size_t size)
{
    struct page_region *region;

    pthread_mutex_lock(&lock);
    region = address_map_find(address);
    if (region && (region->pool != regions->pool || region->start != address ||
                   region->size != size || region->inherited))
        region = NULL;
    if (region) {
        address_map_remove(region);
        LIST_REMOVE(region, entry);
    }
    pthread_mutex_unlock(&lock);
    return region;
}

void page_region_attach(struct page_regions *regions, struct page_region *region)
{
    pthread_mutex_lock(&lock);
    (void)address_map_add(region); /* which has kept the leaves that it was in */
    LIST_INSERT_HEAD(&regions->list, region, entry);
    pthread_mutex_unlock(&lock);
}

void page_region_drop(struct page_region *region)
{
    pthread_mutex_lock(&lock);
    object_pool_put(&objects, region);
    pthread_mutex_unlock(&lock);
}

const struct page_region *page_region_window(const struct page_regions *regions,
                                             const void *address)
{
    const struct page_region *window = address_map_find(address);

    return window && window->pool == regions->pool ? window : NULL;
}

/* --- all of a pool ---------------------------------------------------------------------------- */

void page_regions_hide(struct page_regions *regions)
{
    struct page_region *region;

    pthread_mutex_lock(&lock);
    if (regions->tracked)
        LIST_REMOVE(regions, entry);
    regions->tracked = false;
    LIST_FOREACH (region, &regions->list, entry)
        address_map_remove(region);
    pthread_mutex_unlock(&lock);
}

void page_regions_drop(struct page_regions *regions)
{
    struct page_region *region;

    pthread_mutex_lock(&lock);
    while ((region = LIST_FIRST(&regions->list))) {
        LIST_REMOVE(region, entry);
        object_pool_put(&objects, region);
    }
    pthread_mutex_unlock(&lock);
}

void page_regions_inherit(struct page_regions *regions)
{
    struct page_region *region;

    pthread_mutex_lock(&lock);
    LIST_FOREACH (region, &regions->list, entry)
        region->inherited = true;
    regions->mapped = 0;
    pthread_mutex_unlock(&lock);
}

bool page_regions_take(struct page_regions *regions, size_t size, size_t limit)
{
    bool fits;

    pthread_mutex_lock(&lock);
    fits = !limit || (size <= limit && regions->mapped <= limit - size);
    if (fits)
        regions->mapped += size;
    pthread_mutex_unlock(&lock);
    return fits;
}

void page_regions_track(struct page_regions *regions)
{
    pthread_mutex_lock(&lock);
    LIST_INSERT_HEAD(&tracked, regions, entry);
    regions->tracked = true;
    pthread_mutex_unlock(&lock);
}

void page_regions_visit(void (*visit)(void *context, const struct page_region *region),
                        void *context)
{
    const struct page_regions *regions;
    const struct page_region *region;

    pthread_mutex_lock(&lock);
    LIST_FOREACH (regions, &tracked, entry)
        LIST_FOREACH (region, &regions->list, entry)
            visit(context, region);
    pthread_mutex_unlock(&lock);
}

void page_regions_return(struct page_regions *regions, size_t size)
{
    pthread_mutex_lock(&lock);
    regions->mapped -= size;
    pthread_mutex_unlock(&lock);
}

size_t page_regions_mapped(const struct page_regions *regions)
{
    return atomic_load_explicit(&regions->mapped, memory_order_relaxed);
}

size_t page_regions_untouched(struct page_regions *regions)
{
    const struct page_region *region;
    size_t untouched = 0;

    pthread_mutex_lock(&lock);
    LIST_FOREACH (region, &regions->list, entry)
        untouched += region->size - os_backed(region->start, region->size);
    pthread_mutex_unlock(&lock);
    return untouched;
}

/* --- fork ------------------------------------------------------------------------------------- */

void page_region_prefork(void)
{
    pthread_mutex_lock(&lock);
}

void page_region_postfork(void)
{
    pthread_mutex_unlock(&lock);
}

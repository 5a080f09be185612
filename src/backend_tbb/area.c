/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * area: blocks of kinds whose pages are too few for the library (memkind_create_fixed()).
 *
 * The library wants a MiB and a header at a time and makes slabs of 16 KiB of it: a program's area
 * of 4 KiB has no block then, one of a MiB neither. All of such an area is one set of ranges
 * (range_allocator.h) instead, and a block is a range with a header in front of it.
 *
 * Threads: any; blocks with the lock of the ranges, which fork(2) holds. Areas are made and ended
 * under tbb_lock.
 */
#include "backend_tbb/lookup.h"

#include "kinds/pages/range_allocator.h"
#include "kinds/system/callbacks.h"
#include "kinds/system/object_pool.h"
#include "kinds/system/round.h"

#define UNIT ((size_t)16) /* sizes of ranges are multiples of it, and starts are at multiples */
#define HEADER sizeof(struct tbb_area_header)

struct tbb_area {
    struct range_allocator ranges;
    size_t size;
};

_Static_assert(HEADER == UNIT, "a block behind its header is aligned as every block is");

static struct object_pool areas = {.size = sizeof(struct tbb_area)}; /* guarded by tbb_lock */

bool tbb_area_suits(const struct page_pool *pages)
{
    size_t limit = pool_limit(pages);

    return pool_is_page_granular(pages) && limit && limit < TBB_AREA_BELOW;
}

struct tbb_area *tbb_area_create(struct page_pool *pages)
{
    struct tbb_area *area = object_pool_get(&areas);
    size_t size = pool_limit(pages), page = os_page_size();
    size_t step = page < ADDRESS_MAP_UNIT ? page : ADDRESS_MAP_UNIT; /* no unit is left out */
    char *start;
    bool zeroed;

    if (!area)
        return NULL;
    start = pool_map(pages, 0, size, page, &zeroed);
    area->size = size;
    range_allocator_init(&area->ranges);
    if (!start || !range_allocator_put(&area->ranges, start, size)) {
        tbb_area_end(area); /* its pages go with the pool */
        return NULL;
    }
    for (char *at = start; at < start + size; at += step)
        address_map_set_note(at, TBB_UNIT_AREA);
    return area;
}

void tbb_area_end(struct tbb_area *area)
{
    range_allocator_end(&area->ranges);
    object_pool_put(&areas, area);
}

size_t tbb_area_size(const struct tbb_area *area)
{
    return area->size;
}

/* Gives back what of a range lies outside [start, end), as far as that can be noted. Returns where
 * the range starts then; *end is where it ends. */
static char *trim(struct tbb_area *area, char *range, size_t size, char *start, char **end)
{
    size_t lead = (size_t)(start - range), rest = (size_t)(range + size - *end);

    if (rest && !range_allocator_put(&area->ranges, *end, rest))
        *end += rest;
    return lead && range_allocator_put(&area->ranges, range, lead) ? start : range;
}

void *tbb_area_alloc(struct tbb_area *area, size_t alignment, size_t *size)
{
    size_t wanted = HEADER + round_up(*size, UNIT), most;
    char *range, *block, *end;

    if (alignment < UNIT)
        alignment = UNIT;
    most = wanted + alignment - UNIT;
    if (*size > area->size || alignment > area->size)
        return NULL;
    range = range_allocator_take(&area->ranges, most, UNIT);
    if (!range)
        return NULL;
    block = (char *)round_up((uintptr_t)range + HEADER, alignment);
    end = block - HEADER + wanted;
    range = trim(area, range, most, block - HEADER, &end);
    *size = (size_t)(end - block);
    tbb_place_in_area(block, (size_t)(block - range), *size);
    return block;
}

void tbb_area_free(struct tbb_area *area, const struct tbb_place *place, const char *block)
{
    size_t size = (size_t)(block - (char *)place->outer) + place->usable;

    if (!range_allocator_put(&area->ranges, place->outer, size))
        callbacks->log("%s: no memory to note that %zu bytes are free: they stay unused",
                       place->heap->pages.kind->name, size);
}

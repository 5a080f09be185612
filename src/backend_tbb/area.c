/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * area: blocks of kinds whose pages are too few for the library (memkind_create_fixed()).
 *
 * The library wants a MiB and a header at a time and makes slabs of 16 KiB of it: a program's area
 * of 4 KiB has no block then, one of a MiB neither. All of such an area is one set of ranges
 * (range_allocator.h) instead, and a block is a range with a header in front of it.
 *
 * A pack is an area that grows and shrinks by chunks, runs of a MiB, beside the pool of a larger
 * kind with a limit. It has blocks that would waste a good part of a run, which is whole units of
 * 16 KiB. The first bytes of a chunk are in no range, so that chunks do not join: whatever range is
 * as large as a chunk's is a chunk without blocks, which can go back.
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

#define CHUNK ((size_t)1 << 20)
#define CHUNK_ROOM (CHUNK - UNIT)
#define FREED_MOST ((size_t)512 << 10) /* bytes, while a chunk is empty, until it goes */

struct tbb_area {
    struct range_allocator ranges;
    size_t size;           /* of all pages; 0: it is a pack */
    struct tbb_pool *pool; /* of a pack */
    atomic_size_t freed;   /* bytes of a pack, while a chunk was empty */
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
    area->pool = NULL;
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

/* --- packs ------------------------------------------------------------------------------------ */

bool tbb_area_suits_pack(const struct page_pool *pages)
{
    return pages->domains == 1 && pool_limit(pages) && tbb_classes.small_most &&
           !tbb_area_suits(pages);
}

struct tbb_area *tbb_area_create_pack(struct tbb_pool *pool)
{
    struct tbb_area *area = object_pool_get(&areas);

    if (!area)
        return NULL;
    area->size = 0;
    area->pool = pool;
    atomic_store_explicit(&area->freed, 0, memory_order_relaxed);
    range_allocator_init(&area->ranges);
    return area;
}

/* As a run it would have less than nine tenths of its pages. */
bool tbb_area_packs(size_t alignment, size_t size)
{
    size_t run = round_up(size, page_run_unit());

    return size > tbb_classes.small_most && size <= TBB_PACK_MOST &&
           alignment <= TBB_HEADER_ALIGNMENT && size < run - run / 10;
}

bool tbb_area_has(const struct tbb_area *area, size_t alignment, size_t size)
{
    return alignment <= TBB_HEADER_ALIGNMENT &&
           range_allocator_largest(&area->ranges) >= round_up(size, UNIT) + TBB_HEADER_ALIGNMENT;
}

static void chunk_note(const char *chunk, uint8_t note)
{
    for (const char *at = chunk; at < chunk + CHUNK; at += ADDRESS_MAP_UNIT)
        address_map_set_note(at, note);
}

static void chunk_give(struct tbb_area *area, char *chunk, bool unused)
{
    chunk_note(chunk, TBB_UNIT_NONE);
    (void)(unused ? run_cache_give_unused(&area->pool->raw, chunk, CHUNK)
                  : run_cache_give(&area->pool->raw, chunk, CHUNK));
}

static bool grow(struct tbb_area *area)
{
    size_t size = CHUNK;
    bool zeroed;
    char *chunk = run_cache_take(&area->pool->raw, &size, &zeroed);

    if (!chunk)
        return false;
    tbb_trim_pool_used(area->pool);
    chunk_note(chunk, TBB_UNIT_AREA);
    if (range_allocator_put(&area->ranges, chunk + UNIT, CHUNK_ROOM))
        return true;
    chunk_give(area, chunk, false);
    return false;
}

bool tbb_area_shrink(struct tbb_area *area, bool unused)
{
    bool any = false;
    char *room;

    while (range_allocator_largest(&area->ranges) >= CHUNK_ROOM &&
           (room = range_allocator_take(&area->ranges, CHUNK_ROOM, UNIT))) {
        chunk_give(area, room - UNIT, unused);
        any = true;
    }
    return any;
}

void tbb_area_set_pool(struct tbb_area *area, struct tbb_pool *pool)
{
    area->pool = pool;
}

void tbb_area_forked(struct tbb_area *area)
{
    range_allocator_clear(&area->ranges);
    area->pool = NULL;
}

/* --- blocks ----------------------------------------------------------------------------------- */

static char *take_range(struct tbb_area *area, size_t size)
{
    char *range;

    do
        range = range_allocator_take(&area->ranges, size, UNIT);
    while (!range && area->pool && grow(area)); /* others may have taken what is new */
    return range;
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
    if (area->size && (*size > area->size || alignment > area->size))
        return NULL;
    range = take_range(area, most);
    if (!range)
        return NULL;
    block = (char *)round_up((uintptr_t)range + HEADER, alignment);
    end = block - HEADER + wanted;
    range = trim(area, range, most, block - HEADER, &end);
    *size = (size_t)(end - block);
    tbb_place_in_area(block, (size_t)(block - range), *size);
    return block;
}

bool tbb_area_resize(struct tbb_area *area, const struct tbb_place *place, char *block,
                     size_t *size)
{
    size_t wanted = round_up(*size, UNIT), old = place->usable;

    if (wanted < *size ||
        (wanted > old && !range_allocator_take_at(&area->ranges, block + old, wanted - old)))
        return false;
    if (wanted < old && !range_allocator_put(&area->ranges, block + wanted, old - wanted))
        wanted = old;
    tbb_place_in_area(block, (size_t)(block - (char *)place->outer), wanted);
    *size = wanted;
    return true;
}

/* A chunk that is empty goes back soon, but not each time. */
static void freed(struct tbb_area *area, size_t size)
{
    if (range_allocator_largest(&area->ranges) < CHUNK_ROOM ||
        atomic_fetch_add_explicit(&area->freed, size, memory_order_relaxed) + size < FREED_MOST)
        return;
    atomic_store_explicit(&area->freed, 0, memory_order_relaxed);
    (void)tbb_area_shrink(area, false);
}

void tbb_area_free(struct tbb_area *area, const struct tbb_place *place, const char *block)
{
    size_t size = (size_t)(block - (char *)place->outer) + place->usable;

    if (!range_allocator_put(&area->ranges, place->outer, size))
        callbacks->log("%s: no memory to note that %zu bytes are free: they stay unused",
                       place->heap->pages.kind->name, size);
    if (area->pool)
        freed(area, size);
}

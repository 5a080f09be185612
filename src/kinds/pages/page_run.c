/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see page_run.h. */
#include "kinds/pages/page_run.h"

#include <limits.h>
#include <string.h>

#include "kinds/pages/address_map.h"
#include "kinds/system/object_pool.h"
#include "kinds/system/os.h"

#define FITS_TRIED 16 /* runs of one bin, in search of the one that fits best */

static struct object_pool objects = {.size = sizeof(struct page_run)};

struct page_run *page_run_oldest, *page_run_newest;
size_t page_run_all_used, page_run_all_kept;

size_t page_run_unit(void)
{
    size_t page = os_page_size();

    return page > ADDRESS_MAP_UNIT ? page : ADDRESS_MAP_UNIT;
}

/* --- lists ------------------------------------------------------------------------------------ */

void page_run_age_add(struct page_run *older, struct page_run *run)
{
    struct page_run *newer = older ? older->newer : page_run_oldest;

    run->ages = true;
    run->older = older;
    run->newer = newer;
    *(older ? &older->newer : &page_run_oldest) = run;
    *(newer ? &newer->older : &page_run_newest) = run;
}

void page_run_age_remove(struct page_run *run)
{
    if (!run->ages)
        return;
    run->ages = false;
    *(run->older ? &run->older->newer : &page_run_oldest) = run->newer;
    *(run->newer ? &run->newer->older : &page_run_newest) = run->older;
}

static unsigned bin_of(size_t size)
{
    size_t units = size >> ADDRESS_MAP_UNIT_BITS;
    unsigned log, bin;

    if (units < 4)
        return (unsigned)units;
    log = 63 - (unsigned)__builtin_clzl(units);
    bin = (log - 1) * 4 + (unsigned)(units >> (log - 2) & 3);
    return bin < PAGE_RUN_BINS ? bin : PAGE_RUN_BINS - 1;
}

void page_run_enter(struct page_run *run, enum page_run_state state)
{
    struct page_run_set *set = run->set;
    unsigned bin = bin_of(run->size);

    run->state = state;
    set->size += run->size;
    if (state == RUN_USED) {
        set->used_size += run->size;
        page_run_all_used += run->size;
        LIST_INSERT_HEAD(&set->used, run, entry);
        return;
    }
    set->kept_size += run->kept;
    if (state == RUN_LEAVING) {
        LIST_INSERT_HEAD(&set->leaving, run, entry);
        return;
    }
    page_run_all_kept += run->ages ? run->kept : 0;
    LIST_INSERT_HEAD(&set->bins[bin], run, entry);
    set->filled[bin / 64] |= (uint64_t)1 << bin % 64;
}

void page_run_leave(struct page_run *run)
{
    struct page_run_set *set = run->set;
    unsigned bin = bin_of(run->size);

    set->size -= run->size;
    LIST_REMOVE(run, entry);
    if (run->state == RUN_USED) {
        set->used_size -= run->size;
        page_run_all_used -= run->size;
    } else {
        set->kept_size -= run->kept;
        page_run_all_kept -= run->state == RUN_FREE && run->ages ? run->kept : 0;
    }
    if (run->state == RUN_FREE && LIST_EMPTY(&set->bins[bin]))
        set->filled[bin / 64] &= ~((uint64_t)1 << bin % 64);
}

/* --- runs and their neighbours ---------------------------------------------------------------- */

struct page_run *page_run_make(struct page_run_set *set, char *start, size_t size)
{
    struct page_run *run = object_pool_get(&objects);

    if (run) {
        memset(run, 0, sizeof *run);
        run->set = set;
        run->start = start;
        run->size = size;
    }
    return run;
}

void page_run_drop(struct page_run *run)
{
    object_pool_put(&objects, run);
}

bool page_run_is_whole(const struct page_run *run)
{
    return !run->before && !run->behind;
}

void page_run_unlink(struct page_run *run)
{
    if (run->before)
        run->before->behind = run->behind;
    if (run->behind)
        run->behind->before = run->before;
}

/* Joins two free neighbours of no state. The larger one's record stays, and its age. */
static struct page_run *join(struct page_run *low, struct page_run *high)
{
    struct page_run *stays = low->size >= high->size ? low : high;
    struct page_run *goes = stays == low ? high : low;

    if (!stays->ages && goes->ages) {
        stays->freed = goes->freed;
        page_run_age_add(goes, stays);
    }
    page_run_age_remove(goes);
    page_run_unlink(goes);
    stays->start = low->start;
    stays->size += goes->size;
    stays->kept += goes->kept;
    stays->zeroed &= goes->zeroed;
    stays->purged |= goes->purged;
    page_run_drop(goes);
    return stays;
}

void page_run_free(struct page_run *run)
{
    struct page_run *before = run->before, *behind = run->behind;

    if (before && before->state == RUN_FREE) {
        page_run_leave(before);
        run = join(before, run);
    }
    if (behind && behind->state == RUN_FREE) {
        page_run_leave(behind);
        run = join(run, behind);
    }
    /* Of parts that were purged already: nothing else keeps the region. */
    if (page_run_is_whole(run) && !run->ages) {
        run->freed = RUN_AT_ONCE;
        page_run_age_add(NULL, run);
    }
    page_run_enter(run, RUN_FREE);
}

struct page_run *page_run_used_at(const void *address)
{
    struct page_run *run = address_map_run(address);

    return run && run->start == (const char *)address ? run : NULL;
}

struct page_run *page_run_find(const struct page_run_set *set, size_t size)
{
    for (unsigned bin = bin_of(size); bin < PAGE_RUN_BINS; bin++) {
        uint64_t filled = set->filled[bin / 64] >> bin % 64;
        struct page_run *run, *best = NULL;
        int tried = 0;

        if (!filled) {
            bin |= 63; /* none in this word */
            continue;
        }
        bin += (unsigned)__builtin_ctzl(filled);
        LIST_FOREACH (run, &set->bins[bin], entry) {
            if (run->size >= size && (!best || run->size < best->size))
                best = run;
            if (++tried == FITS_TRIED)
                break;
        }
        if (best)
            return best;
    }
    return NULL;
}

struct page_run *page_run_split(struct page_run *run, size_t size)
{
    struct page_run *end = page_run_make(run->set, run->start + size, run->size - size);

    if (!end)
        return NULL;
    end->before = run;
    end->behind = run->behind;
    if (run->behind)
        run->behind->before = end;
    run->behind = end;
    run->size = size;
    return end;
}

struct page_run *page_run_cut(struct page_run *run, size_t size)
{
    struct page_run *rest = NULL;

    if (!address_map_set_run(run->start, run))
        return NULL;
    page_run_leave(run);
    if (run->size > size) {
        rest = page_run_split(run, size);
        if (!rest) {
            address_map_set_run(run->start, NULL);
            page_run_enter(run, RUN_FREE);
            return NULL;
        }
        rest->kept = run->kept < rest->size ? run->kept : rest->size;
        rest->zeroed = run->zeroed;
        rest->purged = run->purged;
        rest->freed = run->freed;
        if (run->ages)
            page_run_age_add(run, rest);
        page_run_enter(rest, RUN_FREE);
    }
    page_run_age_remove(run);
    run->kept = run->kept < size ? run->kept : size;
    page_run_enter(run, RUN_USED);
    return run;
}

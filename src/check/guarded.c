/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see guarded.h. */
#include "check/guarded.h"

#include <pthread.h>
#include <string.h>

#include "check/red_zone.h"
#include "check/report.h"
#include "kinds/system/os.h"
#include "kinds/system/round.h"

#define AREA ((size_t)1 << GUARDED_AREA_BITS)
#define PAGE_LEAST ((size_t)4096)
#define PLACES_MOST (AREA / PAGE_LEAST / 2)
#define LIVE_MOST 512  /* guarded blocks of the process: each is two mappings more */
#define LIMIT_SHARE 16 /* of a kind's limit, an area takes no more than this part */

enum place_state { PLACE_UNUSED, PLACE_LIVE, PLACE_FREED };

/* A page for a block. */
struct place {
    enum place_state state;
    unsigned freed; /* number of the free; guarded by lock */
    struct block_facts facts;
};

struct guarded_area {
    struct guarded_area *_Atomic beside; /* in the bucket */
    struct guarded_area *unused;         /* among those without pages */
    struct heap *heap;
    unsigned domain;
    bool inherited; /* its pages are the parent's of a fork(2) */
    char *start;
    struct place places[PLACES_MOST];
};

struct guarded_area *_Atomic guarded_areas[GUARDED_BUCKETS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Guarded by lock: */
static struct guarded_area *unused_areas;
static size_t live;
static unsigned frees;

/* --- areas ------------------------------------------------------------------------------------ */

static struct guarded_area *_Atomic *bucket_of(const void *address)
{
    return &guarded_areas[(uintptr_t)address >> GUARDED_AREA_BITS & (GUARDED_BUCKETS - 1)];
}

static struct guarded_area *area_of(const void *address)
{
    struct guarded_area *area = atomic_load(bucket_of(address));

    while (area && (uintptr_t)address - (uintptr_t)area->start >= AREA)
        area = atomic_load(&area->beside);
    return area;
}

static size_t places_of_area(void)
{
    return (AREA / os_page_size() - 1) / 2;
}

static char *page_of(const struct guarded_area *area, size_t place)
{
    return area->start + (2 * place + 1) * os_page_size();
}

/* With the lock. Records are never unmapped: the handler may come late. */
static struct guarded_area *area_make(struct heap *heap, unsigned domain)
{
    struct guarded_area *area = unused_areas;
    bool zeroed;

    if (area)
        unused_areas = area->unused;
    else
        area = os_map(sizeof *area, os_page_size());
    if (!area)
        return NULL;
    memset(area, 0, sizeof *area);
    area->heap = heap;
    area->domain = domain;
    area->start = pool_map(&heap->pages, domain, AREA, AREA, &zeroed);
    if (!area->start || os_protect(area->start, AREA, false)) {
        if (area->start)
            pool_unmap(&heap->pages, area->start, AREA);
        area->unused = unused_areas;
        unused_areas = area;
        return NULL;
    }
    atomic_store(&area->beside, atomic_load(bucket_of(area->start)));
    atomic_store(bucket_of(area->start), area);
    return area;
}

/* With the lock. */
static struct guarded_area *area_here(struct heap *heap)
{
    unsigned domain = pool_domain(&heap->pages);

    for (size_t i = 0; i < GUARDED_BUCKETS; i++)
        for (struct guarded_area *area = atomic_load(&guarded_areas[i]); area;
             area = atomic_load(&area->beside))
            if (area->heap == heap && area->domain == domain && !area->inherited)
                return area;
    return area_make(heap, domain);
}

/* With the lock. One that was not used yet, or that is free for the longest time. */
static struct place *place_choose(struct guarded_area *area, char **page)
{
    struct place *best = NULL;

    for (size_t i = 0; i < places_of_area(); i++) {
        struct place *place = &area->places[i];

        if (place->state == PLACE_LIVE || (best && place->freed >= best->freed))
            continue;
        best = place;
        *page = page_of(area, i);
        if (place->state == PLACE_UNUSED)
            break;
    }
    return best;
}

/* --- blocks ----------------------------------------------------------------------------------- */

static bool is_live_at(const struct place *place, const void *address)
{
    return place->state == PLACE_LIVE && place->facts.address == address;
}

/* The place whose page the address is in; NULL: it is between two. */
static struct place *place_of(struct guarded_area *area, const void *address)
{
    size_t page = (size_t)((const char *)address - area->start) / os_page_size();

    return page % 2 && page / 2 < places_of_area() ? &area->places[page / 2] : NULL;
}

bool guarded_can_serve(const struct heap *heap, size_t alignment, size_t size)
{
    const struct page_pool *pool = &heap->pages;
    size_t page = os_page_size(), limit = pool_limit(pool);

    return size <= page && alignment <= page && !pool->kind->page_size &&
           (pool_is_demand_paged(pool) || pool_is_shared(pool)) &&
           (!limit || limit / LIMIT_SHARE >= AREA);
}

/* As far to the end of the page as its alignment allows. */
static char *address_in(char *page, size_t alignment, size_t size)
{
    if (!alignment)
        alignment = size <= 8 ? 8 : 16;
    return page + os_page_size() - round_up(size, alignment);
}

/* The bytes of the page around a block, as far as they are looked at. */
static void surroundings(const struct block_facts *facts, size_t *before, size_t *behind)
{
    size_t page = os_page_size(), at = (uintptr_t)facts->address % page;

    *before = at < RED_ZONE ? at : RED_ZONE;
    *behind = page - at - facts->size;
}

static void *place_fill(struct place *place, const struct block_facts *facts)
{
    size_t before, behind;

    place->facts = *facts;
    surroundings(facts, &before, &behind);
    red_zone_fill_part(facts->address - before, before);
    red_zone_fill_part(facts->address + facts->size, behind);
    place->state = PLACE_LIVE;
    live++;
    return facts->address;
}

static void *alloc_locked(struct block_facts *facts, size_t alignment)
{
    struct guarded_area *area = live < LIVE_MOST ? area_here(facts->heap) : NULL;
    struct place *place;
    char *page;

    place = area ? place_choose(area, &page) : NULL;
    if (!place || os_protect(page, os_page_size(), true))
        return NULL;
    if (pool_needs_commit(&facts->heap->pages) &&
        pool_commit(&facts->heap->pages, page, os_page_size())) {
        os_protect(page, os_page_size(), false);
        return NULL;
    }
    facts->address = address_in(page, alignment, facts->size);
    return place_fill(place, facts);
}

void *guarded_alloc(struct heap *heap, size_t alignment, size_t size)
{
    struct block_facts facts = {.heap = heap, .size = size};
    void *block;

    trace_take(&facts.allocated);
    pthread_mutex_lock(&lock);
    block = alloc_locked(&facts, alignment);
    pthread_mutex_unlock(&lock);
    return block;
}

/* With the lock. */
static void look_at_surroundings(const struct block_facts *facts, const struct trace *now)
{
    size_t before, behind;
    const char *damage;

    surroundings(facts, &before, &behind);
    damage = red_zone_damage_part(facts->address + facts->size, behind);
    if (damage)
        report_misuse(MISUSE_OVERFLOW, damage, facts, now);
    damage = red_zone_damage_part(facts->address - before, before);
    if (damage)
        report_misuse(MISUSE_UNDERFLOW, damage, facts, now);
}

/* With the lock. What an address is that is no live block. */
static void tell_no_block(const struct place *place, const void *address, const struct trace *now)
{
    enum misuse misuse = MISUSE_INTERIOR_FREE;

    if (!place || place->state == PLACE_UNUSED) {
        report_misuse(MISUSE_FOREIGN_FREE, address, NULL, now);
        return;
    }
    if (place->state == PLACE_FREED)
        misuse = MISUSE_DOUBLE_FREE;
    report_misuse(misuse, address, &place->facts, now);
}

bool guarded_free(void *address)
{
    struct guarded_area *area;
    struct place *place;
    struct trace now;
    char *page = (char *)round_down((uintptr_t)address, os_page_size());

    trace_take(&now);
    pthread_mutex_lock(&lock);
    area = area_of(address);
    place = area ? place_of(area, address) : NULL;
    if (area && !(place && is_live_at(place, address))) {
        tell_no_block(place, address, &now);
    } else if (area && !area->inherited) {
        look_at_surroundings(&place->facts, &now);
        place->facts.freed = now;
        place->freed = ++frees;
        place->state = PLACE_FREED;
        live--;
        os_protect(page, os_page_size(), false);
        (void)pool_purge(&area->heap->pages, page, os_page_size());
    }
    pthread_mutex_unlock(&lock);
    return area != NULL;
}

bool guarded_find(const void *address, struct heap **heap, size_t *size)
{
    struct guarded_area *area;
    const struct place *place;
    bool found;

    pthread_mutex_lock(&lock);
    area = area_of(address);
    place = area ? place_of(area, address) : NULL;
    found = place && is_live_at(place, address);
    *heap = found ? area->heap : NULL;
    *size = found ? place->facts.size : 0;
    pthread_mutex_unlock(&lock);
    return found;
}

/* --- all areas of a heap ---------------------------------------------------------------------- */

static void area_usage(const struct guarded_area *area, size_t *bytes, size_t *pages)
{
    for (size_t i = 0; i < places_of_area(); i++)
        if (area->places[i].state == PLACE_LIVE) {
            *bytes += area->places[i].facts.size;
            ++*pages;
        }
}

void guarded_usage(const struct heap *heap, size_t *bytes, size_t *pages)
{
    *bytes = *pages = 0;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < GUARDED_BUCKETS; i++)
        for (const struct guarded_area *area = atomic_load(&guarded_areas[i]); area;
             area = atomic_load(&area->beside))
            if (!area->inherited && (!heap || area->heap == heap))
                area_usage(area, bytes, pages);
    pthread_mutex_unlock(&lock);
}

/* With the lock. */
static void area_drop(struct guarded_area *area)
{
    size_t bytes = 0, pages = 0;

    area_usage(area, &bytes, &pages);
    if (!area->inherited)
        live -= pages;
    area->unused = unused_areas;
    unused_areas = area;
}

/* With the lock. Those of a heap; NULL: of all heaps that are no more. */
static void forget(const struct heap *heap)
{
    for (size_t i = 0; i < GUARDED_BUCKETS; i++) {
        struct guarded_area *_Atomic *at = &guarded_areas[i];
        struct guarded_area *area;

        while ((area = atomic_load(at)) != NULL)
            if (heap ? area->heap == heap : !area->heap->state) {
                atomic_store(at, atomic_load(&area->beside));
                area_drop(area);
            } else {
                at = &area->beside;
            }
    }
}

void guarded_forget(const struct heap *heap)
{
    pthread_mutex_lock(&lock);
    forget(heap);
    pthread_mutex_unlock(&lock);
}

void guarded_prefork(void)
{
    pthread_mutex_lock(&lock);
}

static void inherit(struct guarded_area *area)
{
    size_t bytes = 0, pages = 0;

    if (area->inherited || !pool_is_shared(&area->heap->pages))
        return;
    area_usage(area, &bytes, &pages);
    live -= pages;
    area->inherited = true;
}

void guarded_postfork(bool child)
{
    if (child) {
        forget(NULL);
        for (size_t i = 0; i < GUARDED_BUCKETS; i++)
            for (struct guarded_area *area = atomic_load(&guarded_areas[i]); area;
                 area = atomic_load(&area->beside))
                inherit(area);
    }
    pthread_mutex_unlock(&lock);
}

/* --- faults ----------------------------------------------------------------------------------- */

static const struct place *used_place(const struct guarded_area *area, size_t number)
{
    return number < places_of_area() && area->places[number].state != PLACE_UNUSED
               ? &area->places[number]
               : NULL;
}

static void tell_fault(enum misuse misuse, const void *address, const struct place *place)
{
    struct trace now;

    trace_take(&now);
    report_misuse(misuse, address, &place->facts, &now);
}

/* Between two blocks: it is the nearer one's. */
static void tell_between(const struct guarded_area *area, const char *address, size_t page)
{
    const struct place *before = used_place(area, page / 2 - 1);
    const struct place *behind = used_place(area, page / 2);
    bool near_end = (uintptr_t)address % os_page_size() >= os_page_size() / 2;

    if (before && !(near_end && behind))
        tell_fault(MISUSE_OVERFLOW, address, before);
    else if (behind)
        tell_fault(MISUSE_UNDERFLOW, address, behind);
}

/* In the handler of SIGSEGV. What is read here another thread may be changing: then a report is
 * wrong, and no more than that. */
static void look_at_fault(const void *address)
{
    static const void *_Atomic last;
    const struct guarded_area *area = area_of(address);
    size_t page = area ? (size_t)((const char *)address - area->start) / os_page_size() : 0;
    const struct place *place = area && page % 2 ? used_place(area, page / 2) : NULL;

    /* A handler of the program's that changes nothing makes it happen again. */
    if (!area || atomic_exchange(&last, address) == address)
        return;
    if (page % 2 == 0)
        tell_between(area, address, page);
    else if (place && place->state == PLACE_FREED)
        tell_fault(MISUSE_USE_AFTER_FREE, address, place);
}

void guarded_start(void)
{
    os_watch_faults(look_at_fault);
}

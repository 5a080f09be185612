/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see range_allocator.h. A list in the order of addresses, first fit: low
 * addresses are used again first, so that the end of a window stays whole. */
#include "kinds/pages/range_allocator.h"

#include <pthread.h>
#include <stdint.h>

#include "kinds/system/object_pool.h"

struct free_range {
    struct free_range *next;
    char *start;
    size_t size;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct object_pool objects = {.size = sizeof(struct free_range)}; /* guarded by lock */

/* Called with the lock. */
static struct free_range *range_make(struct free_range *next, char *start, size_t size)
{
    struct free_range *range = object_pool_get(&objects);

    if (range) {
        range->next = next;
        range->start = start;
        range->size = size;
    }
    return range;
}

void range_allocator_init(struct range_allocator *ranges)
{
    *ranges = (struct range_allocator){NULL};
}

void range_allocator_clear(struct range_allocator *ranges)
{
    pthread_mutex_lock(&lock);
    while (ranges->first) {
        struct free_range *range = ranges->first;

        ranges->first = range->next;
        object_pool_put(&objects, range);
    }
    pthread_mutex_unlock(&lock);
}

/* Joins a range with the one behind it, if they meet. Called with the lock. */
static void join_next(struct free_range *range)
{
    struct free_range *next = range->next;

    if (!next || range->start + range->size != next->start)
        return;
    range->size += next->size;
    range->next = next->next;
    object_pool_put(&objects, next);
}

/* Called with the lock. */
static bool put(struct range_allocator *ranges, char *start, size_t size)
{
    struct free_range **link = &ranges->first, *before = NULL, *range;

    while (*link && (*link)->start < start) {
        before = *link;
        link = &before->next;
    }
    if (before && before->start + before->size == start) {
        before->size += size;
        join_next(before);
        return true;
    }
    range = range_make(*link, start, size);
    if (!range)
        return false;
    *link = range;
    join_next(range);
    return true;
}

bool range_allocator_put(struct range_allocator *ranges, void *address, size_t size)
{
    bool done;

    pthread_mutex_lock(&lock);
    done = put(ranges, address, size);
    pthread_mutex_unlock(&lock);
    return done;
}

/* Cuts [start, start + size) out of the range at *link. False: no memory for the second rest.
 * Called with the lock. */
static bool cut(struct free_range **link, char *start, size_t size)
{
    struct free_range *range = *link;
    size_t lead = (size_t)(start - range->start), rest = range->size - lead - size;

    if (lead && rest) {
        struct free_range *behind = range_make(range->next, start + size, rest);

        if (!behind)
            return false;
        range->next = behind;
        range->size = lead;
    } else if (lead) {
        range->size = lead;
    } else if (rest) {
        range->start += size;
        range->size = rest;
    } else {
        *link = range->next;
        object_pool_put(&objects, range);
    }
    return true;
}

void *range_allocator_take(struct range_allocator *ranges, size_t size, size_t alignment)
{
    void *taken = NULL;

    pthread_mutex_lock(&lock);
    for (struct free_range **link = &ranges->first; *link && !taken; link = &(*link)->next) {
        uintptr_t start = (uintptr_t)(*link)->start;
        size_t lead = (0 - start) & (alignment - 1);

        if (lead >= (*link)->size || (*link)->size - lead < size)
            continue;
        if (!cut(link, (char *)start + lead, size))
            break;
        taken = (void *)(start + lead);
        break;
    }
    pthread_mutex_unlock(&lock);
    return taken;
}

void range_allocator_prefork(void)
{
    pthread_mutex_lock(&lock);
}

void range_allocator_postfork(void)
{
    pthread_mutex_unlock(&lock);
}

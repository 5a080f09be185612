/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see space.h. A list in the order of addresses, first fit: low addresses are
 * used again first, so that the end of a window stays whole. */
#include "kinds/space.h"

#include <pthread.h>
#include <stdint.h>

#include "kinds/records.h"

struct space_run {
    struct space_run *next;
    char *start;
    size_t size;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct records records = {.size = sizeof(struct space_run)}; /* guarded by lock */

/* Called with the lock. */
static struct space_run *run_make(struct space_run *next, char *start, size_t size)
{
    struct space_run *run = records_take(&records);

    if (run) {
        run->next = next;
        run->start = start;
        run->size = size;
    }
    return run;
}

void space_init(struct page_space *space)
{
    *space = (struct page_space){NULL};
}

void space_clear(struct page_space *space)
{
    pthread_mutex_lock(&lock);
    while (space->runs) {
        struct space_run *run = space->runs;

        space->runs = run->next;
        records_drop(&records, run);
    }
    pthread_mutex_unlock(&lock);
}

/* Joins a run with the one behind it, if they meet. Called with the lock. */
static void join_next(struct space_run *run)
{
    struct space_run *next = run->next;

    if (!next || run->start + run->size != next->start)
        return;
    run->size += next->size;
    run->next = next->next;
    records_drop(&records, next);
}

/* Called with the lock. */
static bool put(struct page_space *space, char *start, size_t size)
{
    struct space_run **link = &space->runs, *before = NULL, *run;

    while (*link && (*link)->start < start) {
        before = *link;
        link = &before->next;
    }
    if (before && before->start + before->size == start) {
        before->size += size;
        join_next(before);
        return true;
    }
    run = run_make(*link, start, size);
    if (!run)
        return false;
    *link = run;
    join_next(run);
    return true;
}

bool space_put(struct page_space *space, void *address, size_t size)
{
    bool done;

    pthread_mutex_lock(&lock);
    done = put(space, address, size);
    pthread_mutex_unlock(&lock);
    return done;
}

/* Cuts [start, start + size) out of the run at *link. False: no memory for the second rest. Called
 * with the lock. */
static bool cut(struct space_run **link, char *start, size_t size)
{
    struct space_run *run = *link;
    size_t lead = (size_t)(start - run->start), rest = run->size - lead - size;

    if (lead && rest) {
        struct space_run *behind = run_make(run->next, start + size, rest);

        if (!behind)
            return false;
        run->next = behind;
        run->size = lead;
    } else if (lead) {
        run->size = lead;
    } else if (rest) {
        run->start += size;
        run->size = rest;
    } else {
        *link = run->next;
        records_drop(&records, run);
    }
    return true;
}

void *space_take(struct page_space *space, size_t size, size_t alignment)
{
    void *taken = NULL;

    pthread_mutex_lock(&lock);
    for (struct space_run **link = &space->runs; *link && !taken; link = &(*link)->next) {
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

void space_prefork(void)
{
    pthread_mutex_lock(&lock);
}

void space_postfork(void)
{
    pthread_mutex_unlock(&lock);
}

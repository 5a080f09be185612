/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why: see busy.h. */
#include "busy.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/wait.h>

memkind_t busy_kind(int i)
{
    memkind_t kinds[BUSY_KINDS] = {MEMKIND_DEFAULT, MEMKIND_REGULAR, MEMKIND_HBW_PREFERRED,
                                   MEMKIND_DAX_KMEM_ALL, MEMKIND_INTERLEAVE};

    return kinds[i % BUSY_KINDS];
}

memkind_t busy_create(void)
{
    memkind_t kind;

    return test_create_kind((memkind_bits_t)0, &kind) ? NULL : kind;
}

bool busy_use(memkind_t kind, uint64_t seed)
{
    static const size_t sizes[] = {8, 100, 1500, 14000, 40000, 200000};
    void *blocks[LENGTH(sizes)];
    bool well = true;

    for (size_t i = 0; i < LENGTH(sizes); i++) {
        blocks[i] = memkind_malloc(kind, sizes[i]);
        if (!blocks[i])
            return false;
        test_fill(blocks[i], sizes[i], seed + i);
    }
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        well = well && test_holds(blocks[i], sizes[i], seed + i);
        well = well && memkind_detect_kind(blocks[i]) == kind;
        blocks[i] = memkind_realloc(kind, blocks[i], sizes[i] + 50);
        well = well && blocks[i] && test_holds(blocks[i], sizes[i], seed + i);
        memkind_free((seed + i) % 2 ? kind : NULL, blocks[i]);
    }
    return well;
}

int busy_status_of(pid_t child)
{
    int status;

    if (waitpid(child, &status, 0) != child)
        return 255;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* --- threads ---------------------------------------------------------------------------------- */

static atomic_bool stop;
static atomic_bool spoiled;
static atomic_ulong turns;

static void *keep_allocating(void *argument)
{
    uint64_t seed = (uintptr_t)argument;

    while (!stop) {
        if (!busy_use(busy_kind((int)(seed % BUSY_KINDS)), seed))
            spoiled = true;
        seed++;
        turns++;
    }
    return NULL;
}

static void *keep_creating(void *argument)
{
    (void)argument;
    while (!stop) {
        memkind_t kind = busy_create();

        if (!kind || !busy_use(kind, 77) || memkind_destroy_kind(kind))
            spoiled = true;
        turns++;
    }
    return NULL;
}

void busy_use_once(void)
{
    for (int i = 0; i < BUSY_KINDS; i++)
        if (!busy_use(busy_kind(i), 5))
            spoiled = true;
}

static void *use_once(void *argument)
{
    (void)argument;
    busy_use_once();
    return NULL;
}

/* Threads that begin and end, so that states and caches are made and flushed. */
static void *keep_starting(void *argument)
{
    while (!stop) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, use_once, argument))
            spoiled = true;
        else
            pthread_join(thread, NULL);
        turns++;
    }
    return NULL;
}

static void *keep_using(void *argument)
{
    memkind_t kind = argument;
    uint64_t seed = 1;

    while (!stop) {
        if (!busy_use(kind, seed++))
            spoiled = true;
        turns++;
    }
    return NULL;
}

#define BUSY 4

static pthread_t busy[BUSY];

void busy_start(void)
{
    void *(*const bodies[BUSY])(void *) = {keep_allocating, keep_allocating, keep_creating,
                                           keep_starting};

    for (uintptr_t i = 0; i < BUSY; i++)
        cr_assert_eq(pthread_create(&busy[i], NULL, bodies[i], (void *)i), 0);
}

void busy_start_with(memkind_t kind)
{
    for (int i = 0; i < BUSY; i++)
        cr_assert_eq(pthread_create(&busy[i], NULL, keep_using, kind), 0);
}

void busy_end(void)
{
    unsigned long before = turns;

    /* The parent's threads are still at work: a lock that a fork left taken would show here. */
    while (turns < before + 20)
        sched_yield();
    stop = true;
    for (int i = 0; i < BUSY; i++)
        pthread_join(busy[i], NULL);
    cr_expect(!spoiled, "a thread of the parent was disturbed");
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see locks.h. */
#include "backend_jemalloc/locks.h"

#include "backend_jemalloc/internal.h"

static bool taken; /* not before jemalloc has started; guarded by jem_lock */

static void for_each_arena(void (*function)(tsdn_t *tsdn, arena_t *arena))
{
    for (unsigned index = 0; index < narenas_total_get(); index++) {
        arena_t *arena = arena_get(TSDN_NULL, index, false);

        if (arena)
            function(TSDN_NULL, arena);
    }
}

static void take_all(void)
{
    static void (*const stages[])(tsdn_t * tsdn, arena_t * arena) = {
        arena_prefork0, arena_prefork1, arena_prefork2, arena_prefork3, arena_prefork4,
        arena_prefork5, arena_prefork6, arena_prefork7, arena_prefork8};

    ctl_prefork(TSDN_NULL);
    tcache_prefork(TSDN_NULL);
    malloc_mutex_prefork(TSDN_NULL, &arenas_lock);
    background_thread_prefork0(TSDN_NULL);
    prof_prefork0(TSDN_NULL);
    background_thread_prefork1(TSDN_NULL);
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
        for_each_arena(stages[i]);
    prof_prefork1(TSDN_NULL);
    stats_prefork(TSDN_NULL);
    tsd_prefork(NULL);
}

static void leave_all(void)
{
    tsd_postfork_parent(NULL);
    stats_postfork_parent(TSDN_NULL);
    for_each_arena(arena_postfork_parent);
    prof_postfork_parent(TSDN_NULL);
    background_thread_postfork_parent(TSDN_NULL);
    malloc_mutex_postfork_parent(TSDN_NULL, &arenas_lock);
    tcache_postfork_parent(TSDN_NULL);
    ctl_postfork_parent(TSDN_NULL);
}

/* The one lock in use that jemalloc's own handlers pass over: new nodes of its radix tree are made
 * under it. It comes between two of those that they take, so it cannot be taken beside them; but
 * half a node is none, and the memory's own lock is among theirs. */
static void renew_tree_lock(tsdn_t *tsdn)
{
    malloc_mutex_postfork_child(tsdn, &arena_emap_global.rtree.init_lock);
}

void jem_locks_prefork(tsd_t *tsd)
{
    taken = atomic_load_explicit(&jem_ready, memory_order_acquire);
    if (tsd)
        jemalloc_prefork();
    else if (taken)
        take_all();
}

void jem_locks_postfork_parent(tsd_t *tsd)
{
    if (tsd)
        jemalloc_postfork_parent();
    else if (taken)
        leave_all();
}

void jem_locks_postfork_child(tsd_t *tsd)
{
    if (taken)
        renew_tree_lock(tsd_tsdn(tsd));
    if (tsd)
        jemalloc_postfork_child();
    else if (taken)
        leave_all();
}

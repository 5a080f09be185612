/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * manager: the table of the heap manager JEMALLOC, and its fork handlers.
 *
 * jemalloc's own pthread_atfork() call is built out (cmake/jemalloc.cmake): its locks are taken
 * here, in one order with ours.
 */
#include <stdbool.h>

#include "backend_jemalloc/arena_set.h"
#include "backend_jemalloc/block.h"
#include "backend_jemalloc/fast.h"
#include "backend_jemalloc/heap.h"
#include "backend_jemalloc/internal.h"
#include "backend_jemalloc/purge.h"
#include "backend_jemalloc/reclaim.h"
#include "backend_jemalloc/start.h"
#include "backend_jemalloc/stats.h"
#include "backend_jemalloc/thread.h"
#include "heap_manager.h"
#include "kinds/system/callout.h"
#include "kinds/system/guard.h"

/* NOLINTNEXTLINE(readability-non-const-parameter): the table's type */
static int load(const struct heap_settings *settings, char why[HEAP_WHY])
{
    static const struct callout_functions callouts = {jem_thread_hide, jem_thread_show};

    (void)why;
    callout_set(&callouts);
    jem_settings = *settings;
    (void)jem_start(); /* where this fails, the first heap tries again */
    return 0;
}

/* Whether prefork() has taken jemalloc's locks, which it does not do if the forking thread has no
 * jemalloc data and no memory for it. Guarded by jem_lock. */
static bool jemalloc_locked;

/* Locks, outermost first: see README.md. */
static void prefork(void)
{
    bool able = jem_tsd() != NULL;

    orphans_prefork();
    jem_heap_prefork();
    jem_reclaim_prefork();
    jem_purge_lock();
    pthread_mutex_lock(&jem_lock);
    jemalloc_locked = able;
    if (able)
        jemalloc_prefork();
    jem_thread_prefork();
}

static void postfork_parent(void)
{
    jem_thread_postfork();
    if (jemalloc_locked)
        jemalloc_postfork_parent();
    pthread_mutex_unlock(&jem_lock);
    jem_purge_unlock();
    jem_reclaim_postfork();
    jem_heap_postfork();
    orphans_postfork();
}

/* The one lock in use that jemalloc's own handlers pass over: new nodes of its radix tree are made
 * under it. It comes between two of those that they take, so it cannot be taken beside them; but
 * half a node is none, and the memory's own lock is among theirs. */
static void renew_tree_lock(tsdn_t *tsdn)
{
    malloc_mutex_postfork_child(tsdn, &arena_emap_global.rtree.init_lock);
}

static void postfork_child(void)
{
    jem_thread_postfork();
    if (jemalloc_locked) {
        renew_tree_lock(tsd_tsdn(jem_tsd()));
        jemalloc_postfork_child();
        jem_arena_set_postfork_child(tsd_tsdn(jem_tsd()));
        jem_heap_postfork_child(jem_tsd());
        jem_thread_postfork_child();
    } else {
        jem_arena_set_postfork_child(TSDN_NULL);
        jem_heap_postfork_child(NULL);
    }
    pthread_mutex_unlock(&jem_lock);
    jem_purge_unlock();
    jem_reclaim_postfork();
    jem_heap_postfork();
    orphans_postfork();
}

static bool give_back(void)
{
    struct guard guard;

    guard_enter(&guard);
    jem_free_orphans(false);
    guard_leave(&guard);
    return jem_give_back();
}

static ssize_t trim(struct heap *heap)
{
    struct guard guard;

    guard_enter(&guard);
    jem_free_orphans(true);
    guard_leave(&guard);
    return jem_trim(heap);
}

static int *countdown(void)
{
    return jem_thread_now->slots ? &jem_thread_now->calls : NULL;
}

const struct heap_manager heap_manager_jemalloc = {
    .name = "JEMALLOC",
    .load = load,
    .heap_create = jem_heap_create,
    .heap_destroy = jem_heap_destroy,
    .countdown = countdown,
    .malloc = jem_malloc,
    .calloc = jem_calloc,
    .aligned_alloc = jem_aligned_alloc,
    .realloc = jem_realloc,
    .free = jem_free,
    .usable_size = jem_usable_size,
    .detect = jem_detect,
    .defrag = jem_defrag,
    .update_stats = jem_update_stats,
    .stat = jem_stat,
    .stats_print = jem_stats_print,
    .give_back = give_back,
    .trim = trim,
    .prefork = prefork,
    .postfork_parent = postfork_parent,
    .postfork_child = postfork_child,
};

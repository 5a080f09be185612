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
#include "backend_jemalloc/locks.h"
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
    if (settings->looks)
        jem_trusted_pages = 0;
    (void)jem_start(); /* where this fails, the first heap tries again */
    return 0;
}

/* jemalloc's data of the forking thread; NULL: it has none, and no memory for it. Guarded by
 * jem_lock. */
static tsd_t *forking_tsd;

/* Locks, outermost first: see README.md. */
static void prefork(void)
{
    tsd_t *tsd;

    jem_start_prefork();
    tsd = jem_tsd();
    orphans_prefork();
    jem_heap_prefork();
    jem_reclaim_prefork();
    jem_purge_lock();
    pthread_mutex_lock(&jem_lock);
    forking_tsd = tsd;
    jem_locks_prefork(tsd);
    jem_thread_prefork();
}

static void postfork_parent(void)
{
    jem_thread_postfork();
    jem_locks_postfork_parent(forking_tsd);
    pthread_mutex_unlock(&jem_lock);
    jem_purge_unlock();
    jem_reclaim_postfork();
    jem_heap_postfork();
    orphans_postfork();
    jem_start_postfork();
}

static void postfork_child(void)
{
    jem_thread_postfork();
    jem_locks_postfork_child(forking_tsd);
    jem_arena_set_postfork_child(tsd_tsdn(forking_tsd));
    jem_heap_postfork_child(forking_tsd);
    if (atomic_load_explicit(&jem_ready, memory_order_acquire))
        jem_thread_postfork_child();
    pthread_mutex_unlock(&jem_lock);
    jem_purge_unlock();
    jem_reclaim_postfork();
    jem_heap_postfork();
    orphans_postfork();
    jem_start_postfork();
}

static bool give_back(void)
{
    struct guard guard;
    tsd_t *tsd;
    bool more = false;

    guard_enter(&guard);
    jem_free_orphans(false);
    tsd = jem_tsd();
    if (tsd) {
        more = jem_purge_decayed(tsd);
        more |= jem_thread_steal_idle(tsd);
    }
    guard_leave(&guard);
    return more;
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

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * manager: the table of the heap manager JEMALLOC, its start and its fork handlers.
 *
 * jemalloc's own load-time constructor and pthread_atfork() call are built out (cmake/): it starts
 * here, and its locks are taken here, in one order with ours.
 */
#include "backend_jemalloc/jem.h"

#include <errno.h>
#include <stdatomic.h>

#include "kinds/system/callbacks.h"

pthread_mutex_t jem_lock = PTHREAD_MUTEX_INITIALIZER;
struct heap_settings jem_settings;
atomic_bool jem_ready;

/* jemalloc aborts where memory or a pthread key fails it in the middle of its start. So both are
 * tried beforehand: memory with two holes, since it makes three mappings that may not be
 * neighbours; the key's number is then jemalloc's, and its place in this thread exists. */
static bool can_start(void)
{
    size_t size = (size_t)16 << 20, page = os_page_size();
    pthread_key_t key;
    char *memory;
    bool able;

    if (pthread_key_create(&key, NULL))
        return false;
    able = pthread_setspecific(key, &key) == 0;
    pthread_key_delete(key);
    memory = able ? os_map(size, page) : NULL;
    if (!memory)
        return false;
    able = os_unmap(memory + size / 4, page) == 0 && os_unmap(memory + size / 2, page) == 0;
    return os_unmap(memory, size) == 0 && able;
}

/* Called with start_lock. */
static int start(void)
{
    static bool broken; /* jemalloc stopped halfway: it cannot be tried again */
    uint64_t epoch = 1;

    if (broken || !can_start())
        return MEMKIND_ERROR_MALLOC;
    opt_retain = false; /* why: see extent.c */
    broken = je_mallctl("epoch", NULL, NULL, &epoch, sizeof epoch) != 0;
    if (!broken)
        jem_cache_start();
    return broken ? MEMKIND_ERROR_MALLOC : jem_thread_take_key();
}

int jem_start(void)
{
    static pthread_mutex_t start_lock = PTHREAD_MUTEX_INITIALIZER;
    int error = 0;

    if (likely(atomic_load_explicit(&jem_ready, memory_order_acquire)))
        return 0;
    pthread_mutex_lock(&start_lock);
    if (!atomic_load_explicit(&jem_ready, memory_order_relaxed))
        error = start();
    if (!error)
        atomic_store_explicit(&jem_ready, true, memory_order_release);
    pthread_mutex_unlock(&start_lock);
    if (error)
        callbacks->log("jemalloc cannot start now");
    return error;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the table's type */
static int load(const struct heap_settings *settings, char why[HEAP_WHY])
{
    (void)why;
    jem_settings = *settings;
    (void)jem_start(); /* if not now, then with the first heap */
    return 0;
}

/* jemalloc's locks are taken; guarded by jem_lock. Not so if the forking thread has no jemalloc
 * data and no memory for it. */
static bool jemalloc_locked;

/* Lock order: see jem.h. */
static void prefork(void)
{
    bool able = jem_tsd() != NULL;

    jem_extent_prefork();
    pthread_mutex_lock(&jem_lock);
    jemalloc_locked = able;
    if (able)
        jemalloc_prefork();
}

static void postfork_parent(void)
{
    if (jemalloc_locked)
        jemalloc_postfork_parent();
    pthread_mutex_unlock(&jem_lock);
    jem_extent_postfork();
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
    if (jemalloc_locked) {
        renew_tree_lock(tsd_tsdn(jem_tsd()));
        jemalloc_postfork_child();
        jem_thread_postfork_child();
    } else {
        jem_arena_set_postfork_child(NULL);
    }
    pthread_mutex_unlock(&jem_lock);
    jem_extent_postfork();
}

const struct heap_manager heap_manager_jemalloc = {
    .name = "JEMALLOC",
    .load = load,
    .heap_create = jem_arena_set_heap_create,
    .heap_destroy = jem_arena_set_heap_destroy,
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
    .background_threads = jem_background_threads,
    .prefork = prefork,
    .postfork_parent = postfork_parent,
    .postfork_child = postfork_child,
};

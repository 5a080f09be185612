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

#include "kinds/host.h"

pthread_mutex_t jem_lock = PTHREAD_MUTEX_INITIALIZER;
struct heap_settings jem_settings;

static int load(const struct heap_settings *settings)
{
    uint64_t epoch = 1;

    jem_settings = *settings;
    jem_thread_load();
    if (je_mallctl("epoch", NULL, NULL, &epoch, sizeof epoch)) {
        host->log("jemalloc does not start");
        return MEMKIND_ERROR_MALLOC;
    }
    jem_thread_loaded();
    return 0;
}

/* Lock order: see jem.h; the page layer's lock comes last. */
static void prefork(void)
{
    pthread_mutex_lock(&jem_lock);
    jemalloc_prefork();
    pool_prefork();
}

static void postfork_parent(void)
{
    pool_postfork();
    jemalloc_postfork_parent();
    pthread_mutex_unlock(&jem_lock);
}

static void postfork_child(void)
{
    pool_postfork();
    jemalloc_postfork_child();
    jem_thread_postfork_child();
    pthread_mutex_unlock(&jem_lock);
}

const struct heap_manager heap_manager_jemalloc = {
    .name = "JEMALLOC",
    .load = load,
    .heap_create = jem_group_heap_create,
    .heap_destroy = jem_group_heap_destroy,
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
    .background_threads = jem_background_threads,
    .prefork = prefork,
    .postfork_parent = postfork_parent,
    .postfork_child = postfork_child,
};

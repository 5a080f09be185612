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
bool jem_ready;

/* jemalloc aborts when it runs out of memory in the middle of its start, but not before it. */
static bool memory_for_start(void)
{
    size_t size = (size_t)16 << 20;
    void *probe = os_map(size, os_page_size());

    return probe && os_unmap(probe, size) == 0;
}

static int load(const struct heap_settings *settings)
{
    uint64_t epoch = 1;

    jem_settings = *settings;
    if (!memory_for_start() || je_mallctl("epoch", NULL, NULL, &epoch, sizeof epoch)) {
        host->log("jemalloc does not start");
        return MEMKIND_ERROR_MALLOC;
    }
    jem_ready = jem_thread_take_key() == 0;
    return jem_ready ? 0 : MEMKIND_ERROR_MALLOC;
}

/* jemalloc's locks are taken; guarded by jem_lock. Not so if the forking thread has no jemalloc
 * data and no memory for it. */
static bool jemalloc_locked;

/* Lock order: see jem.h; the page layer's lock comes last. */
static void prefork(void)
{
    bool able = jem_tsd() != NULL;

    pthread_mutex_lock(&jem_lock);
    jemalloc_locked = able;
    if (able)
        jemalloc_prefork();
    pool_prefork();
}

static void postfork_parent(void)
{
    pool_postfork();
    if (jemalloc_locked)
        jemalloc_postfork_parent();
    pthread_mutex_unlock(&jem_lock);
}

static void postfork_child(void)
{
    pool_postfork();
    if (jemalloc_locked) {
        jemalloc_postfork_child();
        jem_thread_postfork_child();
    }
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

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * manager: the table of the heap manager TBB, its start and its fork handlers.
 */
#include "backend_tbb/lookup.h"

#include "kinds/system/callout.h"

static bool hogs_memory; /* written by load(), read by start() */

static int load(const struct heap_settings *settings, char why[HEAP_WHY])
{
    hogs_memory = settings->hog_memory;
    tbb_marks = settings->looks;
    if (tbb_marks)
        atomic_fetch_or(&tbb_gate, TBB_GATE_MARKS);
    return tbb_thread_load(why); /* before the library takes a key: see thread.c */
}

static int start(const struct heap_library *library, char why[HEAP_WHY])
{
    static const struct callout_functions callouts = {tbb_thread_hide, tbb_thread_show};
    int error;

    tbb_lookup_load();
    error = tbb_library_start(library, why);
    if (error)
        return error;
    callout_set(&callouts);
    if (hogs_memory)
        run_cache_hog();
    return 0;
}

static void prefork(void)
{
    orphans_prefork();
    tbb_thread_prefork();
    run_cache_prefork();
}

static void postfork_parent(void)
{
    run_cache_postfork(false);
    tbb_thread_postfork_parent();
    orphans_postfork();
}

static void postfork_child(void)
{
    run_cache_postfork(true);
    tbb_heap_postfork_child();
    tbb_thread_postfork_child();
    orphans_postfork();
}

const struct heap_manager heap_manager_tbb = {
    .name = "TBB",
    .load = load,
    .open = tbb_library_open,
    .close = tbb_library_close,
    .start = start,
    .unload = tbb_thread_unload,
    .heap_create = tbb_heap_create,
    .heap_destroy = tbb_heap_destroy,
    .malloc = tbb_malloc,
    .calloc = tbb_calloc,
    .aligned_alloc = tbb_aligned_alloc,
    .realloc = tbb_realloc,
    .free = tbb_free,
    .malloc_looking = tbb_malloc_looking,
    .free_looking = tbb_free_looking,
    .foreign = &tbb_foreign,
    .usable_size = tbb_usable_size,
    .detect = tbb_detect,
    .defrag = tbb_defrag,
    .update_stats = tbb_update_stats,
    .stat = tbb_stat,
    .stats_print = tbb_stats_print,
    .give_back = tbb_give_back,
    .trim = tbb_trim,
    .await_thread_exits = tbb_thread_await_exits,
    .prefork = prefork,
    .postfork_parent = postfork_parent,
    .postfork_child = postfork_child,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* What it does, and when: see start.h. */
#include "backend_jemalloc/start.h"

#include <pthread.h>

#include "backend_jemalloc/cache.h"
#include "backend_jemalloc/fast.h"
#include "backend_jemalloc/internal.h"
#include "backend_jemalloc/steal.h"
#include "backend_jemalloc/thread.h"
#include "kinds/system/callbacks.h"
#include "kinds/system/os.h"

/* jemalloc aborts where memory or a pthread key fails it in the middle of its start. So both are
 * tried beforehand: memory with two holes, since it makes three mappings that may not be
 * neighbours, and a key, whose number jemalloc then gets, and whose place in this thread exists. */
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
    opt_retain = false; /* why: see extent_hooks.c */
    /* An unused extent is split for a block however small. By default jemalloc passes over extents
     * of more than 64 times the size; but slabs that are freed together are joined into larger
     * ones, which small blocks then never get again: memory ran away. */
    opt_lg_extent_max_active_fit = SC_PTR_BITS;
    /* A slab has as many pages as its blocks fill without a rest: with pages of 64 KiB up to
     * 448 KiB, for the first block of 112 bytes. One page leaves no more than a fortieth unused. */
    if (LG_PAGE >= 16)
        je_malloc_conf = "slab_sizes:1-4096:1";
    broken = je_mallctl("epoch", NULL, NULL, &epoch, sizeof epoch) != 0;
    if (broken)
        return MEMKIND_ERROR_MALLOC;
    jem_fast_start();
    jem_cache_start();
    jem_steal_start();
    return jem_thread_take_key();
}

static pthread_mutex_t start_lock = PTHREAD_MUTEX_INITIALIZER;

int jem_start(void)
{
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

void jem_start_prefork(void)
{
    pthread_mutex_lock(&start_lock);
}

void jem_start_postfork(void)
{
    pthread_mutex_unlock(&start_lock);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* What it is for: see internal.h. Threads: any. */
#include "backend_jemalloc/internal.h"

#include "backend_jemalloc/fast.h"
#include "backend_jemalloc/retained.h"
#include "kinds/system/leftover.h"
#include "kinds/system/os.h"

#define STOCK ((size_t)2 << 20)
#define STOCK_LEAST ((size_t)128 << 10)

pthread_mutex_t jem_lock = PTHREAD_MUTEX_INITIALIZER;
struct heap_settings jem_settings;
atomic_bool jem_ready;

/* --- jemalloc's data of a thread -------------------------------------------------------------- */

/* What jemalloc does itself when it first meets a thread, except that it would abort where there is
 * no memory for it. */
static tsd_t *tsd_make(void)
{
    tsd_wrapper_t *wrapper;
#pragma GCC diagnostic push /* the macro leaves some fields out */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
    tsd_t blank = TSD_INITIALIZER;
#pragma GCC diagnostic pop

    if (tsd_get(false))
        return tsd_fetch();
    wrapper = malloc_tsd_malloc(sizeof *wrapper);
    if (!wrapper)
        return NULL;
    wrapper->initialized = false;
    wrapper->val = blank;
    if (pthread_setspecific(tsd_tsd, wrapper)) {
        malloc_tsd_dalloc(wrapper);
        return NULL;
    }
    return tsd_fetch();
}

tsd_t *jem_tsd(void)
{
    struct jem_thread *thread = jem_thread_now;

    if (likely(thread->slots))
        return thread->tsd;
    return atomic_load_explicit(&jem_ready, memory_order_acquire) ? tsd_make() : NULL;
}

/* --- memory for the heap manager itself ------------------------------------------------------- */

/*
 * Arena 0 has jemalloc's own hooks: ours would want a thread's data, and that data comes from this
 * arena. So it is given pages in advance instead of steps; without them, each of its extents would
 * be a mapping of its own.
 */
static void stock(tsd_t *tsd)
{
    tsdn_t *tsdn = tsd_tsdn(tsd);
    arena_t *arena = arena_get(tsdn, 0, false);
    void *address;

    if (jem_retained_bytes(arena) >= STOCK_LEAST)
        return;
    address = os_map(STOCK, PAGE);
    if (address && !jem_retained_add_pages(tsdn, arena, address, STOCK, true, true))
        leftover_unmap(address, STOCK);
}

void *jem_internal_alloc(tsd_t *tsd, size_t size)
{
    stock(tsd);
    return iallocztm(tsd_tsdn(tsd), size, sz_size2index(size), true, NULL, true,
                     arena_get(TSDN_NULL, 0, true), true);
}

void jem_internal_free(tsd_t *tsd, void *block)
{
    idalloctm(tsd_tsdn(tsd), block, NULL, NULL, true, true);
}

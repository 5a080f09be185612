/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * internal: what every module of this folder stands on: jemalloc's data of the calling thread,
 * memory for the heap manager itself, the lock of its lists, and its settings.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "backend_jemalloc/jemalloc_internals.h"
#include "heap_manager.h"

/* Guards the arena sets, the counts of threads of their arenas, and the list of threads. */
extern pthread_mutex_t jem_lock;
extern struct heap_settings jem_settings; /* written once, before the first heap */
extern atomic_bool jem_ready;             /* jemalloc has started, see start.h */

/* jemalloc's data of the calling thread, made at the first call. NULL: jemalloc has not started, or
 * there is no memory. */
tsd_t *jem_tsd(void);

/* Memory for the heap manager itself, from jemalloc's arena 0. Zeroed, or NULL. */
void *jem_internal_alloc(tsd_t *tsd, size_t size);
void jem_internal_free(tsd_t *tsd, void *block);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * purge: dirty pages, which an arena had blocks in and keeps for the next ones, go back to the
 * system: after the decay time, and at once where there are more of them than POOL_UNUSED_LEAST, or
 * than a quarter of what is live (kinds/pages/pool.h).
 *
 * jemalloc purges an arena only when a thread is at work in that arena, and then all that is due in
 * one call. Here, whatever thread comes to a slow path, or the library's background thread, serves
 * all arenas of the process in turn, with POOL_PURGE_STEP of pages at most: about a millisecond.
 * Only a thread that has freed more than that itself, as a rule one large block, pays for as much
 * as it has freed. jemalloc's own clock is stopped, and its background threads never run.
 *
 * Threads: any that hold none of this folder's locks. The lock of purges comes before jem_lock: an
 * arena set is destroyed with it, so that nobody purges arenas whose pool is being closed.
 */
#pragma once

#include <stddef.h>

#include "backend_jemalloc/jemalloc_internals.h"
#include "heap_manager.h"

/* Stops jemalloc's own clock for the thread: it counts a thread's operations down. */
void jem_purge_stop_clock(tsd_t *tsd);

/* Gives back a step of what is due, if it is time for that. True: there is more. */
bool jem_purge_decayed(tsd_t *tsd);

/* The calling thread has made `size` bytes of pages dirty. Once that amounts to something, gives
 * back what is beyond the bound. */
void jem_purge_note(size_t size);
void jem_purge_excess(tsd_t *tsd);

/* Gives back all unused pages of a heap; NULL: of all. */
void jem_purge_unused(tsd_t *tsd, const struct heap *heap);

/* The last thread of an arena, which may be gone by now, has left it: gives back all but one step.
 */
void jem_purge_left(tsd_t *tsd, unsigned index);

void jem_purge_lock(void);
bool jem_purge_trylock(void);
void jem_purge_unlock(void);

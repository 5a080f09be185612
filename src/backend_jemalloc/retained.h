/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * retained: pages that belong to an arena and are not in use, in jemalloc's list of retained
 * extents. jemalloc uses them before it asks for new pages, and joins them with what comes back.
 *
 * Threads: any; jemalloc's locks are taken inside.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "backend_jemalloc/jemalloc_internals.h"
#include "kinds/pages/pool.h"

/* An extent that has been taken out of another list, or is new. False: there is no memory to note
 * it; the extent is gone, its pages are the caller's. */
bool jem_retained_add(tsdn_t *tsdn, arena_t *arena, edata_t *extent);

/* Pages that the arena has been given. False: there is no memory to note them. */
bool jem_retained_add_pages(tsdn_t *tsdn, arena_t *arena, void *address, size_t size, bool zeroed,
                            bool committed);

size_t jem_retained_bytes(arena_t *arena);

/* Whether a thread is at work giving back what the arena has not used for its decay time: what
 * it has taken out of the arena's lists is in none, and is retained in the end if it cannot go. */
bool jem_retained_is_purging(tsdn_t *tsdn, arena_t *arena);
/* Gives back, or retains, all that the arena does not use. jemalloc does nothing where another
 * thread is at it already: that one is awaited. */
void jem_retained_purge(tsdn_t *tsdn, arena_t *arena);

/* Gives back what an arena retains, as far as the pool takes it. */
void jem_retained_release(tsdn_t *tsdn, struct page_pool *pool, arena_t *arena);

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

/* An extent that has been taken out of another list, or is new. */
void jem_retained_add(tsdn_t *tsdn, arena_t *arena, edata_t *extent);

/* Pages that the arena has been given. They are lost to it where there is no memory to note them;
 * they go back when their heap is destroyed. */
void jem_retained_add_pages(tsdn_t *tsdn, arena_t *arena, void *address, size_t size, bool zeroed,
                            bool committed);

size_t jem_retained_bytes(arena_t *arena);

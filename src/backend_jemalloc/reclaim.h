/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * reclaim: the last pages of a pool.
 *
 * When a pool has no more, the pages that other arenas of the arena set hold unused are all given
 * back, and what no arena can give back is found where it is. It runs under a lock of its own,
 * because pages on their way from an arena to the pool are in neither.
 *
 * Threads: any. The lock of reclaims comes before jem_lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "backend_jemalloc/arena_set.h"

/* Gives the pool back what the arena set does not use: the calling thread's caches of its heap and
 * all free pages of its arenas. False: there was nothing. */
bool jem_reclaim(tsd_t *tsd, struct jem_arena_set *set);

/* The same for what other threads' caches have, which must fetch it anew then. False: they have
 * nothing. */
bool jem_reclaim_from_threads(tsd_t *tsd, struct jem_arena_set *set);

/* As the table of heap managers has it (heap_manager.h). */
ssize_t jem_trim(struct heap *heap);

/* Joins what the arena set's arenas do not use, which costs far less than to give it back: a
 * program whose sizes change has free pages, but none in a row. False: they have none. */
bool jem_reclaim_join(tsd_t *tsd, struct jem_arena_set *set);

/* Whether the arena could have a block of this usable size: without new pages, or with. */
bool jem_reclaim_may_serve(tsd_t *tsd, const struct jem_arena_set *set, arena_t *arena,
                           size_t usize);

/* Around fork(2), before and after jem_lock. */
void jem_reclaim_prefork(void);
void jem_reclaim_postfork(void);

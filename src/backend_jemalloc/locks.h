/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * locks: all of jemalloc's locks, around fork(2).
 *
 * jemalloc's own functions for that want data of the forking thread. One that has none, and no
 * memory for it, forks all the same, and its child must not find locks taken that nobody frees. So
 * here is what those functions do, in their order, which works without data; the child unlocks as
 * the parent does. (Counts of threads that jemalloc's own would begin anew there are not used.)
 *
 * Threads: the forking one, which holds all locks of ours that come before.
 */
#pragma once

#include "backend_jemalloc/jemalloc_internals.h"

/* tsd NULL: the thread has no data. The same in each of the three. */
void jem_locks_prefork(tsd_t *tsd);
void jem_locks_postfork_parent(tsd_t *tsd);
void jem_locks_postfork_child(tsd_t *tsd);

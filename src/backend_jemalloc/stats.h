/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * stats: what a heap holds, as jemalloc counts it.
 *
 * An update reads the counters of every arena, and what is in threads' caches; until then every
 * reader sees the last figures. A heap's are those of its arenas; in the child of a fork(2) that
 * shares a heap's pages with its parent, those of its own. Every function sees to jemalloc's data
 * of the thread first, which jemalloc itself would abort over.
 *
 * Threads: any. An update holds jem_lock, which a thread's first allocation needs, for one arena or
 * one kind's caches at a time: jemalloc's own (its "epoch") took 0.2 ms for each kind.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "heap_manager.h"

/* As the table of heap managers has them (heap_manager.h). */
int jem_update_stats(void);
int jem_stat(struct heap *heap, memkind_stat_type type, size_t *value);
int jem_stats_print(void (*write)(void *opaque, const char *text), void *opaque,
                    memkind_stat_print_opt options);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * stats: what a heap holds, as jemalloc counts it.
 *
 * jemalloc sums its counters when its epoch is advanced; until then every reader sees the last
 * sums. A heap's numbers are those of its arenas; in the child of a fork(2) that shares a heap's
 * pages with its parent, those of its own. Every function sees to jemalloc's data of the thread
 * first, which jemalloc itself would abort over. Threads: jem_lock while arenas are walked.
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

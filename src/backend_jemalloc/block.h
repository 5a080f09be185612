/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * block: allocation and deallocation through the caches, and what an address belongs to.
 *
 * What the thread's cache can answer at once is inline in the frontend (fast.h) and does not come
 * here. Whatever does (first use, empty or full bin, large block, a kind with several locality
 * domains, a thread on its way out) is done with what the thread has, down to the arena without any
 * cache.
 *
 * Lookup: jemalloc's radix tree maps every page of a slab, and the first and last page of a large
 * block, to its extent, which knows its arena and so its arena set. Reading it takes no lock. A
 * pointer that is not the start of a block is no block.
 *
 * Threads: any; see thread.h for the states a thread can be in.
 */
#pragma once

#include <stddef.h>

#include "heap_manager.h"

/* As the table of heap managers has them (heap_manager.h). */
void *jem_malloc(struct heap *heap, size_t size);
void *jem_calloc(struct heap *heap, size_t size);
void *jem_aligned_alloc(struct heap *heap, size_t alignment, size_t size);
void *jem_realloc(struct heap *heap, void *block, size_t size);
void jem_free(struct heap *heap, void *block);
size_t jem_usable_size(const void *block);
struct heap *jem_detect(const void *block);
void *jem_defrag(void *block);

/* Frees what other threads could not free, if the calling one can. `wait`: all of it, also what
 * another one is at; called without locks. */
void jem_free_orphans(bool wait);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * heap: the arena sets of one kind, made when a thread in their locality domain needs them.
 *
 * A kind whose pages a child of fork(2) shares with its parent begins anew there: its arena sets
 * are frozen. Their blocks are known, read and copied, but nothing of them is used again.
 *
 * Threads: any, except that nobody uses a heap while it is destroyed; a finished arena set is
 * made visible with a release store.
 */
#pragma once

#include <stdatomic.h>
#include <sys/queue.h>

#include "backend_jemalloc/arena_set.h"

/* What heap->state points to. */
struct jem_heap {
    struct heap *heap;
    LIST_ENTRY(jem_heap) entry;   /* in the list of all */
    struct jem_arena_set *frozen; /* of before a fork(2), in the child, where pages are shared */
    unsigned domains;
    struct jem_arena_set *_Atomic sets[]; /* by domain; NULL until a thread there needs one */
};

/* As the table of heap managers has them (heap_manager.h). */
int jem_heap_create(struct heap *heap);
int jem_heap_destroy(struct heap *heap);
/* Around fork(2), before the other locks of this folder. */
void jem_heap_prefork(void);
void jem_heap_postfork(void);

/* The arena set for the calling thread's CPU, made at its first need. NULL: out of memory. */
struct jem_arena_set *jem_heap_set_here(tsd_t *tsd, struct heap *heap);

/* Any heap of which there are blocks that their threads could not free; NULL: none. While its
 * caller frees them it stays there (kinds/system/orphans.h). */
struct heap *jem_heap_with_orphans(void);

/* In the child of a fork: freezes what is shared with the parent. tsd may be NULL, where the
 * calling thread has no caches. */
void jem_heap_postfork_child(tsd_t *tsd);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * guarded: blocks that stand alone at the end of a page, between pages that nobody can touch.
 *
 * They lie in areas of 2 MiB, regions of the kind's own pool: every second page is for a block, the
 * others never are. The page of a freed block cannot be touched either, and serves another block
 * only when all others of the area have had their turn. A touch is SIGSEGV, whose handler tells
 * what it was and calls the one that was there before.
 *
 * Only kinds of base pages that are the library's own have them: not huge pages, which the kernel
 * protects as a whole only, and not pages that belong to the program (fixed, custom).
 *
 * Threads: any. One lock, after the heap manager's and before the page layer's. The handler takes
 * none.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heap_manager.h"
#include "kinds/system/compiler.h"

#define GUARDED_AREA_BITS 21
#define GUARDED_BUCKETS ((size_t)1024)

struct guarded_area;

/* By address. */
extern struct guarded_area *_Atomic guarded_areas[GUARDED_BUCKETS] HIDDEN;

/* Whether the address may be one of a guarded block. */
static inline bool guarded_may_own(const void *address)
{
    return atomic_load_explicit(
               &guarded_areas[(uintptr_t)address >> GUARDED_AREA_BITS & (GUARDED_BUCKETS - 1)],
               memory_order_relaxed) != NULL;
}

/* Whether there can be a guarded block of this sort. Alignment 0: what is usual. */
bool guarded_can_serve(const struct heap *heap, size_t alignment, size_t size);

/* A block with any content; NULL: there is none just now. */
void *guarded_alloc(struct heap *heap, size_t alignment, size_t size);

/* Frees a guarded block, and tells what is wrong with it, or that it is none. False: the address is
 * in no area. */
bool guarded_free(void *address);

/* Of the live block that begins at an address; false: there is none, *size is 0 then. */
bool guarded_find(const void *address, struct heap **heap, size_t *size);

/* Bytes and pages of live blocks; heap NULL: of all. */
void guarded_usage(const struct heap *heap, size_t *bytes, size_t *pages);

/* The heap is gone; its pool unmaps the areas. */
void guarded_forget(const struct heap *heap);

/* Makes the signal's handler known: once. */
void guarded_start(void);

void guarded_prefork(void);
void guarded_postfork(bool child);

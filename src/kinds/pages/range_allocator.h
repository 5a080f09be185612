/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * range_allocator: which pages of a page-granular source's windows are free.
 *
 * A range allocator is a set of free ranges of base pages inside windows (the mapped parts of a
 * file, a fixed area). Ranges are kept in the order of their addresses and joined where they meet,
 * also across the border of two windows. It decides about addresses only: what the pages cost, and
 * whether they are backed, is the source's business.
 *
 * Adding and taking cost the logarithm of the number of ranges: at the limit of a kind whose sizes
 * drift there are tens of thousands.
 *
 * Threads: any; a lock for each of them, so that kinds do not wait for each other. Around fork(2)
 * range_allocator_prefork() holds those of all.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

struct free_range;

struct range_allocator {
    LIST_ENTRY(range_allocator) entry; /* of all, for fork(2) */
    pthread_mutex_t lock;
    struct free_range *root; /* of a tree; guarded by the lock */
    atomic_size_t largest;   /* size of its largest range; written with the lock */
};

/* An allocator without ranges, to be ended. */
void range_allocator_init(struct range_allocator *ranges);
void range_allocator_end(struct range_allocator *ranges);

/* Forgets every range. */
void range_allocator_clear(struct range_allocator *ranges);

/* Adds pages: a new window, or pages that come back. False: no memory to note them, they are lost
 * until the allocator is cleared. */
bool range_allocator_put(struct range_allocator *ranges, void *address, size_t size);

/* For pages that must not be lost: a record of its own is had first, or NULL, while they can still
 * be kept. Then they come back with it, or it is dropped. */
struct free_range *range_allocator_spare(void);
void range_allocator_put_with(struct range_allocator *ranges, struct free_range *spare,
                              void *address, size_t size);
void range_allocator_drop_spare(struct free_range *spare);

/* Takes the lowest `size` bytes aligned to `alignment`, as far as these are looked for: where many
 * ranges have the size but not the alignment, others may be taken. NULL: no range is large enough,
 * or there is no memory to note what is left of it. */
void *range_allocator_take(struct range_allocator *ranges, size_t size, size_t alignment);

/* Takes just those bytes. False: they are not all free, or there is no memory to note the rest. */
bool range_allocator_take_at(struct range_allocator *ranges, void *address, size_t size);

/* The size of the largest range, a moment ago. No lock. */
static inline size_t range_allocator_largest(const struct range_allocator *ranges)
{
    return atomic_load_explicit(&ranges->largest, memory_order_relaxed);
}

void range_allocator_prefork(void);
void range_allocator_postfork(void);

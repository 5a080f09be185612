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
 * Threads: any; one lock for all of them, which pool_prefork() takes after the pools' own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct free_range;

struct range_allocator {
    struct free_range *first;
};

void range_allocator_init(struct range_allocator *ranges);

/* Forgets every range. */
void range_allocator_clear(struct range_allocator *ranges);

/* Adds pages: a new window, or pages that come back. False: no memory to note them, they are lost
 * until the allocator is cleared. */
bool range_allocator_put(struct range_allocator *ranges, void *address, size_t size);

/* Takes the lowest `size` bytes aligned to `alignment`. NULL: no range is large enough. */
void *range_allocator_take(struct range_allocator *ranges, size_t size, size_t alignment);

void range_allocator_prefork(void);
void range_allocator_postfork(void);

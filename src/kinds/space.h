/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * space: which pages of a divisible source's windows are free.
 *
 * A page space is a set of free runs of base pages inside windows (the mapped parts of a file, a
 * fixed area). Runs are kept in the order of their addresses and joined where they meet, also
 * across the border of two windows. It decides about addresses only: what the pages cost, and
 * whether they are backed, is the source's business.
 *
 * Threads: any; one lock for all spaces, which pool_prefork() takes after the pools' own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct space_run;

struct page_space {
    struct space_run *runs;
};

void space_init(struct page_space *space);

/* Forgets every run. */
void space_clear(struct page_space *space);

/* Adds pages: a new window, or pages that come back. False: no memory to note them, they are lost
 * until the space is cleared. */
bool space_put(struct page_space *space, void *address, size_t size);

/* Takes the lowest `size` bytes aligned to `alignment`. NULL: no run is large enough. */
void *space_take(struct page_space *space, size_t size, size_t alignment);

void space_prefork(void);
void space_postfork(void);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * page_source: the interface between heap managers and the ways of getting pages.
 *
 * A page source is one const table. Backends never see which one answers: they call pool.h, which
 * looks it up from the kind. Sizes and alignments are bytes, multiples of the base page.
 *
 * Threads: every function from any thread at once; none allocates; none takes a lock that another
 * thread could hold while it allocates.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "kinds/os.h"

struct page_pool;

struct page_source {
    const char *name;
    /* A region's size and alignment are multiples of this. */
    size_t (*granule)(const struct page_pool *pool);
    /* Zeroed pages under `policy`; NULL with errno. */
    void *(*map)(struct page_pool *pool, const struct os_policy *policy, size_t size,
                 size_t alignment);
    void (*unmap)(struct page_pool *pool, void *address, size_t size);
    /* Gives a part of a region back to the system. 0: it reads as zeroes when used again; else an
     * errno and the content is unspecified. */
    int (*purge)(struct page_pool *pool, void *address, size_t size);
    /* Makes purged pages usable again without a fault that could fail; NULL where touching a purged
     * page cannot go wrong. 0 or an errno. */
    int (*commit)(struct page_pool *pool, void *address, size_t size);
};

extern const struct page_source page_source_anonymous;
extern const struct page_source page_source_hugetlb;

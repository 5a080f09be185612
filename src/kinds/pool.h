/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * pool: a heap's pages, the interface a heap manager draws from.
 *
 * A page pool belongs to one heap (one live kind). It maps regions of at least the source's granule
 * (2 MiB; a huge page), aligned to it, with the kind's policy applied once, and remembers them:
 * a region is given back whole, by pool_unmap() or when the pool closes. Until then a heap manager
 * purges and commits parts of it as it likes.
 *
 * Locality: a pool of a kind whose nodes depend on the calling CPU has one domain per node with
 * CPUs (see page_kind_domains()). A heap manager keeps what it gets for one domain apart from the
 * others and asks pool_domain() where the calling thread is now.
 *
 * Threads: every function from any thread, except pool_close(), which nobody may run beside.
 * One lock, for the lists of regions; pool_prefork() and pool_postfork() hold it across fork(2).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "kinds/os.h"
#include "kinds/page_kind.h"
#include "kinds/page_source.h"

struct page_region;

struct page_pool {
    const struct page_kind *kind;
    const struct page_source *source;
    unsigned domains;
    struct page_region *regions; /* guarded by the lock of pool.c */
};

/* Fills in the pool of a kind that page_kind_check() accepts. */
void pool_open(struct page_pool *pool, const struct page_kind *kind);

/* Unmaps every region. */
void pool_close(struct page_pool *pool);

/* Domain of the CPU that the calling thread is on: below pool->domains. */
unsigned pool_domain(const struct page_pool *pool);

/* A region for threads of `domain`: zeroed, `size` bytes at the least, aligned to `alignment` (and
 * the granule). NULL with errno ENOMEM. */
void *pool_map(struct page_pool *pool, unsigned domain, size_t size, size_t alignment);

/* Unmaps a region, if [address, address + size) is a whole one. False: it is not, nothing is done.
 */
bool pool_unmap(struct page_pool *pool, void *address, size_t size);

int pool_purge(struct page_pool *pool, void *address, size_t size);

/* False: purged pages are simply used again. */
bool pool_needs_commit(const struct page_pool *pool);
int pool_commit(struct page_pool *pool, void *address, size_t size);

size_t pool_granule(const struct page_pool *pool);

void pool_prefork(void);
void pool_postfork(void);

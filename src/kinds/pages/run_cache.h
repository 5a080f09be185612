/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * run_cache: pages for a heap manager that asks for a MiB or so at a time and gives it back at
 * once.
 *
 * A region of a pool (pool.h) is whole granules, 2 MiB, or a huge page of 1 GiB. A run is a piece
 * of one: whole units of 16 KiB (a base page, where that is larger). The cache cuts runs out of
 * regions, joins those that come back with their free neighbours, and keeps them: whoever allocates
 * and frees large blocks does not pay for mapping and faulting them each time.
 *
 * Decay: what nobody took for the decay time goes back to the system, the oldest first, and so does
 * what is more than POOL_UNUSED_LEAST and a quarter of what is used: by unmapping where a region is
 * free as a whole (of a page-granular pool: any run), by purging elsewhere. At once in a
 * conservative pool; never if the program hogs memory. Every call of run_cache_take(),
 * run_cache_give() and run_cache_decay() does POOL_PURGE_STEP of that work for all caches, or one
 * run, if that is larger; who gives more does as much as he gives. When the system has no region
 * to give, the caches give up what they have; where that is the limit of one pool, those of that
 * pool. A free run that is joined with a larger one takes over the age of that.
 *
 * One cache serves one pool in one locality domain; it is a part of the heap manager's own
 * structure. The address map holds, for the unit in which a used run starts, the run.
 *
 * Threads: any, except run_cache_open() and run_cache_closing(), which come before and after all
 * taking, and run_cache_close(), which nobody may run beside. One lock for all caches, the one of
 * page_run.h; pool.h's functions are called without it. Around fork(2) it comes before the locks of
 * pool_prefork().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "kinds/pages/page_run.h"

struct page_pool;

struct run_cache {
    struct page_pool *pool;
    unsigned domain;
    bool closing;
    /* Guarded by the lock: */
    struct page_run_set runs;
    unsigned leaving_count, forks; /* leaving runs, by threads of this process */
};

void run_cache_open(struct run_cache *cache, struct page_pool *pool, unsigned domain);

/* The runs that come back from now on are not purged one by one: their regions are about to be
 * unmapped. */
void run_cache_closing(struct run_cache *cache);

/* Forgets all runs. Their regions are the pool's, which unmaps them when it closes. */
void run_cache_close(struct run_cache *cache);

/* In the child of a fork(2), for a pool whose pages are the parent's: as run_cache_close(), but
 * run_cache_size() still answers for the runs in use. Their records stay for good. */
void run_cache_forked(struct run_cache *cache);

/* A run of *size bytes, which is rounded up to whole units. *zeroed: whether it reads as zeroes.
 * NULL with errno ENOMEM. */
void *run_cache_take(struct run_cache *cache, size_t *size, bool *zeroed);

/* Gives it back. False: it is no run of this cache, nothing is done. */
bool run_cache_give(struct run_cache *cache, void *address, size_t size);
/* The same for a run that nobody has used for the decay time. Nothing goes back in this call, and
 * no function of a pool is called: the next steps do that. */
bool run_cache_give_unused(struct run_cache *cache, void *address, size_t size);

/* Makes a run of `size` bytes smaller or larger where it is; *new_size is rounded up to whole
 * units. False: there is no room, or it is no run of this cache; nothing is done. */
bool run_cache_resize(struct run_cache *cache, void *address, size_t size, size_t *new_size);

/* Bytes of the run in use that starts at an address, of whatever cache; 0: there is none. */
size_t run_cache_size(const void *address);

/* Gives back to the system, for all pools, a step of what has been free for too long or is too
 * much; `all`: whatever is free. Whether anything was. */
bool run_cache_decay(bool all);

/* Gives back whatever is free in this cache. Bytes. */
size_t run_cache_trim(struct run_cache *cache);

/* No decay, no bound. Before the first cache is opened. */
void run_cache_hog(void);

/* Bytes in used runs, and in free ones that may be backed by pages. */
void run_cache_usage(struct run_cache *cache, size_t *used, size_t *kept);

/* Around fork(2), for the heap manager to call: before the pools' own. */
void run_cache_prefork(void);
void run_cache_postfork(bool child);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * pool: a heap's pages, the interface a heap manager draws from.
 *
 * A page pool belongs to one heap (one live kind). It hands out regions of at least the source's
 * granule, aligned to it, with the kind's policy applied once, and knows which address belongs to
 * whom. A region is given back whole; only a page-granular pool (page_source.h) takes any pages of
 * it. Until then a heap manager purges and commits parts of it as it likes.
 *
 * Heap managers that keep unused pages for a while themselves (jemalloc's decay) call this
 * interface. For those that give back at once (TBB) there is run_cache.h in between.
 *
 * Locality: a pool of a kind whose nodes depend on the calling CPU has one domain per node with
 * CPUs (see page_kind_domains()). A heap manager keeps what it gets for one domain apart from the
 * others and asks pool_domain() where the calling thread is now.
 *
 * Threads: every function from any thread, except pool_close(), which nobody may run beside.
 * It has no lock of its own. pool_prefork() and pool_postfork() hold those of what it is made of
 * across fork(2), in this order: that of commitment.h, the sources', that of page_region.h, those
 * of range_allocator.h, that of leftover.h. None of them is held while a source works, but that
 * of files while space goes back that was kept.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kinds/machine/page_kind.h"
#include "kinds/pages/commitment.h"
#include "kinds/pages/page_region.h"
#include "kinds/pages/page_source.h"
#include "kinds/system/os.h"

/* What a kind's pages are to be: what a create function was asked for. */
struct page_setup {
    const struct page_kind *kind;
    const struct page_source *source;
    const void *request;          /* for the source: page_source.h */
    bool conservative;            /* unused pages go back at once */
    bool no_core_dump;            /* pages are left out of core dumps */
    const struct nodemask *nodes; /* for a row that selects SELECT_GIVEN* */
};

/* What a heap manager keeps of pages that nobody uses: for the decay time, and over all heaps no
 * more than POOL_UNUSED_LEAST, or that part of what is live. It gives so much back at a time: about
 * a millisecond's work. */
#define POOL_DECAY_SECONDS 10
#define POOL_UNUSED_LEAST ((size_t)64 << 20)
#define POOL_UNUSED_SHARE 4
#define POOL_PURGE_STEP ((size_t)8 << 20)

/* How old the pages get that pool_reuse_begin() is about, in seconds of os_seconds(). */
#define POOL_REUSE_SECONDS 1

struct page_pool {
    const struct page_kind *kind;
    const struct page_source *source;
    unsigned domains;
    struct nodemask domain_nodes; /* a node with CPUs each, from the lowest, whatever comes later;
                                   * nobody asks for them where there is one domain */
    bool conservative;
    bool no_core_dump;
    atomic_size_t limit; /* bytes, of pool_set_limit() */
    atomic_uint reusing; /* how many threads are between pool_reuse_begin() and pool_reuse_end() */
    struct page_regions regions;
    struct page_commitment commitment;
    struct page_kind given_kind; /* a row of this pool's own, where nodes were given */
    struct nodemask given_nodes;
    union page_source_state state; /* the source's own */
};

/* The setup of a row that needs nothing else. */
struct page_setup pool_setup(const struct page_kind *kind);

/* Makes the pool of a kind that page_kind_check() accepts. 0, or a MEMKIND_ERROR_* code with
 * nothing left behind. */
int pool_open(struct page_pool *pool, const struct page_setup *setup);

/* Unmaps every region. */
void pool_close(struct page_pool *pool);

/* Domain of the CPU that the calling thread is on: below pool->domains. */
unsigned pool_domain(const struct page_pool *pool);

/* A region for threads of `domain`: `size` bytes at the least, aligned to `alignment` (and the
 * granule). *zeroed: whether it reads as zeroes. NULL with errno ENOMEM. */
void *pool_map(struct page_pool *pool, unsigned domain, size_t size, size_t alignment,
               bool *zeroed);

/* Whether a block of so many bytes may be promised: more than the machine has at once is not, as
 * malloc() does not. Regions as such are not asked, which may have addresses to spare. */
bool pool_may_promise(const struct page_pool *pool, size_t size);

/* Whether it is worth asking for so much: false where the pool is known to be at its limit. No
 * lock.
 */
bool pool_has_room(const struct page_pool *pool, size_t size);

/* Unmaps a region, if [address, address + size) is a whole one; any pages of a page-granular pool,
 * but for those that were mapped before a fork(2) and are the parent's: nothing happens to them.
 * False: it is not, or the system does not take it back (munmap(2) at vm.max_map_count); nothing is
 * done, and the caller still has it: to be purged, and used again. */
bool pool_unmap(struct page_pool *pool, void *address, size_t size);
bool pool_is_page_granular(const struct page_pool *pool);
/* Whether regions are better kept and purged than unmapped: page_source.h. */
bool pool_is_demand_paged(const struct page_pool *pool);
/* Whether a region for `domain` may be larger than what is wanted now, since nothing but addresses
 * is spent: neither room on bound nodes nor what the process may have of either. */
bool pool_has_spare_addresses(const struct page_pool *pool, unsigned domain);

/* Between these, pages are unmapped to be mapped again in other pieces: those of a file may keep
 * their space for POOL_REUSE_SECONDS, and the content it has. A conservative pool's do not. Calls
 * of several threads may overlap. */
void pool_reuse_begin(struct page_pool *pool);
void pool_reuse_end(struct page_pool *pool);
bool pool_is_reusing(const struct page_pool *pool);
/* Gives the system what is kept like that. Returns how many bytes. NULL: of all pools, what is old
 * enough, and 0; to be called again and again. */
size_t pool_give_back(struct page_pool *only);
/* Bytes that are kept like that now. No lock. */
size_t pool_kept(const struct page_pool *pool);

/* Whether two addresses that the caller has pages at lie in one region of a pool that only takes
 * back whole regions. *whole: whether [a, a + size) is all of it. No lock. */
bool pool_in_one_region(const void *a, const void *b, size_t size, bool *whole);

/* For what has just been mapped for a pool, before it is used: leaves it out of core dumps, if the
 * kind is to be. False: that cannot be done, and it may not be used. */
bool pool_no_core_dump(const struct page_pool *pool, void *address, size_t size);

/* 0: the pages read as zeroes. Anything else: not done. */
int pool_purge(struct page_pool *pool, void *address, size_t size);

/* False: purged pages are simply used again. */
bool pool_needs_commit(const struct page_pool *pool);
int pool_commit(struct page_pool *pool, void *address, size_t size);

size_t pool_granule(const struct page_pool *pool);

/* How many bytes at a time a heap manager had best ask for: less in a pool with a low limit. */
size_t pool_step(const struct page_pool *pool);
/* Likewise, where `size` bytes are wanted now, and may be wanted again: at least that, and not much
 * more than a multiple, so that little is left over. For a pool that is not demand-paged, or has a
 * limit. */
size_t pool_region_size(const struct page_pool *pool, size_t size);

/* Most bytes the pool can have; 0: no limit of its own. */
size_t pool_limit(const struct page_pool *pool);
/* Gives it a limit besides that of its source; 0: none. What it has beyond that, it keeps. */
void pool_set_limit(struct page_pool *pool, size_t limit);

/* Bytes that blocks of the kind can have at the most; -1 if unavailable. */
ssize_t pool_capacity(const struct page_pool *pool);

/* Bytes handed out and not unmapped. */
size_t pool_mapped(const struct page_pool *pool);

/* The machine has changed (facts.h): pages of all pools that are touched from now on come from the
 * nodes that their kinds mean now; those that are there stay where they are. A kind that has no
 * nodes any more leaves it to the kernel, which takes what the cpuset allows. Inside
 * facts_begin(). */
void pool_follow_machine(void);

/* --- fork --- */

/* Whether a child of fork(2) leaves the pool's pages to its parent: see page_source.h. */
bool pool_is_shared(const struct page_pool *pool);
/* From now on a child has copies of what the pool's blocks hold, though it leaves the pages to its
 * parent all the same: where the source can do that (a file's can). */
void pool_copy_at_fork(struct page_pool *pool);
/* In the child, if so: what was mapped until now is the parent's. */
void pool_forked(struct page_pool *pool);

void pool_prefork(void);
void pool_postfork(bool child);

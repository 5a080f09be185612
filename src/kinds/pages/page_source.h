/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * page_source: the interface between heap managers and the ways of getting pages.
 *
 * A page source is one const table. Heap managers never see which one answers: they call pool.h,
 * which holds the source of each pool.
 *
 * Sizes are bytes, multiples of the source's granule. An alignment is a power of two, at least the
 * granule for the start of a region. What is purged and committed, and what a page-granular source
 * takes back, starts and ends at base pages. A locality domain is pool.c's affair: it resolves the
 * kind's nodes for the domain that a region is wanted for, the source applies the policy that comes
 * of it (or has none: file, fixed, custom), and what is given back is of any domain.
 *
 * There are two sorts. Sources of whole regions (anonymous, hugetlb, custom) map each region by
 * itself; pool.c remembers them, and a region is given back as it came. Page-granular sources
 * (file, fixed) cut regions out of windows of their own (range_allocator.h), note the windows among
 * the pool's regions (page_region_add()) and take any pages back, in pieces of any size.
 *
 * Threads: map, unmap, purge and commit from any thread at once; none allocates; none takes a lock
 * that another thread could hold while it allocates. open and close have the pool for themselves.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "kinds/system/os.h"

#define REGION_GRANULE ((size_t)2 << 20) /* of base pages: THP can back a whole region */

struct page_pool;

struct page_source {
    const char *name;
    bool page_granular;
    bool demand_paged; /* pages come from their nodes as they are touched: a region that is mapped,
                   or purged, costs nothing but addresses */
    /* Fills in the pool's state, which is zeroed, as `request` wants it: a structure of the
     * source's own header (source_NAME.h), valid during the call. NULL: there is nothing to fill
     * in. 0 or a MEMKIND_ERROR_* code, with nothing left behind. */
    int (*open)(struct page_pool *pool, const void *request);
    /* After every region is unmapped (page-granular: instead of that; the pool's regions are its
     * windows, already out of the address map). NULL: nothing is held. */
    void (*close)(struct page_pool *pool);
    /* Sizes of regions, and alignments of their starts, are multiples of this. */
    size_t (*granule)(const struct page_pool *pool);
    /* Pages under `policy`; *zeroed says whether they read as zeroes. NULL with errno. */
    void *(*map)(struct page_pool *pool, const struct os_policy *policy, size_t size,
                 size_t alignment, bool *zeroed);
    /* 0, or an errno: the pages are what they were before, and stay the pool's. */
    int (*unmap)(struct page_pool *pool, void *address, size_t size);
    /* Gives a part of a region back to the system. 0: it reads as zeroes when used again; else an
     * errno and the content is unspecified. NULL: pages only go back by unmap. */
    int (*purge)(struct page_pool *pool, void *address, size_t size);
    /* Makes purged pages usable again without a fault that could fail; NULL where touching a purged
     * page cannot go wrong. 0 or an errno. */
    int (*commit)(struct page_pool *pool, void *address, size_t size);
    /* Whether map() can have so much, as far as that is known without a lock: where it has not, it
     * is not worth calling. NULL: it may. */
    bool (*has_room)(const struct page_pool *pool, size_t size);
    /* Most bytes the pool can have mapped at once; 0: as many as its nodes have. NULL: 0. */
    size_t (*limit)(const struct page_pool *pool);
    /* Bytes there are where that is no limit: a file system's; -1: unknown. NULL: of the nodes. */
    ssize_t (*capacity)(const struct page_pool *pool);
    /* Gives the system what unmap() has kept for map() to have again (pool_reuse_begin()): of a
     * pool, or NULL: of all, as far as it has been kept since that second. Returns how many bytes.
     * NULL: nothing is kept. */
    size_t (*give_back)(struct page_pool *only, long since);
    /* Bytes that a pool keeps like that. No lock. NULL: none. */
    size_t (*kept)(const struct page_pool *pool);
    /*
     * In the child of a fork(2), where parent and child have the pool's pages in common, or as
     * copies that may not be had when they are written: from now on the pool leaves all pages it
     * had to the parent, neither hands them out nor gives them back, and gets others. NULL: pages
     * are the child's own, as copies.
     */
    void (*forked)(struct page_pool *pool);
    /* From now on a child gets copies of such pages, as of other memory. NULL: it has them, or
     * cannot. */
    void (*copy_at_fork)(struct page_pool *pool);
    /* Around fork(2), in the parent and in the child: holds the source's lock, which comes before
     * the pools'. NULL: it has none. */
    void (*prefork)(void);
    void (*postfork)(bool child);
};

/* All sources: adding one is a line here and a file source_NAME.c, which defines
 * page_source_NAME. */
#define PAGE_SOURCES(ROW) \
    ROW(anonymous)        \
    ROW(custom)           \
    ROW(file)             \
    ROW(fixed)            \
    ROW(hugetlb)

#define PAGE_SOURCE_DECLARE(NAME) extern const struct page_source page_source_##NAME;
PAGE_SOURCES(PAGE_SOURCE_DECLARE)
#undef PAGE_SOURCE_DECLARE

/* What a source has to remember of one pool. Only its own file knows what that is. */
union page_source_state {
    void *aligned;
    unsigned char bytes[224];
};

/* In the source's file, which includes pool.h: state_of(), the state of a pool as that type. */
#define PAGE_SOURCE_STATE(TYPE)                                                             \
    _Static_assert(sizeof(TYPE) <= sizeof(union page_source_state) &&                       \
                       _Alignof(TYPE) <= _Alignof(union page_source_state),                 \
                   "the state of a page source does not fit into union page_source_state"); \
    static inline TYPE *state_of(const struct page_pool *pool)                              \
    {                                                                                       \
        return (TYPE *)&pool->state;                                                        \
    }

/* give_back() of every pool of every source. */
void page_source_give_back(long since);

/* Around fork(2): the locks of all sources, in the order of the table. */
void page_source_prefork(void);
void page_source_postfork(bool child);

/* For sources whose regions are mappings of their own. The end of a map() that has mapped one and
 * prepared it, with this `error` or 0: the region, named, or NULL with errno and nothing mapped.
 * And an unmap(). */
void *page_source_mapped(const char *name, void *address, size_t size, int error);
int page_source_unmap(struct page_pool *pool, void *address, size_t size);

/* For sources whose pages of this size cannot be given back in part: discards those that lie wholly
 * inside and zeroes the rest. ENOTSUP: there are none. */
int page_source_purge_whole(void *address, size_t size, size_t page);

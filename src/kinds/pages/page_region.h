/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * page_region: the records of what a pool has mapped, in the pool's list and in the address map.
 *
 * A record (address_map.h) stands for a region that is handed out, or, in a page-granular pool, for
 * a window that the source cuts regions from. It says whose the addresses are; the pages themselves
 * are the source's. Records are used again and never unmapped, as readers of the address map need.
 *
 * Threads: any, but for page_regions_init(). One lock for all pools, held by none of the callers'
 * work: it comes after those of commitment.h and of the sources, before those of range_allocator.h.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "kinds/pages/address_map.h"

struct page_pool;

/* What one pool has; a part of it. */
struct page_regions {
    struct page_pool *pool; /* noted in the records, not looked into */
    const char *name;       /* its kind's, for the log */
    /* Guarded by the lock: */
    LIST_HEAD(, page_region) list;  /* in use; page-granular: the source's windows */
    LIST_ENTRY(page_regions) entry; /* of those that are tracked */
    bool tracked;
    atomic_size_t mapped; /* bytes handed out and not unmapped */
};

void page_regions_init(struct page_regions *regions, struct page_pool *pool, const char *name);

/* Whether a live kind has a part of it. */
bool page_region_is_taken(const void *address, size_t size);

/* Notes a region or a window. 0; MEMKIND_ERROR_INVALID: a part of it is a live kind's already;
 * MEMKIND_ERROR_MALLOC: no memory to note it. `offset` is the source's. */
int page_region_add(struct page_regions *regions, unsigned domain, void *address, size_t size,
                    size_t offset);

/* The record of exactly this region, taken out of the list and the map; NULL: there is none, or it
 * is a parent's. page_region_drop() follows, when the pages are unmapped. */
struct page_region *page_region_detach(struct page_regions *regions, void *address, size_t size);
void page_region_drop(struct page_region *region);
/* Takes it in again: the pages could not be unmapped. */
void page_region_attach(struct page_regions *regions, struct page_region *region);

/* The window that holds the address; NULL: none of this pool. No lock. */
const struct page_region *page_region_window(const struct page_regions *regions,
                                             const void *address);

/* The pool closes: first all of them leave the address map, since an address may be another
 * region's as soon as it is unmapped; then, with nothing mapped, the list. */
void page_regions_hide(struct page_regions *regions);
void page_regions_drop(struct page_regions *regions);

/* In the child of a fork(2): what is in the list is the parent's, and counts no longer. */
void page_regions_inherit(struct page_regions *regions);

/* address_map_begin_owners(), while no region comes or goes. */
bool page_region_begin_owners(void);

/* From now on until they are hidden, these regions are among those that are visited. */
void page_regions_track(struct page_regions *regions);
/* Calls visit() for every region that is tracked, with the lock: none of them goes meanwhile. */
void page_regions_visit(void (*visit)(void *context, const struct page_region *region),
                        void *context);

/* So many bytes are about to be handed out. False: that would be more than `limit` in all (0:
 * none), and they are not counted. */
bool page_regions_take(struct page_regions *regions, size_t size, size_t limit);
/* They are not any longer. */
void page_regions_return(struct page_regions *regions, size_t size);
/* Bytes handed out and not unmapped. No lock. */
size_t page_regions_mapped(const struct page_regions *regions);
/* Of the bytes in the list, those that nothing backs. It looks at all pages. */
size_t page_regions_untouched(struct page_regions *regions);

void page_region_prefork(void);
void page_region_postfork(void);

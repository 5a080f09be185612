/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * commitment: bound memory that was handed out and not yet touched.
 *
 * The kernel takes a page from its node when the page is touched. Where a policy binds to nodes
 * that are only a part of the machine, and these are full, that touch does not fail: the OOM killer
 * ends some process. So a region is only mapped if its nodes have room for it beside everything
 * that pools of this process have there and did not touch yet; else the answer is ENOMEM, while
 * there is still somebody to give it to.
 *
 * What is untouched is known as an upper bound: everything mapped and purged since it was last
 * counted. It is counted (os_backed()) when the bound is what stands in the way, and enough of it
 * may have been touched since the last count: a few times while a node fills up, and once a second
 * where it is full. Other processes, and pages that a fork(2) makes two of, are not foreseen.
 *
 * The same holds for the limit of a memory cgroup, which is there for all nodes and also for the
 * pages of a file in memory: these are made at once, so that nothing of them is ever untouched.
 *
 * Nodes that are all the machine has for this process are not watched: what happens there when
 * memory runs out is what happens to malloc(3). In a memory cgroup with a limit, that one counts.
 *
 * Threads: any. One lock, taken outside that of page_region.h.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "kinds/system/nodemask.h"

struct page_regions;

/* Of one pool; a part of it. */
struct page_commitment {
    atomic_bool watched; /* the pool has such memory */
    /* Guarded by the lock: */
    LIST_ENTRY(page_commitment) entry; /* of those that are watched */
    struct page_regions *regions;      /* the pool's */
    struct nodemask nodes;             /* where */
    size_t untouched;                  /* bytes of its regions, at the most */
    size_t coming;                     /* bytes that are about to be mapped */
    size_t trusted; /* bytes that may be mapped in this second before the nodes are looked at */
    long second;
    /* Its last count: the second, what was looked at, and what the process had in memory and swap
     * space then; and since then: bytes that were mapped, and those with what was purged. */
    long counted_in; /* 0: it was never counted */
    size_t counted, backed;
    size_t added, changed;
};

/* Whether nodes are such that memory bound to them is watched. */
bool commitment_watches(const struct nodemask *nodes);

/* Whether `size` more bytes may be mapped, beside the pool's regions. If so, commitment_done()
 * follows. `nodes`: watched ones that they are bound to; NULL: only the memory cgroup's limit
 * counts, if there is one. */
bool commitment_make(struct page_commitment *commitment, struct page_regions *regions,
                     const struct nodemask *nodes, size_t size);
void commitment_done(struct page_commitment *commitment, size_t size, bool mapped);

/* Whether the pool has memory that is watched. No lock. */
static inline bool commitment_is_watched(const struct page_commitment *commitment)
{
    return atomic_load_explicit(&commitment->watched, memory_order_relaxed);
}

/* These bytes of it are no longer backed. */
void commitment_purged(struct page_commitment *commitment, size_t size);

/* The pool closes. */
void commitment_end(struct page_commitment *commitment);

void commitment_prefork(void);
void commitment_postfork(bool child);

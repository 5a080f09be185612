/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * steal: free blocks from the cache of a thread that goes on using it, or sleeps.
 *
 * The owner pushes and pops at the top of a bin, without a lock and without any mark that it is in
 * the middle of that. A thief takes from the bottom, as from a deque of work (Chase and Lev,
 * "Dynamic circular work-stealing deque", 2005), and it is the thief alone who pays for the order:
 *
 *  1. It moves `empty` and `low` to a place above the blocks that it wants, E.
 *  2. membarrier(2): whatever the owner begins afterwards finds E, and does not pop beyond it.
 *     What it had done before is seen by the thief. One push or pop may be in between, which has
 *     looked already and not stored yet.
 *  3. If `head` is above E still, by one block at least, that pop cannot reach E: the blocks below
 *     are the thief's. Else they are the owner's, and both places go back to the end of the bin.
 *
 * So the block on top always stays. The owner looks at `empty` where head is not below `low` only,
 * hence the order in which both are moved does not matter. A pop below E that had looked before may
 * write `low` after the thief, though, and pushes may lead above E again: so the thief looks at
 * `low`, too, and leaves the blocks where that is not at E. Between two steals `low` is at most
 * `empty`, and `head` at most `low`, on which the look for unused blocks rests (cache.c).
 *
 * The thief reads blocks that were pushed after the barrier, too, so the owner's stores of `head`
 * are releases. On x86 they cost no more than others.
 *
 * On its slow paths, where it moves the blocks of a bin, the owner takes its thread's lock, which
 * the thief has all the time: an owner that finds `empty` at E by mistake waits there until it is
 * back. A bin without two blocks is never touched, so one that the owner has found empty with the
 * lock stays as it is until it has stored a head.
 *
 * Threads: any, with the lock of the thread whose cache it is.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "backend_jemalloc/fast.h"

#define JEM_STOLEN_MOST 128 /* blocks at a time */

struct jem_stolen {
    uint16_t count[JEM_BINS_MOST]; /* of blocks, by size class */
    void *blocks[JEM_STOLEN_MOST]; /* those of the lowest class first */
};

/* Once, when jemalloc starts: makes the process known to membarrier(2). Without that, or before
 * Linux 4.14, nothing is stolen. */
void jem_steal_start(void);

/* Takes blocks of the bins of a cache, those that were not used for the longest time. Returns how
 * many; 0: there were none, or the owner came first. */
unsigned jem_steal(struct jem_bins *cache, struct jem_stolen *stolen);

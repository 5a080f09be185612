/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * kept_pages: which free pages of a file still have their space.
 *
 * At the limit of a kind, pages go from a heap manager to the range allocator to be joined there
 * with others, and are taken again a moment later, in other pieces. To punch a hole and to reserve
 * its space anew would cost far more than all the rest. So the space is kept for a moment, and this
 * is the set of such pages, a bit each.
 *
 * Threads: none of its own; whoever has it holds a lock around all but kept_pages_size()
 * and kept_pages_any().
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kept_pages {
    uint64_t *bits;     /* NULL: nothing was ever kept */
    size_t words;       /* of bits[] */
    atomic_size_t size; /* bytes that are kept */
    long since;         /* os_seconds() when the first of them came */
};

/* Bytes of them. Whoever has taken a range since they were dropped sees that. No lock. */
static inline size_t kept_pages_size(const struct kept_pages *kept)
{
    return atomic_load_explicit(&kept->size, memory_order_acquire);
}

static inline bool kept_pages_any(const struct kept_pages *kept)
{
    return kept_pages_size(kept) != 0;
}

/* Adds pages of a file that never has more bytes than `limit`; none of them is in. False: there is
 * no memory to note them. */
bool kept_pages_add(struct kept_pages *kept, size_t offset, size_t size, size_t limit);

/* Takes out those that lie in this part of the file. Returns how many bytes these were. */
size_t kept_pages_take(struct kept_pages *kept, size_t offset, size_t size);

/* The first pages in a row at or behind *offset. They stay in. False: there are none. */
bool kept_pages_next(const struct kept_pages *kept, size_t *offset, size_t *size);

/* Forgets all, and ends. */
void kept_pages_end(struct kept_pages *kept);

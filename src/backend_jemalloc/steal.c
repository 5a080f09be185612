/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see steal.h. */
#include "backend_jemalloc/steal.h"

#include <stdatomic.h>
#include <string.h>

#include "kinds/system/compiler.h"
#include "kinds/system/os.h"

static atomic_bool able;

void jem_steal_start(void)
{
    atomic_store_explicit(&able, os_can_barrier_everywhere(), memory_order_relaxed);
}

/* The part of a bin that is wanted: from `begin`, E of steal.h, to `end`, which was `empty`. */
struct part {
    void **begin, **end;
};

static void **bin_head(const struct jem_bin *bin)
{
    return atomic_load_explicit(&bin->head, memory_order_acquire);
}

static void bin_set_end(struct jem_bin *bin, void **end)
{
    atomic_store_explicit(&bin->empty, end, memory_order_relaxed);
    atomic_store_explicit(&bin->low, end, memory_order_relaxed);
}

/* Up to `most` blocks of a bin; returns how many. */
static unsigned ask(struct jem_bin *bin, struct part *part, unsigned most)
{
    void **head = bin_head(bin);
    void **end = atomic_load_explicit(&bin->empty, memory_order_relaxed);
    unsigned count;

    part->begin = part->end = end;
    if (end - head < 2)
        return 0;
    count = end - head - 1 < most ? (unsigned)(end - head - 1) : most;
    part->begin = end - count;
    if (!count)
        return 0;
    bin_set_end(bin, part->begin);
    return count;
}

/* Whether the owner stays above the part: it is there, and no pop that had looked at the bin before
 * has moved `low` down again, beyond which it would not look. It moves `low` before `head`. */
static bool is_below_owner(const struct jem_bin *bin, const struct part *part)
{
    return bin_head(bin) < part->begin &&
           atomic_load_explicit(&bin->low, memory_order_relaxed) <= part->begin;
}

/* After the barrier. What is taken out leaves no block at `empty`, where a free looks whether it is
 * the second one. ThreadSanitizer does not know of the barrier. */
__attribute__((no_sanitize("thread"))) static unsigned take(struct jem_bin *bin,
                                                            const struct part *part, void **blocks)
{
    unsigned count = (unsigned)(part->end - part->begin);

    if (!is_below_owner(bin, part)) {
        bin_set_end(bin, part->end);
        return 0;
    }
    for (unsigned i = 0; i < count; i++)
        blocks[i] = part->begin[i];
    *part->begin = NULL;
    return count;
}

unsigned jem_steal(struct jem_bins *cache, struct jem_stolen *stolen)
{
    struct part parts[JEM_BINS_MOST];
    unsigned wanted = 0, taken = 0;
    bool ordered;

    if (!atomic_load_explicit(&able, memory_order_relaxed))
        return 0;
    for (unsigned i = 0; i < JEM_BINS_MOST; i++)
        wanted += ask(&cache->of[i], &parts[i], JEM_STOLEN_MOST - wanted);
    ordered = wanted && os_barrier_everywhere() == 0;
    if (wanted && !ordered) /* a sandbox that came later: it will refuse the next, too */
        atomic_store_explicit(&able, false, memory_order_relaxed);
    for (unsigned i = 0; i < JEM_BINS_MOST; i++) {
        stolen->count[i] = 0;
        if (parts[i].begin == parts[i].end)
            continue;
        if (ordered)
            stolen->count[i] = (uint16_t)take(&cache->of[i], &parts[i], stolen->blocks + taken);
        else
            bin_set_end(&cache->of[i], parts[i].end);
        taken += stolen->count[i];
    }
    return taken;
}

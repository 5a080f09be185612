/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * sample: blocks that are drawn for the profile (MEMKIND_PRELOAD_PROFILE).
 *
 * A thread counts its bytes down to the next one that is drawn (poisson.h); the block that it is in
 * is sampled: who asked for it, and when, is kept until it goes. All other blocks pay a subtraction
 * and a branch when they come, and a look at a counter when they go. Without a profile nobody comes
 * here.
 *
 * Nothing is sampled before libc has started: there is no unwinding in the dynamic loader yet.
 *
 * The child of a fork begins a profile of its own, without its parent's blocks.
 *
 * Threads: any, but sample_begin(), which comes first, and sample_end(), after which nothing is
 * sampled. One lock, for sampled blocks only, with nothing called below it that may allocate. What
 * comes in meanwhile on the same thread, by a signal handler or from the unwinder, is not sampled.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Before anything is counted. `started` is called when blocks are sampled from now on, and may
 * allocate. False: there is no memory for it. */
bool sample_begin(size_t rate, void (*started)(void));

/* --- every block ------------------------------------------------------------------------------ */

/* Bytes up to the next one that is drawn. */
extern __thread int64_t sample_left
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* How many sampled blocks have an address of this hash: most of the time none. */
#define SAMPLE_FILTER ((size_t)1 << 16)
extern _Atomic(uint16_t) sample_filter[SAMPLE_FILTER] __attribute__((visibility("hidden")));

static inline size_t sample_hash(const void *block)
{
    return (size_t)((uintptr_t)block * 0x9e3779b97f4a7c15u >> 48);
}

void sample_take(void *block, size_t size);
void sample_drop(void *block);

/* Whether a block of `size` bytes is to be told to sample_take() when it has come. */
static inline bool sample_count(size_t size)
{
    return __builtin_expect((sample_left -= (int64_t)size) <= 0, 0);
}

/* A block of `size` bytes has come. */
static inline void sample_add(void *block, size_t size)
{
    if (sample_count(size))
        sample_take(block, size);
}

/* Whether a block is to be told to sample_drop() before it goes. */
static inline bool sample_may_be(const void *block)
{
    return __builtin_expect(
        atomic_load_explicit(&sample_filter[sample_hash(block)], memory_order_relaxed) != 0, 0);
}

/* A block is about to go. */
static inline void sample_remove(void *block)
{
    if (sample_may_be(block))
        sample_drop(block);
}

/* --- blocks that are used --------------------------------------------------------------------- */

struct sample_area {
    uintptr_t address;
    size_t size;
    uint64_t born; /* tells it from a later one at the same address */
};

/* The sampled blocks of `least` bytes and more that are there now, up to `most` of them. */
size_t sample_areas(struct sample_area *areas, size_t most, size_t least);

/* So many accesses to one of them, if it is still there. */
void sample_accessed(const struct sample_area *area, size_t accesses);

/* --- the profile ------------------------------------------------------------------------------ */

struct profile {
    size_t rate;
    uint64_t begun, ended; /* in ns */
    uint64_t lost;         /* sampled blocks for which there was no room */
    struct sites *sites;
    struct blocks *blocks;
    struct timeline *timeline;
};

/* Ends it. NULL: there is none. */
const struct profile *sample_end(void);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* worker: a thread that does a pattern, and the sizes it draws. */
#ifndef MEMKIND_BENCH_WORKER_H
#define MEMKIND_BENCH_WORKER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "heap.h"

#define SLOTS 4096

struct worker {
    const struct heap *heap;
    struct worker *next; /* in a ring of all workers */
    unsigned number, threads;
    uint32_t random;
    void **slots; /* SLOTS of them, NULL at first */
    double begin, end;
    /* Batches that the one before it in the ring left in its slots, and those it took from there.
     */
    _Alignas(128) atomic_size_t left;
    _Alignas(128) atomic_size_t taken;
};

/* xorshift32 (Marsaglia): the same numbers in every run. */
static inline uint32_t next_random(struct worker *worker)
{
    uint32_t state = worker->random;

    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return worker->random = state;
}

/* 16 to 1,023 */
static inline size_t small_size(struct worker *worker)
{
    return 16 + next_random(worker) % 1008;
}

static inline void touch_pages(void *block, size_t size)
{
    volatile char *bytes = block;

    for (size_t at = 0; at < size; at += PAGE)
        bytes[at] = 1;
}

#endif /* MEMKIND_BENCH_WORKER_H */

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * The patterns: what a thread does with blocks. A new one is a function here, or in
 * patterns_threads.c if threads hand blocks to each other, and a row of the table at the end.
 *
 * Each thread runs a pattern on slots of its own. An operation is a malloc and a free, or one of
 * the call that the pattern is about.
 */
#include "patterns.h"
#include "patterns_threads.h"

#include <string.h>

#define MEDIUM_SLOTS 64
#define GROWN_SIZE (256 * KIB)

static void set_up_slots(struct worker *worker)
{
    for (size_t i = 0; i < SLOTS; i++)
        worker->slots[i] = heap_malloc(worker->heap, small_size(worker));
}

static void run_pair(struct worker *worker, size_t count)
{
    const struct heap *heap = worker->heap;

    for (size_t i = 0; i < count; i++)
        heap_free(heap, heap_malloc(heap, 64));
}

static void run_null(struct worker *worker, size_t count)
{
    const struct heap *heap = worker->heap;

    for (size_t i = 0; i < count; i++)
        heap_free_any(heap, heap_malloc(heap, 64));
}

static void run_batch(struct worker *worker, size_t count)
{
    const struct heap *heap = worker->heap;

    for (size_t done = 0; done < count; done += SLOTS) {
        for (size_t i = 0; i < SLOTS; i++)
            worker->slots[i] = heap_malloc(heap, small_size(worker));
        for (size_t i = 0; i < SLOTS; i++)
            heap_free(heap, worker->slots[i]);
    }
}

static void run_churn(struct worker *worker, size_t count)
{
    const struct heap *heap = worker->heap;

    for (size_t i = 0; i < count; i++) {
        void **slot = &worker->slots[next_random(worker) % SLOTS];

        heap_free(heap, *slot);
        *slot = heap_malloc(heap, small_size(worker));
    }
}

static void run_calloc(struct worker *worker, size_t count)
{
    const struct heap *heap = worker->heap;

    for (size_t i = 0; i < count; i++)
        heap_free(heap, heap_calloc(heap, 1, small_size(worker)));
}

static void run_medium(struct worker *worker, size_t count)
{
    const struct heap *heap = worker->heap;

    for (size_t i = 0; i < count; i++) {
        void **slot = &worker->slots[next_random(worker) % MEDIUM_SLOTS];
        size_t size = 4 * KIB + next_random(worker) % (252 * KIB);

        if (*slot)
            heap_free(heap, *slot);
        *slot = heap_malloc(heap, size);
        touch_pages(*slot, size);
    }
}

static void run_large(struct worker *worker, size_t count)
{
    const struct heap *heap = worker->heap;

    for (size_t i = 0; i < count; i++) {
        size_t size = MIB + next_random(worker) % (8 * MIB);
        void *block = heap_malloc(heap, size);

        touch_pages(block, size);
        heap_free(heap, block);
    }
}

static void run_aligned(struct worker *worker, size_t count)
{
    const struct heap *heap = worker->heap;

    for (size_t i = 0; i < count; i++) {
        void **slot = &worker->slots[next_random(worker) % 256];
        size_t alignment = (size_t)32 << next_random(worker) % 8; /* 32 to 4,096 */

        if (*slot)
            heap_free(heap, *slot);
        *slot = heap_memalign(heap, alignment, small_size(worker));
    }
}

/* As a vector grows: half as much again whenever it is full. */
static void run_realloc(struct worker *worker, size_t count)
{
    const struct heap *heap = worker->heap;
    size_t size = 64;
    char *block = heap_malloc(heap, size);

    for (size_t i = 0; i < count; i++) {
        size_t more = size + size / 2;

        if (more > GROWN_SIZE) {
            heap_free(heap, block);
            size = 0;
            more = 64;
            block = NULL;
        }
        block = block ? heap_realloc(heap, block, more) : heap_malloc(heap, more);
        memset(block + size, 1, more - size);
        size = more;
    }
    heap_free(heap, block);
}

/* Sizes of one size class. */
static void run_resize(struct worker *worker, size_t count)
{
    const struct heap *heap = worker->heap;
    void *block = heap_malloc(heap, 64);

    for (size_t i = 0; i < count; i++)
        block = heap_realloc(heap, block, 57 + i % 8);
    heap_free(heap, block);
}

static void run_usable(struct worker *worker, size_t count)
{
    const struct heap *heap = worker->heap;
    size_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += heap_usable_size(heap, worker->slots[next_random(worker) % SLOTS]);
    __asm__ volatile("" : : "r"(sum));
}

static void run_detect(struct worker *worker, size_t count)
{
    const struct heap *heap = worker->heap;

    for (size_t i = 0; i < count; i++)
        if (!heap->kind_detect(worker->slots[next_random(worker) % SLOTS]))
            give_up("a block of no kind");
}

const struct pattern patterns[] = {
    {"pair", "64 B, freed at once", 1, 1, NULL, run_pair, false},
    {"null", "64 B, freed at once without telling the kind", 1, 1, NULL, run_null, false},
    {"batch", "4,096 blocks of 16 to 1,023 B, then all are freed", SLOTS, 1, NULL, run_batch,
     false},
    {"churn", "a random one of 4,096 such blocks is replaced", 1, 1, set_up_slots, run_churn,
     false},
    {"calloc", "zeroed, 16 to 1,023 B, freed at once", 1, 1, NULL, run_calloc, false},
    {"aligned", "one of 256 blocks of small sizes aligned to 32 to 4,096 B is replaced", 1, 1, NULL,
     run_aligned, false},
    {"resize", "realloc to a size that the block has room for", 1, 1, NULL, run_resize, false},
    {"realloc", "realloc, a block grows from 64 B to 256 KiB and is written", 1, 1, NULL,
     run_realloc, false},
    {"medium", "a random one of 64 blocks of 4 to 256 KiB is replaced, its pages touched", 1, 256,
     NULL, run_medium, false},
    {"large", "1 to 9 MiB, pages touched, freed at once", 1, 32, NULL, run_large, false},
    {"cross", "blocks of 16 to 1,023 B are freed by the next thread", 256, 1, NULL, run_cross,
     false},
    {"producer", "half of the threads allocate such blocks, the others free them", 256, 1, NULL,
     run_producer, false},
    {"larson", "churn, and another thread takes over after 20,000 blocks", 20000, 1, set_up_slots,
     run_larson, false},
    {"usable", "usable size of one of 4,096 blocks", 1, 1, set_up_slots, run_usable, false},
    {"detect", "kind of one of 4,096 blocks", 1, 1, set_up_slots, run_detect, true},
};

const size_t pattern_count = sizeof patterns / sizeof patterns[0];

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * The calls that are measured. Inlined into the patterns, so that the same machine code surrounds
 * the call whoever is measured: a branch that is always right, and a call through a pointer.
 */
#ifndef MEMKIND_BENCH_HEAP_H
#define MEMKIND_BENCH_HEAP_H

#include "bench.h"

/* The block is used, as far as the compiler can tell. */
static inline void *heap_checked(void *block)
{
    if (__builtin_expect(!block, 0))
        give_up("no memory");
    __asm__ volatile("" : : "r"(block) : "memory");
    return block;
}

static inline void *heap_malloc(const struct heap *heap, size_t size)
{
    return heap_checked(heap->kind_malloc ? heap->kind_malloc(heap->kind, size)
                                          : heap->plain_malloc(size));
}

static inline void *heap_calloc(const struct heap *heap, size_t count, size_t size)
{
    return heap_checked(heap->kind_malloc ? heap->kind_calloc(heap->kind, count, size)
                                          : heap->plain_calloc(count, size));
}

static inline void *heap_realloc(const struct heap *heap, void *block, size_t size)
{
    return heap_checked(heap->kind_malloc ? heap->kind_realloc(heap->kind, block, size)
                                          : heap->plain_realloc(block, size));
}

static inline void *heap_memalign(const struct heap *heap, size_t alignment, size_t size)
{
    void *block = NULL;

    if (heap->kind_malloc)
        (void)heap->kind_memalign(heap->kind, &block, alignment, size);
    else if (heap->plain_memalign(&block, alignment, size))
        block = NULL;
    return heap_checked(block);
}

static inline void heap_free(const struct heap *heap, void *block)
{
    if (heap->kind_malloc)
        heap->kind_free(heap->kind, block);
    else
        heap->plain_free(block);
}

/* The kind is not told, so the library finds it. */
static inline void heap_free_any(const struct heap *heap, void *block)
{
    if (heap->kind_malloc)
        heap->kind_free(NULL, block);
    else
        heap->plain_free(block);
}

static inline size_t heap_usable_size(const struct heap *heap, void *block)
{
    return heap->kind_malloc ? heap->kind_usable_size(heap->kind, block)
                             : heap->plain_usable_size(block);
}

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

#endif /* MEMKIND_BENCH_HEAP_H */

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * pair: nanoseconds of CPU time per malloc and free, of whichever libmemkind it is told to open.
 *
 *     bench_pair LIBRARY    the kinds of that libmemkind.so.0
 *     bench_pair malloc     malloc(3) of the process, so also of a preloaded library
 *
 * Opened and not linked, two libraries run under the same machine code and can take turns in one
 * series of measurements (scripts/bench-pair). One line of output per pattern and heap:
 * "pair REGULAR 5.13". One thread.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BLOCKS 4096
#define MIB ((size_t)1 << 20)
#define PAGE 4096

/* --- heaps ------------------------------------------------------------------------------------ */

struct heap {
    const char *name;
    void *(*malloc)(void *kind, size_t size); /* NULL: malloc(3) and free(3) */
    void (*free)(void *kind, void *block);
    void *kind;
    void *free_kind;
};

static inline void *get(const struct heap *heap, size_t size)
{
    void *block = heap->malloc ? heap->malloc(heap->kind, size) : malloc(size);

    if (!block) {
        fprintf(stderr, "bench_pair: %s: no memory\n", heap->name);
        exit(EXIT_FAILURE);
    }
    __asm__ volatile("" : : "r"(block) : "memory"); /* the compiler knows what malloc is */
    return block;
}

static inline void put(const struct heap *heap, void *block)
{
    if (heap->malloc)
        heap->free(heap->free_kind, block);
    else
        free(block);
}

/* --- patterns --------------------------------------------------------------------------------- */

/* xorshift32 (Marsaglia), the same numbers in every run. */
static uint32_t next_random(void)
{
    static uint32_t state = 2463534242;

    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static size_t small_size(void)
{
    return 16 + next_random() % 1008; /* 16 to 1,023 */
}

/* 64 bytes, freed at once. */
static void pair(const struct heap *heap, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put(heap, get(heap, 64));
}

/* 4,096 small blocks, then all are freed. */
static void batch(const struct heap *heap, size_t count)
{
    static void *blocks[BLOCKS];

    for (size_t done = 0; done < count; done += BLOCKS) {
        for (size_t i = 0; i < BLOCKS; i++)
            blocks[i] = get(heap, small_size());
        for (size_t i = 0; i < BLOCKS; i++)
            put(heap, blocks[i]);
    }
}

/* One of 4,096 small blocks, at random, is replaced. */
static void churn(const struct heap *heap, size_t count)
{
    static void *blocks[BLOCKS];

    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i] = get(heap, small_size());
    for (size_t i = 0; i < count; i++) {
        void **block = &blocks[next_random() % BLOCKS];

        put(heap, *block);
        *block = get(heap, small_size());
    }
    for (size_t i = 0; i < BLOCKS; i++)
        put(heap, blocks[i]);
}

/* 1 to 9 MiB, every page touched. */
static void large(const struct heap *heap, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = MIB + next_random() % (8 * MIB);
        volatile char *block = get(heap, size);

        for (size_t at = 0; at < size; at += PAGE)
            block[at] = 1;
        put(heap, (void *)block);
    }
}

static const struct pattern {
    const char *name;
    void (*run)(const struct heap *heap, size_t count);
    size_t count; /* of malloc and free */
} patterns[] = {
    {"pair", pair, 5000000},
    {"batch", batch, 400 * BLOCKS},
    {"churn", churn, 2000000},
    {"large", large, 300},
};

/* --- measuring -------------------------------------------------------------------------------- */

/* Of CPU time: what else the machine does is not counted, what the kernel does for us is. */
static double nanoseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void measure(const struct heap *heap)
{
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        double start;

        patterns[i].run(heap, patterns[i].count / 10); /* warm up */
        start = nanoseconds();
        patterns[i].run(heap, patterns[i].count);
        printf("%s %s %.2f\n", patterns[i].name, heap->name,
               (nanoseconds() - start) / (double)patterns[i].count);
    }
}

static void *symbol(void *library, const char *name)
{
    void *address = dlsym(library, name);

    if (!address) {
        fprintf(stderr, "bench_pair: %s\n", dlerror());
        exit(EXIT_FAILURE);
    }
    return address;
}

int main(int argc, char **argv)
{
    struct heap heap = {.name = "malloc"};
    void *library, *regular;

    if (argc != 2) {
        fprintf(stderr, "usage: bench_pair LIBRARY | malloc\n");
        return EXIT_FAILURE;
    }
    if (strcmp(argv[1], "malloc") == 0) {
        measure(&heap);
        return EXIT_SUCCESS;
    }
    library = dlopen(argv[1], RTLD_NOW);
    if (!library) {
        fprintf(stderr, "bench_pair: %s\n", dlerror());
        return EXIT_FAILURE;
    }
    heap.malloc = (void *(*)(void *, size_t))symbol(library, "memkind_malloc");
    heap.free = (void (*)(void *, void *))symbol(library, "memkind_free");

    heap.name = "DEFAULT";
    heap.kind = heap.free_kind = *(void **)symbol(library, "MEMKIND_DEFAULT");
    measure(&heap);
    regular = *(void **)symbol(library, "MEMKIND_REGULAR");
    heap.name = "REGULAR";
    heap.kind = heap.free_kind = regular;
    measure(&heap);
    heap.name = "REGULAR,NULL";
    heap.free_kind = NULL;
    measure(&heap);
    return EXIT_SUCCESS;
}

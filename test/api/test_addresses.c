/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_addresses: any address may be asked about, and only the exact start of a live block is a
 * block. Blocks of all sizes and alignments are asked about at every place inside them, filled with
 * what might pass for the library's own words; pointers to their inside are freed and reallocated,
 * and nothing happens.
 */
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

TestSuite(addresses, .init = test_with_nodes, .timeout = 300);

#define BLOCKS 600
#define PROBES 2048 /* addresses in a block, at most */

struct block {
    char *start;
    size_t size, usable;
};

static struct block blocks[BLOCKS];

/* Many blocks of a class beside each other, aligned ones between plain ones. */
static const struct {
    size_t alignment, size;
} shapes[] = {
    {0, 8},       {0, 24},        {0, 100},       {0, 1024},    {0, 1700},       {0, 8000},
    {0, 8128},    {0, 8129},      {0, 14000},     {0, 40000},   {0, 200000},     {0, 1200000},
    {64, 100},    {128, 200},     {256, 1000},    {512, 600},   {512, 1100},     {1024, 600},
    {1024, 3000}, {2048, 100},    {2048, 6000},   {4096, 1},    {4096, 4096},    {4096, 20000},
    {8192, 100},  {16384, 16384}, {32768, 50000}, {65536, 100}, {1 << 20, 5000}, {128, 1650},
    {256, 1500},  {512, 5000},    {64, 8100},     {4096, 3900},
};

static void allocate(memkind_t kind, struct block *block, size_t i)
{
    size_t alignment = shapes[i % LENGTH(shapes)].alignment;
    void *start = NULL;

    block->size = shapes[i % LENGTH(shapes)].size;
    if (alignment)
        cr_assert_eq(memkind_posix_memalign(kind, &start, alignment, block->size), 0);
    else
        start = memkind_malloc(kind, block->size);
    cr_assert(start, "%zu bytes at %zu", block->size, alignment);
    block->start = start;
    block->usable = memkind_malloc_usable_size(NULL, start);
    cr_assert_geq(block->usable, block->size);
}

static int by_start(const void *a, const void *b)
{
    const struct block *one = a, *other = b;

    return (one->start > other->start) - (one->start < other->start);
}

/* The blocks, in the order of their addresses. */
static void allocate_all(memkind_t kind)
{
    for (size_t i = 0; i < BLOCKS; i++)
        allocate(kind, &blocks[i], i);
    qsort(blocks, BLOCKS, sizeof blocks[0], by_start);
    for (size_t i = 1; i < BLOCKS; i++)
        cr_assert(blocks[i - 1].start + blocks[i - 1].usable <= blocks[i].start,
                  "blocks %zu and %zu overlap", i - 1, i);
}

static void free_all(memkind_t kind)
{
    for (size_t i = 0; i < BLOCKS; i++)
        memkind_free(kind, blocks[i].start);
}

/* How far apart the addresses are that are asked about; no multiple of a page. */
static size_t step_in(const struct block *block)
{
    size_t step = 8;

    while (block->usable / step > PROBES)
        step += 8;
    return step % 4096 ? step : step + 8;
}

static void expect_no_block(const struct block *block, const char *address)
{
    cr_assert_null(memkind_detect_kind((void *)address),
                   "%td bytes into a block of %zu bytes at %p", address - block->start, block->size,
                   block->start);
    cr_assert_eq(memkind_malloc_usable_size(NULL, (void *)address), 0);
}

static void expect_starts_only(memkind_t kind)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        const struct block *block = &blocks[i];
        size_t step = step_in(block);

        cr_assert_eq(memkind_detect_kind(block->start), kind);
        cr_assert_eq(memkind_malloc_usable_size(NULL, block->start), block->usable);
        for (size_t at = step; at < block->usable; at += step)
            expect_no_block(block, block->start + at);
        for (size_t at = 1; at < 8 && at < block->usable; at++)
            expect_no_block(block, block->start + at);
        /* Between two blocks there is none: here are headers and what is left over. */
        for (const char *gap = block->start + block->usable;
             i + 1 < BLOCKS && gap < blocks[i + 1].start &&
             gap < block->start + block->usable + KIB;
             gap += 8)
            if (blocks[i + 1].start - gap < 512)
                expect_no_block(block, gap);
    }
}

/* What a program may have in its blocks: pointers to them, into them, and to themselves. */
enum content { ZEROES, TO_START, TO_SELF, BEHIND_SELF, COPY_OF_WHAT_IS_IN_FRONT, CONTENTS };

/* `front`: three words that stand in front of a block, perhaps the library's own. */
static void fill(const struct block *block, enum content content, const uintptr_t front[3])
{
    uintptr_t start = (uintptr_t)block->start;

    for (size_t at = 0; at + sizeof(uintptr_t) <= block->usable; at += sizeof(uintptr_t)) {
        const uintptr_t words[CONTENTS] = {0, start, start + at, start + at + 16,
                                           front[at / sizeof(uintptr_t) % 3]};

        memcpy(block->start + at, &words[content], sizeof(uintptr_t));
    }
}

/* Where the words in front of a block can be read: behind another block that is close, and large
 * enough to have them all. */
static void read_front(size_t i, uintptr_t front[3])
{
    bool close = i && blocks[i - 1].usable >= 3 * sizeof front[0] &&
                 blocks[i].start - (blocks[i - 1].start + blocks[i - 1].usable) < 512;

    memset(front, 0, 3 * sizeof front[0]);
    if (close)
        memcpy(front, blocks[i].start - 3 * sizeof front[0], 3 * sizeof front[0]);
}

static void starts_only(memkind_t kind)
{
    allocate_all(kind);
    for (enum content content = ZEROES; content < CONTENTS; content++) {
        for (size_t i = 0; i < BLOCKS; i++) {
            uintptr_t front[3];

            read_front(i, front);
            fill(&blocks[i], content, front);
        }
        expect_starts_only(kind);
    }
    free_all(kind);
}

Test(addresses, only_the_start_is_a_block)
{
    starts_only(MEMKIND_DEFAULT);
}

Test(addresses, only_the_start_is_a_block_of_a_file)
{
    memkind_t kind;

    cr_assert_eq(memkind_create_pmem("/dev/shm", 0, &kind), 0);
    starts_only(kind);
    cr_assert_eq(memkind_destroy_kind(kind), 0);
}

/* Where aligned blocks were, there are plain ones now, and the other way round. */
Test(addresses, earlier_blocks_leave_no_trace)
{
    for (size_t round = 0; round < 12; round++) {
        size_t shape = round * 7 % LENGTH(shapes);

        for (size_t i = 0; i < BLOCKS; i++)
            allocate(MEMKIND_DEFAULT, &blocks[i], round % 2 ? shape : i + round);
        for (size_t i = 0; i < BLOCKS; i++)
            fill(&blocks[i], TO_SELF, (const uintptr_t[3]){0, 0, 0});
        for (size_t i = 0; i < BLOCKS; i++) {
            size_t step = step_in(&blocks[i]);

            for (size_t at = step; at < blocks[i].usable; at += step)
                expect_no_block(&blocks[i], blocks[i].start + at);
        }
        free_all(round % 3 ? NULL : MEMKIND_DEFAULT);
    }
}

/* Nothing is freed, nothing is moved, and no memory is handed out twice. */
Test(addresses, pointers_to_the_inside_do_nothing)
{
    static struct block others[BLOCKS];

    allocate_all(MEMKIND_DEFAULT);
    for (size_t i = 0; i < BLOCKS; i++)
        test_fill(blocks[i].start, blocks[i].usable, i);
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t step = step_in(&blocks[i]);

        for (size_t at = step; at < blocks[i].usable; at += step) {
            memkind_free(NULL, blocks[i].start + at);
            errno = 0;
            cr_assert_null(memkind_realloc(NULL, blocks[i].start + at, 100));
            cr_assert_eq(errno, EINVAL);
        }
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        allocate(MEMKIND_DEFAULT, &others[i], i);
        memset(others[i].start, 0, others[i].usable);
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        cr_assert(test_holds(blocks[i].start, blocks[i].usable, i), "block %zu of %zu bytes", i,
                  blocks[i].size);
        memkind_free(NULL, blocks[i].start);
        memkind_free(NULL, others[i].start);
    }
}

/* A block that was aligned is one like all others. */
Test(addresses, aligned_blocks_are_resized)
{
    static const size_t sizes[] = {1, 90, 500, 3000, 9000, 70000, 1100000, 300};

    for (size_t i = 0; i < BLOCKS; i++) {
        struct block block;
        size_t held;

        allocate(MEMKIND_DEFAULT, &block, i);
        held = block.size;
        test_fill(block.start, held, i);
        for (size_t j = 0; j < LENGTH(sizes); j++) {
            char *moved = memkind_realloc(i % 2 ? NULL : MEMKIND_DEFAULT, block.start, sizes[j]);

            cr_assert(moved && memkind_malloc_usable_size(NULL, moved) >= sizes[j]);
            held = held < sizes[j] ? held : sizes[j];
            cr_assert(test_holds(moved, held, i), "%zu bytes at first, then %zu", block.size,
                      sizes[j]);
            block.start = moved;
        }
        memkind_free(NULL, block.start);
    }
}

/* What is counted as allocated is what was freed in the end. */
Test(addresses, aligned_blocks_are_counted)
{
    size_t before, between, after;

    memkind_free(NULL, memkind_malloc(MEMKIND_DEFAULT, 1));
    cr_assert_eq(memkind_update_cached_stats(), 0);
    memkind_get_stat(MEMKIND_DEFAULT, MEMKIND_STAT_TYPE_ALLOCATED, &before);
    for (int round = 0; round < 3; round++) {
        size_t sum = 0;

        allocate_all(MEMKIND_DEFAULT);
        for (size_t i = 0; i < BLOCKS; i++)
            sum += blocks[i].usable;
        memkind_update_cached_stats();
        memkind_get_stat(MEMKIND_DEFAULT, MEMKIND_STAT_TYPE_ALLOCATED, &between);
        cr_assert_geq(between, before + sum);
        free_all(round ? NULL : MEMKIND_DEFAULT);
    }
    memkind_update_cached_stats();
    memkind_get_stat(MEMKIND_DEFAULT, MEMKIND_STAT_TYPE_ALLOCATED, &after);
    cr_assert_eq(after, before);
}

/* --- blocks that are freed twice in a row ----------------------------------------------------- */

#define TWICE_SIZES 6
static const size_t twice_sizes[TWICE_SIZES] = {8, 16, 100, 3000, 20000, 1000000};

static void free_twice(void *well)
{
    for (size_t i = 0; i < TWICE_SIZES; i++) {
        memkind_t kind = i % 2 ? MEMKIND_REGULAR : NULL;
        char *block = memkind_malloc(MEMKIND_REGULAR, twice_sizes[i]), *other;

        memkind_free(kind, block);
        memkind_free(kind, block);
        block = memkind_malloc(MEMKIND_REGULAR, twice_sizes[i]);
        other = memkind_malloc(MEMKIND_REGULAR, twice_sizes[i]);
        *(bool *)well &= block && other && block != other;
        memkind_free(kind, block);
        memkind_free(kind, other);
    }
}

static const char *const looks[] = {"MEMKIND_CHECK=1", NULL};

/* A second free of a small block costs JEMALLOC nothing to see. */
static const char *const *asked(void)
{
    return test_tbb() ? looks : NULL;
}

/* It is told, and the memory is not handed out twice. */
Test(addresses, a_second_free_in_a_row_is_ignored)
{
    bool *well = test_shared(sizeof *well);
    struct test_child child;

    *well = true;
    test_run_well(&child, free_twice, well, asked());
    cr_expect(*well);
    cr_expect_eq(child.lines, TWICE_SIZES, "%s", child.errors);
    cr_expect(test_line(child.errors, "^MEMKIND: double free: 0x[0-9a-f]+, a block of 112 bytes of "
                                      ".*; it is ignored$"),
              "%s", child.errors);
}

static void free_inside(void *well)
{
    for (size_t i = 0; i < TWICE_SIZES; i++) {
        char *block = memkind_malloc(MEMKIND_REGULAR, twice_sizes[i]);

        memkind_free(i % 2 ? MEMKIND_REGULAR : NULL, block + twice_sizes[i] / 2);
        memkind_free(MEMKIND_REGULAR, block + 1);
        *(bool *)well &= memkind_malloc_usable_size(NULL, block) >= twice_sizes[i];
        memkind_free(MEMKIND_REGULAR, block);
    }
}

Test(addresses, a_free_inside_a_block_is_told)
{
    bool *well = test_shared(sizeof *well);
    struct test_child child;

    *well = true;
    test_run_well(&child, free_inside, well, looks);
    cr_expect(*well);
    cr_expect_eq(child.lines, 2 * TWICE_SIZES, "%s", child.errors);
    cr_expect(test_line(child.errors, "^MEMKIND: wrong free: 0x[0-9a-f]+, where no block of "
                                      "MEMKIND_REGULAR starts; it is ignored$"),
              "%s", child.errors);
}

/* Two threads take turns: each frees what the other one was given, often the same block. */
static void *hand_over(void *_Atomic *box)
{
    for (size_t i = 0; i < 20000; i++) {
        void *block = memkind_malloc(MEMKIND_REGULAR, 64);

        while (atomic_load(box))
            sched_yield();
        atomic_store(box, block);
    }
    return NULL;
}

static void free_of_another(void *unused)
{
    static void *_Atomic box;
    pthread_t thread;

    (void)unused;
    pthread_create(&thread, NULL, (void *(*)(void *))hand_over, &box);
    for (size_t i = 0; i < 20000; i++) {
        void *block;

        while (!(block = atomic_exchange(&box, NULL)))
            sched_yield();
        memkind_free(MEMKIND_REGULAR, block);
    }
    pthread_join(thread, NULL);
}

Test(addresses, a_free_of_another_threads_block_is_none)
{
    struct test_child child;

    test_run_well(&child, free_of_another, NULL, asked());
    cr_expect_eq(child.lines, 0, "%s", child.errors);
}

/* The thread has no cache any more: the library has ended it, and this comes after. */
static void free_twice_at_end(void *unused)
{
    for (size_t i = 0; i < 2; i++)
        unused = memkind_malloc(MEMKIND_REGULAR, 100);
    memkind_free(MEMKIND_REGULAR, unused);
    memkind_free(MEMKIND_REGULAR, unused);
}

static void *end_with(void *key)
{
    memkind_free(NULL, memkind_malloc(MEMKIND_REGULAR, 100));
    pthread_setspecific(*(pthread_key_t *)key, key);
    return NULL;
}

static void free_twice_in_an_exit(void *unused)
{
    pthread_t thread;
    pthread_key_t key;

    (void)unused;
    memkind_free(NULL, memkind_malloc(MEMKIND_REGULAR, 100));
    pthread_key_create(&key, free_twice_at_end);
    pthread_create(&thread, NULL, end_with, &key);
    pthread_join(thread, NULL);
}

Test(addresses, a_second_free_at_a_threads_end_is_ignored)
{
    struct test_child child;

    test_run_well(&child, free_twice_in_an_exit, NULL, asked());
    cr_expect_eq(child.lines, 1, "%s", child.errors);
}

/* A block that was had again is another one, also if it is the first of its size class. */
static void free_again(void *unused)
{
    (void)unused;
    for (size_t i = 0; i < 10000; i++) {
        void *block = memkind_malloc(MEMKIND_REGULAR, twice_sizes[i % TWICE_SIZES]);

        memkind_free(i % 3 ? MEMKIND_REGULAR : NULL, block);
        if (i % 1000 == 0)
            test_decay(MEMKIND_REGULAR);
    }
}

Test(addresses, a_free_of_a_block_that_was_had_again_is_none)
{
    struct test_child child;

    test_run_well(&child, free_again, NULL, asked());
    cr_expect_eq(child.lines, 0, "%s", child.errors);
}

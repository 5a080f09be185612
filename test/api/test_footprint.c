/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_footprint: how much memory stays resident, in patterns that programs have. Bounds are in
 * bytes. (What is resident under a sanitizer is the sanitizer's.)
 */
#include "support.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void init(void)
{
    test_bare();
    if (TEST_SANITIZED)
        test_skip("the sanitizer has memory of its own");
}

TestSuite(footprint, .init = init, .timeout = 120);

/* --- mixed sizes ------------------------------------------------------------------------------ */

#define BLOCKS 10000

/* Most bytes that were resident above what the process had before, while all blocks of random sizes
 * were allocated, written and freed again, time after time. */
static size_t peak_of_mixed(size_t least, size_t most, unsigned rounds)
{
    static char *blocks[BLOCKS];
    size_t before, peak = 0;
    unsigned random = 12345;

    memkind_free(MEMKIND_REGULAR, memkind_malloc(MEMKIND_REGULAR, 1));
    memset(blocks, 0, sizeof blocks);
    before = test_resident();
    for (unsigned round = 0; round < rounds; round++) {
        size_t now;

        for (size_t i = 0; i < BLOCKS; i++) {
            size_t size;

            random = random * 1103515245 + 12345;
            size = least + 8 * ((random >> 8) % ((most - least) / 8 + 1));
            blocks[i] = memkind_malloc(MEMKIND_REGULAR, size);
            cr_assert_not_null(blocks[i]);
            memset(blocks[i], 1, size);
        }
        now = test_resident();
        if (now > before && now - before > peak)
            peak = now - before;
        for (size_t i = 0; i < BLOCKS; i++)
            memkind_free(MEMKIND_REGULAR, blocks[i]);
    }
    return peak;
}

/* 26 MB are live. */
Test(footprint, mixed_sizes_of_pages)
{
    size_t peak = peak_of_mixed(1024, 4096, 30);

    cr_expect_leq(peak, 45 * 1000 * KIB, "%zu KiB were resident", peak / KIB);
}

/* 82 MB are live. */
Test(footprint, mixed_sizes)
{
    size_t peak = peak_of_mixed(8, 16384, 30);

    cr_expect_leq(peak, 120 * 1000 * KIB, "%zu KiB were resident", peak / KIB);
}

/* --- large blocks ----------------------------------------------------------------------------- */

static void *touched(memkind_t kind, size_t size)
{
    char *block = memkind_malloc(kind, size);

    cr_assert_not_null(block);
    for (size_t offset = 0; offset < size; offset += 4096)
        block[offset] = 1;
    return block;
}

/* Each one is larger than the last, which is free by then: neither its memory nor its addresses are
 * lost to the next. */
Test(footprint, one_large_block_at_a_time)
{
    const size_t largest = 300 * MIB;
    size_t before, addresses, peak = 0, now;

    memkind_free(MEMKIND_REGULAR, memkind_malloc(MEMKIND_REGULAR, 1));
    before = test_resident();
    addresses = test_virtual();
    for (size_t size = 100 * MIB; size <= largest; size += 10 * MIB) {
        void *block = touched(MEMKIND_REGULAR, size);

        now = test_resident() - before;
        if (now > peak)
            peak = now;
        memkind_free(MEMKIND_REGULAR, block);
    }
    cr_expect_leq(peak, largest / 100 * 115, "%zu MiB were resident", peak / MIB);
    now = test_virtual();
    cr_expect_leq(now, addresses + 2 * largest, "%zu MiB of addresses", (now - addresses) / MIB);
}

/* --- what is given back ----------------------------------------------------------------------- */

#define SMALL ((size_t)512)

static void fill_and_free(size_t total)
{
    size_t count = total / SMALL;
    char **blocks = calloc(count, sizeof *blocks);

    cr_assert_not_null(blocks);
    for (size_t i = 0; i < count; i++) {
        blocks[i] = memkind_malloc(MEMKIND_REGULAR, SMALL);
        cr_assert_not_null(blocks[i]);
        memset(blocks[i], 1, SMALL);
    }
    for (size_t i = 0; i < count; i++)
        memkind_free(MEMKIND_REGULAR, blocks[i]);
    free(blocks);
}

static void touch_and_free(size_t count, size_t size)
{
    void *blocks[256];

    cr_assert_leq(count, LENGTH(blocks));
    for (size_t i = 0; i < count; i++)
        blocks[i] = touched(MEMKIND_REGULAR, size);
    for (size_t i = 0; i < count; i++)
        memkind_free(MEMKIND_REGULAR, blocks[i]);
}

/* Makes both known. Returns what is resident. */
static size_t use_regular_and_default(void)
{
    memkind_free(MEMKIND_REGULAR, memkind_malloc(MEMKIND_REGULAR, 1));
    memkind_free(MEMKIND_DEFAULT, memkind_malloc(MEMKIND_DEFAULT, 1));
    return test_resident();
}

/* What a kind does not use any more is little at once, and next to nothing after the decay time,
 * although its threads work in another kind, and get all they want from their caches. */
Test(footprint, of_an_idle_kind)
{
    size_t before = use_regular_and_default(), now;

    fill_and_free(256 * MIB);
    touch_and_free(16, 8 * MIB);
    now = test_resident();
    cr_expect_leq(now, before + 80 * MIB, "%zu MiB stay at first", (now - before) / MIB);
    for (unsigned i = 0; i < 30; i++) {
        for (unsigned j = 0; j < 4000; j++)
            memkind_free(MEMKIND_DEFAULT, memkind_malloc(MEMKIND_DEFAULT, 100));
        usleep(60000); /* the clock that gives back old memory ticks at most every 50 ms */
        test_jump(i % 2);
    }
    now = test_resident();
    cr_expect_leq(now, before + 16 * MIB, "%zu MiB stay in the end", (now - before) / MIB);
}

/* Blocks for which a heap manager has free lists of its own, and no thread comes by again. */
Test(footprint, of_an_idle_kind_of_blocks_below_a_megabyte)
{
    size_t before = use_regular_and_default(), now;

    touch_and_free(256, 500 * KIB);
    test_decay(MEMKIND_DEFAULT);
    now = test_resident();
    cr_expect_leq(now, before + 8 * MIB, "%zu MiB stay", (now - before) / MIB);
}

static void work_for(memkind_t kind, unsigned milliseconds)
{
    for (unsigned i = 0; i < milliseconds; i++) {
        for (unsigned j = 0; j < 1000; j++)
            memkind_free(kind, memkind_malloc(kind, 100 * KIB)); /* slow paths: not cached */
        usleep(1000);
    }
}

/* What was freed a moment ago is kept for the next one who wants memory, whatever the clock that
 * gives back old memory has just done. */
Test(footprint, of_what_was_just_freed)
{
    void *blocks[4];

    work_for(MEMKIND_REGULAR, 100);
    for (unsigned turn = 0; turn < 10; turn++) {
        size_t filled;

        for (size_t i = 0; i < LENGTH(blocks); i++)
            blocks[i] = touched(MEMKIND_REGULAR, 4 * MIB);
        filled = test_resident();
        work_for(MEMKIND_REGULAR, 60);
        for (size_t i = 0; i < LENGTH(blocks); i++)
            memkind_free(MEMKIND_REGULAR, blocks[i]);
        work_for(MEMKIND_REGULAR, 60);
        cr_assert_geq(test_resident(), filled - 6 * MIB, "turn %u: %zu of 16 MiB went back", turn,
                      (filled - test_resident()) / MIB);
    }
}

/* Nobody calls the library any more. (The second jump is for what was counted as fresh after the
 * first one.) */
Test(footprint, of_a_sleeping_process)
{
    size_t before, now = SIZE_MAX;

    cr_assert_eq(memkind_set_bg_threads(true), MEMKIND_SUCCESS);
    memkind_free(MEMKIND_REGULAR, memkind_malloc(MEMKIND_REGULAR, 1));
    before = test_resident();
    fill_and_free(64 * MIB);
    for (int second = 0; second < 30 && now > before + 16 * MIB; second++) {
        test_jump(second < 2 ? 30 : 0);
        usleep(1200000);
        now = test_resident();
    }
    cr_expect_leq(now, before + 16 * MIB, "%zu MiB stay", (now - before) / MIB);
    cr_assert_eq(memkind_set_bg_threads(false), MEMKIND_SUCCESS);
}

static void *thread_of_a_while(void *unused)
{
    (void)unused;
    fill_and_free(64 * MIB);
    return NULL;
}

/* Threads that have arenas of their own, which nobody uses after them. What libtbbmalloc does not
 * join at once stays in its pool at first, as much as it may be: that has no bound. */
Test(footprint, of_ended_threads)
{
    pthread_t threads[4];
    size_t before, now;

    memkind_free(MEMKIND_REGULAR, memkind_malloc(MEMKIND_REGULAR, 1));
    before = test_resident();
    for (size_t i = 0; i < LENGTH(threads); i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, thread_of_a_while, NULL), 0);
    for (size_t i = 0; i < LENGTH(threads); i++)
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    now = test_resident();
    cr_expect(test_tbb() || now <= before + 52 * MIB, "%zu MiB stay at first",
              (now - before) / MIB);
    test_decay(MEMKIND_DEFAULT);
    now = test_resident();
    cr_expect_leq(now, before + 16 * MIB, "%zu MiB stay in the end", (now - before) / MIB);
}

/* --- metadata --------------------------------------------------------------------------------- */

#define KINDS 60
#define THREADS 60

static memkind_t kinds[KINDS];
static pthread_barrier_t used, done;

static void *use_each_kind(void *unused)
{
    (void)unused;
    for (size_t i = 0; i < KINDS; i++)
        memkind_free(kinds[i], memkind_malloc(kinds[i], 64));
    pthread_barrier_wait(&used);
    pthread_barrier_wait(&done);
    return NULL;
}

/* Threads that have used a kind once cost a few KiB each, not an arena and a full table; what kinds
 * have cost goes with them. */
Test(footprint, of_many_kinds_hardly_used)
{
    pthread_t threads[THREADS];
    size_t before, now;

    memkind_free(MEMKIND_DEFAULT, memkind_malloc(MEMKIND_DEFAULT, 1));
    before = test_resident();
    for (size_t i = 0; i < KINDS; i++)
        cr_assert_eq(test_create_kind(0, &kinds[i]), 0);
    pthread_barrier_init(&used, NULL, THREADS + 1);
    pthread_barrier_init(&done, NULL, THREADS + 1);
    for (size_t i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, use_each_kind, NULL), 0);
    pthread_barrier_wait(&used);
    now = test_resident();
    cr_expect_leq(now, before + (test_tbb() ? 60 : 40) * MIB, "%zu MiB", (now - before) / MIB);
    pthread_barrier_wait(&done);
    for (size_t i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < KINDS; i++)
        cr_assert_eq(memkind_destroy_kind(kinds[i]), 0);
    test_decay(MEMKIND_DEFAULT);
    now = test_resident();
    cr_expect_leq(now, before + (test_tbb() ? 12 : 8) * MIB, "%zu MiB stay", (now - before) / MIB);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_statistics: what the library tells of a kind's memory, and what it does to need less of it:
 * background threads and defragmentation.
 */
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

TestSuite(statistics, .init = test_with_nodes, .timeout = 120);

/* --- statistics ------------------------------------------------------------------------------- */

static size_t stat_of(memkind_t kind, memkind_stat_type type)
{
    size_t value = SIZE_MAX;

    cr_assert_eq(memkind_get_stat(kind, type, &value), MEMKIND_SUCCESS);
    return value;
}

static size_t fresh_stat(memkind_t kind, memkind_stat_type type)
{
    cr_assert_eq(memkind_update_cached_stats(), MEMKIND_SUCCESS);
    return stat_of(kind, type);
}

Test(statistics, statistics_follow_large_blocks)
{
    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;) {
        size_t empty = fresh_stat(*kind->variable, MEMKIND_STAT_TYPE_ALLOCATED), full, usable;
        char *block = memkind_malloc(*kind->variable, 4 * MIB);

        usable = memkind_malloc_usable_size(NULL, block);
        cr_assert_eq(stat_of(*kind->variable, MEMKIND_STAT_TYPE_ALLOCATED), empty,
                     "%s: figures changed without an update", kind->name);
        full = fresh_stat(*kind->variable, MEMKIND_STAT_TYPE_ALLOCATED);
        cr_assert_eq(full, empty + usable, "%s: %zu after a block of %zu, %zu before", kind->name,
                     full, usable, empty);
        cr_assert_geq(stat_of(NULL, MEMKIND_STAT_TYPE_ALLOCATED), full);
        cr_assert_geq(stat_of(*kind->variable, MEMKIND_STAT_TYPE_ACTIVE), full);
        cr_assert_eq(stat_of(*kind->variable, MEMKIND_STAT_TYPE_ACTIVE) % 4096, 0);
        cr_assert_geq(stat_of(*kind->variable, MEMKIND_STAT_TYPE_RESIDENT),
                      stat_of(*kind->variable, MEMKIND_STAT_TYPE_ACTIVE));
        memkind_free(*kind->variable, block);
        cr_assert_eq(fresh_stat(*kind->variable, MEMKIND_STAT_TYPE_ALLOCATED), empty, "%s",
                     kind->name);
    }
}

#define SMALL_BLOCKS 20000

static void *allocate_small(void *argument)
{
    void **blocks = argument;

    for (size_t i = 0; i < SMALL_BLOCKS; i++)
        blocks[i] = memkind_malloc(MEMKIND_REGULAR, 100);
    return NULL;
}

/* Blocks of a thread that has ended still count, freed ones do not but for what a cache keeps. */
Test(statistics, statistics_follow_small_blocks)
{
    static void *blocks[SMALL_BLOCKS];
    size_t least = SMALL_BLOCKS * (size_t)100, full;
    pthread_t thread;

    cr_assert_eq(stat_of(MEMKIND_REGULAR, MEMKIND_STAT_TYPE_ALLOCATED), 0, "never used");
    cr_assert_eq(pthread_create(&thread, NULL, allocate_small, blocks), 0);
    pthread_join(thread, NULL);
    full = fresh_stat(MEMKIND_REGULAR, MEMKIND_STAT_TYPE_ALLOCATED);
    cr_assert(full >= least && full < least + least / 4, "%zu", full);
    cr_assert_geq(stat_of(MEMKIND_REGULAR, MEMKIND_STAT_TYPE_ACTIVE), full);
    for (size_t i = 0; i < SMALL_BLOCKS; i++)
        memkind_free(MEMKIND_REGULAR, blocks[i]);
    cr_assert_lt(fresh_stat(MEMKIND_REGULAR, MEMKIND_STAT_TYPE_ALLOCATED), least / 8);
    if (!test_tbb()) /* a pool keeps slabs without blocks */
        cr_assert_lt(stat_of(MEMKIND_REGULAR, MEMKIND_STAT_TYPE_ACTIVE), least / 4);
}

Test(statistics, statistics_refuse_wrong_arguments)
{
    static const int types[] = {-1, MEMKIND_STAT_TYPE_MAX_VALUE, 100};
    memkind_t kinds[] = {NULL, MEMKIND_DEFAULT, MEMKIND_HBW};
    size_t value = 77;

    for (size_t i = 0; i < LENGTH(kinds); i++) {
        for (size_t j = 0; j < LENGTH(types); j++)
            cr_assert_eq(memkind_get_stat(kinds[i], (memkind_stat_type)types[j], &value),
                         MEMKIND_ERROR_INVALID);
        cr_assert_eq(memkind_get_stat(kinds[i], MEMKIND_STAT_TYPE_ACTIVE, NULL),
                     MEMKIND_ERROR_INVALID);
    }
    cr_assert_eq(value, 77);
}

/* --- what is printed -------------------------------------------------------------------------- */

static atomic_uint written, turns; /* texts, and what the other thread did */
static atomic_bool printed;

/* A kind of its own each time, of which there are more than arenas that are kept for the next. */
static void *live_on(void *unused)
{
    memkind_t kinds[12];

    while (!printed) {
        for (size_t i = 0; i < LENGTH(kinds); i++) {
            cr_assert_eq(test_create_kind(0, &kinds[i]), MEMKIND_SUCCESS);
            cr_assert_not_null(memkind_malloc(kinds[i], 100));
        }
        cr_assert_eq(memkind_update_cached_stats(), MEMKIND_SUCCESS);
        cr_assert_geq(memkind_trim(NULL), 0);
        for (size_t i = 0; i < LENGTH(kinds); i++)
            cr_assert_eq(memkind_destroy_kind(kinds[i]), MEMKIND_SUCCESS);
        turns++;
    }
    return unused;
}

/* Whoever reads what is printed lets the other thread go round first. */
static void write_slowly(void *unused, const char *text)
{
    unsigned now = turns;

    (void)unused, (void)text;
    if (written++ < 100)
        while (turns < now + 2)
            sched_yield();
}

/* A test that waits for ever is ended. */
Test(statistics, nobody_waits_for_who_prints)
{
    pthread_t thread;

    memkind_free(NULL, memkind_malloc(MEMKIND_REGULAR, 100));
    cr_assert_eq(pthread_create(&thread, NULL, live_on, NULL), 0);
    cr_expect_eq(memkind_stats_print(write_slowly, NULL, MEMKIND_STAT_PRINT_ALL), 0);
    cr_expect_eq(memkind_stats_print(write_slowly, NULL, MEMKIND_STAT_PRINT_JSON_FORMAT), 0);
    printed = true;
    pthread_join(thread, NULL);
    cr_assert_gt(written, 0);
}

/* --- background threads ----------------------------------------------------------------------- */

Test(statistics, background_threads_come_and_go)
{
    size_t before = test_threads();

    for (int round = 0; round < 3; round++) {
        cr_assert_eq(memkind_set_bg_threads(true), MEMKIND_SUCCESS);
        cr_assert_eq(memkind_set_bg_threads(true), MEMKIND_SUCCESS);
        for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;)
            memkind_free(NULL, memkind_malloc(*kind->variable, MIB));
        cr_assert_eq(test_threads_after(before + 1), before + 1);
        cr_assert_eq(memkind_set_bg_threads(false), MEMKIND_SUCCESS);
        cr_assert_eq(test_threads_after(before), before);
    }
}

/* --- defragmentation -------------------------------------------------------------------------- */

Test(statistics, defrag_makes_the_heap_denser)
{
    if (test_tbb())
        test_skip("TBB moves nothing: it does not tell how full its slabs are");
    enum { BLOCKS = 40000, KEPT = 20, SIZE = 100 };
    static char *blocks[BLOCKS];

    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;) {
        size_t sparse, dense, moved = 0;

        for (size_t i = 0; i < BLOCKS; i++) {
            blocks[i] = memkind_malloc(*kind->variable, SIZE);
            test_fill(blocks[i], SIZE, i);
        }
        for (size_t i = 0; i < BLOCKS; i++)
            if (i % KEPT)
                memkind_free(*kind->variable, blocks[i]);
        sparse = fresh_stat(*kind->variable, MEMKIND_STAT_TYPE_ACTIVE);
        for (size_t i = 0; i < BLOCKS; i += KEPT) {
            char *block = memkind_defrag_reallocate(i % 2 ? NULL : *kind->variable, blocks[i]);

            moved += block != NULL;
            blocks[i] = block ? block : blocks[i];
        }
        dense = fresh_stat(*kind->variable, MEMKIND_STAT_TYPE_ACTIVE);
        cr_assert_gt(moved, BLOCKS / KEPT / 2, "%s: %zu blocks moved", kind->name, moved);
        cr_assert_lt(dense, sparse / 2, "%s: active memory went from %zu to %zu", kind->name,
                     sparse, dense);
        for (size_t i = 0; i < BLOCKS; i += KEPT) {
            cr_assert(test_holds(blocks[i], SIZE, i), "%s: lost content", kind->name);
            cr_assert_eq(memkind_detect_kind(blocks[i]), *kind->variable);
            cr_assert_geq(memkind_malloc_usable_size(NULL, blocks[i]), (size_t)SIZE);
            memkind_free(NULL, blocks[i]);
        }
    }
}

/* A program learns from one call whether defragmentation can gain anything, and from the figures
 * that it cannot. */
Test(statistics, defrag_tells_whether_it_can)
{
    void *block = memkind_malloc(MEMKIND_REGULAR, 100), *pointers[] = {NULL, block};
    int expected = test_tbb() ? ENOTSUP : TEST_ERRNO;

    for (size_t i = 0; i < LENGTH(pointers); i++) {
        errno = TEST_ERRNO;
        cr_expect_null(memkind_defrag_reallocate(MEMKIND_REGULAR, pointers[i]));
        cr_expect_eq(errno, expected, "%zu: errno %d", i, errno);
    }
    if (test_tbb())
        cr_expect_lt(fresh_stat(MEMKIND_REGULAR, MEMKIND_STAT_TYPE_ACTIVE),
                     fresh_stat(MEMKIND_REGULAR, MEMKIND_STAT_TYPE_ALLOCATED) +
                         (size_t)sysconf(_SC_PAGESIZE));
    memkind_free(NULL, block);
}

/* Blocks on full pages stay, blocks on empty ones move. */
Test(statistics, defrag_moves_to_fuller_pages)
{
    if (test_tbb())
        test_skip("TBB moves nothing: it does not tell how full its slabs are");
    enum { BLOCKS = 20000, SIZE = 256 };
    static char *blocks[BLOCKS];
    size_t full = 0, full_moved = 0, empty = 0, empty_moved = 0;

    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i] = memkind_malloc(MEMKIND_DEFAULT, SIZE);
    /* Every second page keeps one block, the others lose one. */
    for (size_t i = 0; i < BLOCKS; i++) {
        bool first = (uintptr_t)blocks[i] % TEST_HEAP_PAGE / SIZE == 0;

        if (first == ((uintptr_t)blocks[i] / TEST_HEAP_PAGE % 2 == 0)) {
            memkind_free(MEMKIND_DEFAULT, blocks[i]);
            blocks[i] = NULL;
        }
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        if (!blocks[i] || (uintptr_t)blocks[i] / TEST_HEAP_PAGE % 2)
            continue;
        full++;
        full_moved += memkind_defrag_reallocate(MEMKIND_DEFAULT, blocks[i]) != NULL;
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        if (!blocks[i] || (uintptr_t)blocks[i] / TEST_HEAP_PAGE % 2 == 0)
            continue;
        empty++;
        empty_moved += memkind_defrag_reallocate(MEMKIND_DEFAULT, blocks[i]) != NULL;
    }
    cr_assert(full > BLOCKS / 3 && empty > BLOCKS / (3 * TEST_HEAP_PAGE / SIZE),
              "%zu full, %zu empty", full, empty);
    cr_assert_lt(full_moved, full / 50, "%zu of %zu blocks on full pages moved", full_moved, full);
    cr_assert_gt(empty_moved, empty / 2, "%zu of %zu blocks on empty pages moved", empty_moved,
                 empty);
}

Test(statistics, defrag_leaves_a_dense_heap)
{
    enum { BLOCKS = 10000 };
    size_t moved = 0;
    char *large;

    cr_assert_null(memkind_defrag_reallocate(MEMKIND_DEFAULT, NULL));
    cr_assert_null(memkind_defrag_reallocate(NULL, NULL));
    for (size_t i = 0; i < BLOCKS; i++)
        moved += memkind_defrag_reallocate(NULL, memkind_malloc(MEMKIND_DEFAULT, 64)) != NULL;
    cr_assert_lt(moved, BLOCKS / 10, "%zu moved", moved);
    large = memkind_malloc(MEMKIND_DEFAULT, MIB);
    cr_assert_null(memkind_defrag_reallocate(MEMKIND_DEFAULT, large));
    cr_assert_eq(memkind_detect_kind(large), MEMKIND_DEFAULT);
}

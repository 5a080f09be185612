/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_threads, continued: kinds that go while threads go, thousands of threads, hundreds of kinds
 * in each, and as many arenas as are needed and allowed.
 */
#include "lives.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* --- kinds that go while threads go ----------------------------------------------------------- */

#define USERS 8

static _Atomic(memkind_t) created;

static char *use_created(memkind_t kind)
{
    unsigned char *blocks[40];

    for (int i = 0; i < 40; i++) {
        blocks[i] = memkind_malloc(kind, 16u << i % 9);
        EXPECT(blocks[i]);
        memset(blocks[i], 0xc3, 16u << i % 9);
        EXPECT(memkind_detect_kind(blocks[i]) == kind);
    }
    for (int i = 0; i < 40; i++)
        if (i % 3)
            memkind_free(i % 2 ? kind : NULL, blocks[i]);
    return NULL;
}

/* Uses a created kind, says that it has done so, and ends while the kind is being destroyed. */
static void *use_and_end(void *argument)
{
    char *wrong = use_created(atomic_load(&created));

    pthread_barrier_wait(&barrier);
    if (!wrong && (uintptr_t)argument % 2)
        wrong = use_kinds(5);
    return wrong;
}

Test(threads, end_while_a_kind_is_destroyed)
{
    const int rounds = TEST_SANITIZED ? 100 : 1000;
    size_t own = 0;

    use_five_kinds();
    pthread_barrier_init(&barrier, NULL, USERS + 1);
    for (int round = 0; round < rounds; round++) {
        pthread_t users[USERS];

        created = create();
        for (int i = 0; i < USERS; i++)
            users[i] = start(0, use_and_end, (void *)(uintptr_t)i);
        pthread_barrier_wait(&barrier);
        for (int i = 0; i < round % 7; i++)
            sched_yield();
        cr_assert_eq(memkind_destroy_kind(created), 0);
        for (int i = 0; i < USERS; i++)
            finish(users[i]);
        if (round == rounds / 2)
            own = own_bytes();
    }
    cr_expect_leq(own_bytes(), own + 256 * KIB, "the library's own memory: %zu, was %zu",
                  own_bytes(), own);
}

/* Stays alive over many generations of a kind, each time with a full cache of the one before. */
static void *outlive_kinds(void *argument)
{
    char *wrong = NULL;

    (void)argument;
    for (;;) {
        pthread_barrier_wait(&barrier); /* a kind is there, or none any more */
        if (!created)
            return wrong;
        if (!wrong)
            wrong = use_created(created);
        pthread_barrier_wait(&barrier); /* it may be destroyed */
    }
}

Test(threads, cache_of_a_destroyed_kind_is_never_hit)
{
    const int rounds = TEST_SANITIZED ? 100 : 1000;
    pthread_t users[USERS];
    memkind_t first = NULL;
    size_t space = 0;
    int reused = 0;

    use_five_kinds();
    pthread_barrier_init(&barrier, NULL, USERS + 1);
    for (int i = 0; i < USERS; i++)
        users[i] = start(0, outlive_kinds, NULL);
    for (int round = 0; round < rounds; round++) {
        created = create();
        if (!first)
            first = created;
        reused += created == first;
        cr_assert_null(use_created(created));
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        cr_assert_eq(memkind_destroy_kind(created), 0);
        if (round == rounds / 4)
            space = test_virtual();
    }
    if (!TEST_SANITIZED)
        cr_expect_leq(test_virtual(), space + 64 * MIB, "address space: %zu MiB, was %zu",
                      test_virtual() / MIB, space / MIB);
    created = NULL;
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < USERS; i++)
        finish(users[i]);
    cr_expect_gt(reused, 1, "the handle was never used again: this test shows nothing");
}

/* --- limits ----------------------------------------------------------------------------------- */

/* 10,000 caches; jemalloc has 4,094 ids for explicit ones. ThreadSanitizer looks for races, which a
 * quarter of the threads has just as well, and its own work grows with the square. */
Test(threads, two_thousand_at_once_with_five_kinds)
{
    const unsigned threads = TEST_THREAD_SANITIZED ? 500 : 2000;

    use_five_kinds();
    gather(threads, use_all_together);
    gather(threads, use_all_together);
}

/* The same with more arenas wanted than jemalloc has, which is 4,094. */
Test(threads, more_arenas_wanted_than_there_are)
{
    setenv("MEMKIND_ARENA_NUM_PER_KIND", "4094", 1);
    use_five_kinds();
    gather(TEST_THREAD_SANITIZED ? 300 : 1000, use_all_together);
    cr_expect_leq(arenas(), 4094);
}

#define MANY 200

static memkind_t many[MANY];

static char *use_many(int first, int step)
{
    static const size_t sizes[] = {24, 1000, 30000, 3 << 20};
    unsigned char *blocks[MANY];

    for (int i = 0, at = first; i < MANY; i++, at = (at + step) % MANY) {
        blocks[at] = memkind_malloc(many[at], sizes[i % 4]);
        EXPECT(blocks[at]);
        memset(blocks[at], at, 24);
    }
    for (int at = 0; at < MANY; at++) {
        EXPECT(memkind_detect_kind(blocks[at]) == many[at]);
        EXPECT(blocks[at][0] == at && blocks[at][23] == at);
        memkind_free(at % 2 ? NULL : many[at], blocks[at]);
    }
    return NULL;
}

/* Highest kind first, lowest first, mixed: a thread's state grows at once or step by step. */
static void *use_many_kinds(void *argument)
{
    unsigned me = (unsigned)(uintptr_t)argument;

    return me % 3 == 0   ? use_many(MANY - 1, MANY - 1)
           : me % 3 == 1 ? use_many(0, 1)
                         : use_many(17, 77);
}

Test(threads, two_hundred_kinds_in_each_of_nine_threads)
{
    size_t own = 0;

    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < MANY; i++)
            many[i] = create();
        gather(9, use_many_kinds);
        cr_assert_null(use_many_kinds((void *)(uintptr_t)round));
        for (int i = 0; i < MANY; i++)
            cr_assert_eq(memkind_destroy_kind(many[i]), 0);
        if (round == 1)
            own = own_bytes();
    }
    cr_expect_leq(own_bytes(), own + MIB, "the library's own memory: %zu, was %zu", own_bytes(),
                  own);
}

/* A thread's table of caches grows, and is replaced, while another thread empties it. */
static atomic_bool stop;

static void *create_and_destroy(void *argument)
{
    (void)argument;
    while (!stop) {
        memkind_t kind;

        EXPECT(test_create_kind((memkind_bits_t)0, &kind) == 0);
        memkind_free(kind, memkind_malloc(kind, 100));
        EXPECT(memkind_destroy_kind(kind) == 0);
    }
    return NULL;
}

Test(threads, tables_of_caches_grow_while_kinds_go)
{
    pthread_t destroyers[2];

    for (int i = 0; i < MANY; i++)
        many[i] = create();
    for (int i = 0; i < 2; i++)
        destroyers[i] = start(0, create_and_destroy, NULL);
    live_and_die(TEST_SANITIZED ? 20 : 100, 4, use_many_kinds);
    stop = true;
    for (int i = 0; i < 2; i++)
        finish(destroyers[i]);
}

/* --- arenas on demand ------------------------------------------------------------------------- */

static void *use_default(void *argument)
{
    void *block = memkind_malloc(MEMKIND_DEFAULT, 100);

    (void)argument;
    EXPECT(block);
    for (int i = 0; i < 20; i++) /* one that comes seldom has no arena of its own */
        memkind_free(MEMKIND_DEFAULT, memkind_malloc(MEMKIND_DEFAULT, 100000));
    pthread_barrier_wait(&barrier);
    memkind_free(MEMKIND_DEFAULT, block);
    return NULL;
}

/* Arenas of MEMKIND_DEFAULT after its use by one thread (the main one), and by 40 more. */
static void count_arenas(const char *limit, unsigned *alone, unsigned *with_40)
{
    unsigned before;

    if (test_tbb())
        test_skip("TBB has no arenas: one pool for each kind and locality domain");
    if (limit)
        setenv("MEMKIND_ARENA_NUM_PER_KIND", limit, 1);
    else
        unsetenv("MEMKIND_ARENA_NUM_PER_KIND");
    cr_assert_eq(memkind_check_available(MEMKIND_DEFAULT), 0); /* the library, but not the kind */
    before = arenas();
    memkind_free(MEMKIND_DEFAULT, memkind_malloc(MEMKIND_DEFAULT, 100));
    *alone = arenas() - before;
    gather(40, use_default);
    *with_40 = arenas() - before;
    gather(40, use_default);
    cr_expect_eq(arenas() - before, *with_40, "other threads do not take the arenas of ended ones");
}

/* One thread has one arena; 40 more, at a time, have `most` with it. */
static void expect_arenas(const char *allowed, unsigned most)
{
    unsigned alone, with_40;

    count_arenas(allowed, &alone, &with_40);
    cr_expect_eq(alone, 1, "%u", alone);
    cr_expect_eq(with_40, most, "%u", with_40);
}

Test(threads, one_arena_if_one_is_allowed)
{
    expect_arenas("1", 1);
}

Test(threads, arenas_follow_threads_if_many_are_allowed)
{
    expect_arenas("896", 41);
}

Test(threads, arenas_are_bounded_by_the_allowed_number)
{
    expect_arenas("7", 7);
}

Test(threads, one_arena_for_one_thread)
{
    unsigned alone, with_40;

    count_arenas(NULL, &alone, &with_40);
    cr_expect_eq(alone, 1, "%u", alone);
    cr_expect_leq(with_40, 41, "%u", with_40);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_sleepers: what the caches of threads hold that sleep goes back, by memkind_trim() and by
 * itself, and nothing is lost or given twice while others steal from threads that are at work.
 */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLEEPERS 8
#define BLOCKS 1500
#define LARGEST 8192
/* A thread keeps a block of each size class up to LARGEST, and with it what else its slab has: with
 * pages of 64 KiB, one or a few of them. */
#define MAY_STAY (TEST_HEAP_PAGE > 4096 ? 48 * TEST_HEAP_PAGE : 600 * KIB)
/* At least, or there would be nothing to see. */
#define HAD (TEST_HEAP_PAGE > 4096 ? 64 * TEST_HEAP_PAGE : 1500 * KIB)
#define THREADS_OF_CHILDREN "ThreadSanitizer allows no threads in children"

TestSuite(sleepers, .init = test_bare, .timeout = 120);

/* --- threads ---------------------------------------------------------------------------------- */

static pthread_barrier_t at_rest, awake;

static void use(memkind_t kind, uint64_t seed)
{
    static __thread struct {
        unsigned char *at;
        size_t size;
    } blocks[BLOCKS];

    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i].size = 16 + test_random(&seed) % (LARGEST - 16);
        blocks[i].at = memkind_malloc(kind, blocks[i].size);
        cr_assert_not_null(blocks[i].at);
        memset(blocks[i].at, (int)i, blocks[i].size);
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        cr_assert_eq(blocks[i].at[0], (unsigned char)i);
        cr_assert_eq(blocks[i].at[blocks[i].size - 1], (unsigned char)i);
        memkind_free(kind, blocks[i].at);
    }
}

/* At work, at rest, at work again. */
static void *work_and_sleep(void *kind)
{
    for (uint64_t i = 0; i < 3; i++)
        use(kind, i + 1);
    pthread_barrier_wait(&at_rest);
    pthread_barrier_wait(&awake);
    for (uint64_t i = 0; i < 3; i++)
        use(kind, i + 4);
    return NULL;
}

static void start(pthread_t thread[SLEEPERS], memkind_t kind)
{
    cr_assert_eq(pthread_barrier_init(&at_rest, NULL, SLEEPERS + 1), 0);
    cr_assert_eq(pthread_barrier_init(&awake, NULL, SLEEPERS + 1), 0);
    for (int i = 0; i < SLEEPERS; i++)
        cr_assert_eq(pthread_create(&thread[i], NULL, work_and_sleep, kind), 0);
    pthread_barrier_wait(&at_rest);
}

static void wake(pthread_t thread[SLEEPERS])
{
    pthread_barrier_wait(&awake);
    for (int i = 0; i < SLEEPERS; i++)
        cr_assert_eq(pthread_join(thread[i], NULL), 0);
}

/* A second goes by, and this thread comes to its slow paths. */
static void second(void)
{
    test_jump(1);
    for (int i = 0; i < 3000; i++)
        memkind_free(MEMKIND_DEFAULT, memkind_malloc(MEMKIND_DEFAULT, 100000));
}

/* --- what goes back --------------------------------------------------------------------------- */

Test(sleepers, give_to_a_trim)
{
    pthread_t thread[SLEEPERS];
    size_t before, after;

    start(thread, MEMKIND_REGULAR);
    before = test_kind_stat(MEMKIND_REGULAR, MEMKIND_STAT_TYPE_ACTIVE);
    cr_assert_geq(memkind_trim(MEMKIND_REGULAR), 0);
    after = test_kind_stat(MEMKIND_REGULAR, MEMKIND_STAT_TYPE_ACTIVE);
    if (!test_tbb()) { /* whose caches are libtbbmalloc's */
        cr_expect_geq(before, SLEEPERS * HAD, "%zu KiB before", before / KIB);
        cr_expect_leq(after, SLEEPERS * MAY_STAY, "%zu KiB stay of %zu", after / KIB, before / KIB);
    }
    wake(thread);
}

Test(sleepers, of_another_kind_keep_theirs)
{
    pthread_t thread[SLEEPERS];
    size_t before;

    start(thread, MEMKIND_REGULAR);
    before = test_kind_stat(MEMKIND_REGULAR, MEMKIND_STAT_TYPE_ACTIVE);
    cr_assert_geq(memkind_trim(MEMKIND_DEFAULT), 0);
    cr_expect_eq(test_kind_stat(MEMKIND_REGULAR, MEMKIND_STAT_TYPE_ACTIVE), before);
    wake(thread);
}

Test(sleepers, give_to_whoever_is_awake)
{
    pthread_t thread[SLEEPERS];
    size_t before, after;

    if (test_tbb())
        test_skip("the caches of TBB are libtbbmalloc's own");
    start(thread, MEMKIND_REGULAR);
    before = test_kind_stat(MEMKIND_REGULAR, MEMKIND_STAT_TYPE_ACTIVE);
    for (int i = 0; i < 5; i++)
        second();
    after = test_kind_stat(MEMKIND_REGULAR, MEMKIND_STAT_TYPE_ACTIVE);
    cr_expect_geq(before, SLEEPERS * HAD, "%zu KiB before", before / KIB);
    cr_expect_leq(after, SLEEPERS * MAY_STAY, "%zu KiB stay of %zu", after / KIB, before / KIB);
    wake(thread);
}

static void *trim_regular(void *argument)
{
    cr_expect_geq(memkind_trim(MEMKIND_REGULAR), 0);
    return argument;
}

/* Blocks on their way from a cache to an arena are in neither. */
Test(sleepers, have_nothing_allocated_while_they_are_stolen_from)
{
    pthread_t thread[SLEEPERS], thief;
    unsigned wrong = 0;

    for (int turn = 0; turn < 10; turn++) {
        start(thread, MEMKIND_REGULAR);
        cr_assert_eq(pthread_create(&thief, NULL, trim_regular, NULL), 0);
        for (int i = 0; i < 20; i++)
            wrong += test_kind_allocated(MEMKIND_REGULAR) != 0;
        cr_assert_eq(pthread_join(thief, NULL), 0);
        wake(thread);
    }
    if (!test_tbb()) /* whose caches count as allocated */
        cr_expect_eq(wrong, 0, "%u figures of blocks that nobody has", wrong);
}

/* How many blocks there are before one is refused. */
static size_t fill(memkind_t kind, size_t size)
{
    void **last = NULL, **block;
    size_t count = 0;

    while ((block = memkind_malloc(kind, size))) {
        *block = last;
        last = block;
        count++;
    }
    while (last) {
        block = *last;
        memkind_free(kind, last);
        last = block;
    }
    return count;
}

/* At a limit no block is refused for what others have at hand, but do not use. */
Test(sleepers, give_to_a_limit)
{
    pthread_t thread[SLEEPERS];
    /* The sleepers' slabs of other classes stay: page by page. */
    size_t limit = 80 * MIB, part = TEST_HEAP_PAGE > 4096 ? 80 : 92, count;
    memkind_t kind;

    if (test_tbb())
        test_skip("the caches of TBB are libtbbmalloc's own");
    kind = test_create_file("/dev/shm", limit);
    start(thread, kind);
    count = fill(kind, 4096);
    cr_expect_geq(count * 4096, limit / 100 * part, "%zu %% are usable",
                  count * 4096 * 100 / limit);
    wake(thread);
    cr_expect_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
}

/* A thread whose cache was stolen from tells a second free as ever, and no other. */
static void *free_twice(void *argument)
{
    void *blocks[100];

    (void)argument;
    for (size_t i = 0; i < LENGTH(blocks); i++)
        blocks[i] = memkind_malloc(MEMKIND_REGULAR, 64);
    for (size_t i = 0; i < LENGTH(blocks); i++)
        memkind_free(MEMKIND_REGULAR, blocks[i]);
    pthread_barrier_wait(&at_rest);
    pthread_barrier_wait(&awake);
    for (size_t i = 0; i < LENGTH(blocks); i++) /* of those that another has now */
        blocks[i] = memkind_malloc(MEMKIND_REGULAR, 64);
    for (size_t i = 0; i < LENGTH(blocks); i++)
        memkind_free(MEMKIND_REGULAR, blocks[i]);
    memkind_free(MEMKIND_REGULAR, blocks[LENGTH(blocks) - 1]);
    return NULL;
}

static void let_free_twice(void *argument)
{
    pthread_t thread;

    (void)argument;
    pthread_barrier_init(&at_rest, NULL, 2);
    pthread_barrier_init(&awake, NULL, 2);
    if (pthread_create(&thread, NULL, free_twice, NULL))
        return;
    pthread_barrier_wait(&at_rest);
    memkind_trim(MEMKIND_REGULAR);
    pthread_barrier_wait(&awake);
    pthread_join(thread, NULL);
}

Test(sleepers, free_twice_when_they_wake)
{
    static const char *const debug[] = {"MEMKIND_DEBUG=1", NULL};
    static struct test_child child;
    const char *told;

    if (test_tbb() || TEST_THREAD_SANITIZED)
        test_skip("the caches of TBB are libtbbmalloc's own; " THREADS_OF_CHILDREN);
    test_run_well(&child, let_free_twice, NULL, debug);
    told = strstr(child.errors, "double free");
    cr_expect(told && !strstr(told + 1, "double free"), "%s", child.errors);
}

/* --- threads at work -------------------------------------------------------------------------- */

static atomic_bool stop;

/* Now a block or two, now many, of few classes: bins are empty, full, and in between. */
static void *work(void *argument)
{
    enum { MOST = 400 };
    uint64_t seed = (uintptr_t)argument;
    uintptr_t *blocks[MOST];

    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        size_t size = (size_t)16 << test_random(&seed) % 5;
        size_t count = 1 + test_random(&seed) % (test_random(&seed) % 8 ? 4 : MOST);

        for (size_t i = 0; i < count; i++) {
            blocks[i] = memkind_malloc(MEMKIND_REGULAR, size);
            cr_assert_not_null(blocks[i]);
            blocks[i][0] = blocks[i][1] = (uintptr_t)&blocks[i];
        }
        for (size_t i = 0; i < count; i++) {
            cr_assert(blocks[i][0] == (uintptr_t)&blocks[i] && blocks[i][1] == blocks[i][0],
                      "somebody else has this block");
            blocks[i][0] = 0;
            memkind_free(MEMKIND_REGULAR, blocks[i]);
        }
    }
    return NULL;
}

Test(sleepers, may_be_at_work)
{
    pthread_t thread[4];

    for (size_t i = 0; i < LENGTH(thread); i++)
        cr_assert_eq(pthread_create(&thread[i], NULL, work, (void *)(i + 1)), 0);
    for (int turn = 0; turn < (TEST_SANITIZED ? 500 : 3000); turn++)
        cr_assert_geq(memkind_trim(turn % 2 ? MEMKIND_REGULAR : NULL), 0);
    atomic_store(&stop, true);
    for (size_t i = 0; i < LENGTH(thread); i++)
        cr_assert_eq(pthread_join(thread[i], NULL), 0);
    if (!test_tbb())
        cr_expect_eq(test_kind_allocated(MEMKIND_REGULAR), 0);
}

/* The barrier is known in a child, too. */
Test(sleepers, of_a_child)
{
    pid_t child;
    int status;

    memkind_free(MEMKIND_REGULAR, memkind_malloc(MEMKIND_REGULAR, 1));
    if (test_tbb() || TEST_THREAD_SANITIZED)
        test_skip("the caches of TBB are libtbbmalloc's own; " THREADS_OF_CHILDREN);
    child = fork();
    if (child == 0) {
        pthread_t thread[SLEEPERS];
        size_t after;

        start(thread, MEMKIND_REGULAR);
        memkind_trim(MEMKIND_REGULAR);
        after = test_kind_stat(MEMKIND_REGULAR, MEMKIND_STAT_TYPE_ACTIVE);
        wake(thread);
        _exit(after > SLEEPERS * MAY_STAY);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0);
}

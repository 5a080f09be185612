/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_fork: a process may fork at any moment, whatever its threads are doing inside the library:
 * the child can allocate from every kind and free to it, start threads, create and destroy kinds,
 * and fork again; the parent goes on undisturbed.
 *
 * A child that deadlocks is ended by its alarm. Children report by their exit status: 0, or the
 * number of the check in run_child() that failed.
 */
#include "busy.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(fork, .init = test_with_nodes, .timeout = 280);

/* --- what a child does ------------------------------------------------------------------------ */

static void *use_all_kinds(void *result)
{
    bool *well = result;
    memkind_t created = busy_create();

    *well = created && busy_use(created, 1);
    for (int i = 0; i < BUSY_KINDS; i++)
        *well = *well && busy_use(busy_kind(i), (uint64_t)i);
    *well = *well && memkind_destroy_kind(created) == 0;
    return NULL;
}

/* Blocks of the parent: freed, and grown, by the child, whose copies they are. */
struct inheritance {
    void *blocks[64];
    memkind_t created; /* a kind with blocks, or NULL */
};

static void inheritance_make(struct inheritance *inherited)
{
    inherited->created = busy_create();
    for (size_t i = 0; i < LENGTH(inherited->blocks); i++) {
        memkind_t kind = i % 6 == 5 ? inherited->created : busy_kind((int)i % 6);

        inherited->blocks[i] = memkind_malloc(kind, 1 + i * i * 20);
        cr_assert(inherited->blocks[i]);
        test_fill(inherited->blocks[i], 1 + i * i * 20, i);
    }
}

static bool inheritance_end(struct inheritance *inherited)
{
    bool well = true;

    for (size_t i = 0; i < LENGTH(inherited->blocks); i++) {
        well = well && test_holds(inherited->blocks[i], 1 + i * i * 20, i);
        if (i % 3 == 0)
            inherited->blocks[i] = memkind_realloc(NULL, inherited->blocks[i], 50000);
        well = well && inherited->blocks[i];
        memkind_free(NULL, inherited->blocks[i]);
    }
    return well && (!inherited->created || memkind_destroy_kind(inherited->created) == 0);
}

/* Exit status of a child: 0, or which step went wrong. `generations` of children of its own. */
static int run_child(struct inheritance *inherited, int generations)
{
    /* ThreadSanitizer cannot start threads in the child of a process with threads; AddressSanitizer
     * hangs there if one of the parent's was starting, with the lock of its own allocator. */
    const int count = TEST_SANITIZED ? 0 : 3;
    pthread_t threads[3];
    bool well[4] = {false};
    pid_t child = -1;

    alarm(BUSY_SECONDS);
    if (inherited && !inheritance_end(inherited))
        return 1;
    use_all_kinds(&well[3]);
    if (!well[3])
        return 2;
    for (int i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, use_all_kinds, &well[i]))
            return 3;
    if (generations) {
        child = fork(); /* beside threads of its own */
        if (child == 0)
            _exit(run_child(NULL, generations - 1));
        if (child < 0)
            return 4;
    }
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        if (!well[i])
            return 5;
    }
    if (generations && busy_status_of(child))
        return 6;
    use_all_kinds(&well[3]);
    return well[3] ? 0 : 7;
}

/* Forks a child that does all of the above and returns its exit status. */
static int fork_child(struct inheritance *inherited, int generations)
{
    pid_t child = fork();

    if (child == 0)
        _exit(run_child(inherited, generations));
    return child < 0 ? 254 : busy_status_of(child);
}

/* --- tests ------------------------------------------------------------------------------------ */

Test(fork, many_times_beside_busy_threads)
{
    const int forks = TEST_SANITIZED ? 20 : 80;

    busy_start();
    for (int i = 0; i < forks; i++) {
        struct inheritance inherited;
        int status;

        inheritance_make(&inherited);
        status = fork_child(&inherited, i % 10 == 0);
        cr_assert_eq(status, 0, "fork %d: the child ended with %d", i, status);
        cr_assert(inheritance_end(&inherited), "fork %d changed the parent", i);
    }
    busy_end();
}

static void *fork_in_thread(void *result)
{
    int *status = result;

    *status = fork_child(NULL, 1);
    return NULL;
}

/* The forking thread is the only one that goes on in the child: here not the first, and one that
 * has used the library before (or, in every other turn, has not). */
Test(fork, from_a_thread)
{
    const int forks = TEST_SANITIZED ? 8 : 40;

    busy_start();
    for (int i = 0; i < forks; i++) {
        pthread_t thread;
        int status = -1;

        cr_assert_eq(pthread_create(&thread, NULL, fork_in_thread, &status), 0);
        pthread_join(thread, NULL);
        cr_assert_eq(status, 0, "fork %d: the child ended with %d", i, status);
    }
    busy_end();
}

static void *use_and_fork_in_thread(void *result)
{
    int *status = result;

    busy_use_once();
    *status = fork_child(NULL, 0);
    busy_use_once();
    return NULL;
}

Test(fork, from_several_threads_at_once)
{
    const int rounds = TEST_SANITIZED ? 3 : 20;

    busy_start();
    for (int round = 0; round < rounds; round++) {
        pthread_t threads[4];
        int statuses[4];

        for (int i = 0; i < 4; i++)
            cr_assert_eq(pthread_create(&threads[i], NULL, use_and_fork_in_thread, &statuses[i]),
                         0);
        for (int i = 0; i < 4; i++) {
            pthread_join(threads[i], NULL);
            cr_assert_eq(statuses[i], 0, "a child ended with %d", statuses[i]);
        }
    }
    busy_end();
}

Test(fork, before_first_use)
{
    bool well;

    cr_expect_eq(fork_child(NULL, 2), 0);
    use_all_kinds(&well);
    cr_expect(well);
    cr_expect_eq(fork_child(NULL, 2), 0);
}

/* A kind that nobody has used yet is first used in the child, after use of another one. */
Test(fork, before_first_use_of_a_kind)
{
    cr_assert(busy_use(MEMKIND_DEFAULT, 1));
    cr_expect_eq(fork_child(NULL, 1), 0);
}

static void *first_use(void *argument)
{
    (void)argument;
    memkind_free(MEMKIND_REGULAR, memkind_malloc(MEMKIND_REGULAR, 100));
    return NULL;
}

/* Empties a pipe, but not at once. */
static void *drain_late(void *argument)
{
    int *end = argument;
    char drained[4096];

    usleep(300000);
    while (read(*end, drained, sizeof drained) > 0)
        ;
    return NULL;
}

/*
 * Fork comes while another thread is in the middle of the library's first use: it is held there for
 * a while, writing its log to a pipe that is full. The fork has to wait for it.
 */
static void fork_during_first_use(void *result)
{
    int *status = result, ends[2], old = dup(STDERR_FILENO);
    char filling[4096] = "";
    pthread_t thread, drain;
    pid_t child;

    alarm(2 * BUSY_SECONDS);
    if (pipe2(ends, O_NONBLOCK))
        _exit(1);
    while (write(ends[1], filling, sizeof filling) > 0)
        ;
    while (write(ends[1], filling, 1) > 0)
        ;
    fcntl(ends[0], F_SETFL, 0);
    fcntl(ends[1], F_SETFL, 0);
    dup2(ends[1], STDERR_FILENO);
    setenv("MEMKIND_DEBUG", "1", 1);
    pthread_create(&thread, NULL, first_use, NULL);
    usleep(100000); /* enough to get there, mostly; if not, the test passes without showing much */
    pthread_create(&drain, NULL, drain_late, &ends[0]);
    child = fork();
    if (child == 0) {
        dup2(old, STDERR_FILENO);
        _exit(run_child(NULL, 0));
    }
    pthread_join(thread, NULL);
    dup2(old, STDERR_FILENO);
    close(ends[1]);
    *status = busy_status_of(child);
    pthread_join(drain, NULL);
}

Test(fork, during_first_use)
{
    struct test_child *child = test_shared(sizeof *child);
    int *status = test_shared(sizeof *status);

    if (TEST_THREAD_SANITIZED)
        test_skip("ThreadSanitizer cannot start threads in a forked child");
    *status = -1;
    test_run_well(child, fork_during_first_use, status, NULL);
    cr_expect_eq(*status, 0, "the child ended with %d (142: it hung)", *status);
}

static atomic_bool ending, ended, failed;

static void create_late(void *value)
{
    (void)value;
    ending = true;
    usleep(100000); /* enough for the fork to begin; if not, the test passes without showing much */
    if (memkind_destroy_kind(busy_create()))
        failed = true;
    ended = true;
}

static void *end_late(void *key)
{
    if (!busy_use(MEMKIND_DEFAULT, 1) || pthread_setspecific(*(pthread_key_t *)key, key))
        failed = true;
    return NULL;
}

/* Where fork waits for the end of a thread (TBB), it does not keep that from what the end needs. */
Test(fork, beside_a_thread_that_creates_a_kind_as_it_ends)
{
    pthread_key_t key;
    pthread_t thread;
    pid_t child;

    cr_assert(busy_use(MEMKIND_DEFAULT, 1));
    cr_assert_eq(pthread_key_create(&key, create_late), 0);
    cr_assert_eq(pthread_create(&thread, NULL, end_late, &key), 0);
    while (!ending)
        sched_yield();
    child = fork();
    if (child == 0)
        _exit(run_child(NULL, 0));
    cr_expect(ended || !test_tbb(), "the fork gave up");
    cr_expect_eq(busy_status_of(child), 0);
    pthread_join(thread, NULL);
    cr_expect(!failed);
}

/* The pthread key of the library and of jemalloc work in a child as well: its threads leave nothing
 * behind, and caches of the parent's threads are not used by the child's. */
static pthread_barrier_t barrier;
static void *held[16][64];

static void *hold_blocks(void *argument)
{
    void **blocks = argument;

    for (int i = 0; i < 64; i++)
        blocks[i] = memkind_malloc(MEMKIND_REGULAR, 256);
    for (int i = 0; i < 64; i += 2)
        memkind_free(MEMKIND_REGULAR, blocks[i]); /* into this thread's cache */
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return NULL;
}

static int use_beside_lost_threads(void)
{
    void *mine[2000];

    alarm(BUSY_SECONDS);
    for (int i = 0; i < 16; i++)
        for (int j = 1; j < 64; j += 2)
            test_fill(held[i][j], 256, (uint64_t)(i * 64 + j));
    for (int i = 0; i < 2000; i++) {
        mine[i] = memkind_malloc(MEMKIND_REGULAR, 256);
        if (!mine[i])
            return 1;
        test_fill(mine[i], 256, 100000 + (uint64_t)i);
    }
    for (int i = 0; i < 16; i++)
        for (int j = 1; j < 64; j += 2) {
            if (!test_holds(held[i][j], 256, (uint64_t)(i * 64 + j)))
                return 2; /* a block of a lost thread was given out again */
            memkind_free(j % 4 == 1 ? NULL : MEMKIND_REGULAR, held[i][j]);
        }
    for (int i = 0; i < 2000; i++) {
        if (!test_holds(mine[i], 256, 100000 + (uint64_t)i))
            return 3;
        memkind_free(MEMKIND_REGULAR, mine[i]);
    }
    return run_child(NULL, 0);
}

Test(fork, blocks_of_threads_that_the_child_lacks)
{
    pthread_t threads[16];
    pid_t child;

    pthread_barrier_init(&barrier, NULL, 17);
    for (int i = 0; i < 16; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, hold_blocks, held[i]), 0);
    pthread_barrier_wait(&barrier);
    child = fork();
    if (child == 0)
        _exit(use_beside_lost_threads());
    cr_expect_eq(busy_status_of(child), 0);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 16; i++)
        pthread_join(threads[i], NULL);
}

/* A chain of processes, each the child of the one before, with a kind that goes from hand to hand.
 */
static int hand_down(memkind_t kind, int left)
{
    pid_t child;

    alarm(BUSY_SECONDS);
    if (!busy_use(kind, (uint64_t)left))
        return 1;
    if (left == 0)
        return memkind_destroy_kind(kind) ? 2 : 0;
    child = fork();
    if (child == 0)
        _exit(hand_down(kind, left - 1));
    if (child < 0)
        return 3;
    if (!busy_use(kind, 1000))
        return 4;
    return busy_status_of(child);
}

Test(fork, twenty_generations)
{
    memkind_t kind = busy_create();

    cr_assert(kind);
    cr_expect_eq(hand_down(kind, 20), 0);
    cr_expect_eq(memkind_destroy_kind(kind), 0);
}

/* --- a heap manager that has not started ------------------------------------------------------ */

static atomic_bool may_start, starts_over;

static void *start_in_vain(void *unused)
{
    while (!may_start)
        usleep(1000);
    while (!starts_over)
        (void)memkind_update_cached_stats();
    return unused;
}

/* Where there is no memory for its start, each call tries again: a fork beside that is as any. */
Test(fork, beside_a_start_that_fails)
{
    struct rlimit usual, none;
    pthread_t thread;

    if (TEST_SANITIZED)
        test_skip("a sanitizer needs address space itself");
    cr_assert_eq(getrlimit(RLIMIT_AS, &usual), 0);
    none = usual;
    none.rlim_cur = 1;
    cr_assert_eq(pthread_create(&thread, NULL, start_in_vain, NULL), 0);
    cr_assert_eq(setrlimit(RLIMIT_AS, &none), 0);
    may_start = true;
    for (int i = 0; i < 200; i++) {
        pid_t child = fork();

        if (child == 0) {
            alarm(BUSY_SECONDS);
            (void)memkind_update_cached_stats();
            _exit(0);
        }
        if (busy_status_of(child)) {
            setrlimit(RLIMIT_AS, &usual);
            cr_assert_fail("child %d", i);
        }
    }
    starts_over = true;
    pthread_join(thread, NULL);
    cr_assert_eq(setrlimit(RLIMIT_AS, &usual), 0);
    cr_expect(busy_use(MEMKIND_DEFAULT, 1));
}

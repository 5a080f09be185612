/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_fork: rule 4 of the design contract. A process may fork at any moment, whatever its threads
 * are doing inside the library: the child can allocate from every kind and free to it, start
 * threads, create and destroy kinds, and fork again; the parent goes on undisturbed.
 *
 * A child that deadlocks is ended by its alarm. Children report by their exit status: 0, or the
 * number of the check in run_child() that failed.
 */
#include "support.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_SECONDS 60 /* a child that takes longer hangs */

TestSuite(fork, .init = test_with_nodes, .timeout = 280);

/* --- what a child does --------------------------------------------------------------------------
 */

#define STATIC_KINDS 5

static memkind_t static_kind(int i)
{
    memkind_t kinds[STATIC_KINDS] = {MEMKIND_DEFAULT, MEMKIND_REGULAR, MEMKIND_HBW_PREFERRED,
                                     MEMKIND_DAX_KMEM_ALL, MEMKIND_INTERLEAVE};

    return kinds[i % STATIC_KINDS];
}

static memkind_t create(void)
{
    memkind_t kind;

    return memkind_create_kind(MEMKIND_MEMTYPE_DEFAULT, MEMKIND_POLICY_PREFERRED_LOCAL,
                               (memkind_bits_t)0, &kind)
               ? NULL
               : kind;
}

/* Allocates, changes and frees in a kind; false: something is wrong. */
static bool use_kind(memkind_t kind, uint64_t seed)
{
    static const size_t sizes[] = {8, 100, 1500, 14000, 40000, 200000};
    void *blocks[LENGTH(sizes)];
    bool well = true;

    for (size_t i = 0; i < LENGTH(sizes); i++) {
        blocks[i] = memkind_malloc(kind, sizes[i]);
        if (!blocks[i])
            return false;
        test_fill(blocks[i], sizes[i], seed + i);
    }
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        well = well && test_holds(blocks[i], sizes[i], seed + i);
        well = well && memkind_detect_kind(blocks[i]) == kind;
        blocks[i] = memkind_realloc(kind, blocks[i], sizes[i] + 50);
        well = well && blocks[i] && test_holds(blocks[i], sizes[i], seed + i);
        memkind_free((seed + i) % 2 ? kind : NULL, blocks[i]);
    }
    return well;
}

static void *use_all_kinds(void *result)
{
    bool *well = result;
    memkind_t created = create();

    *well = created && use_kind(created, 1);
    for (int i = 0; i < STATIC_KINDS; i++)
        *well = *well && use_kind(static_kind(i), (uint64_t)i);
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
    inherited->created = create();
    for (size_t i = 0; i < LENGTH(inherited->blocks); i++) {
        memkind_t kind = i % 6 == 5 ? inherited->created : static_kind((int)i % 6);

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

static int status_of(pid_t child)
{
    int status;

    if (waitpid(child, &status, 0) != child)
        return 255;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
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

    alarm(CHILD_SECONDS);
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
    if (generations && status_of(child))
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
    return child < 0 ? 254 : status_of(child);
}

/* --- threads that keep the library busy ---------------------------------------------------------
 */

static atomic_bool stop;
static atomic_bool spoiled;
static atomic_ulong turns;

static void *keep_allocating(void *argument)
{
    uint64_t seed = (uintptr_t)argument;

    while (!stop) {
        if (!use_kind(static_kind((int)(seed % STATIC_KINDS)), seed))
            spoiled = true;
        seed++;
        turns++;
    }
    return NULL;
}

static void *keep_creating(void *argument)
{
    (void)argument;
    while (!stop) {
        memkind_t kind = create();

        if (!kind || !use_kind(kind, 77) || memkind_destroy_kind(kind))
            spoiled = true;
        turns++;
    }
    return NULL;
}

static void *use_once(void *argument)
{
    (void)argument;
    for (int i = 0; i < STATIC_KINDS; i++)
        if (!use_kind(static_kind(i), 5))
            spoiled = true;
    return NULL;
}

/* Threads that begin and end, so that states and caches are made and flushed. */
static void *keep_starting(void *argument)
{
    while (!stop) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, use_once, argument))
            spoiled = true;
        else
            pthread_join(thread, NULL);
        turns++;
    }
    return NULL;
}

#define BUSY 4

static pthread_t busy[BUSY];

static void be_busy(void)
{
    void *(*const bodies[BUSY])(void *) = {keep_allocating, keep_allocating, keep_creating,
                                           keep_starting};

    for (uintptr_t i = 0; i < BUSY; i++)
        cr_assert_eq(pthread_create(&busy[i], NULL, bodies[i], (void *)i), 0);
}

static void be_idle(void)
{
    unsigned long before = turns;

    /* The parent's threads are still at work: a lock that a fork left taken would show here. */
    while (turns < before + 20)
        sched_yield();
    stop = true;
    for (int i = 0; i < BUSY; i++)
        pthread_join(busy[i], NULL);
    cr_expect(!spoiled, "a thread of the parent was disturbed");
}

/* --- tests --------------------------------------------------------------------------------------
 */

Test(fork, two_hundred_times_beside_busy_threads)
{
    const int forks = TEST_SANITIZED ? 40 : 200;

    be_busy();
    for (int i = 0; i < forks; i++) {
        struct inheritance inherited;
        int status;

        inheritance_make(&inherited);
        status = fork_child(&inherited, i % 10 == 0);
        cr_assert_eq(status, 0, "fork %d: the child ended with %d", i, status);
        cr_assert(inheritance_end(&inherited), "fork %d changed the parent", i);
    }
    be_idle();
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

    be_busy();
    for (int i = 0; i < forks; i++) {
        pthread_t thread;
        int status = -1;

        cr_assert_eq(pthread_create(&thread, NULL, fork_in_thread, &status), 0);
        pthread_join(thread, NULL);
        cr_assert_eq(status, 0, "fork %d: the child ended with %d", i, status);
    }
    be_idle();
}

static void *use_and_fork_in_thread(void *result)
{
    int *status = result;

    use_once(NULL);
    *status = fork_child(NULL, 0);
    use_once(NULL);
    return NULL;
}

Test(fork, from_several_threads_at_once)
{
    const int rounds = TEST_SANITIZED ? 3 : 20;

    be_busy();
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
    be_idle();
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
    cr_assert(use_kind(MEMKIND_DEFAULT, 1));
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

    alarm(2 * CHILD_SECONDS);
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
    *status = status_of(child);
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

static atomic_bool ending, ended;

static void create_late(void *value)
{
    (void)value;
    ending = true;
    usleep(100000); /* enough for the fork to begin; if not, the test passes without showing much */
    if (memkind_destroy_kind(create()))
        spoiled = true;
    ended = true;
}

static void *end_late(void *key)
{
    if (!use_kind(MEMKIND_DEFAULT, 1) || pthread_setspecific(*(pthread_key_t *)key, key))
        spoiled = true;
    return NULL;
}

/* Where fork waits for the end of a thread (TBB), it does not keep that from what the end needs. */
Test(fork, beside_a_thread_that_creates_a_kind_as_it_ends)
{
    pthread_key_t key;
    pthread_t thread;
    pid_t child;

    cr_assert(use_kind(MEMKIND_DEFAULT, 1));
    cr_assert_eq(pthread_key_create(&key, create_late), 0);
    cr_assert_eq(pthread_create(&thread, NULL, end_late, &key), 0);
    while (!ending)
        sched_yield();
    child = fork();
    if (child == 0)
        _exit(run_child(NULL, 0));
    cr_expect(ended || !test_tbb(), "the fork gave up");
    cr_expect_eq(status_of(child), 0);
    pthread_join(thread, NULL);
    cr_expect(!spoiled);
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

    alarm(CHILD_SECONDS);
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
    cr_expect_eq(status_of(child), 0);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 16; i++)
        pthread_join(threads[i], NULL);
}

/* A chain of processes, each the child of the one before, with a kind that goes from hand to hand.
 */
static int hand_down(memkind_t kind, int left)
{
    pid_t child;

    alarm(CHILD_SECONDS);
    if (!use_kind(kind, (uint64_t)left))
        return 1;
    if (left == 0)
        return memkind_destroy_kind(kind) ? 2 : 0;
    child = fork();
    if (child == 0)
        _exit(hand_down(kind, left - 1));
    if (child < 0)
        return 3;
    if (!use_kind(kind, 1000))
        return 4;
    return status_of(child);
}

Test(fork, twenty_generations)
{
    memkind_t kind = create();

    cr_assert(kind);
    cr_expect_eq(hand_down(kind, 20), 0);
    cr_expect_eq(memkind_destroy_kind(kind), 0);
}

/* --- pages that parent and child have in common -------------------------------------------------
 *
 * A file's pages are the same memory in both. What the parent has stays the parent's, whatever the
 * child does; what the child allocates is in a file of its own.
 */

#define FILE_BLOCKS 400

struct common {
    memkind_t kind;
    char *blocks[FILE_BLOCKS];
    size_t sizes[FILE_BLOCKS];
    uint64_t seed;
};

static memkind_t create_file(void)
{
    memkind_t kind;

    if (access("/dev/shm", W_OK) != 0)
        test_skip("nothing can be written to /dev/shm");
    return memkind_create_pmem("/dev/shm", 64 * MIB, &kind) ? NULL : kind;
}

/* Also leaves free blocks of all sizes in the thread's cache, and unused pages in its arena. */
static bool common_make(struct common *common, memkind_t kind, uint64_t seed)
{
    static const size_t sizes[] = {16, 200, 1500, 4096, 20000, 70000, 300000};

    common->kind = kind;
    common->seed = seed;
    for (size_t i = 0; i < FILE_BLOCKS; i++) {
        size_t size = i == 96 ? MIB + 1 : sizes[i % LENGTH(sizes)];
        char *passing = memkind_malloc(kind, size);

        common->sizes[i] = size;
        common->blocks[i] = memkind_malloc(kind, common->sizes[i]);
        if (!passing || !common->blocks[i])
            return false;
        test_fill(common->blocks[i], common->sizes[i], seed + i);
        memkind_free(kind, passing);
    }
    return true;
}

static bool common_holds(const struct common *common)
{
    for (size_t i = 0; i < FILE_BLOCKS; i++)
        if (!test_holds(common->blocks[i], common->sizes[i], common->seed + i) ||
            memkind_detect_kind(common->blocks[i]) != common->kind ||
            memkind_malloc_usable_size(common->kind, common->blocks[i]) < common->sizes[i])
            return false;
    return true;
}

static bool common_free(struct common *common)
{
    for (size_t i = 0; i < FILE_BLOCKS; i++) {
        char *block = common->blocks[i];

        if (memkind_defrag_reallocate(common->kind, block) && i % 7 > 3)
            return false; /* large blocks never move */
        if (i % 4 == 0) {
            /* In place would be in the parent's memory: also if the size is the same. */
            char *moved = memkind_realloc(i % 8 ? common->kind : NULL, block, common->sizes[i]);

            if (!moved || moved == block || !test_holds(moved, common->sizes[i], common->seed + i))
                return false;
            memset(moved, 1, common->sizes[i]);
            block = moved;
        }
        memkind_free(i % 2 ? common->kind : NULL, block);
    }
    return true;
}

static bool spoil(memkind_t kind, uint64_t seed)
{
    struct common own;

    if (!common_make(&own, kind, seed) || !common_holds(&own))
        return false;
    for (size_t i = 0; i < FILE_BLOCKS; i++) {
        memkind_free(kind, own.blocks[i]);
        own.blocks[i] = memkind_calloc(kind, 1, own.sizes[i]);
        if (!own.blocks[i] || !test_is_zero(own.blocks[i], own.sizes[i]))
            return false;
        test_fill(own.blocks[i], own.sizes[i], seed + i);
    }
    if (!common_holds(&own))
        return false;
    for (size_t i = 0; i < FILE_BLOCKS; i++)
        memkind_free(kind, own.blocks[i]);
    test_decay(kind);
    return true;
}

/* What a child does with what it has in common with its parent. 0: all is well. */
static int use_common(struct common *common, int generations)
{
    size_t value;

    alarm(CHILD_SECONDS);
    if (!common_holds(common))
        return 1;
    if (!spoil(common->kind, 7000))
        return 2;
    if (!common_free(common) || !spoil(common->kind, 9000))
        return 3;
    if (memkind_update_cached_stats() ||
        memkind_get_stat(common->kind, MEMKIND_STAT_TYPE_ALLOCATED, &value))
        return 4;
    if (generations) {
        struct common *own = malloc(sizeof *own);
        pid_t child;

        if (!own || !common_make(own, common->kind, 50000))
            return 5;
        child = fork();
        if (child == 0)
            _exit(use_common(own, generations - 1));
        if (child < 0 || !spoil(common->kind, 60000) || status_of(child) || !common_holds(own))
            return 6;
    }
    if (memkind_destroy_kind(common->kind))
        return 7;
    return create_file() ? 0 : 8;
}

Test(fork, files_stay_the_parents)
{
    static struct common common;

    cr_assert(common_make(&common, create_file(), 1));
    for (int i = 0; i < (TEST_SANITIZED ? 3 : 6); i++) {
        pid_t child = fork();
        int status;

        if (child == 0)
            _exit(use_common(&common, i % 3));
        cr_assert_gt(child, 0);
        cr_assert(spoil(common.kind, 2000), "the parent, beside child %d", i);
        status = status_of(child);
        cr_assert_eq(status, 0, "child %d ended with %d", i, status);
        cr_assert(common_holds(&common), "child %d changed the parent's blocks", i);
    }
    for (size_t i = 0; i < FILE_BLOCKS; i++)
        memkind_free(common.kind, common.blocks[i]);
    cr_assert(spoil(common.kind, 3000));
    cr_assert_eq(memkind_destroy_kind(common.kind), 0);
}

/* A child that has used nothing of the kind is the parent of another: its file is empty, and still
 * not both's. */
static int pass_on(memkind_t kind, int generations)
{
    struct common own;
    pid_t child;

    alarm(CHILD_SECONDS);
    child = fork();
    if (child == 0)
        _exit(generations ? pass_on(kind, generations - 1)
                          : !common_make(&own, kind, 1) || !common_holds(&own));
    if (child < 0 || !common_make(&own, kind, (uint64_t)generations) || !common_holds(&own))
        return 1;
    return status_of(child) || !common_holds(&own) ? 2 : 0;
}

Test(fork, files_nobody_has_used)
{
    memkind_t kind = create_file();

    cr_assert(kind);
    cr_assert_eq(pass_on(kind, 4), 0);
    cr_assert_eq(memkind_destroy_kind(kind), 0);
}

/* Beside threads that allocate, free, hit the limit and purge. */
static void *keep_using_file(void *argument)
{
    memkind_t kind = argument;
    uint64_t seed = 1;

    while (!stop) {
        if (!use_kind(kind, seed++))
            spoiled = true;
        turns++;
    }
    return NULL;
}

static int use_file(memkind_t kind)
{
    alarm(CHILD_SECONDS);
    for (uint64_t seed = 0; seed < 20; seed++)
        if (!use_kind(kind, seed))
            return 1;
    return memkind_destroy_kind(kind) ? 2 : 0;
}

Test(fork, files_beside_busy_threads)
{
    memkind_t kind = create_file();

    for (int i = 0; i < BUSY; i++)
        cr_assert_eq(pthread_create(&busy[i], NULL, keep_using_file, kind), 0);
    for (int i = 0; i < (TEST_SANITIZED ? 5 : 20); i++) {
        pid_t child = fork();
        int status;

        if (child == 0)
            _exit(use_file(kind));
        status = status_of(child);
        cr_assert_eq(status, 0, "child %d ended with %d", i, status);
    }
    be_idle();
    cr_assert_eq(memkind_destroy_kind(kind), 0);
}

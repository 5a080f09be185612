/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_orphans: blocks that are freed by threads for which there is no memory. Looks whether there
 * were such threads, so it is linked to the static library.
 */
#include "support.h"

#include "frontend/registry.h"
#include "kinds/system/orphans.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 64
#define KEYS_INLINE 32 /* whose values need no memory in glibc */

/* --- threads without memory ------------------------------------------------------------------- */

/* The library's own keys come behind these: a thread's data needs libc's memory, too, which can be
 * used up. */
static void take_keys(void)
{
    pthread_key_t key = 0;

    test_bare();
    while (key < KEYS_INLINE)
        cr_assert_eq(pthread_key_create(&key, NULL), 0);
}

TestSuite(orphans, .init = take_keys, .timeout = 120);

static pthread_t threads[THREADS];
static void *blocks[THREADS];
static pthread_barrier_t begin, end;
static size_t block_size = 1000;

static _Atomic size_t turn;

/* One after the other: what is left of the library's own memory is the first ones', so that none
 * that has data comes behind others, whose blocks it would free. */
static void *free_one(void *index)
{
    pthread_barrier_wait(&begin);
    while (turn != (size_t)index)
        sched_yield();
    memkind_free(NULL, blocks[(size_t)index]);
    turn++;
    pthread_barrier_wait(&end);
    return NULL;
}

static void **hoard; /* libc's memory; each has the next one's address */

static void take_memory(void)
{
    struct rlimit limit;

    cr_assert_eq(getrlimit(RLIMIT_AS, &limit), 0);
    limit.rlim_cur = 0;
    cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
    for (size_t size = MIB; size >= sizeof(void *); size /= 2)
        for (void **more; (more = malloc(size)); hoard = more)
            *more = hoard;
}

static void give_memory(void)
{
    struct rlimit limit;

    while (hoard) {
        void **next = *hoard;

        free(hoard);
        hoard = next;
    }
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
}

/* Each of the blocks is freed by a thread of its own, all of which are there at once. */
static void free_without_memory(memkind_t kind)
{
    pthread_attr_t attributes;

    if (TEST_SANITIZED)
        test_skip("the sanitizer itself needs address space");
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN);
    pthread_barrier_init(&begin, NULL, THREADS + 1);
    pthread_barrier_init(&end, NULL, THREADS + 1);
    for (size_t i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], &attributes, free_one, (void *)i), 0);
    take_memory();
    turn = 0;
    pthread_barrier_wait(&begin);
    pthread_barrier_wait(&end);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    give_memory();
    pthread_attr_destroy(&attributes);
    cr_assert(orphans_any(&kind->heap.orphans), "the threads had what they need");
}

static void allocate(memkind_t kind)
{
    for (size_t i = 0; i < THREADS; i++)
        cr_assert_not_null(blocks[i] = memkind_malloc(kind, block_size));
}

static memkind_t create(void)
{
    memkind_t kind = NULL;

    cr_assert_eq(test_create_kind(0, &kind), 0);
    return kind;
}

/* --- tests ------------------------------------------------------------------------------------ */

Test(orphans, are_freed_before_figures)
{
    memkind_t kind = create();

    allocate(kind);
    free_without_memory(kind);
    cr_assert_eq(test_kind_allocated(kind), 0);
    cr_assert_eq(memkind_destroy_kind(kind), 0);
}

Test(orphans, are_freed_when_everything_is_checked)
{
    memkind_t kind;

    setenv("MEMKIND_CHECK", "2", 1);
    block_size = MIB; /* more in all than freed blocks that are held */
    kind = create();
    allocate(kind);
    free_without_memory(kind);
    cr_assert_geq(memkind_trim(NULL), 0);
    cr_assert(!orphans_any(&kind->heap.orphans));
    cr_assert_eq(test_kind_allocated(kind), 0);
}

static size_t fill(memkind_t kind)
{
    size_t count = 0;

    while (memkind_malloc(kind, block_size))
        count++;
    return count;
}

/* The kind gets no other memory. */
Test(orphans, are_used_again)
{
    memkind_t kind = create();

    allocate(kind);
    cr_assert_eq(memkind_set_limit(kind, 1), 0);
    (void)fill(kind);
    free_without_memory(kind);
    cr_assert_eq(fill(kind), THREADS);
    cr_assert(!orphans_any(&kind->heap.orphans));
}

Test(orphans, end_with_their_kind)
{
    memkind_t kind = create(), next;

    allocate(kind);
    free_without_memory(kind);
    cr_assert_eq(memkind_destroy_kind(kind), 0);
    next = create();
    cr_assert_eq(next, kind, "the entry is another one");
    memkind_free(kind, memkind_malloc(kind, block_size));
    cr_assert_eq(test_kind_allocated(kind), 0);
}

static bool ends_well(pid_t child)
{
    int status = 1;

    return waitpid(child, &status, 0) == child && status == 0;
}

/* Of the process's own pages the child has copies, of a file's none. */
Test(orphans, are_the_childs_as_blocks_are)
{
    memkind_t kinds[] = {create(), test_create_file("/tmp", 0)};
    pid_t child;

    for (size_t i = 0; i < LENGTH(kinds); i++) {
        allocate(kinds[i]);
        free_without_memory(kinds[i]);
        child = fork();
        if (child == 0) {
            memkind_free(kinds[i], memkind_malloc(kinds[i], block_size));
            _exit(i == 0 && test_kind_allocated(kinds[i]) != 0);
        }
        cr_expect(ends_well(child), "kind %zu", i);
        cr_assert_eq(test_kind_allocated(kinds[i]), 0);
    }
}

/* --- fork without memory ---------------------------------------------------------------------- */

#define FORKS 60
#define CHILD_SECONDS 60 /* it needs milliseconds, or hangs; a busy machine is no fault */

static memkind_t busy;
static atomic_bool stop;

/* Large blocks, which no cache has: the heap manager's locks are taken all the time. */
static void *work(void *unused)
{
    memkind_free(busy, memkind_malloc(busy, 100));
    pthread_barrier_wait(&begin);
    for (size_t i = 0; !stop; i++)
        memkind_free(busy, memkind_malloc(busy, (40 + i % 8) * KIB));
    return unused;
}

static void child_uses(void)
{
    alarm(CHILD_SECONDS);
    give_memory();
    for (size_t size = 100; size < 4 * MIB; size *= 3)
        memkind_free(busy, memkind_malloc(busy, size));
    _exit(memkind_update_cached_stats());
}

static void *fork_often(void *failed)
{
    pthread_barrier_wait(&begin);
    for (int i = 0; i < FORKS && !*(bool *)failed; i++) {
        pid_t child = fork();

        if (child == 0)
            child_uses();
        *(bool *)failed = !ends_well(child);
    }
    return NULL;
}

Test(orphans, a_child_of_a_thread_without_data_finds_no_lock_taken)
{
    pthread_t workers[3], forks;
    bool failed = false;

    if (TEST_SANITIZED)
        test_skip("the sanitizer itself needs address space");
    busy = create();
    pthread_barrier_init(&begin, NULL, LENGTH(workers) + 2);
    for (size_t i = 0; i < LENGTH(workers); i++)
        cr_assert_eq(pthread_create(&workers[i], NULL, work, NULL), 0);
    cr_assert_eq(pthread_create(&forks, NULL, fork_often, &failed), 0);
    take_memory();
    turn = 0;
    pthread_barrier_wait(&begin);
    pthread_join(forks, NULL);
    stop = true;
    for (size_t i = 0; i < LENGTH(workers); i++)
        pthread_join(workers[i], NULL);
    give_memory();
    cr_assert(!failed);
}

/* --- damaged lists ---------------------------------------------------------------------------- */

static struct orphans orphans;
static void *words[4];
static size_t freed;

static struct heap *detect(const void *block)
{
    return (void *const *)block >= words && (void *const *)block < words + LENGTH(words)
               ? (struct heap *)words
               : NULL;
}

static void count_free(struct heap *heap, void *block)
{
    cr_assert_eq(detect(block), heap);
    freed++;
}

static size_t free_all(void)
{
    static const struct orphan_functions functions = {detect, count_free};

    freed = 0;
    cr_assert(orphans_begin(true));
    orphans_free(&orphans, (struct heap *)words, &functions);
    orphans_end();
    return freed;
}

Test(orphans, one_that_is_the_last_already_is_left_out)
{
    orphans_add(&orphans, &words[0]);
    orphans_add(&orphans, &words[0]);
    cr_assert_eq(free_all(), 1);
}

Test(orphans, a_circle_ends)
{
    orphans_add(&orphans, &words[0]);
    orphans_add(&orphans, &words[1]);
    orphans_add(&orphans, &words[0]);
    cr_assert_eq(free_all(), 3);
    cr_assert_eq(free_all(), 0);
}

Test(orphans, what_is_overwritten_is_not_followed)
{
    orphans_add(&orphans, &words[0]);
    orphans_add(&orphans, &words[1]);
    words[1] = (void *)0x4141414141414141;
    cr_assert_eq(free_all(), 1);
    orphans_add(&orphans, &words[2]);
    cr_assert_eq(free_all(), 1);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_trim: memkind_trim() gives back what is unused, at once, of the kind it is asked for or of
 * all, and says how much that was; what is in use stays.
 */
#include "support.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIRECTORY "/dev/shm"
#define BYTES (16 * MIB)

TestSuite(trim, .init = test_bare, .timeout = 280);

/* --- kinds and blocks ------------------------------------------------------------------------- */

/* BYTES in blocks of one size, written, in a list that begins with the last one. */
static void **use(memkind_t kind, size_t size)
{
    void **last = NULL;

    for (size_t bytes = 0; bytes < BYTES; bytes += size) {
        void **block = memkind_malloc(kind, size);

        cr_assert_not_null(block);
        memset(block, 1, size);
        *block = last;
        last = block;
    }
    return last;
}

static void drop(memkind_t kind, void **last)
{
    while (last) {
        void **next = *last;

        memkind_free(kind, last);
        last = next;
    }
}

/* --- what it does ----------------------------------------------------------------------------- */

/* Some of it may have gone back already: what counts is what is there in the end, and that it says
 * how much of that it has done. */
static void expect_trimmed(memkind_t kind, memkind_t asked)
{
    static const size_t sizes[] = {100, 5000, 500000};

    for (size_t i = 0; i < LENGTH(sizes); i++) {
        size_t without = test_resident(), before, after;
        ssize_t bytes;

        drop(kind, use(kind, sizes[i]));
        before = test_resident();
        bytes = memkind_trim(asked);
        after = test_resident();
        cr_expect(bytes > 0 && bytes <= (ssize_t)(BYTES * 3 / 2),
                  "blocks of %zu: %zd KiB went back", sizes[i], bytes / (ssize_t)KIB);
        if (!TEST_SANITIZED) {
            cr_expect_leq(after, without + BYTES / 4 + TEST_RESIDENT_UNSURE,
                          "blocks of %zu: %zu of %zu KiB left, %zu before", sizes[i], after / KIB,
                          before / KIB, without / KIB);
            cr_expect_geq((size_t)bytes + BYTES / 4, before - after, "of %zu KiB it tells %zd",
                          (before - after) / KIB, bytes / (ssize_t)KIB);
        }
        cr_expect_eq(memkind_trim(asked), 0, "there was more");
    }
}

Test(trim, a_static_kind)
{
    expect_trimmed(MEMKIND_DEFAULT, MEMKIND_DEFAULT);
}

Test(trim, a_file)
{
    memkind_t kind = test_create_file(DIRECTORY, 0);

    expect_trimmed(kind, kind);
}

Test(trim, a_file_with_a_limit)
{
    memkind_t kind = test_create_file(DIRECTORY, 2 * BYTES);

    expect_trimmed(kind, kind);
}

Test(trim, all_kinds)
{
    expect_trimmed(MEMKIND_REGULAR, NULL);
    expect_trimmed(test_create_file(DIRECTORY, 0), NULL);
}

/* Others keep what they have; so do blocks. */
Test(trim, nothing_else)
{
    memkind_t kind = test_create_file(DIRECTORY, 0);
    void **kept = use(kind, 300), **last = use(MEMKIND_DEFAULT, 5000);
    size_t count = 0, before;

    drop(MEMKIND_DEFAULT, last);
    before = test_resident();
    cr_assert_lt(memkind_trim(kind), (ssize_t)(4 * MIB));
    if (!TEST_SANITIZED)
        cr_expect_leq(before, test_resident() + 4 * MIB);
    for (void **block = kept; block; block = *block) {
        cr_assert_eq(((unsigned char *)block)[299], 1);
        count++;
    }
    cr_assert_geq(count * 300, BYTES);
    drop(kind, kept);
}

static void *churn(void *stop)
{
    uint64_t seed = 1;

    while (!__atomic_load_n((bool *)stop, __ATOMIC_RELAXED)) {
        unsigned char *block = memkind_malloc(MEMKIND_DEFAULT, 1 + test_random(&seed) % 100000);

        cr_assert_not_null(block);
        *block = 1;
        memkind_free(MEMKIND_DEFAULT, block);
    }
    return NULL;
}

/* Kinds come and go, and blocks, while all is trimmed. */
Test(trim, beside_other_threads)
{
    bool stop = false;
    pthread_t thread;

    cr_assert_eq(pthread_create(&thread, NULL, churn, &stop), 0);
    for (int turn = 0; turn < 20; turn++) {
        memkind_t kind = test_create_file(DIRECTORY, 0);

        drop(kind, use(kind, 200000));
        cr_assert_geq(memkind_trim(turn % 2 ? kind : NULL), (ssize_t)(BYTES / 2));
        cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
}

static void *use_and_end(void *kind)
{
    drop(kind, use(kind, 5000));
    return NULL;
}

static void expect_child_to_allocate(void)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        drop(MEMKIND_DEFAULT, use(MEMKIND_DEFAULT, 5000));
        _exit(0);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
}

/* What is unused for the decay time goes back by itself, served by whoever comes by, while threads
 * end, kinds are destroyed and children are made. */
Test(trim, nobody_asks_for_it)
{
    bool stop = false;
    pthread_t thread, user;

    cr_assert_eq(pthread_create(&thread, NULL, churn, &stop), 0);
    for (int turn = 0; turn < 4; turn++) {
        memkind_t kind = test_create_file(DIRECTORY, 0);

        cr_assert_eq(pthread_create(&user, NULL, use_and_end, kind), 0);
        test_jump(11);
        drop(MEMKIND_REGULAR, use(MEMKIND_REGULAR, 60000));
        if (turn % 2 && (test_tbb() || !TEST_SANITIZED)) /* who would count jemalloc's locks */
            expect_child_to_allocate();
        cr_assert_eq(pthread_join(user, NULL), 0);
        test_jump(11);
        drop(MEMKIND_REGULAR, use(MEMKIND_REGULAR, 60000));
        cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
}

/* --- a thread that is cancelled where it may not be ------------------------------------------- */

static atomic_int calls;

/* A kind's first blocks take the most of its locks. */
static void *use_asynchronously(void *unused)
{
    memkind_t kind;
    int type;

    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
    for (;;) {
        if (memkind_create_nodes("all", MEMKIND_POLICY_BIND_ALL, 0, &kind) == MEMKIND_SUCCESS) {
            memkind_free(kind, memkind_malloc(kind, 5 * MIB));
            (void)memkind_malloc(kind, 77);
            memkind_destroy_kind(kind);
        }
        atomic_fetch_add(&calls, 1);
    }
    return unused;
}

/* POSIX allows no such thing inside malloc. libtbbmalloc's locks may be held for ever after it; a
 * trim, which is the only one to take them all, is refused then. */
Test(trim, after_asynchronous_cancellation, .timeout = 20)
{
    if (TEST_SANITIZED)
        test_skip("the sanitizer's own functions take locks, too");
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        int seen = atomic_load(&calls);

        cr_assert_eq(pthread_create(&thread, NULL, use_asynchronously, NULL), 0);
        while (atomic_load(&calls) == seen)
            sched_yield();
        usleep((useconds_t)(i * 7919 % 1500)); /* at different places */
        cr_assert_eq(pthread_cancel(thread), 0);
        cr_assert_eq(pthread_join(thread, NULL), 0);
    }
    (void)memkind_trim(NULL);
    cr_expect_not_null(memkind_malloc(MEMKIND_REGULAR, 100));
}

Test(trim, what_there_is_not)
{
    memkind_t kind = test_create_file(DIRECTORY, 0);

    cr_assert_eq(memkind_trim(MEMKIND_INTERLEAVE), 0);
    cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
    cr_assert_eq(memkind_trim(kind), -1);
}

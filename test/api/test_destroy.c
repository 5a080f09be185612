/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_destroy: what other threads do while a kind is destroyed: they end and destroy kinds
 * themselves, create kinds, fork. None waits for the other for ever, and nothing is lost.
 */
#include "support.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(destroy, .init = test_bare, .timeout = 240);

static memkind_t create(void)
{
    memkind_t kind = NULL;
    int error = test_create_kind((memkind_bits_t)0, &kind);

    cr_assert_eq(error, MEMKIND_SUCCESS, "test_create_kind: %d", error);
    return kind;
}

/* --- from the destructors of threads that end together ---------------------------------------- */

#define ENDING 8

static pthread_key_t key;
static pthread_barrier_t barrier;
static atomic_int failures, destroyed;

static void destroy_at_end(void *kind)
{
    pthread_barrier_wait(&barrier); /* all are in their destructors */
    if (memkind_destroy_kind(kind))
        atomic_fetch_add(&failures, 1);
    else
        atomic_fetch_add(&destroyed, 1);
}

static void *use_and_end(void *kind)
{
    if (!memkind_malloc(kind, 100) || pthread_setspecific(key, kind))
        atomic_fetch_add(&failures, 1);
    return NULL;
}

Test(destroy, from_destructors_of_threads_that_end_together)
{
    pthread_t threads[ENDING];

    memkind_free(MEMKIND_DEFAULT, memkind_malloc(MEMKIND_DEFAULT, 1));
    cr_assert_eq(pthread_key_create(&key, destroy_at_end), 0);
    pthread_barrier_init(&barrier, NULL, ENDING);
    for (int i = 0; i < ENDING; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, use_and_end, create()), 0);
    for (int i = 0; i < ENDING; i++)
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    cr_expect_eq(failures, 0);
    cr_expect_eq(destroyed, ENDING);
}

/* --- while a custom kind's unmap() takes its time --------------------------------------------- */

static atomic_bool slow, unmapping, may_go_on;

static void *map_region(void *context, size_t size, size_t alignment)
{
    char *start = mmap(NULL, size + alignment, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    (void)context;
    return start == MAP_FAILED ? NULL : start + (-(uintptr_t)start & (alignment - 1));
}

static void unmap_slowly(void *context, void *address, size_t size)
{
    (void)context;
    atomic_store(&unmapping, true);
    while (slow && !may_go_on)
        sched_yield();
    munmap(address, size);
}

static void *destroy_slowly(void *kind)
{
    return (void *)(intptr_t)memkind_destroy_kind(kind);
}

Test(destroy, unmap_holds_up_no_other_kind)
{
    struct memkind_page_ops ops = {map_region, unmap_slowly, NULL};
    memkind_t kind, other = create();
    pthread_t thread;
    void *error;

    cr_assert_eq(memkind_create_custom(&ops, NULL, &kind), MEMKIND_SUCCESS);
    cr_assert(memkind_malloc(kind, 5 * MIB));
    slow = true;
    cr_assert_eq(pthread_create(&thread, NULL, destroy_slowly, kind), 0);
    while (!unmapping)
        sched_yield();
    cr_expect_neq(create(), kind, "its entry is not free yet");
    cr_expect_not_null(memkind_malloc(MEMKIND_REGULAR, 100), "a kind's first use");
    cr_expect_not_null(memkind_malloc(other, 3 * MIB));
    cr_expect_eq(memkind_destroy_kind(kind), MEMKIND_ERROR_INVALID, "it is being destroyed");
    may_go_on = true;
    cr_assert_eq(pthread_join(thread, &error), 0);
    cr_expect_null(error);
    cr_expect_eq(create(), kind, "its entry is the first that is free");
}

/* --- and a fork beside it --------------------------------------------------------------------- */

#define FORKS 60
#define FREE_ENTRIES (MEMKIND_MAX_KIND - 1) /* one may be alive when the fork comes */

static void *create_and_destroy(void *argument)
{
    atomic_bool *stop = argument;

    while (!atomic_load(stop)) {
        memkind_t kind;

        if (test_create_kind((memkind_bits_t)0, &kind))
            return "create";
        if (!memkind_malloc(kind, 3 * MIB))
            return "malloc";
        if (memkind_destroy_kind(kind))
            return "destroy";
    }
    return NULL;
}

/* The child of a fork: as many kinds as there can be, `many`, or one. Exit status. */
static int use_child(bool many)
{
    memkind_t kind;

    alarm(60);
    for (int i = 0; i < (many ? FREE_ENTRIES : 1); i++) {
        char *block;

        if (test_create_kind((memkind_bits_t)0, &kind))
            return 1;
        block = memkind_malloc(kind, 100);
        if (!block)
            return 2;
        block[0] = 1;
        memkind_free(NULL, block);
    }
    return memkind_destroy_kind(kind) ? 3 : 0;
}

Test(destroy, beside_a_fork)
{
    atomic_bool stop = false;
    pthread_t thread;
    void *wrong;

    memkind_free(MEMKIND_DEFAULT, memkind_malloc(MEMKIND_DEFAULT, 1));
    cr_assert_eq(pthread_create(&thread, NULL, create_and_destroy, &stop), 0);
    for (int i = 0; i < FORKS; i++) {
        pid_t child = fork();
        int status;

        if (child == 0)
            _exit(use_child(i % 10 == 0));
        cr_assert_gt(child, 0);
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_assert_eq(status, 0, "fork %d: status %#x", i, (unsigned)status);
    }
    atomic_store(&stop, true);
    cr_assert_eq(pthread_join(thread, &wrong), 0);
    cr_assert_null(wrong, "%s", (char *)wrong);
}

/* --- beside background threads ---------------------------------------------------------------- */

#define CHURNERS 4
#define LIVE 300 /* blocks of a kind at a time */

static atomic_bool enough;

struct churned {
    unsigned char *block;
    size_t size;
};

/* Frees the block that is there, or makes one; false: it is not what it was. */
static bool churn_step(memkind_t kind, struct churned *slot, uint64_t *random, unsigned char mark)
{
    uint64_t number = test_random(random);

    if (slot->block) {
        for (size_t at = 0; at < slot->size; at += slot->size / 7 + 1)
            if (slot->block[at] != mark)
                return false;
        memkind_free(number & 1 ? kind : NULL, slot->block);
        slot->block = NULL;
        return true;
    }
    slot->size = number % 37 == 0 ? 200000 + number / 37 % 900000 : 8 + number / 37 % 9000;
    slot->block =
        number & 64 ? memkind_calloc(kind, 1, slot->size) : memkind_malloc(kind, slot->size);
    if (!slot->block || (number & 64 && !test_is_zero(slot->block, slot->size)))
        return false;
    memset(slot->block, mark, slot->size);
    return true;
}

static void *make_use_and_destroy(void *argument)
{
    uint64_t random = (uintptr_t)argument + 1;

    while (!atomic_load(&enough) && !atomic_load(&failures)) {
        struct churned slots[LIVE] = {{0}};
        memkind_t kind;
        bool well = test_create_kind((memkind_bits_t)0, &kind) == 0;

        for (int i = 0; well && i < 6000; i++) {
            size_t at = test_random(&random) % LIVE;

            well = churn_step(kind, &slots[at], &random, (unsigned char)(at ^ (uintptr_t)argument));
        }
        if (!well || memkind_destroy_kind(kind))
            atomic_fetch_add(&failures, 1);
    }
    return NULL;
}

/* An arena that is emptied while a background thread gives pages of it back, keeps none: the next
 * kind would get pages that are not mapped any more. */
Test(destroy, beside_background_threads)
{
    pthread_t threads[CHURNERS];

    cr_assert_eq(memkind_set_bg_threads(true), 0);
    for (uintptr_t i = 0; i < CHURNERS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, make_use_and_destroy, (void *)i), 0);
    for (int step = 0; step < 20; step++) {
        usleep(200000);
        test_jump(3); /* all that is unused is soon due, time after time */
    }
    atomic_store(&enough, true);
    for (int i = 0; i < CHURNERS; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(failures, 0);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_environment, continued: pages that are not given back, and who gives back the others.
 */
#include "support.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- HOG_MEMORY ------------------------------------------------------------------------------- */

struct kept {
    unsigned small, large; /* pages that are still there, of 100 */
};

static unsigned pages_left(size_t size, size_t count)
{
    static char *blocks[8192];
    unsigned left = 0;

    for (size_t i = 0; i < count; i++) {
        blocks[i] = memkind_malloc(MEMKIND_REGULAR, size);
        memset(blocks[i], 1, size);
    }
    for (size_t i = 0; i < count; i++)
        memkind_free(MEMKIND_REGULAR, blocks[i]);
    test_decay(MEMKIND_REGULAR);
    for (size_t i = 0; i < 100; i++)
        left += test_page_node(blocks[i * (count / 100)] + size / 2) >= 0;
    return left;
}

static void free_and_wait(void *argument)
{
    struct kept *kept = argument;

    kept->large = pages_left(MIB, 100);
    kept->small = pages_left(5000, 8000);
}

Test(environment, hog_memory_gives_nothing_back)
{
    static const char *const hog[] = {"MEMKIND_HOG_MEMORY=1", NULL};
    static const char *const normal[] = {"MEMKIND_HOG_MEMORY=0", NULL};
    struct kept *kept = test_shared(sizeof *kept);
    static struct test_child child;

    test_run_well(&child, free_and_wait, kept, hog);
    cr_assert(kept->large == 100 && kept->small == 100, "hog: %u, %u of 100", kept->large,
              kept->small);
    test_run_well(&child, free_and_wait, kept, normal);
    cr_assert(kept->large < 20 && kept->small < 20, "normal: %u, %u of 100", kept->large,
              kept->small);
    test_run_well(&child, free_and_wait, kept, NULL);
    cr_assert(kept->large < 20 && kept->small < 20, "unset: %u, %u of 100", kept->large,
              kept->small);
}

/* --- BACKGROUND_THREADS and their limit ------------------------------------------------------- */

struct background {
    int on, off;
    size_t more, less;
};

static void *use_some_kinds(void *argument)
{
    (void)argument;
    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;)
        memkind_free(NULL, memkind_malloc(*kind->variable, 100));
    return NULL;
}

static void count_background_threads(void *argument)
{
    struct background *background = argument;
    size_t before = test_threads();

    background->on = memkind_set_bg_threads(true);
    for (int i = 0; i < 16; i++) { /* arenas for all of them to look after */
        pthread_t thread;

        if (pthread_create(&thread, NULL, use_some_kinds, NULL) == 0)
            pthread_join(thread, NULL);
    }
    usleep(20000);
    background->more = test_threads() - before;
    background->off = memkind_set_bg_threads(false);
    background->less = test_threads_after(before) - before;
}

struct without_code {
    size_t at_first, after_use, in_child, used_in_child, off;
};

static void count_threads_of_a_fork(struct without_code *count)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        count->in_child = test_threads();
        for (int i = 0; i < 1000; i++)
            memkind_free(MEMKIND_REGULAR, memkind_malloc(MEMKIND_REGULAR, 100000));
        count->used_in_child = test_threads();
        _exit(0);
    }
    waitpid(child, &status, 0);
}

static void count_without_code(void *argument)
{
    struct without_code *count = argument;

    count->at_first = test_threads();
    memkind_free(MEMKIND_REGULAR, memkind_malloc(MEMKIND_REGULAR, 100));
    count->after_use = test_threads();
    if (!TEST_THREAD_SANITIZED) /* it has no threads in the child of a fork */
        count_threads_of_a_fork(count);
    memkind_set_bg_threads(false);
    count->off = test_threads_after(count->at_first);
}

/* A program that knows nothing of the thread has it, and so does the child of a fork that uses the
 * library. */
Test(environment, background_threads_without_code)
{
    static const char *const on[] = {"MEMKIND_BACKGROUND_THREADS=1", NULL};
    struct without_code *count = test_shared(sizeof *count);
    static struct test_child child;

    test_run_well(&child, count_without_code, count, on);
    cr_expect_eq(count->after_use, count->at_first + 1);
    cr_expect_eq(count->off, count->at_first);
    if (TEST_THREAD_SANITIZED)
        return;
    cr_expect_eq(count->in_child, 1);
    cr_expect_eq(count->used_in_child, 2);
}

Test(environment, background_threads_stay_below_the_limit)
{
    static const unsigned limits[] = {1, 2, 3, 4, 5, 100, 100000};
    struct background *background = test_shared(sizeof *background);
    static struct test_child child;

    for (size_t i = 0; i < LENGTH(limits); i++) {
        char setting[64];
        const char *const environment[] = {setting, NULL};

        snprintf(setting, sizeof setting, "MEMKIND_BACKGROUND_THREAD_LIMIT=%u", limits[i]);
        test_run_well(&child, count_background_threads, background, environment);
        cr_assert_eq(background->on, MEMKIND_SUCCESS, "%s: %d", setting, background->on);
        cr_assert_eq(background->off, MEMKIND_SUCCESS);
        cr_assert(background->more >= 1 && background->more <= limits[i], "%s: %zu threads",
                  setting, background->more);
        cr_assert_eq(background->less, 0);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * A program with decorators, linked to a library that calls them: they see what the caller said,
 * what they change is what happens, and those that are not here are not called.
 *
 * Not here are memkind_calloc_pre, memkind_realloc_post, memkind_free_post.
 */
#include "support.h"

#include <errno.h>
#include <hbwmalloc.h>

TestSuite(decorators, .init = test_with_nodes);

/* --- the decorators: they note their calls and do what `plan` says ---------------------------- */

enum decorator {
    MALLOC_PRE,
    MALLOC_POST,
    CALLOC_POST,
    MEMALIGN_PRE,
    MEMALIGN_POST,
    REALLOC_PRE,
    FREE_PRE,
    DECORATORS
};

static struct note {
    int calls;
    memkind_t kind;
    size_t size, other; /* other: number of elements, alignment */
    void *pointer;      /* result or block */
    int error;          /* errno, or *err */
} notes[DECORATORS];

static struct {
    memkind_t kind;   /* not NULL: instead of the caller's */
    size_t size;      /* not 0: instead of the caller's */
    size_t alignment; /* the same */
    void **redirect;  /* not NULL: the pointer to work on */
    void **take;      /* not NULL: the result goes here, the caller gets NULL */
    int error;        /* not 0: errno, or the result of posix_memalign */
} plan;

static void noted(enum decorator decorator, memkind_t kind, size_t size, size_t other,
                  void *pointer, int error)
{
    notes[decorator].calls++;
    notes[decorator].kind = kind;
    notes[decorator].size = size;
    notes[decorator].other = other;
    notes[decorator].pointer = pointer;
    notes[decorator].error = error;
}

static void start(void)
{
    memset(notes, 0, sizeof notes);
    memset(&plan, 0, sizeof plan);
    errno = TEST_ERRNO;
}

static int calls(void)
{
    int sum = 0;

    for (int i = 0; i < DECORATORS; i++)
        sum += notes[i].calls;
    return sum;
}

static void change_input(memkind_t *kind, size_t *size)
{
    if (plan.kind)
        *kind = plan.kind;
    if (plan.size)
        *size = plan.size;
    errno = TEST_ERRNO + 1; /* nobody is to see it */
}

static void change_result(void **result)
{
    if (plan.take) {
        *plan.take = *result;
        *result = NULL;
    }
    if (plan.error)
        errno = plan.error;
}

void memkind_malloc_pre(memkind_t *kind, size_t *size)
{
    noted(MALLOC_PRE, *kind, *size, 0, NULL, errno);
    change_input(kind, size);
}

void memkind_malloc_post(memkind_t kind, size_t size, void **result)
{
    noted(MALLOC_POST, kind, size, 0, *result, errno);
    change_result(result);
}

void memkind_calloc_post(memkind_t kind, size_t nmemb, size_t size, void **result)
{
    noted(CALLOC_POST, kind, size, nmemb, *result, errno);
    change_result(result);
}

void memkind_posix_memalign_pre(memkind_t *kind, void **memptr, size_t *alignment, size_t *size)
{
    noted(MEMALIGN_PRE, *kind, *size, *alignment, memptr, errno);
    change_input(kind, size);
    if (plan.alignment)
        *alignment = plan.alignment;
}

void memkind_posix_memalign_post(memkind_t kind, void **memptr, size_t alignment, size_t size,
                                 int *err)
{
    noted(MEMALIGN_POST, kind, size, alignment, *err ? NULL : *memptr, *err);
    if (plan.take) {
        *plan.take = *memptr;
        *err = plan.error;
    }
}

void memkind_realloc_pre(memkind_t *kind, void **ptr, size_t *size)
{
    noted(REALLOC_PRE, *kind, *size, 0, *ptr, errno);
    change_input(kind, size);
    if (plan.redirect)
        *ptr = *plan.redirect;
}

void memkind_free_pre(memkind_t *kind, void **ptr)
{
    noted(FREE_PRE, *kind, 0, 0, *ptr, errno);
    change_input(kind, &(size_t){0});
    if (plan.redirect)
        *ptr = *plan.redirect;
}

/* --- what they see ---------------------------------------------------------------------------- */

Test(decorators, see_a_malloc)
{
    void *block;

    start();
    block = memkind_malloc(MEMKIND_REGULAR, 1000);
    cr_assert(block);
    cr_assert_eq(calls(), 2);
    cr_assert_eq(notes[MALLOC_PRE].calls, 1);
    cr_assert_eq(notes[MALLOC_PRE].kind, MEMKIND_REGULAR);
    cr_assert_eq(notes[MALLOC_PRE].size, 1000);
    cr_assert_eq(notes[MALLOC_PRE].error, TEST_ERRNO);
    cr_assert_eq(notes[MALLOC_POST].calls, 1);
    cr_assert_eq(notes[MALLOC_POST].kind, MEMKIND_REGULAR);
    cr_assert_eq(notes[MALLOC_POST].size, 1000);
    cr_assert_eq(notes[MALLOC_POST].pointer, block);
    cr_assert_eq(errno, TEST_ERRNO);

    start();
    memkind_free(NULL, block);
    cr_assert_eq(calls(), 1);
    cr_assert_eq(notes[FREE_PRE].calls, 1);
    cr_assert_eq(notes[FREE_PRE].kind, NULL);
    cr_assert_eq(notes[FREE_PRE].pointer, block);
    cr_assert_eq(errno, TEST_ERRNO);
}

Test(decorators, see_a_calloc)
{
    void *block;

    start();
    block = memkind_calloc(MEMKIND_DEFAULT, 30, 100);
    cr_assert(block && test_is_zero(block, 3000));
    cr_assert_eq(calls(), 1);
    cr_assert_eq(notes[CALLOC_POST].calls, 1);
    cr_assert_eq(notes[CALLOC_POST].kind, MEMKIND_DEFAULT);
    cr_assert_eq(notes[CALLOC_POST].other, 30);
    cr_assert_eq(notes[CALLOC_POST].size, 100);
    cr_assert_eq(notes[CALLOC_POST].pointer, block);
    memkind_free(MEMKIND_DEFAULT, block);
}

Test(decorators, see_a_posix_memalign)
{
    void *block = NULL;

    start();
    cr_assert_eq(memkind_posix_memalign(MEMKIND_REGULAR, &block, 512, 100), 0);
    cr_assert_eq(calls(), 2);
    cr_assert_eq(notes[MEMALIGN_PRE].calls, 1);
    cr_assert_eq(notes[MEMALIGN_PRE].kind, MEMKIND_REGULAR);
    cr_assert_eq(notes[MEMALIGN_PRE].pointer, &block);
    cr_assert_eq(notes[MEMALIGN_PRE].other, 512);
    cr_assert_eq(notes[MEMALIGN_PRE].size, 100);
    cr_assert_eq(notes[MEMALIGN_POST].calls, 1);
    cr_assert_eq(notes[MEMALIGN_POST].kind, MEMKIND_REGULAR);
    cr_assert_eq(notes[MEMALIGN_POST].other, 512);
    cr_assert_eq(notes[MEMALIGN_POST].size, 100);
    cr_assert_eq(notes[MEMALIGN_POST].pointer, block);
    cr_assert_eq(notes[MEMALIGN_POST].error, 0);
    cr_assert_eq(errno, TEST_ERRNO);
    memkind_free(MEMKIND_REGULAR, block);
}

/* A realloc is a realloc, whatever it does inside. */
Test(decorators, see_a_realloc_once)
{
    void *block;

    start();
    block = memkind_realloc(MEMKIND_REGULAR, NULL, 10);
    cr_assert(block);
    cr_assert_eq(calls(), 1);
    cr_assert_eq(notes[REALLOC_PRE].calls, 1);
    cr_assert_eq(notes[REALLOC_PRE].pointer, NULL);
    cr_assert_eq(notes[REALLOC_PRE].size, 10);

    start();
    cr_assert_eq(memkind_realloc(NULL, block, 0), NULL);
    cr_assert_eq(calls(), 1);
    cr_assert_eq(notes[REALLOC_PRE].pointer, block);
    cr_assert_eq(errno, TEST_ERRNO);
}

Test(decorators, see_hbwmalloc)
{
    void *block;

    start();
    block = hbw_malloc(100);
    cr_assert(block);
    cr_assert_eq(notes[MALLOC_PRE].calls, 1);
    cr_assert_eq(notes[MALLOC_POST].pointer, block);
    hbw_free(block);
    cr_assert_eq(notes[FREE_PRE].pointer, block);
}

/* What is wrong or nothing goes through them, too. */
Test(decorators, see_failures)
{
    void *block = &block;

    start();
    cr_assert_eq(memkind_malloc(MEMKIND_DEFAULT, 0), NULL);
    cr_assert_eq(notes[MALLOC_PRE].calls, 1);
    cr_assert_eq(notes[MALLOC_POST].pointer, NULL);
    cr_assert_eq(errno, TEST_ERRNO);

    start();
    cr_assert_eq(memkind_malloc(MEMKIND_DEFAULT, SIZE_MAX), NULL);
    cr_assert_eq(notes[MALLOC_POST].calls, 1);
    cr_assert_eq(notes[MALLOC_POST].error, ENOMEM);
    cr_assert_eq(errno, ENOMEM);

    start();
    cr_assert_eq(memkind_malloc(NULL, 1), NULL);
    cr_assert_eq(notes[MALLOC_PRE].calls, 1);
    cr_assert_eq(notes[MALLOC_POST].error, EINVAL);
    cr_assert_eq(errno, EINVAL);

    start();
    cr_assert_eq(memkind_calloc(MEMKIND_DEFAULT, SIZE_MAX, 2), NULL);
    cr_assert_eq(notes[CALLOC_POST].other, SIZE_MAX);
    cr_assert_eq(notes[CALLOC_POST].pointer, NULL);
    cr_assert_eq(errno, ENOMEM);

    start();
    cr_assert_eq(memkind_posix_memalign(MEMKIND_DEFAULT, &block, 3, 100), EINVAL);
    cr_assert_eq(notes[MEMALIGN_PRE].other, 3);
    cr_assert_eq(notes[MEMALIGN_POST].error, EINVAL);
    cr_assert_eq(block, &block);
    cr_assert_eq(errno, TEST_ERRNO);

    start();
    cr_assert_eq(memkind_realloc(NULL, NULL, 1), NULL);
    cr_assert_eq(notes[REALLOC_PRE].calls, 1);
    cr_assert_eq(errno, EINVAL);

    start();
    memkind_free(MEMKIND_DEFAULT, NULL);
    cr_assert_eq(notes[FREE_PRE].calls, 1);
    cr_assert_eq(errno, TEST_ERRNO);
}

/* --- what they change ------------------------------------------------------------------------- */

Test(decorators, change_what_is_asked_for)
{
    void *block = NULL, *other;

    start();
    plan.kind = MEMKIND_REGULAR;
    plan.size = 100000;
    block = memkind_malloc(MEMKIND_DEFAULT, 1);
    cr_assert_eq(memkind_detect_kind(block), MEMKIND_REGULAR);
    cr_assert_geq(memkind_malloc_usable_size(NULL, block), 100000);
    cr_assert_eq(notes[MALLOC_PRE].kind, MEMKIND_DEFAULT);
    cr_assert_eq(notes[MALLOC_POST].kind, MEMKIND_REGULAR);
    cr_assert_eq(notes[MALLOC_POST].size, 100000);

    start();
    plan.size = 300000;
    block = memkind_realloc(MEMKIND_REGULAR, block, 1);
    cr_assert_geq(memkind_malloc_usable_size(NULL, block), 300000);

    /* The caller names one block, the decorator another one. */
    start();
    other = memkind_malloc(MEMKIND_DEFAULT, 50);
    plan.kind = MEMKIND_REGULAR;
    plan.redirect = &block;
    block = memkind_realloc(MEMKIND_DEFAULT, other, 400000);
    cr_assert_eq(memkind_detect_kind(block), MEMKIND_REGULAR);
    cr_assert_geq(memkind_malloc_usable_size(NULL, block), 400000);
    memkind_free(MEMKIND_DEFAULT, other);
    cr_assert_eq(notes[FREE_PRE].pointer, other);
    cr_assert_neq(memkind_detect_kind(block), MEMKIND_REGULAR, "not freed");
    start();
    cr_assert_eq(memkind_detect_kind(other), MEMKIND_DEFAULT, "freed");
    memkind_free(MEMKIND_DEFAULT, other);

    start();
    plan.alignment = 8192;
    plan.size = 20000;
    cr_assert_eq(memkind_posix_memalign(MEMKIND_REGULAR, &block, 16, 1), 0);
    cr_assert_eq((uintptr_t)block % 8192, 0);
    cr_assert_geq(memkind_malloc_usable_size(NULL, block), 20000);
    cr_assert_eq(notes[MEMALIGN_PRE].other, 16);
    cr_assert_eq(notes[MEMALIGN_POST].other, 8192);
    start();
    memkind_free(MEMKIND_REGULAR, block);
}

Test(decorators, change_what_is_given)
{
    void *block = NULL, *taken = NULL;

    start();
    plan.take = &taken;
    plan.error = ENOSPC;
    cr_assert_eq(memkind_malloc(MEMKIND_DEFAULT, 10), NULL);
    cr_assert_eq(errno, ENOSPC);
    cr_assert_eq(memkind_detect_kind(taken), MEMKIND_DEFAULT);
    memkind_free(MEMKIND_DEFAULT, taken);

    cr_assert_eq(memkind_calloc(MEMKIND_DEFAULT, 10, 10), NULL);
    cr_assert_eq(errno, ENOSPC);
    memkind_free(MEMKIND_DEFAULT, taken);

    cr_assert_eq(memkind_posix_memalign(MEMKIND_DEFAULT, &block, 64, 10), ENOSPC);
    cr_assert_eq(memkind_detect_kind(taken), MEMKIND_DEFAULT);
    memkind_free(MEMKIND_DEFAULT, taken);
}

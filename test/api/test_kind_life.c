/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_kind_life: kinds that are created and destroyed. Nothing is left of one that is gone: no
 * memory, no mapping, nothing in the caches of threads; and there can be as many as promised.
 */
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

TestSuite(kind_life, .init = test_with_nodes, .timeout = 120);

/* --- creating --------------------------------------------------------------------------------- */

static memkind_t create_simple(void)
{
    memkind_t kind = NULL;
    int code = test_create_kind((memkind_bits_t)0, &kind);

    cr_assert_eq(code, MEMKIND_SUCCESS, "create_kind: %d", code);
    return kind;
}

/* Handles are reused, what a former kind was set to is not. */
Test(kind_life, reused_handle_starts_anew)
{
    memkind_t kind = create_simple(), next;
    size_t value = 1;

    memkind_set_allow_zero_allocs(kind, true);
    cr_assert_not_null(memkind_malloc(kind, 0));
    cr_assert_not_null(memkind_malloc(kind, 4 * MIB));
    cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
    next = create_simple();
    cr_assert_eq(next, kind, "the handle is not reused: this proves nothing");
    cr_assert_null(memkind_malloc(next, 0));
    memkind_update_cached_stats();
    cr_assert_eq(memkind_get_stat(next, MEMKIND_STAT_TYPE_ALLOCATED, &value), MEMKIND_SUCCESS);
    cr_assert_eq(value, 0);
}

Test(kind_life, as_many_as_promised_and_no_more)
{
    static memkind_t kinds[MEMKIND_MAX_KIND];
    static char *blocks[MEMKIND_MAX_KIND];

    for (int round = 0; round < 2; round++) {
        memkind_t kind = MEMKIND_HBW;

        for (size_t i = 0; i < LENGTH(kinds); i++) {
            kinds[i] = create_simple();
            blocks[i] = memkind_malloc(kinds[i], 100);
            cr_assert(blocks[i], "kind %zu has no block", i);
            test_fill(blocks[i], 100, i);
        }
        for (int i = 0; i < 3; i++)
            cr_assert_eq(test_create_kind((memkind_bits_t)0, &kind), MEMKIND_ERROR_TOOMANY);
        cr_assert_eq(kind, MEMKIND_HBW, "a failure changed the handle");
        for (size_t i = 0; i < LENGTH(kinds); i++) {
            cr_assert_eq(memkind_detect_kind(blocks[i]), kinds[i]);
            cr_assert(test_holds(blocks[i], 100, i));
        }
        /* One in the middle makes room for exactly one. */
        cr_assert_eq(memkind_destroy_kind(kinds[300]), MEMKIND_SUCCESS);
        kinds[300] = create_simple();
        cr_assert_eq(test_create_kind((memkind_bits_t)0, &kind), MEMKIND_ERROR_TOOMANY);
        for (size_t i = 0; i < LENGTH(kinds); i++)
            cr_assert_eq(memkind_destroy_kind(kinds[i]), MEMKIND_SUCCESS);
    }
}

static void *create_and_destroy(void *argument)
{
    for (int i = 0; i < 200; i++) {
        memkind_t kind = NULL;
        char *block;

        if (memkind_create_nodes("all", MEMKIND_POLICY_BIND_ALL, 0, &kind))
            return "create_kind failed";
        block = memkind_malloc(kind, 10000);
        if (!block || memkind_detect_kind(block) != kind)
            return "wrong kind";
        test_fill(block, 10000, (uintptr_t)argument);
        sched_yield();
        if (!test_holds(block, 10000, (uintptr_t)argument))
            return "lost content";
        if (memkind_destroy_kind(kind))
            return "destroy_kind failed";
    }
    return NULL;
}

Test(kind_life, threads_create_and_destroy)
{
    pthread_t threads[4];

    for (size_t i = 0; i < LENGTH(threads); i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, create_and_destroy, (void *)(i + 1)), 0);
    for (size_t i = 0; i < LENGTH(threads); i++) {
        void *wrong = NULL;

        pthread_join(threads[i], &wrong);
        cr_assert_null(wrong, "%s", (const char *)wrong);
    }
}

/* --- destroying ------------------------------------------------------------------------------- */

Test(kind_life, destroy_gives_memory_back)
{
    enum { BLOCKS = 64 };
    memkind_t kind = create_simple();
    char *blocks[BLOCKS], *small = memkind_malloc(kind, 10);
    size_t before = test_resident(), full;

    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = memkind_malloc(kind, MIB);
        memset(blocks[i], 1, MIB);
    }
    full = test_resident() + TEST_RESIDENT_UNSURE;
    cr_assert(TEST_SANITIZED || full >= before + BLOCKS * MIB);
    memkind_free(kind, blocks[5]);
    cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
    for (size_t i = 0; i < BLOCKS; i++)
        cr_assert(!test_is_mapped(blocks[i]), "block %zu is still mapped", i);
    cr_assert(!test_is_mapped(small));
    cr_assert(TEST_SANITIZED || test_resident() <= before + MIB,
              "resident: %zu, full %zu, then %zu", before, full, test_resident());
}

/* Each holder of a handle from memkind_create_kind() may destroy it, and the others go on. */
Test(kind_life, destroyed_static_kinds_stay)
{
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < LENGTH(test_kinds); i++) {
            memkind_t kind = *test_kinds[i].variable;
            char *block = memkind_malloc(kind, 1000);

            cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS, "%s", test_kinds[i].name);
            if (!block)
                continue; /* not available here */
            test_fill(block, 1000, i);
            cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS, "%s", test_kinds[i].name);
            cr_assert(test_holds(block, 1000, i), "%s", test_kinds[i].name);
            cr_assert_eq(memkind_detect_kind(block), kind, "%s", test_kinds[i].name);
            memkind_free(kind, block);
        }
}

Test(kind_life, destroy_refuses_what_is_no_kind)
{
    memkind_t kind = create_simple();

    cr_assert_eq(memkind_destroy_kind(NULL), MEMKIND_ERROR_INVALID);
    cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
    cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_ERROR_INVALID);
    errno = TEST_ERRNO;
    cr_assert_null(memkind_malloc(kind, 10));
    cr_assert_eq(errno, EINVAL);
}

/*
 * A thread keeps a cache for each kind it has used. When the kind is destroyed by another thread
 * and its handle lives again, the cache must be gone: its blocks are unmapped.
 */
struct handover {
    pthread_barrier_t barrier;
    memkind_t kind;
    const char *wrong;
};

static const size_t cached_sizes[] = {8, 64, 100, 1000, 5000, 16384, 30000};

#define CACHED 20
#define HANDOVERS 100

static void *use_each_kind(void *argument)
{
    struct handover *handover = argument;

    for (int round = 0; round < HANDOVERS; round++) {
        char *blocks[LENGTH(cached_sizes) * CACHED];

        pthread_barrier_wait(&handover->barrier); /* there is a kind */
        for (size_t i = 0; i < LENGTH(blocks); i++) {
            size_t size = cached_sizes[i / CACHED];

            blocks[i] = memkind_malloc(handover->kind, size);
            if (!blocks[i] || memkind_detect_kind(blocks[i]) != handover->kind)
                handover->wrong = "a block of a former kind";
            test_fill(blocks[i], size, i);
        }
        for (size_t i = 0; i < LENGTH(blocks); i++)
            if (!test_holds(blocks[i], cached_sizes[i / CACHED], i))
                handover->wrong = "a block was given out twice";
        for (size_t i = 0; i < LENGTH(blocks); i++)
            memkind_free(handover->kind, blocks[i]); /* fills the cache */
        pthread_barrier_wait(&handover->barrier);    /* not used any more */
    }
    return NULL;
}

Test(kind_life, caches_of_destroyed_kinds_are_gone)
{
    struct handover handover = {.wrong = NULL};
    memkind_t first = NULL;
    pthread_t threads[2];

    pthread_barrier_init(&handover.barrier, NULL, LENGTH(threads) + 1);
    for (size_t i = 0; i < LENGTH(threads); i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, use_each_kind, &handover), 0);
    for (int round = 0; round < HANDOVERS; round++) {
        handover.kind = create_simple();
        first = first ? first : handover.kind;
        cr_assert_eq(handover.kind, first, "the handle is not reused: this proves nothing");
        pthread_barrier_wait(&handover.barrier);
        pthread_barrier_wait(&handover.barrier);
        cr_assert_eq(memkind_destroy_kind(handover.kind), MEMKIND_SUCCESS);
    }
    for (size_t i = 0; i < LENGTH(threads); i++)
        pthread_join(threads[i], NULL);
    cr_assert_null(handover.wrong, "%s", handover.wrong);
}

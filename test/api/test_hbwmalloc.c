/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_hbwmalloc: what hbwmalloc.h promises, with HBW nodes (node 0, by MEMKIND_HBW_NODES) and
 * without: the policy that can be set once, the kind that each policy means, blocks and their
 * errors, page sizes, and hbw_verify_memory_region. Blocks in huge pages: see test_hugepages.c.
 */
#include "support.h"

#include <errno.h>
#include <hbwmalloc.h>
#include <linux/mempolicy.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(hbwmalloc, .init = test_with_nodes, .timeout = 120);

static const char *const no_nodes[] = {"MEMKIND_HBW_NODES", NULL};
static const char *const wrong_nodes[] = {"MEMKIND_HBW_NODES=wrong", NULL};

/* --- policy ----------------------------------------------------------------------------------- */

Test(hbwmalloc, policy_is_preferred_at_first)
{
    cr_assert_eq(hbw_get_policy(), HBW_POLICY_PREFERRED);
    cr_assert_eq(hbw_get_policy(), HBW_POLICY_PREFERRED, "asking settles nothing");
    cr_assert_eq(hbw_set_policy(HBW_POLICY_BIND), 0);
    cr_assert_eq(hbw_get_policy(), HBW_POLICY_BIND);
}

struct policy_calls {
    hbw_policy_t first;
    int set[8], error;
    hbw_policy_t seen;
};

static void set_policy_twice(void *argument)
{
    struct policy_calls *calls = argument;

    errno = TEST_ERRNO;
    calls->set[0] = hbw_set_policy(calls->first);
    for (int other = 1; other <= 4; other++)
        calls->set[other] = hbw_set_policy((hbw_policy_t)other);
    calls->error = errno;
    calls->seen = hbw_get_policy();
}

/* Once; the same again is no error, another one is. HBW nodes need not exist. */
Test(hbwmalloc, policy_is_set_once)
{
    struct policy_calls *calls = test_shared(sizeof *calls);
    static struct test_child child;

    for (int first = 1; first <= 8; first++) {
        calls->first = (hbw_policy_t)((first - 1) % 4 + 1);
        test_run_well(&child, set_policy_twice, calls, first > 4 ? no_nodes : NULL);
        cr_assert_eq(calls->set[0], 0);
        for (int other = 1; other <= 4; other++)
            cr_assert_eq(calls->set[other], other == (int)calls->first ? 0 : EPERM,
                         "%d after %d: %d", other, calls->first, calls->set[other]);
        cr_assert_eq(calls->seen, calls->first);
        cr_assert_eq(calls->error, TEST_ERRNO);
    }
}

Test(hbwmalloc, unknown_policies_are_refused)
{
    static const int unknown[] = {0, -1, 5, 100, 1 << 30};

    for (size_t i = 0; i < LENGTH(unknown); i++)
        cr_assert_eq(hbw_set_policy((hbw_policy_t)unknown[i]), EINVAL, "%d", unknown[i]);
    cr_assert_eq(hbw_set_policy(HBW_POLICY_BIND_ALL), 0, "a refused policy settles nothing");
    for (size_t i = 0; i < LENGTH(unknown); i++)
        cr_assert_eq(hbw_set_policy((hbw_policy_t)unknown[i]), EINVAL, "%d", unknown[i]);
    cr_assert_eq(hbw_get_policy(), HBW_POLICY_BIND_ALL);
}

/* Every way of allocating settles the policy. */
static void allocate_then_set(void *argument)
{
    struct policy_calls *calls = argument;
    void *block = NULL;

    switch (calls->set[7]) {
    case 0:
        block = hbw_malloc(1);
        break;
    case 1:
        block = hbw_calloc(1, 1);
        break;
    case 2:
        block = hbw_realloc(NULL, 1);
        break;
    case 3:
        calls->error = hbw_posix_memalign(&block, 64, 1);
        break;
    case 4:
        calls->error = hbw_posix_memalign_psize(&block, 64, 1, HBW_PAGESIZE_4KB);
        break;
    }
    calls->set[0] = hbw_set_policy(HBW_POLICY_BIND);
    calls->set[1] = hbw_set_policy(HBW_POLICY_PREFERRED);
    hbw_free(block);
}

Test(hbwmalloc, allocating_settles_the_policy)
{
    struct policy_calls *calls = test_shared(sizeof *calls);
    static struct test_child child;

    for (int way = 0; way < 5; way++) {
        calls->set[7] = way;
        test_run_well(&child, allocate_then_set, calls, NULL);
        cr_assert_eq(calls->set[0], EPERM, "way %d: %d", way, calls->set[0]);
        cr_assert_eq(calls->set[1], 0, "way %d: %d", way, calls->set[1]);
    }
}

static void *set_some_policy(void *argument)
{
    return (void *)(uintptr_t)(hbw_set_policy((hbw_policy_t)(uintptr_t)argument) == 0);
}

Test(hbwmalloc, one_thread_decides)
{
    pthread_t threads[4];
    uintptr_t winners = 0;

    for (size_t i = 0; i < LENGTH(threads); i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, set_some_policy, (void *)(i + 1)), 0);
    for (size_t i = 0; i < LENGTH(threads); i++) {
        void *won;

        pthread_join(threads[i], &won);
        winners += (uintptr_t)won;
        cr_assert_eq(won != NULL, hbw_get_policy() == (hbw_policy_t)(i + 1));
    }
    cr_assert_eq(winners, 1);
}

/* --- availability ----------------------------------------------------------------------------- */

static void ask_available(void *argument)
{
    *(int *)argument = hbw_check_available();
}

Test(hbwmalloc, check_available)
{
    int *result = test_shared(sizeof *result);
    static struct test_child child;

    test_run_well(&child, ask_available, result, NULL);
    cr_assert_eq(*result, 0);
    test_run_well(&child, ask_available, result, wrong_nodes);
    cr_assert_eq(*result, ENODEV);
    if (!test_has_figures()) {
        test_run_well(&child, ask_available, result, no_nodes);
        cr_assert_eq(*result, ENODEV);
    }
}

/* --- what each policy gives ------------------------------------------------------------------- */

#define WAYS 5

/* What a child with that policy finds. */
struct blocks {
    hbw_policy_t policy;
    bool block[WAYS];
    int error[WAYS]; /* errno, and what posix_memalign returned */
    int result[WAYS];
    int kind; /* partition of the blocks' kind, -1 for none, -2 for several */
    int mode; /* mempolicy */
    bool zeroed, content, usable, zero_size, overflow;
    int overflow_error;
};

static int partition_of(void *block)
{
    memkind_t kind = memkind_detect_kind(block);

    for (size_t i = 0; kind && i < LENGTH(test_kinds); i++)
        if (*test_kinds[i].variable == kind)
            return test_kinds[i].partition;
    return -1;
}

static void allocate_every_way(void *argument)
{
    struct blocks *blocks = argument;
    char *block[WAYS] = {NULL};
    struct test_mask nodes;

    hbw_set_policy(blocks->policy);
    blocks->kind = -3;
    for (int way = 0; way < WAYS; way++) {
        errno = TEST_ERRNO;
        switch (way) {
        case 0:
            block[way] = hbw_malloc(1000);
            break;
        case 1:
            block[way] = hbw_calloc(10, 100);
            break;
        case 2:
            block[way] = hbw_realloc(NULL, 1000);
            break;
        case 3:
            blocks->result[way] = hbw_posix_memalign((void **)&block[way], 4096, 1000);
            break;
        case 4:
            blocks->result[way] =
                hbw_posix_memalign_psize((void **)&block[way], 256, 1000, HBW_PAGESIZE_4KB);
            break;
        }
        blocks->error[way] = errno;
        blocks->block[way] = block[way] != NULL;
        if (!block[way])
            continue;
        if (way == 1)
            blocks->zeroed = test_is_zero(block[way], 1000);
        blocks->kind = blocks->kind == -3 || blocks->kind == partition_of(block[way])
                           ? partition_of(block[way])
                           : -2;
        test_fill(block[way], 1000, (uint64_t)way);
    }
    if (block[0])
        blocks->mode = test_policy(block[0], &nodes);
    blocks->content = blocks->usable = true;
    for (int way = 0; way < WAYS; way++) {
        if (!block[way])
            continue;
        block[way] = hbw_realloc(block[way], 50000);
        blocks->content = blocks->content && block[way] &&
                          test_holds(block[way], 1000, (uint64_t)way) &&
                          partition_of(block[way]) == blocks->kind;
        blocks->usable = blocks->usable && hbw_malloc_usable_size(block[way]) >= 50000;
        hbw_free(block[way]);
    }
}

static void check_blocks(hbw_policy_t policy, const char *const environment[], int partition,
                         int mode)
{
    struct blocks *blocks = test_shared(sizeof *blocks);
    static struct test_child child;
    bool exists = partition >= 0;

    blocks->policy = policy;
    test_run_well(&child, allocate_every_way, blocks, environment);
    for (int way = 0; way < WAYS; way++) {
        bool by_result = way >= 3;

        cr_assert_eq(blocks->block[way], exists, "policy %d, way %d", policy, way);
        cr_assert_eq(blocks->result[way], exists || !by_result ? 0 : ENOMEM);
        cr_expect_eq(blocks->error[way], exists || by_result ? TEST_ERRNO : ENOMEM,
                     "policy %d, way %d: errno %d", policy, way, blocks->error[way]);
    }
    if (!exists)
        return;
    cr_assert_eq(blocks->kind, partition, "policy %d: partition %d", policy, blocks->kind);
    cr_assert_eq(blocks->mode, mode, "policy %d: mode %d", policy, blocks->mode);
    cr_assert(blocks->zeroed && blocks->content && blocks->usable);
}

Test(hbwmalloc, policies_mean_kinds)
{
    check_blocks(HBW_POLICY_BIND, NULL, MEMKIND_PARTITION_HBW, MPOL_BIND);
    check_blocks(HBW_POLICY_BIND_ALL, NULL, MEMKIND_PARTITION_HBW_ALL, MPOL_BIND);
    check_blocks(HBW_POLICY_PREFERRED, NULL, MEMKIND_PARTITION_HBW_PREFERRED, MPOL_PREFERRED);
    check_blocks(HBW_POLICY_INTERLEAVE, NULL, MEMKIND_PARTITION_HBW_INTERLEAVE, MPOL_INTERLEAVE);
}

Test(hbwmalloc, without_nodes_only_preferred_works)
{
    if (test_has_figures())
        test_skip("this machine may have HBW nodes");
    check_blocks(HBW_POLICY_BIND, no_nodes, -1, 0);
    check_blocks(HBW_POLICY_BIND_ALL, no_nodes, -1, 0);
    check_blocks(HBW_POLICY_INTERLEAVE, no_nodes, -1, 0);
    check_blocks(HBW_POLICY_PREFERRED, no_nodes, MEMKIND_PARTITION_DEFAULT, MPOL_DEFAULT);
}

/* --- rules of the single functions ------------------------------------------------------------ */

Test(hbwmalloc, zero_size_is_null_without_error)
{
    for (int used = 0; used < 2; used++) {
        void *block = &block;

        errno = TEST_ERRNO;
        cr_assert_null(hbw_malloc(0));
        cr_assert_null(hbw_calloc(0, 10));
        cr_assert_null(hbw_calloc(10, 0));
        cr_assert_null(hbw_realloc(NULL, 0));
        cr_assert_eq(hbw_posix_memalign(&block, 64, 0), 0);
        cr_assert_null(block);
        block = &block;
        cr_assert_eq(hbw_posix_memalign_psize(&block, 64, 0, HBW_PAGESIZE_4KB), 0);
        cr_assert_null(block);
        cr_assert_eq(errno, TEST_ERRNO, "errno %d", errno);
        hbw_free(hbw_malloc(1));
    }
}

Test(hbwmalloc, too_large_is_enomem)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 4095, SIZE_MAX / 2 + 1, SIZE_MAX / 2};
    char *kept = hbw_malloc(100);

    test_fill(kept, 100, 1);
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        void *block = &block;

        errno = TEST_ERRNO;
        cr_assert(!hbw_malloc(sizes[i]) && errno == ENOMEM);
        errno = TEST_ERRNO;
        cr_assert(!hbw_calloc(sizes[i], 1) && errno == ENOMEM);
        errno = TEST_ERRNO;
        cr_assert(!hbw_calloc(sizes[i], 3) && errno == ENOMEM);
        errno = TEST_ERRNO;
        cr_assert(!hbw_calloc(2, SIZE_MAX / 2 + 2 + i) && errno == ENOMEM);
        errno = TEST_ERRNO;
        cr_assert(!hbw_realloc(kept, sizes[i]) && errno == ENOMEM);
        errno = TEST_ERRNO;
        cr_assert_eq(hbw_posix_memalign(&block, 64, sizes[i]), ENOMEM);
        cr_assert(block == &block && errno == TEST_ERRNO);
    }
    cr_assert(test_holds(kept, 100, 1));
    hbw_free(kept);
}

static void memalign_wrongly(void *argument)
{
    static const size_t alignments[] = {0, 1, 2, 4, 7, 12, 100, SIZE_MAX};
    int *wrong = argument;

    for (size_t i = 0; i < LENGTH(alignments); i++)
        for (size_t size = 0; size <= 100; size += 100) {
            void *block = argument;

            errno = TEST_ERRNO;
            *wrong += hbw_posix_memalign(&block, alignments[i], size) != EINVAL;
            for (int page = HBW_PAGESIZE_4KB; page < HBW_PAGESIZE_MAX_VALUE; page++)
                *wrong += hbw_posix_memalign_psize(&block, alignments[i], size,
                                                   (hbw_pagesize_t)page) != EINVAL;
            *wrong += block != argument || errno != TEST_ERRNO;
        }
}

/* With nodes and without: alignment comes first. */
Test(hbwmalloc, wrong_alignment_is_einval)
{
    int *wrong = test_shared(sizeof *wrong);
    static struct test_child child;

    test_run_well(&child, memalign_wrongly, wrong, NULL);
    cr_assert_eq(*wrong, 0, "%d wrong answers", *wrong);
    test_run_well(&child, memalign_wrongly, wrong, no_nodes);
    cr_assert_eq(*wrong, 0, "%d wrong answers without nodes", *wrong);
}

Test(hbwmalloc, alignment_is_honoured)
{
    void *alive[64] = {NULL};
    size_t turn = 0;

    for (size_t alignment = sizeof(void *); alignment <= 4 * MIB; alignment *= 2)
        for (size_t size = 1; size <= 3 * MIB; size = size * 5 + 1) {
            void **block = &alive[turn++ % LENGTH(alive)];

            hbw_free(*block);
            cr_assert_eq(hbw_posix_memalign(block, alignment, size), 0);
            cr_assert_eq((uintptr_t)*block % alignment, 0, "%p, alignment %zu, size %zu", *block,
                         alignment, size);
            ((char *)*block)[0] = ((char *)*block)[size - 1] = 1;
        }
    for (size_t i = 0; i < LENGTH(alive); i++)
        hbw_free(alive[i]);
}

Test(hbwmalloc, calloc_zeroes_reused_memory)
{
    for (size_t size = 8; size <= 4 * MIB; size *= 8) {
        char *block = hbw_malloc(size);

        memset(block, 0xff, size);
        hbw_free(block);
        block = hbw_calloc(size, 1);
        cr_assert(block && test_is_zero(block, size), "%zu bytes", size);
        hbw_free(block);
    }
}

/* free, realloc and usable_size take any block of the library, and leave others alone. */
Test(hbwmalloc, any_block_is_accepted)
{
    char stack[64];
    char *block = memkind_malloc(MEMKIND_INTERLEAVE, 1000);

    test_fill(block, 1000, 1);
    block = hbw_realloc(block, 20000);
    cr_assert(block && test_holds(block, 1000, 1));
    cr_assert_eq(memkind_detect_kind(block), MEMKIND_INTERLEAVE);
    cr_assert_geq(hbw_malloc_usable_size(block), 20000);
    errno = TEST_ERRNO;
    cr_assert_null(hbw_realloc(block, 0));
    hbw_free(NULL);
    hbw_free(stack);
    cr_assert_eq(errno, TEST_ERRNO);
    cr_assert_eq(hbw_malloc_usable_size(NULL), 0);
    cr_assert_eq(hbw_malloc_usable_size(stack), 0);
    cr_assert_null(hbw_realloc(stack, 100));
    cr_assert_eq(errno, EINVAL);
    block = hbw_malloc(4 * MIB);
    cr_assert_null(hbw_realloc(block, 0));
    cr_assert_null(memkind_detect_kind(block), "realloc to 0 bytes frees");
}

/* --- page sizes ------------------------------------------------------------------------------- */

#define SETS(POLICY) (1U << (POLICY))
#define EVERY_POLICY (SETS(1) | SETS(2) | SETS(3) | SETS(4))
#define WITHOUT_INTERLEAVE (EVERY_POLICY & ~SETS(HBW_POLICY_INTERLEAVE))

/* Combinations of policy, page size and size that are accepted; all else is EINVAL. */
static const struct {
    int pagesize;
    size_t size;
    unsigned accepted; /* by these policies */
} pagesizes[] = {
    {HBW_PAGESIZE_4KB, 100, EVERY_POLICY},
    {HBW_PAGESIZE_4KB, 0, EVERY_POLICY},
    {HBW_PAGESIZE_2MB, 100, WITHOUT_INTERLEAVE},
    {HBW_PAGESIZE_2MB, 0, WITHOUT_INTERLEAVE},
    {HBW_PAGESIZE_1GB, 100, WITHOUT_INTERLEAVE},
    {HBW_PAGESIZE_1GB, 0, WITHOUT_INTERLEAVE},
    {HBW_PAGESIZE_1GB_STRICT, GIB, WITHOUT_INTERLEAVE},
    {HBW_PAGESIZE_1GB_STRICT, 0, WITHOUT_INTERLEAVE},
    {HBW_PAGESIZE_1GB_STRICT, GIB - 1, 0},
    {HBW_PAGESIZE_1GB_STRICT, GIB + 4096, 0},
    {HBW_PAGESIZE_1GB_STRICT, 1, 0},
    {0, 100, 0},
    {-1, 100, 0},
    {HBW_PAGESIZE_MAX_VALUE, 100, 0},
    {99, 0, 0},
};

struct page_calls {
    hbw_policy_t policy;
    int result[LENGTH(pagesizes)], error;
    bool untouched[LENGTH(pagesizes)];
};

static void try_page_sizes(void *argument)
{
    struct page_calls *calls = argument;

    hbw_set_policy(calls->policy);
    errno = TEST_ERRNO;
    for (size_t i = 0; i < LENGTH(pagesizes); i++) {
        void *block = argument;

        calls->result[i] = hbw_posix_memalign_psize(&block, 64, pagesizes[i].size,
                                                    (hbw_pagesize_t)pagesizes[i].pagesize);
        calls->untouched[i] = block == argument;
        if (calls->result[i] == 0)
            hbw_free(block);
    }
    calls->error = errno;
}

/* Whether there are huge pages or not, EINVAL is told apart from ENOMEM. */
Test(hbwmalloc, page_sizes_by_policy)
{
    struct page_calls *calls = test_shared(sizeof *calls);
    static struct test_child child;

    for (int round = 1; round <= 8; round++) {
        calls->policy = (hbw_policy_t)((round - 1) % 4 + 1);
        test_run_well(&child, try_page_sizes, calls, round > 4 ? no_nodes : NULL);
        for (size_t i = 0; i < LENGTH(pagesizes); i++) {
            bool accepted = pagesizes[i].accepted & SETS(calls->policy);
            bool known = calls->result[i] == 0 || calls->result[i] == ENOMEM;

            cr_expect(accepted ? known : calls->result[i] == EINVAL,
                      "policy %d, page size %d, size %zu: %d", calls->policy, pagesizes[i].pagesize,
                      pagesizes[i].size, calls->result[i]);
            if (accepted && !pagesizes[i].size)
                cr_expect_eq(calls->result[i], 0, "policy %d, page size %d, size 0: %d",
                             calls->policy, pagesizes[i].pagesize, calls->result[i]);
            cr_expect_eq(calls->untouched[i], calls->result[i] != 0);
        }
        cr_expect_eq(calls->error, TEST_ERRNO, "errno %d", calls->error);
    }
}

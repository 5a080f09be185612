/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * Tiers: shares, thresholds, what is counted, and what is refused. That all functions do what those
 * of libmemkind 1.14.0 do is test/system/drop_in/tiers.c's.
 */
#include "support.h" /* first: it includes memkind.h in its own way */

#include <memkind_memtier.h>

#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#define PROPERTY(NAME) "policy.dynamic_threshold." NAME

TestSuite(memtier, .init = test_with_nodes, .timeout = 60);

static memkind_t created(void)
{
    memkind_t kind;

    cr_assert_eq(test_create_kind((memkind_bits_t)0, &kind), 0);
    return kind;
}

static struct memtier_builder *with_tiers(memtier_policy_t policy, const memkind_t kinds[],
                                          const unsigned ratios[], size_t count)
{
    struct memtier_builder *builder = memtier_builder_new(policy);

    cr_assert_not_null(builder);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(memtier_builder_add_tier(builder, kinds[i], ratios[i]), 0);
    return builder;
}

static struct memtier_memory *finish(struct memtier_builder *builder)
{
    struct memtier_memory *memory = memtier_builder_construct_memtier_memory(builder);

    memtier_builder_delete(builder);
    return memory;
}

Test(memtier, shares_of_three)
{
    memkind_t kinds[3] = {MEMKIND_DEFAULT, created(), created()};
    const unsigned ratios[3] = {1, 2, 5};
    struct memtier_memory *memory =
        finish(with_tiers(MEMTIER_POLICY_STATIC_RATIO, kinds, ratios, 3));
    static void *blocks[8000];
    size_t held[3], all = 0;

    cr_assert_not_null(memory);
    for (size_t i = 0; i < 8000; i++)
        cr_assert_not_null(blocks[i] = memtier_malloc(memory, 1 + i % 500));
    for (int i = 0; i < 3; i++)
        all += held[i] = memtier_kind_allocated_size(kinds[i]);
    for (int i = 0; i < 3; i++)
        cr_expect(fabs((double)held[i] / (double)all - ratios[i] / 8.0) < 0.01,
                  "tier %d: %zu of %zu", i, held[i], all);
    for (size_t i = 0; i < 8000; i++)
        memtier_free(blocks[i]);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(memtier_kind_allocated_size(kinds[i]), 0);
    memtier_delete_memtier_memory(memory);
    cr_expect_eq(memkind_destroy_kind(kinds[1]), 0);
    cr_expect_eq(memkind_destroy_kind(kinds[2]), 0);
}

/* All blocks are of a size that is before the threshold at first: it goes down until the second
 * kind has its share, but not below its least. */
Test(memtier, threshold_moves)
{
    const memkind_t kinds[2] = {MEMKIND_DEFAULT, created()};
    const unsigned ratios[2] = {1, 1};
    const size_t least[2] = {100, 1000};
    void *blocks[1000];

    for (int round = 0; round < 2; round++) {
        struct memtier_builder *builder =
            with_tiers(MEMTIER_POLICY_DYNAMIC_THRESHOLD, kinds, ratios, 2);
        struct memtier_memory *memory;

        cr_assert_eq(memtier_ctl_set(builder, PROPERTY("thresholds[0].min"), &least[round]), 0);
        cr_assert_not_null(memory = finish(builder));
        for (int i = 0; i < 1000; i++)
            cr_assert_not_null(blocks[i] = memtier_malloc(memory, 900));
        if (round == 0)
            cr_expect_gt(memtier_kind_allocated_size(kinds[1]), 0, "the threshold did not move");
        else
            cr_expect_eq(memtier_kind_allocated_size(kinds[1]), 0, "it moved below its least");
        for (int i = 0; i < 1000; i++)
            memtier_free(blocks[i]);
        memtier_delete_memtier_memory(memory);
    }
    cr_expect_eq(memkind_destroy_kind(kinds[1]), 0);
}

Test(memtier, refused)
{
    const memkind_t kinds[2] = {MEMKIND_DEFAULT, MEMKIND_REGULAR};
    const unsigned ratios[2] = {1, 1};
    struct memtier_builder *builder;
    size_t size = 10;
    float number = 1;

    cr_expect_null(memtier_builder_new(MEMTIER_POLICY_MAX_VALUE));
    cr_expect_null(memtier_builder_new((memtier_policy_t)-1));
    cr_expect_null(memtier_builder_construct_memtier_memory(NULL));
    cr_expect_neq(memtier_builder_add_tier(NULL, MEMKIND_DEFAULT, 1), 0);
    cr_expect_neq(memtier_ctl_set(NULL, PROPERTY("degree"), &number), 0);
    memtier_builder_delete(NULL);
    memtier_delete_memtier_memory(NULL);

    builder = memtier_builder_new(MEMTIER_POLICY_STATIC_RATIO);
    cr_expect_neq(memtier_builder_add_tier(builder, NULL, 1), 0);
    cr_expect_neq(memtier_builder_add_tier(builder, MEMKIND_DEFAULT, 0), 0);
    cr_expect_null(memtier_builder_construct_memtier_memory(builder), "without a tier");
    cr_expect_neq(memtier_ctl_set(builder, PROPERTY("degree"), &number), 0, "not of this policy");
    memtier_builder_delete(builder);

    builder = with_tiers(MEMTIER_POLICY_DYNAMIC_THRESHOLD, kinds, ratios, 1);
    cr_expect_null(memtier_builder_construct_memtier_memory(builder), "one tier, no threshold");
    cr_expect_neq(memtier_ctl_set(builder, PROPERTY("thresholds[0].val"), &size), 0);
    memtier_builder_delete(builder);

    builder = with_tiers(MEMTIER_POLICY_DYNAMIC_THRESHOLD, kinds, ratios, 2);
    cr_expect_neq(memtier_ctl_set(builder, PROPERTY("thresholds[1].val"), &size), 0);
    cr_expect_neq(memtier_ctl_set(builder, PROPERTY("thresholds[0]"), &size), 0);
    cr_expect_neq(memtier_ctl_set(builder, PROPERTY("thresholds[0].other"), &size), 0);
    cr_expect_neq(memtier_ctl_set(builder, PROPERTY("thresholds[+0].val"), &size), 0);
    cr_expect_neq(memtier_ctl_set(builder, PROPERTY("thresholds[ 0].val"), &size), 0);
    cr_expect_neq(memtier_ctl_set(builder, PROPERTY("thresholds[4294967296].val"), &size), 0);
    cr_expect_neq(
        memtier_ctl_set(builder, PROPERTY("thresholds[-18446744073709551616].val"), &size), 0);
    cr_expect_neq(memtier_ctl_set(builder, "degree", &number), 0);
    cr_expect_neq(memtier_ctl_set(builder, PROPERTY("degree"), NULL), 0);
    cr_expect_neq(memtier_ctl_set(builder, NULL, &number), 0);
    cr_expect_eq(memtier_ctl_set(builder, PROPERTY("thresholds[0].val"), &size), 0);
    cr_expect_null(memtier_builder_construct_memtier_memory(builder),
                   "a threshold below its least");
    size = 1024;
    cr_expect_eq(memtier_ctl_set(builder, PROPERTY("thresholds[0].val"), &size), 0);
    number = NAN;
    cr_expect_eq(memtier_ctl_set(builder, PROPERTY("degree"), &number), 0);
    cr_expect_null(memtier_builder_construct_memtier_memory(builder), "not a number");
    memtier_builder_delete(builder);
}

/* What fails is not counted, and what was counted stays so. */
Test(memtier, failures_count_nothing)
{
    size_t before = memtier_kind_allocated_size(MEMKIND_DEFAULT);
    char *block;
    void *aligned = NULL;
    int foreign = 0;

    cr_expect_null(memtier_kind_malloc(MEMKIND_DEFAULT, SIZE_MAX / 2));
    cr_expect_null(memtier_kind_calloc(MEMKIND_DEFAULT, SIZE_MAX / 2, 4));
    cr_expect_neq(memtier_kind_posix_memalign(MEMKIND_DEFAULT, &aligned, 3, 10), 0);
    memtier_kind_free(MEMKIND_DEFAULT, NULL);
    memtier_free(&foreign);
    cr_expect_eq(memtier_kind_allocated_size(MEMKIND_DEFAULT), before);
    cr_assert_not_null(block = memtier_kind_malloc(MEMKIND_DEFAULT, 100));
    cr_expect_null(memtier_kind_realloc(MEMKIND_DEFAULT, block, SIZE_MAX / 2));
    cr_expect_eq(memtier_kind_allocated_size(MEMKIND_DEFAULT), before + memtier_usable_size(block));
    cr_expect_null(memtier_kind_realloc(MEMKIND_DEFAULT, block, 0));
    cr_expect_eq(memtier_kind_allocated_size(MEMKIND_DEFAULT), before);
}

/* A kind that takes the place of a destroyed one has nothing yet. */
Test(memtier, new_kind_counts_from_zero)
{
    for (int i = 0; i < 3; i++) {
        memkind_t kind = created();

        cr_expect_eq(memtier_kind_allocated_size(kind), 0);
        cr_assert_not_null(memtier_kind_malloc(kind, 1000));
        cr_expect_gt(memtier_kind_allocated_size(kind), 999);
        cr_expect_eq(memkind_destroy_kind(kind), 0);
    }
}

#define LIVE 64 /* blocks at a time */

/* What the counters have to be: what is live. */
static void expect_counts(const memkind_t kinds[3], void *const blocks[LIVE], int step)
{
    for (int k = 0; k < 3; k++) {
        size_t live = 0;

        for (int i = 0; i < LIVE; i++)
            if (blocks[i] && memkind_detect_kind(blocks[i]) == kinds[k])
                live += memtier_usable_size(blocks[i]);
        cr_assert_eq(memtier_kind_allocated_size(kinds[k]), live,
                     "kind %d at step %d: %zu, not %zu", k, step,
                     memtier_kind_allocated_size(kinds[k]), live);
    }
}

/* A kind's block by the kind's own functions or by those of a memory; freed and reallocated with
 * its kind, without one, or with another one. */
static void *counted_block(struct memtier_memory *memory, memkind_t kind, uint64_t number)
{
    size_t size = number / 8 % 16 == 0 ? 1 + number / 128 % (5 * MIB) : 1 + number / 128 % 3000;
    void *block = NULL;

    switch (number % 6) {
    case 0:
        return memtier_kind_malloc(kind, size);
    case 1:
        return memtier_kind_calloc(kind, 3, size);
    case 2:
        return memtier_kind_realloc(kind, NULL, size);
    case 3:
        return memtier_kind_posix_memalign(kind, &block, 256, size) ? NULL : block;
    case 4:
        return memtier_posix_memalign(memory, &block, 4096, size) ? NULL : block;
    default:
        return number & 8 ? memtier_malloc(memory, size) : memtier_calloc(memory, 2, size);
    }
}

static void *counted_change(struct memtier_memory *memory, memkind_t named, void *block,
                            uint64_t number)
{
    size_t size = number / 8 % 8 == 0 ? 1 + number / 128 % (9 * MIB) : 1 + number / 128 % 5000;
    void *moved;

    switch (number % 6) {
    case 0:
        memtier_free(block);
        return NULL;
    case 1:
        memtier_kind_free(named, block);
        return NULL;
    case 2:
        return memtier_realloc(memory, block, number & 8 ? size : 0);
    case 3: /* fails: the block stays as it is */
        cr_assert_null(memtier_kind_realloc(named, block, SIZE_MAX / 2));
        return block;
    default:
        moved = memtier_kind_realloc(named, block, size);
        return moved ? moved : block;
    }
}

Test(memtier, counters_are_what_is_live)
{
    const memkind_t kinds[3] = {MEMKIND_DEFAULT, MEMKIND_REGULAR, created()};
    const unsigned ratios[3] = {1, 2, 1};
    struct memtier_memory *memory =
        finish(with_tiers(MEMTIER_POLICY_STATIC_RATIO, kinds, ratios, 3));
    size_t own = memtier_kind_allocated_size(MEMKIND_DEFAULT);
    uint64_t random = 1;
    void *blocks[LIVE] = {NULL};

    cr_assert_not_null(memory);
    cr_assert_eq(own, 0);
    for (int step = 0; step < 20000; step++) {
        void **block = &blocks[test_random(&random) % LIVE];
        uint64_t number = test_random(&random) >> 8;
        memkind_t named = number & 4096 ? NULL : kinds[number / 8192 % 3];

        *block = *block ? counted_change(memory, named, *block, number)
                        : counted_block(memory, kinds[number / 8192 % 3], number);
        expect_counts(kinds, blocks, step);
    }
    memtier_delete_memtier_memory(memory);
}

static void *work(void *argument)
{
    struct memtier_memory *memory = argument;
    void *blocks[64] = {NULL};

    for (int i = 0; i < 20000; i++) {
        void **block = &blocks[i * 7 % 64];

        memtier_free(*block);
        *block = memtier_malloc(memory, 16 + (size_t)i % 3000);
        cr_assert_not_null(*block);
        if (i % 16 == 0)
            cr_assert_not_null(*block = memtier_realloc(memory, *block, 5000));
    }
    for (int i = 0; i < 64; i++)
        memtier_free(blocks[i]);
    return NULL;
}

Test(memtier, threads)
{
    const memkind_t kinds[2] = {MEMKIND_DEFAULT, created()};
    const unsigned ratios[2] = {1, 3};

    for (int policy = 0; policy < MEMTIER_POLICY_MAX_VALUE; policy++) {
        struct memtier_memory *memory =
            finish(with_tiers((memtier_policy_t)policy, kinds, ratios, 2));
        pthread_t threads[8];

        cr_assert_not_null(memory);
        for (int i = 0; i < 8; i++)
            cr_assert_eq(pthread_create(&threads[i], NULL, work, memory), 0);
        for (int i = 0; i < 8; i++)
            pthread_join(threads[i], NULL);
        cr_expect_eq(memtier_kind_allocated_size(kinds[0]), 0);
        cr_expect_eq(memtier_kind_allocated_size(kinds[1]), 0);
        memtier_delete_memtier_memory(memory);
    }
    cr_expect_eq(memkind_destroy_kind(kinds[1]), 0);
}

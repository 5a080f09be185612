/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_packed: blocks of two to eight units of 16 KiB in a kind with a limit. Under TBB they share
 * chunks of a MiB: each is known by its start and by nothing else, counts with all of its bytes,
 * becomes larger and smaller in its place, and wanders between threads.
 */
#include "blocks.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define DIRECTORY "/dev/shm"
#define LIMIT (64 * MIB)

TestSuite(packed, .init = test_bare, .timeout = 280);

Test(packed, known_by_their_start)
{
    static const size_t offsets[] = {8, 16, 64, 4096, 16384};
    memkind_t kind = test_create_file(DIRECTORY, LIMIT);
    size_t sum = 0;
    char *blocks[40];

    for (size_t i = 0; i < LENGTH(blocks); i++) {
        blocks[i] = memkind_malloc(kind, 20000 + i);
        cr_assert_not_null(blocks[i]);
        test_fill(blocks[i], 20000 + i, i);
        sum += memkind_malloc_usable_size(kind, blocks[i]);
    }
    cr_expect_eq(test_kind_allocated(kind), sum);
    for (size_t i = 0; i < LENGTH(blocks); i++) {
        cr_expect_eq(memkind_detect_kind(blocks[i]), kind);
        cr_expect(test_holds(blocks[i], 20000 + i, i));
        for (size_t at = 0; at < LENGTH(offsets); at++)
            cr_expect_null(memkind_detect_kind(blocks[i] + offsets[at]), "%zu bytes into one",
                           offsets[at]);
        memkind_free(NULL, blocks[i]);
        if (test_tbb()) /* else the thread keeps it for itself */
            cr_expect_null(memkind_detect_kind(blocks[i]), "freed");
    }
    cr_expect_eq(test_kind_allocated(kind), 0);
    cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
}

static void free_twice(void *argument)
{
    memkind_t kind = test_create_file(DIRECTORY, LIMIT);
    char *block = memkind_malloc(kind, 20000), *other = memkind_malloc(kind, 20000);

    (void)argument;
    memkind_free(kind, other + 4096);
    memkind_free(kind, block);
    memkind_free(kind, block);
    cr_expect_eq(test_kind_allocated(kind), memkind_malloc_usable_size(kind, other));
    cr_expect_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
}

Test(packed, wrong_frees_are_told)
{
    struct test_child child;

    if (TEST_HEAP_PAGE > 4096)
        test_skip("with such pages, JEMALLOC has slabs of these: it tells no pointer into a block");
    test_run_well(&child, free_twice, NULL, NULL);
    cr_expect_eq(child.lines, 2, "%s", child.errors);
}

/* An area's, and one that is set when there are blocks already. */
Test(packed, whatever_the_limit_is_of)
{
    memkind_t kinds[2];
    void *area = test_shared(LIMIT), *first;

    cr_assert_eq(memkind_create_fixed(area, LIMIT, &kinds[0]), MEMKIND_SUCCESS);
    cr_assert_eq(test_create_kind((memkind_bits_t)0, &kinds[1]), MEMKIND_SUCCESS);
    first = memkind_malloc(kinds[1], 20000);
    cr_assert_not_null(first);
    cr_assert_eq(memkind_set_limit(kinds[1], LIMIT), MEMKIND_SUCCESS);
    for (size_t i = 0; i < LENGTH(kinds); i++) {
        struct blocks blocks = blocks_of(kinds[i], 20000, 20000);

        blocks_fill(&blocks);
        EXPECT_FULL(blocks, LIMIT, 90, i ? "with a limit" : "fixed");
        blocks_drop_some(&blocks, blocks.count);
    }
    memkind_free(kinds[1], first);
    cr_expect_eq(test_kind_allocated(kinds[0]) + test_kind_allocated(kinds[1]), 0);
    cr_assert_eq(memkind_destroy_kind(kinds[0]), MEMKIND_SUCCESS);
    cr_assert_eq(memkind_destroy_kind(kinds[1]), MEMKIND_SUCCESS);
}

/* What is unused is bounded by use, as it is of other blocks: nobody trims, no time passes. */
Test(packed, freed_goes_back)
{
    struct blocks blocks = blocks_of(NULL, 20000, 20000);

    cr_assert_eq(test_create_kind((memkind_bits_t)0, &blocks.kind), MEMKIND_SUCCESS);
    cr_assert_eq(memkind_set_limit(blocks.kind, 160 * MIB), MEMKIND_SUCCESS);
    while (blocks.bytes < 120 * MIB)
        cr_assert(blocks_add(&blocks));
    blocks_drop_some(&blocks, blocks.count);
    cr_expect_leq(test_kind_resident(blocks.kind), 80 * MIB, "%zu MiB",
                  test_kind_resident(blocks.kind) / MIB);
    cr_assert_eq(memkind_destroy_kind(blocks.kind), MEMKIND_SUCCESS);
}

/* At the limit, too, where there is no room for a copy. */
Test(packed, shrink_in_their_place)
{
    struct blocks blocks = blocks_of(test_create_file(DIRECTORY, LIMIT), 90000, 100000);
    size_t count, before;

    if (!test_tbb() && TEST_HEAP_PAGE > 4096)
        test_skip("blocks of that size are of slabs, and move");
    blocks_fill(&blocks);
    count = blocks.count;
    before = test_kind_allocated(blocks.kind);
    for (size_t i = 0; i < count; i++) {
        char *block = memkind_realloc(blocks.kind, blocks.block[i], 20000);

        cr_assert_not_null(block);
        if (test_tbb())
            cr_expect_eq(block, blocks.block[i]);
        cr_expect_eq((unsigned char)block[19999], (unsigned char)blocks.size[i]);
        memset(block, 20000 & 0xff, 20000);
        blocks.block[i] = block;
        blocks.bytes -= blocks.size[i] - 20000;
        blocks.size[i] = 20000;
    }
    cr_expect_leq(test_kind_allocated(blocks.kind) * 3, before);
    blocks.least = blocks.most = 20000;
    blocks_fill(&blocks);
    cr_expect_geq(blocks.count, 3 * count, "%zu, were %zu", blocks.count, count);
    blocks_drop_some(&blocks, blocks.count);
    cr_expect_eq(test_kind_allocated(blocks.kind), 0);
    cr_assert_eq(memkind_destroy_kind(blocks.kind), MEMKIND_SUCCESS);
}

/* What grows a little each time is not copied each time. */
Test(packed, growing_moves_seldom)
{
    memkind_t kinds[] = {MEMKIND_REGULAR, test_create_file(DIRECTORY, LIMIT)};

    for (size_t i = 0; i < LENGTH(kinds); i++) {
        size_t size = 9000, moved = 0;
        char *block = memkind_malloc(kinds[i], size), *old;

        cr_assert_not_null(block);
        test_fill(block, size, i);
        for (; size < 8 * MIB; size += 4096) {
            old = block;
            block = memkind_realloc(kinds[i], old, size);
            cr_assert_not_null(block);
            moved += block != old;
            cr_assert_geq(memkind_malloc_usable_size(kinds[i], block), size);
            cr_assert_eq(test_kind_allocated(kinds[i]),
                         memkind_malloc_usable_size(kinds[i], block));
        }
        cr_expect(test_holds(block, 9000, i));
        cr_expect_leq(moved, 60, "%zu", moved);
        memkind_free(kinds[i], block);
    }
    cr_assert_eq(memkind_destroy_kind(kinds[1]), MEMKIND_SUCCESS);
}

/* More is asked for than is to be had, before what is wanted. */
Test(packed, growth_leaves_errno)
{
    memkind_t kind = test_create_file(DIRECTORY, LIMIT);
    void *block = memkind_malloc(kind, 9000);

    cr_assert_not_null(block);
    errno = TEST_ERRNO;
    block = memkind_realloc(kind, block, 56 * MIB);
    cr_assert_not_null(block);
    cr_expect_eq(errno, TEST_ERRNO);
    memkind_free(kind, block);
    cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
}

/* What is free between blocks that are left is of use to sizes, too, that are not packed. */
Test(packed, holes_serve_others)
{
    static const size_t others[] = {16000, 200000};

    for (size_t i = 0; i < LENGTH(others); i++) {
        struct blocks few = blocks_of(test_create_file(DIRECTORY, LIMIT), 20000, 20000);
        struct blocks blocks = blocks_of(few.kind, others[i], others[i]);
        size_t kept = 0;

        blocks_fill(&few);
        for (size_t at = 0; at < few.count; at++)
            if (at % 40)
                memkind_free(few.kind, few.block[at]);
            else
                few.block[kept++] = few.block[at];
        few.count = kept;
        blocks_fill(&blocks);
        EXPECT_FULL(blocks, LIMIT, 70, "in holes");
        blocks_drop_some(&blocks, blocks.count);
        blocks_drop_some(&few, kept);
        cr_expect_eq(test_kind_allocated(few.kind), 0);
        cr_assert_eq(memkind_destroy_kind(few.kind), MEMKIND_SUCCESS);
    }
}

/* --- threads ---------------------------------------------------------------------------------- */

#define THREADS 4
#define SLOTS 256
#define ROUNDS (TEST_SANITIZED ? 4000 : 40000)

static struct {
    memkind_t kind;
    _Atomic(size_t *) slots[SLOTS]; /* a block's first word is its size, and so is its last */
    atomic_size_t refused, wrong;
} shared;

static size_t *last_word(size_t *block)
{
    return block + *block / sizeof *block - 1;
}

static size_t *stamped(size_t *block, size_t size)
{
    if (!block) {
        shared.refused++;
        return NULL;
    }
    *block = size;
    return memcpy(last_word(block), &size, sizeof size) ? block : NULL;
}

static void *hand_over(void *argument)
{
    uint64_t seed = (uintptr_t)argument + 1;

    for (int round = 0; round < ROUNDS; round++) {
        size_t size = 8 * KIB + test_random(&seed) % (120 * KIB), old_size, *block, *moved;

        block = stamped(memkind_malloc(shared.kind, size), size);
        block = atomic_exchange(&shared.slots[test_random(&seed) % SLOTS], block);
        if (!block)
            continue;
        old_size = *block;
        shared.wrong += *last_word(block) != old_size;
        moved = round % 4 ? NULL : memkind_realloc(shared.kind, block, size);
        if (moved)
            shared.wrong += *moved != old_size;
        memkind_free(round % 2 ? NULL : shared.kind, moved ? moved : block);
    }
    return NULL;
}

/* Each frees what others have allocated, around the limit, where chunks come and go. */
Test(packed, from_thread_to_thread)
{
    pthread_t threads[THREADS];
    void *whole;

    shared.kind = test_create_file(DIRECTORY, 16 * MIB);
    for (uintptr_t i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, hand_over, (void *)i), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    cr_expect_eq(shared.wrong, 0);
    cr_expect_gt(shared.refused, 0, "the limit was not met");
    for (int i = 0; i < SLOTS; i++)
        memkind_free(shared.kind, shared.slots[i]);
    cr_expect_eq(test_kind_allocated(shared.kind), 0);
    cr_expect_geq(memkind_trim(shared.kind), 0);
    whole = memkind_malloc(shared.kind, 12 * MIB);
    cr_expect_not_null(whole, "nothing is left in the way");
    memkind_free(shared.kind, whole);
    cr_assert_eq(memkind_destroy_kind(shared.kind), MEMKIND_SUCCESS);
}

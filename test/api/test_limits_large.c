/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_limits_large: large blocks of a kind with a limit have the pages that they need, and not
 * those of a size class (JEMALLOC), and can grow and shrink all the same.
 */
#include "blocks.h"

#include <string.h>
#include <unistd.h>

#define DIRECTORY "/dev/shm"
#define LIMIT (64 * MIB)
#define PAGE_SIZE 4096
#define UNIT (16 * KIB) /* of runs: under TBB large blocks are whole ones, or larger base pages */

static size_t rounded(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), run = page > UNIT ? page : UNIT;
    size_t unit = test_tbb() ? run : TEST_HEAP_PAGE;

    return (size + unit - 1) / unit * unit;
}

/* What is asked for fills nine tenths of the limit, but for what its last page or unit has. */
Test(limits, large_blocks_have_their_pages, .timeout = 280)
{
    static const size_t sizes[] = {70000, 100000, 540000, 1500000, 2200000, 5300000};

    for (size_t i = 0; i < LENGTH(sizes); i++) {
        memkind_t kind;
        size_t bytes = 0, size = sizes[i];

        if (size < (test_tbb() ? 128 * KIB : 4 * TEST_HEAP_PAGE))
            continue; /* packed, or a block of a slab */
        kind = test_create_file(DIRECTORY, LIMIT);
        for (void *block; (block = memkind_malloc(kind, size)); bytes += rounded(size))
            cr_expect_eq(memkind_malloc_usable_size(kind, block), rounded(size), "%zu", size);
        cr_expect_geq(bytes * 100, LIMIT * 90, "%zu: %zu MiB", size, bytes / MIB);
        cr_expect_eq(test_kind_allocated(kind), bytes);
        cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
    }
}

static char *resize(memkind_t kind, char *block, size_t old_size, size_t size)
{
    size_t kept = old_size < size ? old_size : size;
    char *moved;

    memset(block, (int)(old_size / PAGE_SIZE), old_size);
    moved = memkind_realloc(kind, block, size);
    cr_assert_not_null(moved, "%zu to %zu", old_size, size);
    cr_assert_geq(memkind_malloc_usable_size(kind, moved), size);
    cr_assert_eq(test_kind_allocated(kind), memkind_malloc_usable_size(kind, moved));
    for (size_t at = 0; at < kept; at += PAGE_SIZE / 2)
        cr_assert_eq(moved[at], (char)(old_size / PAGE_SIZE), "%zu to %zu", old_size, size);
    return moved;
}

Test(limits, large_blocks_become_others, .timeout = 280)
{
    memkind_t kind = test_create_file(DIRECTORY, LIMIT);
    uint64_t seed = 1;
    size_t size = 540000;
    char *block = memkind_malloc(kind, size);

    for (int i = 0; i < 1000; i++) {
        size_t next = i % 8 ? 34000 + test_random(&seed) % 3000000 : 1 + test_random(&seed) % 34000;

        block = resize(kind, block, size, next);
        size = next;
    }
    memkind_free(kind, block);
    cr_expect_eq(test_kind_allocated(kind), 0);
    cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
}

/* A block that grows by a page at a time is not copied each time. */
Test(limits, large_blocks_grow_by_pages, .timeout = 280)
{
    memkind_t kind = test_create_file(DIRECTORY, LIMIT);
    char *block = memkind_malloc(kind, 40000), *in_the_way = memkind_malloc(kind, 40000), *moved;
    size_t moves = 0;

    if (test_tbb())
        test_skip("a run gets no more than what fits best");
    for (size_t size = 44096; size < LIMIT / 8; size += PAGE_SIZE) {
        moved = memkind_realloc(kind, block, size);
        cr_assert_not_null(moved);
        moves += moved != block;
        block = moved;
    }
    cr_expect_leq(moves, 40, "%zu moves", moves);
    memkind_free(kind, in_the_way);
    cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
}

/* What a block is made smaller by serves others. Those of JEMALLOC are no blocks of a slab, with
 * pages of 64 KiB either. */
Test(limits, large_blocks_shrink_at_the_limit, .timeout = 280)
{
    memkind_t kind = test_create_file(DIRECTORY, LIMIT);
    static void *blocks[LIMIT / 540000];
    size_t count = 0, more = 0, other = test_tbb() ? 200000 : 235000;

    while (count < LENGTH(blocks) && (blocks[count] = memkind_malloc(kind, 540000)))
        count++;
    for (size_t i = 0; i < count; i++)
        cr_assert_not_null(memkind_realloc(kind, blocks[i], 300000));
    while (memkind_malloc(kind, other))
        more++;
    cr_expect_geq(more * 100, count * 95, "%zu more of %zu", more, count);
    cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
}

/* --- blocks of a few pages (TBB: packed) ------------------------------------------------------ */

/* Of the limit, in per cent. */
#define PACKED (test_tbb() ? 88 : TEST_HEAP_PAGE > 4096 ? 60 : 75)

/* What is asked for fills the limit; freed, it stays in the way neither of others, nor of the
 * system. */
Test(limits, a_few_pages, .timeout = 280)
{
    static const size_t sizes[] = {8200, 10000, 16385, 20000, 50000, 70000, 90000, 100000, 116500};
    memkind_t kind = test_create_file(DIRECTORY, LIMIT);

    for (size_t i = 0; i < LENGTH(sizes); i++) {
        struct blocks blocks = blocks_of(kind, sizes[i], sizes[i]);
        void *whole;

        blocks_fill(&blocks);
        EXPECT_FULL(blocks, LIMIT, PACKED, "one size");
        blocks_drop_some(&blocks, blocks.count / 2);
        blocks_fill(&blocks);
        EXPECT_FULL(blocks, LIMIT, PACKED, "the same again");
        blocks_drop_some(&blocks, blocks.count);
        cr_expect_eq(test_kind_allocated(kind), 0);
        whole = memkind_malloc(kind, LIMIT / 8 * 7);
        cr_expect_not_null(whole, "behind blocks of %zu bytes", sizes[i]);
        memkind_free(kind, whole);
        blocks_fill(&blocks);
        blocks_drop_some(&blocks, blocks.count);
        cr_expect_geq(memkind_trim(kind), 0);
        cr_expect_leq(test_kind_resident(kind), 2 * MIB + 256 * TEST_HEAP_PAGE, "behind %zu",
                      sizes[i]);
    }
    cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
}

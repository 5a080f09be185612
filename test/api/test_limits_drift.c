/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_limits_drift: what part of a limit is usable after sizes have changed at that limit. What is
 * freed then lies in single pages between blocks that live on.
 */
#include "blocks.h"

#define DIRECTORY "/dev/shm"
#define LIMIT (16 * MIB)
#define ROOM 32  /* blocks that are freed when one is refused */
#define LIVES 14 /* in a phase, every block is freed so many times on average */

/* Of the limit, in per cent, at the end of a phase. The rest is what sizes are rounded up by, about
 * a tenth, and free blocks of classes that are not wanted now. */
#define USABLE 80

/* Allocates, and makes room where that is refused, until nearly all blocks are of these sizes. */
static void drift(struct blocks *blocks, size_t least, size_t most)
{
    size_t operations = LIVES * (LIMIT / ((least + most) / 2));

    blocks->least = least;
    blocks->most = most;
    while (operations)
        if (blocks_add(blocks))
            operations--;
        else
            blocks_drop_some(blocks, ROOM);
}

Test(limits, after_sizes_have_changed, .timeout = 280)
{
    static const size_t phases[][2] = {{64, 2196},  {1043, 1533}, {280, 482},  {900, 1247},
                                       {945, 1611}, {403, 1108},  {589, 1363}, {985, 1972},
                                       {646, 846},  {1007, 1561}, {320, 900},  {560, 1640}};
    struct blocks blocks = blocks_of(test_create_file(DIRECTORY, LIMIT), 64, 2196);

    if (test_tbb())
        test_skip("libtbbmalloc keeps each slab for its class until all of it is free");
    for (size_t i = 0; i < LENGTH(phases); i++) {
        drift(&blocks, phases[i][0], phases[i][1]);
        cr_expect_geq(blocks.bytes * 100, LIMIT * USABLE, "%zu to %zu bytes: %.1f %% of the limit",
                      phases[i][0], phases[i][1], 100.0 * (double)blocks.bytes / LIMIT);
    }
}

/* Frees all blocks in every other page. */
static size_t free_every_other_page(memkind_t kind, void **blocks, size_t count)
{
    size_t freed = 0;

    for (size_t i = 0; i < count; i++)
        if ((uintptr_t)blocks[i] / TEST_HEAP_PAGE % 2) {
            memkind_free(kind, blocks[i]);
            blocks[i] = NULL;
            freed++;
        }
    return freed;
}

/* Blocks whose slabs have five pages use single ones, and these are whole again afterwards. */
Test(limits, single_free_pages, .timeout = 280)
{
    const size_t first = TEST_HEAP_PAGE / 4, second = TEST_HEAP_PAGE / 16 * 5, per_page = 3;
    memkind_t kind = test_create_file(DIRECTORY, LIMIT);
    size_t count = 0, got = 0, freed;
    static void *small[LIMIT / 1024], *larger[LIMIT / 1280];

    if (test_tbb())
        test_skip("a slab of libtbbmalloc has four pages, whatever its class");
    while (count < LENGTH(small) && (small[count] = memkind_malloc(kind, first)))
        count++;
    freed = free_every_other_page(kind, small, count);
    while (got < LENGTH(larger) && (larger[got] = memkind_malloc(kind, second)))
        got++;
    cr_expect_geq(got * 100, freed * first / TEST_HEAP_PAGE * per_page * 95,
                  "%zu blocks of %zu bytes in %zu pages", got, second,
                  freed * first / TEST_HEAP_PAGE);
    for (size_t i = 0; i < got; i++)
        memkind_free(kind, larger[i]);
    for (size_t i = 0; i < count; i++)
        if (small[i])
            memkind_free(kind, small[i]);
    cr_expect_not_null(memkind_malloc(kind, LIMIT / 8 * 7), "pages that were free did not join");
    cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
}

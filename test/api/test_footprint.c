/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_footprint: how much memory stays resident, in patterns that programs have. Bounds are in
 * bytes. (Of the heap manager JEMALLOC; what is resident under a sanitizer is the sanitizer's.)
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

static void init(void)
{
    test_bare();
    if (TEST_SANITIZED)
        test_skip("the sanitizer has memory of its own");
}

TestSuite(footprint, .init = init, .timeout = 120);

/* --- mixed sizes --------------------------------------------------------------------------------
 */

#define BLOCKS 10000

/* Most bytes that were resident above what the process had before, while all blocks of random sizes
 * were allocated, written and freed again, time after time. */
static size_t peak_of_mixed(size_t least, size_t most, unsigned rounds)
{
    static char *blocks[BLOCKS];
    size_t before, peak = 0;
    unsigned random = 12345;

    memkind_free(MEMKIND_REGULAR, memkind_malloc(MEMKIND_REGULAR, 1));
    memset(blocks, 0, sizeof blocks);
    before = test_resident();
    for (unsigned round = 0; round < rounds; round++) {
        size_t now;

        for (size_t i = 0; i < BLOCKS; i++) {
            size_t size;

            random = random * 1103515245 + 12345;
            size = least + 8 * ((random >> 8) % ((most - least) / 8 + 1));
            blocks[i] = memkind_malloc(MEMKIND_REGULAR, size);
            cr_assert_not_null(blocks[i]);
            memset(blocks[i], 1, size);
        }
        now = test_resident();
        if (now > before && now - before > peak)
            peak = now - before;
        for (size_t i = 0; i < BLOCKS; i++)
            memkind_free(MEMKIND_REGULAR, blocks[i]);
    }
    return peak;
}

/* 26 MB are live. */
Test(footprint, mixed_sizes_of_pages)
{
    size_t peak = peak_of_mixed(1024, 4096, 30);

    cr_expect_leq(peak, 45 * 1000 * KIB, "%zu KiB were resident", peak / KIB);
}

/* 82 MB are live. */
Test(footprint, mixed_sizes)
{
    size_t peak = peak_of_mixed(8, 16384, 30);

    cr_expect_leq(peak, 120 * 1000 * KIB, "%zu KiB were resident", peak / KIB);
}

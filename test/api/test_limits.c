/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_limits: kinds with a limit (a file's, an area's, that of the program's own map(), or of
 * memkind_set_limit()) can be used nearly to that limit, whatever the size of the blocks, and never
 * beyond it.
 */
#include "blocks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DIRECTORY "/dev/shm"
#define LIMIT (64 * MIB)

TestSuite(limits, .init = test_bare, .timeout = 280);

/* --- kinds ------------------------------------------------------------------------------------ */

static size_t left; /* bytes that map() may still give */

static void *map_pages(void *context, size_t size, size_t alignment)
{
    char *address, *start;

    (void)context;
    if (size > left)
        return NULL;
    address = mmap(NULL, size + alignment, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    cr_assert_neq(address, MAP_FAILED);
    start = address + (-(uintptr_t)address & (alignment - 1));
    if (start > address)
        munmap(address, (size_t)(start - address));
    munmap(start + size, alignment - (size_t)(start - address));
    left -= size;
    return start;
}

static void unmap_pages(void *context, void *address, size_t size)
{
    (void)context;
    munmap(address, size);
    left += size;
}

static memkind_t create_file(void)
{
    return test_create_file(DIRECTORY, LIMIT);
}

static memkind_t create_fixed(void)
{
    void *area = mmap(NULL, LIMIT, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    memkind_t kind;

    cr_assert_neq(area, MAP_FAILED);
    cr_assert_eq(memkind_create_fixed(area, LIMIT, &kind), MEMKIND_SUCCESS);
    return kind;
}

static memkind_t create_custom(void)
{
    const struct memkind_page_ops ops = {.map = map_pages, .unmap = unmap_pages};
    memkind_t kind;

    left = LIMIT;
    cr_assert_eq(memkind_create_custom(&ops, &left, &kind), MEMKIND_SUCCESS);
    return kind;
}

static memkind_t create_with_limit(void)
{
    memkind_t kind;

    cr_assert_eq(test_create_kind((memkind_bits_t)0, &kind), MEMKIND_SUCCESS);
    cr_assert_eq(memkind_set_limit(kind, LIMIT), MEMKIND_SUCCESS);
    return kind;
}

/* --- filling ---------------------------------------------------------------------------------- */

struct sizes {
    size_t least, most;
    size_t regions; /* per cent, where regions of whole 2 MiB leave less than 90 */
};

/* Bytes of a kind that can be used, in per cent of its limit, or of as many blocks of that size as
 * the limit has room for. */
static size_t usable(memkind_t kind, const struct sizes *sizes, size_t alignment)
{
    size_t most = sizes->least == sizes->most ? LIMIT / sizes->most * sizes->most : LIMIT;
    size_t bytes = 0, refused = 0;
    uint64_t seed = 1;

    while (refused < 20) {
        size_t size = sizes->least + test_random(&seed) % (sizes->most - sizes->least + 1);
        void *block = NULL;

        if (alignment ? memkind_posix_memalign(kind, &block, alignment, size) == 0
                      : (block = memkind_malloc(kind, size)) != NULL)
            bytes += memkind_malloc_usable_size(kind, block);
        else
            refused++;
    }
    return bytes * 100 / most;
}

static void fill(const struct sizes *sizes, size_t alignment)
{
    static memkind_t (*const create[])(void) = {create_file, create_fixed, create_custom,
                                                create_with_limit};
    static const char *const names[] = {"file", "fixed", "custom", "with a limit"};

    for (size_t i = 0; i < LENGTH(create); i++) {
        size_t wanted = i >= 2 && sizes->regions ? sizes->regions : 90, got;
        memkind_t kind = create[i]();

        /* What takes less than half of a large page is libtbbmalloc's, and whole 8 KiB. */
        if (test_tbb() && sizes->least > 8128 && sizes->most <= (size_t)sysconf(_SC_PAGESIZE) / 2)
            wanted = 40;
        got = usable(kind, sizes, alignment);
        cr_expect_geq(got, wanted, "%s, %zu to %zu bytes, aligned to %zu: %zu %% of the limit",
                      names[i], sizes->least, sizes->most, alignment, got);
        cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
    }
}

Test(limits, of_any_single_size)
{
    static const struct sizes sizes[] = {
        {80, 80, 0},
        {1000, 1000, 0},
        {4096, 4096, 0},
        {8129, 8129, 0},
        {14336, 14336, 0},
        {70000, 70000, 0},
        {200000, 200000, 0},
        {540000, 540000, 0},
        {655360, 655360, 0},
        {1500000, 1500000, 0},
        {2500000, 2500000, 85},
        {5000000, 5000000, 0},
        {LIMIT / 4, LIMIT / 4, 0},
    };

    for (size_t i = 0; i < LENGTH(sizes); i++)
        fill(&sizes[i], 0);
}

Test(limits, of_random_sizes)
{
    static const struct sizes sizes[] = {{64, 4096, 0}, {64, 2196, 0}, {1000, 1000000, 0}};

    for (size_t i = 0; i < LENGTH(sizes); i++)
        fill(&sizes[i], 0);
}

Test(limits, aligned_to_a_page)
{
    static const struct sizes sizes[] = {{4096, 4096, 0}, {16384, 16384, 0}, {655360, 655360, 0}};

    /* libtbbmalloc has two blocks of 5,376 bytes for an aligned one of 4,096. */
    for (size_t i = test_tbb() ? 1 : 0; i < LENGTH(sizes); i++)
        fill(&sizes[i], 4096);
}

/* --- memkind_set_limit() ---------------------------------------------------------------------- */

/* Allocates until that is refused. Returns the bytes of blocks, which stay. */
static size_t use_up(memkind_t kind, size_t size)
{
    size_t bytes = 0;
    void *block;

    errno = 0;
    while ((block = memkind_malloc(kind, size)) != NULL) {
        bytes += size;
        cr_assert_lt(bytes, 1000 * MIB, "%zu bytes have no limit", size);
    }
    cr_assert_eq(errno, ENOMEM);
    return bytes;
}

static void expect_limited(memkind_t kind)
{
    size_t bytes;

    cr_assert_eq(memkind_set_limit(kind, 20 * MIB), MEMKIND_SUCCESS);
    cr_assert_eq(memkind_get_capacity(kind), 20 * MIB);
    bytes = use_up(kind, 4096);
    cr_expect(bytes <= 20 * MIB && bytes >= 13 * MIB, "%zu KiB of 20 MiB", bytes / KIB);
    cr_assert_eq(memkind_set_limit(kind, 40 * MIB), MEMKIND_SUCCESS);
    bytes += use_up(kind, 1 * MIB);
    cr_expect(bytes <= 40 * MIB && bytes >= 32 * MIB, "%zu KiB of 40 MiB", bytes / KIB);
    cr_assert_eq(memkind_set_limit(kind, 10 * MIB), MEMKIND_SUCCESS);
    cr_assert_eq(use_up(kind, 1 * MIB), 0);
    cr_assert_null(memkind_malloc(kind, 100 * MIB));
    cr_assert_eq(memkind_set_limit(kind, 0), MEMKIND_SUCCESS);
    cr_assert_neq(memkind_get_capacity(kind), 10 * MIB);
    cr_assert_not_null(memkind_malloc(kind, 100 * MIB));
}

Test(limits, of_a_static_kind)
{
    expect_limited(MEMKIND_DEFAULT);
}

Test(limits, of_a_created_kind)
{
    expect_limited(create_with_limit());
}

Test(limits, of_a_file_without_one)
{
    expect_limited(test_create_file(DIRECTORY, 0));
}

/* The lower of two counts. */
Test(limits, above_that_of_an_area)
{
    memkind_t kind = create_fixed();

    cr_assert_eq(memkind_set_limit(kind, 2 * LIMIT), MEMKIND_SUCCESS);
    cr_assert_eq(memkind_get_capacity(kind), LIMIT);
}

/* --- areas that are smaller than what a heap manager likes ------------------------------------ */

static memkind_t create_in(char *area, size_t size)
{
    memkind_t kind;

    cr_assert_eq(memkind_create_fixed(area, size, &kind), MEMKIND_SUCCESS, "%zu bytes", size);
    return kind;
}

static char *map_area(size_t size)
{
    char *area = mmap(NULL, size + TEST_HEAP_PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    cr_assert_neq(area, MAP_FAILED);
    return area + (-(uintptr_t)area & (TEST_HEAP_PAGE - 1));
}

Test(limits, of_small_areas)
{
    static const size_t sizes[] = {4 * KIB, 8 * KIB, 64 * KIB, 1 * MIB, 2 * MIB,
                                   3 * MIB, 4 * MIB, 8 * MIB,  15 * MIB};
    char *area = map_area(15 * MIB);

    for (size_t i = 0; i < LENGTH(sizes); i++) {
        struct blocks blocks;
        memkind_t kind;
        size_t bytes;

        if (sizes[i] < TEST_HEAP_PAGE) /* nothing fits */
            continue;
        kind = create_in(area, sizes[i]);
        blocks = blocks_of(kind, 1000, 1000);
        cr_expect_eq(memkind_get_capacity(kind), (ssize_t)sizes[i]);
        blocks_fill(&blocks);
        EXPECT_FULL(blocks, sizes[i], 90, "the first time");
        bytes = blocks.bytes;
        blocks_drop_some(&blocks, blocks.count);
        blocks_fill(&blocks);
        cr_expect_eq(blocks.bytes, bytes, "%zu of %zu bytes again", blocks.bytes, bytes);
        cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
    }
}

/* Blocks of all sizes and alignments, which move, lie in the area, keep what is in them and leave
 * others alone; when all are free, the area is one piece. */
Test(limits, blocks_of_a_small_area)
{
    const size_t size = 1 * MIB;
    char *area = map_area(size), *block[64] = {NULL};
    memkind_t kind = create_in(area, size);
    size_t bytes[64] = {0};
    uint64_t seed = 1;

    for (int turn = 0; turn < 20000; turn++) {
        size_t i = test_random(&seed) % 64, wanted = 1 + test_random(&seed) % 20000;
        size_t alignment = (size_t)8 << test_random(&seed) % 10;
        void *moved = NULL;

        if (block[i])
            cr_assert(test_holds(block[i], bytes[i], i), "turn %d", turn);
        if (block[i] && turn % 3) {
            memkind_free(turn % 2 ? kind : NULL, block[i]);
        } else if (block[i]) {
            moved = memkind_realloc(kind, block[i], wanted);
            if (!moved)
                continue;
            cr_assert(test_holds(moved, bytes[i] < wanted ? bytes[i] : wanted, i));
        } else if (memkind_posix_memalign(kind, &moved, alignment, wanted) == 0) {
            cr_assert_eq((uintptr_t)moved % alignment, 0);
        }
        block[i] = moved;
        bytes[i] = wanted;
        if (!moved)
            continue;
        cr_assert(block[i] >= area && block[i] + wanted <= area + size);
        cr_assert_geq(memkind_malloc_usable_size(NULL, moved), wanted);
        cr_assert_eq(memkind_detect_kind(moved), kind);
        cr_assert(wanted <= 16 || !memkind_detect_kind(block[i] + 16), "inside a block");
        test_fill(moved, wanted, i);
    }
    for (size_t i = 0; i < 64; i++)
        memkind_free(NULL, block[i]);
    cr_assert_not_null(memkind_malloc(kind, size / 8 * 7));
    cr_assert_null(memkind_malloc(kind, size));
}

/* Two areas in the same 16 KiB, where pages are small. */
Test(limits, small_areas_side_by_side)
{
    size_t page = TEST_HEAP_PAGE;
    char *area = map_area(2 * page);
    memkind_t low = create_in(area, page), high = create_in(area + page, page);
    void *in_low = memkind_malloc(low, 100), *in_high = memkind_malloc(high, 100);

    cr_assert_eq(memkind_detect_kind(in_low), low);
    cr_assert_eq(memkind_detect_kind(in_high), high);
    cr_assert_eq(memkind_destroy_kind(low), MEMKIND_SUCCESS);
    cr_assert_null(memkind_detect_kind(in_low));
    cr_assert_eq(memkind_detect_kind(in_high), high);
    memkind_free(NULL, in_high);
    cr_assert_null(memkind_malloc(high, 2 * page));
}

/* What is freed can be used again, also in blocks that need it in one piece. */
Test(limits, freed_pages_serve_other_sizes)
{
    struct blocks blocks = blocks_of(create_with_limit(), 64, 30000);

    for (size_t turn = 0; turn < 4; turn++) {
        blocks_fill(&blocks);
        /* Under TBB, every block of more than 8 KiB is whole units of 16; with pages of 64 KiB,
         * slabs are as large. */
        EXPECT_FULL(blocks, LIMIT,
                    test_tbb()              ? 60
                    : TEST_HEAP_PAGE > 4096 ? 70
                                            : 75,
                    "one after the other");
        blocks_drop_some(&blocks, blocks.count);
        blocks.least = turn % 2 ? 64 : 1000000;
        blocks.most = turn % 2 ? 30000 : 6000000;
    }
}

Test(limits, that_is_refused)
{
    cr_assert_eq(memkind_set_limit(NULL, LIMIT), MEMKIND_ERROR_INVALID);
    cr_assert_eq(memkind_set_limit(MEMKIND_DEFAULT, (size_t)-1), MEMKIND_ERROR_INVALID);
}

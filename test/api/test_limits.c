/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_limits: kinds with a limit (a file's, an area's, that of the program's own map()) can be
 * used nearly to that limit, whatever the size of the blocks, and after the sizes have changed.
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

/* --- kinds --------------------------------------------------------------------------------------
 */

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
    memkind_t kind;

    if (access(DIRECTORY, W_OK) != 0)
        test_skip(DIRECTORY ": %s", strerror(errno));
    cr_assert_eq(memkind_create_pmem(DIRECTORY, LIMIT, &kind), MEMKIND_SUCCESS);
    return kind;
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

/* --- filling ------------------------------------------------------------------------------------
 */

struct sizes {
    size_t least, most;
    size_t custom; /* per cent, where regions of whole 2 MiB leave less than 90 */
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
    static memkind_t (*const create[])(void) = {create_file, create_fixed, create_custom};
    static const char *const names[] = {"file", "fixed", "custom"};

    for (size_t i = 0; i < LENGTH(create); i++) {
        size_t wanted = i == 2 && sizes->custom ? sizes->custom : 90, got;
        memkind_t kind = create[i]();

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

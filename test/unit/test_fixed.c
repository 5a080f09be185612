/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_fixed: kinds inside an area of the caller, on the level of pages: which areas are accepted,
 * that all of an area is used and no byte outside it, that nothing happens to the caller's mapping.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mman.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kinds/pages/address_map.h"
#include "kinds/pages/pool.h"
#include "kinds/pages/source_fixed.h"

#define SIZE (32 * MIB)
#define HOLE MIB /* so large, since whatever is mapped meanwhile comes to its end */

TestSuite(fixed, .init = test_bare, .fini = test_pool_restore, .timeout = 120);

static size_t page(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static char *map(size_t size, int flags, int file)
{
    char *area = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, file, 0);

    cr_assert_neq(area, MAP_FAILED, "mmap: %s", strerror(errno));
    return area;
}

static char *map_private(size_t size)
{
    return map(size, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static int open_pool(struct page_pool *pool, void *area, size_t size)
{
    const struct source_fixed_request request = {.address = area, .size = size};
    const struct page_setup setup = {
        .kind = &page_kind_fixed, .source = &page_source_fixed, .request = &request};

    return pool_open(pool, &setup);
}

static int create(void *area, size_t size)
{
    memkind_t kind = NULL;
    int error = memkind_create_fixed(area, size, &kind);

    cr_expect_eq(error == 0, kind != NULL);
    if (kind)
        cr_expect_eq(memkind_destroy_kind(kind), 0);
    return error;
}

/* --- which areas ------------------------------------------------------------------------------ */

Test(fixed, sizes)
{
    char *area = map_private(SIZE);
    memkind_t kind;

    cr_expect_eq(create(area, page()), 0);
    cr_expect_eq(create(area + 1, 2 * page()), 0);
    cr_expect_eq(create(area + 1, 2 * page() - 2), MEMKIND_ERROR_INVALID, "no whole page");
    cr_expect_eq(create(area, MEMKIND_FIXED_MIN_SIZE - 1), MEMKIND_ERROR_INVALID);
    cr_expect_eq(create(area, 0), MEMKIND_ERROR_INVALID);
    cr_expect_eq(create(NULL, SIZE), MEMKIND_ERROR_INVALID);
    cr_expect_eq(create(area, SIZE_MAX), MEMKIND_ERROR_INVALID);
    cr_expect_eq(create(area, 0 - (uintptr_t)area), MEMKIND_ERROR_INVALID);
    cr_expect_eq(memkind_create_fixed(area, SIZE, NULL), MEMKIND_ERROR_INVALID);
    cr_assert_eq(memkind_create_fixed(area + 100, SIZE - 100, &kind), 0);
    cr_expect_eq(memkind_get_capacity(kind), (ssize_t)(SIZE - page()), "whole pages");
    cr_expect_eq(memkind_check_available(kind), 0);
    cr_expect_eq(memkind_destroy_kind(kind), 0);
}

Test(fixed, areas_that_cannot_be_used)
{
    char *area = map_private(SIZE);

    mprotect(area, page(), PROT_READ);
    cr_expect_eq(create(area, SIZE), MEMKIND_ERROR_INVALID, "its start is read-only");
    cr_expect_eq(create(area + page() - 1, SIZE - page()), MEMKIND_ERROR_INVALID, "one byte of it");
    cr_expect_eq(create(area + page(), SIZE - page()), 0);
    mprotect(area, page(), PROT_READ | PROT_WRITE);
    mprotect(area + SIZE - page(), page(), PROT_NONE);
    cr_expect_eq(create(area, SIZE), MEMKIND_ERROR_INVALID, "its end is not accessible");
    mprotect(area + SIZE - page(), page(), PROT_READ | PROT_WRITE);
    cr_expect_eq(create(area, SIZE), 0);
    munmap(area + SIZE / 2, HOLE);
    cr_expect_eq(create(area, SIZE), MEMKIND_ERROR_INVALID, "a hole in the middle");
}

/* A file's pages beyond its end would be SIGBUS. */
Test(fixed, beyond_the_end_of_a_file)
{
    int file = memfd_create("fixed", 0);

    cr_assert_eq(ftruncate(file, SIZE / 2), 0);
    cr_expect_eq(create(map(SIZE, MAP_SHARED, file), SIZE), MEMKIND_ERROR_INVALID);
}

/* Two kinds never have a byte in common, nor a kind with a block of another. */
Test(fixed, areas_of_live_kinds)
{
    char *area = map_private(4 * SIZE), *block;
    memkind_t kind, neighbour;

    cr_assert_eq(memkind_create_fixed(area + SIZE + 100, SIZE, &kind), 0);
    cr_expect_eq(create(area + SIZE + 100, SIZE), MEMKIND_ERROR_INVALID);
    cr_expect_eq(create(area, 4 * SIZE), MEMKIND_ERROR_INVALID);
    cr_expect_eq(create(area + SIZE + SIZE / 4, SIZE / 2), MEMKIND_ERROR_INVALID);
    cr_expect_eq(create(area + SIZE / 2, SIZE / 2 + 2 * page()), MEMKIND_ERROR_INVALID);
    cr_expect_eq(create(area + 2 * SIZE - page(), SIZE), MEMKIND_ERROR_INVALID);
    cr_expect_eq(memkind_create_fixed(area + 100, SIZE, &neighbour), 0);
    block = memkind_malloc(kind, 100);
    cr_expect_eq(memkind_detect_kind(block), kind);
    cr_expect_eq(memkind_destroy_kind(neighbour), 0);
    cr_expect_eq(memkind_destroy_kind(kind), 0);
    cr_expect_eq(create(area, 4 * SIZE), 0);
    block = memkind_malloc(MEMKIND_DEFAULT, SIZE);
    cr_expect_eq(create(block, SIZE), MEMKIND_ERROR_INVALID);
    memkind_free(NULL, block);
}

static void failed_creates(char *area)
{
    struct page_pool pool;

    cr_expect_eq(create(area, SIZE), MEMKIND_ERROR_INVALID, "read-only");
    cr_expect_eq(create(area + page(), SIZE), MEMKIND_ERROR_INVALID, "a page is not mapped");
    cr_expect_eq(create(area + page(), 5), MEMKIND_ERROR_INVALID);
    cr_expect_eq(open_pool(&pool, area + SIZE / 4, SIZE / 2), MEMKIND_ERROR_INVALID, "in use");
}

Test(fixed, a_failed_create_leaves_nothing)
{
    char *area = map_private(SIZE + HOLE);
    struct page_pool pool;
    size_t mappings, space;

    cr_assert_eq(open_pool(&pool, area + page(), SIZE - page()), 0);
    mprotect(area, page(), PROT_READ);
    munmap(area + SIZE, HOLE);
    failed_creates(area);
    mappings = test_mappings();
    space = test_virtual();
    for (int i = 0; i < 20000; i++)
        failed_creates(area);
    cr_expect_leq(test_mappings(), mappings);
    if (!TEST_SANITIZED)
        cr_expect_leq(test_virtual(), space + 64 * KIB);
    pool_close(&pool);
}

/* Containers forbid process_vm_writev(2): the caller's word has to do. */
Test(fixed, without_leave_to_try_the_ends)
{
    char *area = map_private(SIZE);

    test_refuse(SYS_process_vm_readv, EPERM, 0, 0);
    cr_expect_eq(create(area, SIZE), 0);
    munmap(area + SIZE / 2, HOLE);
    cr_expect_eq(create(area, SIZE), MEMKIND_ERROR_INVALID);
}

/* --- its pages -------------------------------------------------------------------------------- */

/* Takes every page, one by one; returns how many. */
static size_t take_all(struct page_pool *pool, char *first, char *end)
{
    size_t pages = 0;
    bool zeroed;
    char *at;

    while ((at = pool_map(pool, 0, page(), page(), &zeroed)) != NULL) {
        cr_assert(at >= first && at + page() <= end, "%p is outside", (void *)at);
        cr_assert(!zeroed);
        memset(at, 0xee, page());
        pages++;
    }
    cr_expect_eq(errno, ENOMEM);
    return pages;
}

/* All whole pages are used, no byte of the broken ones at the ends, nor any around the area. */
Test(fixed, all_of_the_area_and_nothing_else)
{
    char *around = map_private(SIZE + 2 * MIB), *area = around + MIB + 100;
    char *copy = map_private(SIZE + 2 * MIB);
    size_t size = SIZE - 200;
    char *first = around + MIB + page(), *end = around + MIB + SIZE - page();
    struct page_pool pool;

    test_fill(around, SIZE + 2 * MIB, 3);
    memcpy(copy, around, SIZE + 2 * MIB);
    cr_assert_eq(open_pool(&pool, area, size), 0);
    cr_expect_eq(pool_limit(&pool), (size_t)(end - first));
    cr_expect_eq(take_all(&pool, first, end), (size_t)(end - first) / page());
    cr_expect(pool_unmap(&pool, first, SIZE / 2));
    cr_expect(pool_unmap(&pool, first + SIZE / 2, page()));
    cr_expect_eq(take_all(&pool, first, end), SIZE / 2 / page() + 1, "pieces of any size");
    pool_close(&pool);
    cr_expect(memcmp(around, copy, (size_t)(first - around)) == 0, "bytes before it");
    cr_expect(memcmp(end, copy + (end - around), MIB + page()) == 0, "bytes behind it");
}

/* What the caller has in the area, and how it is mapped, stays. */
Test(fixed, the_mapping_stays)
{
    char *area = map_private(SIZE);
    struct test_mapping before, after;
    struct page_pool pool;
    bool zeroed;
    char *at;

    test_fill(area, SIZE, 11);
    cr_assert(test_find_mapping(area, &before));
    cr_assert_eq(open_pool(&pool, area, SIZE), 0);
    at = pool_map(&pool, 0, 8 * MIB, 2 * MIB, &zeroed);
    cr_assert(at);
    cr_expect(!zeroed);
    cr_expect(((uintptr_t)at & (2 * MIB - 1)) == 0);
    cr_expect(pool_purge(&pool, at, 8 * MIB) != 0);
    cr_expect(pool_unmap(&pool, at, 8 * MIB));
    pool_close(&pool);
    cr_expect(test_holds(area, SIZE, 11));
    cr_assert(test_find_mapping(area, &after));
    cr_expect_eq(before.start, after.start);
    cr_expect_eq(before.end, after.end);
    cr_expect_str_eq(before.name, after.name);
    cr_expect_str_eq(before.flags, after.flags);
}

static void use(char *area, size_t size)
{
    struct page_pool pool;

    cr_assert_eq(open_pool(&pool, area, size), 0);
    cr_expect_eq(take_all(&pool, area, area + size), size / page());
    cr_expect_eq(address_map_find(area + size - 1)->pool, &pool);
    pool_close(&pool);
    cr_expect_null(address_map_find(area));
}

Test(fixed, any_sort_of_mapping)
{
    static char array[20 * MIB] __attribute__((aligned(4096)));
    int memory = memfd_create("fixed", 0), file = open("/tmp", O_TMPFILE | O_RDWR, 0600);

    use(map(SIZE, MAP_SHARED | MAP_ANONYMOUS, -1), SIZE);
    cr_assert_eq(ftruncate(memory, (off_t)SIZE), 0);
    use(map(SIZE, MAP_SHARED, memory), SIZE);
    if (file >= 0 && ftruncate(file, (off_t)SIZE) == 0) {
        use(map(SIZE, MAP_SHARED, file), SIZE);
        use(map(SIZE, MAP_PRIVATE, file), SIZE);
    }
    use(array, sizeof array);
}

Test(fixed, huge_pages)
{
    test_pool_set(2 * MIB, 16);
    use(map(SIZE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_2MB, -1), SIZE);
}

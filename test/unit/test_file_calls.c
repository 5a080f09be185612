/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_file_calls: how often a kind of a file asks the file system for space, or gives it back,
 * when a program fills it again and again with blocks of other sizes and alignments; and what
 * becomes of the space that is kept so that there are few of these calls.
 */
#include "file_pools.h"

#include <errno.h>

#include "frontend/registry.h"
#include "kinds/pages/pool.h"
#include "kinds/system/os.h"

#define LIMIT (16 * MIB)
#define FILLS_MOST 80000 /* blocks at once */

/* What is kept goes back when a second has passed: only when a test says so. */
static void begin(void)
{
    test_bare();
    test_stop_clock();
}

TestSuite(file_calls, .init = begin, .timeout = 120);

static size_t calls; /* of both */
static bool full;    /* the file system has no space until somebody punches a hole */

int __real_os_allocate(int file, size_t offset, size_t size);
int __real_os_punch(int file, size_t offset, size_t size);
int __wrap_os_allocate(int file, size_t offset, size_t size);
int __wrap_os_punch(int file, size_t offset, size_t size);

int __wrap_os_allocate(int file, size_t offset, size_t size)
{
    calls++;
    return full ? ENOSPC : __real_os_allocate(file, offset, size);
}

int __wrap_os_punch(int file, size_t offset, size_t size)
{
    calls++;
    full = false;
    return __real_os_punch(file, offset, size);
}

/* As many blocks as there is room for, and none. */
static void fill_and_free(memkind_t kind, size_t alignment, size_t size)
{
    static void *block[FILLS_MOST];
    size_t count = 0, least = test_tbb() ? LIMIT / 3 : LIMIT / 4 * 3;

    while (count < FILLS_MOST && memkind_posix_memalign(kind, &block[count], alignment, size) == 0)
        count++;
    cr_assert(count * size > least || alignment > size, "%zu of %zu bytes", count, size);
    while (count)
        memkind_free(kind, block[--count]);
}

/* Pages that are free and not in a row are joined before they are given back to get others, and
 * these have their space still. */
Test(file_calls, fills_with_other_sizes)
{
    static const size_t sizes[] = {300, 400, 900, 2000, 10000, 50000};
    memkind_t kind = test_create_file("/dev/shm", LIMIT);

    for (size_t alignment = 8; alignment <= 512; alignment *= 4)
        for (size_t i = 0; i < LENGTH(sizes); i++)
            fill_and_free(kind, alignment, sizes[i]);
    cr_assert_leq(calls, 90, "%zu calls", calls);
}

/* --- space that is kept ----------------------------------------------------------------------- */

static struct page_pool pools[2];

/* Pages of a file that can have holes, as far as the pool knows. */
static char *take(struct page_pool *pool, size_t size)
{
    char *pages = file_pool_take(pool, 64 * KIB);

    cr_assert(pages && pool_unmap(pool, pages, 64 * KIB));
    pages = file_pool_take(pool, size);
    cr_assert(pages);
    calls = 0;
    return pages;
}

static char *open_and_take(struct page_pool *pool, const char *directory, size_t limit, size_t size)
{
    cr_assert_eq(file_pool_open(pool, directory, limit), 0);
    return take(pool, size);
}

static void unmap_for_reuse(struct page_pool *pool, char *pages, size_t size)
{
    pool_reuse_begin(pool);
    cr_assert(pool_unmap(pool, pages, size));
    pool_reuse_end(pool);
}

Test(file_calls, pages_for_reuse_keep_their_space)
{
    for (size_t i = 0; i < LENGTH(file_pool_directories); i++) {
        char *pages = open_and_take(&pools[0], file_pool_directories[i], LIMIT, 4 * MIB);
        bool zeroed;

        unmap_for_reuse(&pools[0], pages, 3 * MIB);
        cr_expect_eq(file_pool_ranges(&pools[0]), 4 * MIB);
        cr_expect_eq(pool_mapped(&pools[0]), MIB);
        cr_expect_eq(pool_map(&pools[0], 0, 2 * MIB, os_page_size(), &zeroed), pages);
        cr_expect_not(zeroed, "they have the content that they had");
        cr_expect_eq(calls, 0, "%zu calls", calls);
        unmap_for_reuse(&pools[0], pages + 3 * MIB, MIB);
        cr_expect_eq(file_pool_take(&pools[0], 3 * MIB), pages + 2 * MIB, "2 MiB of them new");
        cr_expect_eq(calls, 1, "%zu calls", calls);
        cr_expect_eq(file_pool_ranges(&pools[0]), 5 * MIB);
        pool_close(&pools[0]);
    }
}

Test(file_calls, kept_space_goes_back)
{
    char *pages = open_and_take(&pools[0], "/dev/shm", LIMIT, 4 * MIB);
    char *other = open_and_take(&pools[1], "/dev/shm", LIMIT, 4 * MIB);

    for (size_t at = 0; at < 4 * MIB; at += 512 * KIB)
        unmap_for_reuse(&pools[0], pages + at, 256 * KIB);
    unmap_for_reuse(&pools[1], other, MIB);
    pool_give_back(NULL);
    cr_expect_eq(file_pool_ranges(&pools[0]), 4 * MIB, "a second has not gone");
    cr_expect_eq(pool_give_back(&pools[0]), 2 * MIB, "a trim does not wait");
    cr_expect_eq(calls, 8, "%zu calls", calls);
    cr_expect_eq(file_pool_ranges(&pools[0]), 2 * MIB);
    cr_expect_eq(file_pool_ranges(&pools[1]), 4 * MIB);
    test_jump(POOL_REUSE_SECONDS);
    pool_give_back(NULL);
    cr_expect_eq(file_pool_ranges(&pools[1]), 3 * MIB, "a second has gone");
    cr_expect_eq(file_pool_take(&pools[0], 256 * KIB), pages);
    cr_expect_eq(calls, 10, "%zu calls", calls);
    cr_expect_eq(pool_give_back(&pools[0]), 0);
}

/* Neighbours go back in one piece. */
Test(file_calls, kept_space_goes_back_at_once)
{
    char *pages = open_and_take(&pools[0], "/dev/shm", LIMIT, 4 * MIB);

    for (size_t at = 4 * MIB; at; at -= 256 * KIB)
        unmap_for_reuse(&pools[0], pages + at - 256 * KIB, 256 * KIB);
    cr_expect_eq(pool_give_back(&pools[0]), 4 * MIB);
    cr_expect_eq(calls, 1, "%zu calls", calls);
    cr_expect_eq(file_pool_ranges(&pools[0]), 0);
}

Test(file_calls, a_full_file_system_has_the_kept_space)
{
    char *pages = open_and_take(&pools[0], "/dev/shm", LIMIT, 4 * MIB), *more;

    open_and_take(&pools[1], "/dev/shm", LIMIT, MIB);
    full = true;
    cr_expect_null(file_pool_take(&pools[1], MIB));
    full = false;
    unmap_for_reuse(&pools[0], pages, 2 * MIB);
    full = true;
    more = file_pool_take(&pools[1], MIB);
    cr_expect(more && file_pool_ranges(&pools[0]) == 2 * MIB);
}

Test(file_calls, space_is_not_kept)
{
    char *pages = open_and_take(&pools[0], "/dev/shm", 0, 4 * MIB);

    unmap_for_reuse(&pools[0], pages, MIB);
    cr_expect_eq(file_pool_ranges(&pools[0]), 3 * MIB, "without a limit");
    pages = open_and_take(&pools[1], "/dev/shm", LIMIT, 4 * MIB);
    pools[1].conservative = true;
    unmap_for_reuse(&pools[1], pages, MIB);
    cr_expect_eq(file_pool_ranges(&pools[1]), 3 * MIB, "conservative");
    pools[1].conservative = false;
    unmap_for_reuse(&pools[1], pages + MIB, MIB);
    pool_forked(&pools[1]);
    cr_expect_eq(pool_give_back(&pools[1]), 0, "it is the parent's");
    calls = 0;
    cr_expect(file_pool_take(&pools[1], 2 * MIB) && calls == 1);
}

/* What a file takes is resident, also what only the page layer knows of. */
Test(file_calls, statistics_count_kept_space)
{
    memkind_t kind = test_create_file("/dev/shm", LIMIT);
    struct page_pool *pool = &kind->heap.pages;
    size_t before = test_kind_resident(kind), all = test_kind_resident(NULL);

    unmap_for_reuse(pool, take(pool, 2 * MIB), 2 * MIB);
    cr_expect_eq(pool_kept(pool), 2 * MIB);
    cr_expect_eq(test_kind_resident(kind), before + 2 * MIB);
    cr_expect_geq(test_kind_resident(NULL), all + 2 * MIB);
    memkind_trim(kind);
    cr_expect_eq(test_kind_resident(kind), before);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_source_file: kinds in a file, on the level of pages: which directories are accepted, and
 * that the file is as large as what is in use and never larger than promised. Where the system
 * refuses: test_source_file_limits.c. In children of fork: test_source_file_fork.c.
 */
#include "file_pools.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "kinds/pages/address_map.h"
#include "kinds/pages/pool.h"

#define NOBODY 65534

TestSuite(source_file, .init = test_bare, .timeout = 120);

/* --- create ----------------------------------------------------------------------------------- */

static int create(const char *directory, size_t limit)
{
    memkind_t kind = NULL;
    int error = memkind_create_pmem(directory, limit, &kind);

    cr_expect_eq(error == 0, kind != NULL);
    if (kind)
        cr_expect_eq(memkind_destroy_kind(kind), 0);
    return error;
}

Test(source_file, arguments)
{
    memkind_t kind;

    cr_expect_eq(create("/dev/shm", 0), 0);
    cr_expect_eq(create("/dev/shm", MEMKIND_PMEM_MIN_SIZE), 0);
    cr_expect_eq(create("/dev/shm", SIZE_MAX), 0);
    cr_expect_eq(create("/dev/shm", 1), MEMKIND_ERROR_INVALID);
    cr_expect_eq(create("/dev/shm", MEMKIND_PMEM_MIN_SIZE - 1), MEMKIND_ERROR_INVALID);
    cr_expect_eq(create(NULL, FILE_POOL_LIMIT), MEMKIND_ERROR_INVALID);
    cr_expect_eq(create("", FILE_POOL_LIMIT), MEMKIND_ERROR_INVALID);
    cr_expect_eq(create("/nonexistent", FILE_POOL_LIMIT), MEMKIND_ERROR_INVALID);
    cr_expect_eq(create("/proc/self/maps", FILE_POOL_LIMIT), MEMKIND_ERROR_INVALID);
    cr_expect_eq(create("/proc", FILE_POOL_LIMIT), MEMKIND_ERROR_INVALID);
    cr_expect_eq(memkind_create_pmem("/dev/shm", FILE_POOL_LIMIT, NULL), MEMKIND_ERROR_INVALID);
    cr_expect_eq(memkind_create_pmem_with_config(NULL, &kind), MEMKIND_ERROR_INVALID);
}

Test(source_file, configuration)
{
    struct memkind_config *config = memkind_config_new();
    memkind_t kind;

    cr_expect_eq(memkind_create_pmem_with_config(config, &kind), MEMKIND_ERROR_INVALID, "no path");
    memkind_config_set_path(config, "/dev/shm");
    memkind_config_set_size(config, FILE_POOL_LIMIT + 1);
    for (int policy = -1; policy <= MEMKIND_MEM_USAGE_POLICY_MAX_VALUE; policy++) {
        int error;

        memkind_config_set_memory_usage_policy(config, (memkind_mem_usage_policy)policy);
        error = memkind_create_pmem_with_config(config, &kind);
        if (policy < 0 || policy == MEMKIND_MEM_USAGE_POLICY_MAX_VALUE) {
            cr_expect_eq(error, MEMKIND_ERROR_INVALID, "policy %d", policy);
            continue;
        }
        cr_assert_eq(error, 0, "policy %d", policy);
        cr_expect_eq(memkind_get_capacity(kind), (ssize_t)(FILE_POOL_LIMIT + 2 * MIB));
        cr_expect_eq(memkind_destroy_kind(kind), 0);
    }
    memkind_config_delete(config);
}

Test(source_file, a_directory_that_is_read_only)
{
    const char *path = file_pool_scratch();

    if (geteuid() == 0)
        cr_assert_eq(seteuid(NOBODY), 0);
    else
        chmod(path, 0500);
    cr_expect_eq(create(path, FILE_POOL_LIMIT), MEMKIND_ERROR_INVALID);
    cr_expect_eq(memkind_check_dax_path(path), MEMKIND_ERROR_RUNTIME);
    if (getuid() == 0)
        cr_assert_eq(seteuid(0), 0);
    rmdir(path);
}

Test(source_file, dax)
{
    struct stat status;

    cr_expect_eq(memkind_check_dax_path(NULL), MEMKIND_ERROR_INVALID);
    cr_expect_eq(memkind_check_dax_path("/nonexistent"), MEMKIND_ERROR_RUNTIME);
    cr_expect_eq(memkind_check_dax_path("/proc/self/maps"), MEMKIND_ERROR_RUNTIME);
    if (stat("/dev/shm", &status) == 0)
        cr_expect_eq(memkind_check_dax_path("/dev/shm"), MEMKIND_ERROR_MMAP);
}

Test(source_file, capacity_is_the_file_system_s)
{
    struct statvfs system;
    memkind_t kind;

    for (size_t i = 0; i < LENGTH(file_pool_directories); i++) {
        cr_assert_eq(statvfs(file_pool_directories[i], &system), 0);
        cr_assert_eq(memkind_create_pmem(file_pool_directories[i], 0, &kind), 0);
        cr_expect_eq(memkind_get_capacity(kind), (ssize_t)(system.f_blocks * system.f_frsize));
        cr_expect_eq(memkind_destroy_kind(kind), 0);
    }
}

static void failed_creates(const char *path)
{
    cr_expect_eq(create("/nonexistent", FILE_POOL_LIMIT), MEMKIND_ERROR_INVALID);
    cr_expect_eq(create("/proc", FILE_POOL_LIMIT), MEMKIND_ERROR_INVALID);
    cr_expect_eq(create(path, 3), MEMKIND_ERROR_INVALID);
    cr_expect_eq(memkind_check_dax_path("/proc"), MEMKIND_ERROR_RUNTIME);
    (void)memkind_check_dax_path(path);
}

Test(source_file, nothing_is_left)
{
    const char *path = file_pool_scratch();
    struct page_pool pool;
    size_t files, mappings, ranges;

    failed_creates(path);
    ranges = test_virtual();
    for (int i = 0; i < 500; i++)
        failed_creates(path);
    if (!TEST_SANITIZED)
        cr_expect_leq(test_virtual(), ranges + 64 * KIB);
    cr_assert_eq(file_pool_open(&pool, path, FILE_POOL_LIMIT), 0);
    cr_expect(file_pool_take(&pool, MIB));
    pool_close(&pool);
    files = test_descriptors();
    mappings = test_mappings();
    for (int i = 0; i < 100; i++) {
        failed_creates(path);
        cr_assert_eq(file_pool_open(&pool, path, FILE_POOL_LIMIT), 0);
        cr_expect_eq(file_pool_entries(path), 0, "the file has a name");
        cr_expect_eq(test_descriptors(), files + 1, "one descriptor for a kind");
        cr_expect(file_pool_take(&pool, MIB));
        pool_close(&pool);
    }
    cr_expect_eq(test_descriptors(), files);
    cr_expect_eq(file_pool_entries(path), 0);
    /* Records and leaves of the map are never given back, and windows lie anywhere. */
    cr_expect_leq(test_mappings(), mappings + 20);
    cr_expect_eq(rmdir(path), 0);
}

/* --- the file's size -------------------------------------------------------------------------- */

Test(source_file, the_limit_to_the_byte)
{
    static const size_t sizes[] = {4096, 64 * KIB, 2 * MIB};

    for (size_t i = 0; i < LENGTH(file_pool_directories); i++) {
        for (size_t j = 0; j < LENGTH(sizes); j++) {
            struct page_pool pool;

            cr_assert_eq(file_pool_open(&pool, file_pool_directories[i], MEMKIND_PMEM_MIN_SIZE + 1),
                         0);
            cr_expect_eq(pool_limit(&pool), 18 * MIB);
            cr_expect_eq(file_pool_take_all(&pool, sizes[j]), 18 * MIB, "%s",
                         file_pool_directories[i]);
            cr_expect_eq((size_t)file_pool_status(&pool).st_size, 18 * MIB);
            cr_expect_leq(file_pool_ranges(&pool), 18 * MIB + MIB);
            pool_close(&pool);
        }
    }
}

/* Limits of more than a window; regions lie across the border of two. */
Test(source_file, several_windows)
{
    struct page_region *window;
    size_t limit = 2 * GIB + 16 * MIB, taken = 0, crossing = 0;
    struct page_pool pool;
    bool zeroed;
    char *at;

    cr_assert_eq(file_pool_open(&pool, file_pool_directories[0], limit), 0);
    for (size_t size = GIB; size >= 2 * MIB; size /= 2)
        while ((at = pool_map(&pool, 0, size, os_page_size(), &zeroed)) != NULL)
            taken += size;
    if (taken < limit && (size_t)file_pool_status(&pool).st_size < limit)
        test_skip("%s has no room for %zu bytes", file_pool_directories[0], limit);
    cr_expect_eq(taken, limit);
    cr_expect_eq((size_t)file_pool_status(&pool).st_size, limit);
    LIST_FOREACH (window, &pool.regions.list, entry)
        cr_expect(pool_unmap(&pool, window->start, window->size));
    cr_expect_leq(file_pool_ranges(&pool), MIB);
    LIST_FOREACH (window, &pool.regions.list, entry) {
        struct page_region *next = address_map_find(window->start + window->size);

        if (!next || next->pool != &pool)
            continue;
        /* All that lies before the border is taken but for its last MiB. */
        crossing++;
        while ((at = pool_map(&pool, 0, 2 * MIB, 2 * MIB, &zeroed)) != NULL &&
               at != window->start + window->size - 2 * MIB)
            ;
        cr_assert(at && pool_unmap(&pool, at, 2 * MIB));
        cr_assert_eq(file_pool_take(&pool, 4 * MIB), at, "across the border");
        cr_expect(pool_unmap(&pool, at, 4 * MIB));
        cr_expect_eq(file_pool_take(&pool, 4 * MIB), at, "again");
        break;
    }
    pool_close(&pool);
    if (!crossing)
        test_skip("no two windows are neighbours");
}

/* Pages of any size go back at once, and are zeroes when they come again. */
Test(source_file, given_back_as_holes)
{
    for (size_t i = 0; i < LENGTH(file_pool_directories); i++) {
        struct page_pool pool;
        bool zeroed = false;
        char *at;

        cr_assert_eq(file_pool_open(&pool, file_pool_directories[i], FILE_POOL_LIMIT), 0);
        cr_assert_not_null(at = file_pool_take(&pool, 16 * MIB));
        cr_expect_geq(file_pool_ranges(&pool), 16 * MIB, "%s: space is reserved",
                      file_pool_directories[i]);
        cr_expect(pool_unmap(&pool, at + 3 * os_page_size(), 4 * MIB));
        cr_expect(pool_unmap(&pool, at + 8 * MIB, os_page_size()));
        cr_expect_leq(file_pool_ranges(&pool), 12 * MIB + MIB / 2);
        cr_expect_eq(pool_map(&pool, 0, 4 * MIB, os_page_size(), &zeroed), at + 3 * os_page_size());
        cr_expect(zeroed);
        cr_expect(test_is_zero(at + 3 * os_page_size(), 4 * MIB));
        cr_expect_eq((unsigned char)at[3 * os_page_size() - 1], 0xdd,
                     "the neighbours keep their content");
        cr_expect_eq((unsigned char)at[3 * os_page_size() + 4 * MIB], 0xdd);
        cr_expect(pool_unmap(&pool, at, 8 * MIB));
        cr_expect(pool_unmap(&pool, at + 8 * MIB + os_page_size(), 8 * MIB - os_page_size()));
        cr_expect_leq(file_pool_ranges(&pool), MIB / 2);
        cr_expect_eq(file_pool_take_all(&pool, 2 * MIB), FILE_POOL_LIMIT);
        pool_close(&pool);
    }
}

Test(source_file, alignment)
{
    struct page_region *window;
    unsigned windows = 0, large = 0;
    struct page_pool pool;
    bool zeroed;

    cr_assert_eq(file_pool_open(&pool, file_pool_directories[1], 0), 0);
    for (size_t alignment = os_page_size(); alignment <= 32 * GIB; alignment *= 2) {
        void *at = pool_map(&pool, 0, 3 * os_page_size(), alignment, &zeroed);

        cr_assert(at, "alignment %zu", alignment);
        cr_expect_eq((uintptr_t)at & (alignment - 1), 0, "alignment %zu", alignment);
        large += alignment >= GIB / 2;
    }
    LIST_FOREACH (window, &pool.regions.list, entry) {
        cr_expect_eq((uintptr_t)window->start & (2 * MIB - 1), 0);
        windows++;
    }
    cr_expect_leq(windows, large + 1, "one window for a large alignment, no more");
    pool_close(&pool);
}

/* --- threads ---------------------------------------------------------------------------------- */

static void *take_and_give(void *argument)
{
    enum { HELD = 16 };
    struct page_pool *pool = argument;
    uint64_t state = (uintptr_t)&state, number = state;
    struct {
        void *at;
        size_t size;
        uint64_t seed;
    } held[HELD] = {{NULL, 0, 0}};

    for (int round = 0; round < 2000; round++) {
        size_t slot = test_random(&state) % HELD;
        bool zeroed;

        if (held[slot].at) {
            if (!test_holds(held[slot].at, held[slot].size, held[slot].seed))
                return "content of another thread";
            pool_unmap(pool, held[slot].at, held[slot].size);
            held[slot].at = NULL;
            continue;
        }
        held[slot].seed = ++number;
        held[slot].size = os_page_size() * (1 + test_random(&state) % 40);
        held[slot].at = pool_map(pool, 0, held[slot].size, os_page_size(), &zeroed);
        if (held[slot].at && zeroed && !test_is_zero(held[slot].at, held[slot].size))
            return "not zeroed";
        if (held[slot].at)
            test_fill(held[slot].at, held[slot].size, held[slot].seed);
    }
    for (size_t slot = 0; slot < HELD; slot++)
        if (held[slot].at)
            pool_unmap(pool, held[slot].at, held[slot].size);
    return NULL;
}

Test(source_file, threads)
{
    pthread_t threads[4];
    struct page_pool pool;
    void *wrong;

    cr_assert_eq(file_pool_open(&pool, file_pool_directories[1], MEMKIND_PMEM_MIN_SIZE), 0);
    for (size_t i = 0; i < LENGTH(threads); i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, take_and_give, &pool), 0);
    for (size_t i = 0; i < LENGTH(threads); i++) {
        pthread_join(threads[i], &wrong);
        cr_expect_null(wrong, "%s", (char *)wrong);
    }
    cr_expect_eq(pool_mapped(&pool), 0);
    cr_expect_eq(file_pool_ranges(&pool), 0);
    cr_expect_eq(file_pool_take_all(&pool, MEMKIND_PMEM_MIN_SIZE), MEMKIND_PMEM_MIN_SIZE,
                 "in one piece");
    pool_close(&pool);
}

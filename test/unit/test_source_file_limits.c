/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_source_file, continued: file systems that are full or cannot do everything, and the limits
 * of the process.
 */
#include "file_pools.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kinds/system/callbacks.h"

/* A tmpfs on it, seen by this process only. */
static void mount_small(const char *path, const char *options)
{
    if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("none", path, "tmpfs", 0, options))
        test_skip("no file system can be mounted: %s", strerror(errno));
}

/* --- file systems that are full or cannot do everything --------------------------------------- */

Test(source_file, a_full_file_system)
{
    const char *path = file_pool_scratch();
    struct page_pool pool;
    size_t taken;
    char *last;

    mount_small(path, "size=4m");
    cr_assert_eq(file_pool_open(&pool, path, 0), 0);
    cr_expect_null(file_pool_take(&pool, 5 * MIB));
    cr_expect_leq(file_pool_ranges(&pool), 0, "what failed has gone back");
    cr_expect_null(file_pool_take(&pool, 100 * GIB));
    cr_expect_leq(file_pool_windows(&pool), GIB, "no addresses are spent on what is not there");
    cr_assert_not_null(last = file_pool_take(&pool, MIB));
    taken = MIB + file_pool_take_all(&pool, os_page_size());
    cr_expect_geq(taken, 3 * MIB);
    cr_expect_leq(taken, 4 * MIB);
    cr_expect(pool_unmap(&pool, last, MIB));
    cr_expect_not_null(file_pool_take(&pool, MIB));
    pool_close(&pool);
    cr_assert_eq(file_pool_open(&pool, path, FILE_POOL_LIMIT), 0,
                 "a limit that the file system has not");
    cr_expect_eq(file_pool_take_all(&pool, os_page_size()), taken);
    pool_close(&pool);
    cr_expect_eq(umount2(path, MNT_DETACH), 0);
    rmdir(path);
}

static void expect_use(bool given_back)
{
    struct page_pool pool;
    bool zeroed = false;
    char *at;

    cr_assert_eq(file_pool_open(&pool, file_pool_directories[1], FILE_POOL_LIMIT), 0);
    cr_assert_not_null(at = pool_map(&pool, 0, 16 * MIB, os_page_size(), &zeroed));
    cr_expect(zeroed);
    cr_expect_geq(file_pool_ranges(&pool), 16 * MIB, "space is reserved");
    memset(at, 0xdd, 16 * MIB);
    cr_expect(pool_unmap(&pool, at + MIB, 8 * MIB));
    if (given_back)
        cr_expect_leq(file_pool_ranges(&pool), 8 * MIB + MIB / 2);
    cr_expect_eq(pool_map(&pool, 0, 8 * MIB, os_page_size(), &zeroed), at + MIB, "used again");
    cr_expect(!zeroed || test_is_zero(at + MIB, 8 * MIB));
    cr_expect_eq((unsigned char)at[MIB - 1], 0xdd);
    cr_expect_eq((unsigned char)at[9 * MIB], 0xdd);
    memset(at + MIB, 0xdd, 8 * MIB);
    cr_expect_eq(file_pool_take_all(&pool, 64 * KIB), FILE_POOL_LIMIT - 16 * MIB);
    pool_close(&pool);
}

static int log_lines;

static void count_line(const char *format, ...)
{
    log_lines += strstr(format, "cannot punch holes") || strstr(format, "no fallocate");
}

/* How often the library says what the file system cannot. */
static void count_lines(void)
{
    static struct callbacks services;

    services = *callbacks;
    services.log = count_line;
    callbacks_set(&services);
}

/* fallocate(2) fails where its mode is at least `least`: 1 is all but reserving space. */
static void use_without(int error, unsigned least, int lines, bool given_back)
{
    count_lines();
    test_refuse(SYS_fallocate, error, 1, least);
    expect_use(given_back);
    cr_expect_eq(log_lines, lines, "each once for a pool");
}

Test(source_file, no_hole_punching)
{
    test_refuse(SYS_madvise, EOPNOTSUPP, 2, MADV_REMOVE);
    use_without(EOPNOTSUPP, 1, 1, false);
}

/* A sandbox that has no fallocate(2) leaves madvise(2). */
Test(source_file, no_hole_punching_but_by_addresses)
{
    use_without(EPERM, 1, 0, true);
}

Test(source_file, hole_punching_that_fails)
{
    use_without(EIO, 1, 1, false);
}

Test(source_file, no_fallocate)
{
    use_without(EOPNOTSUPP, 0, 1, true);
}

Test(source_file, no_fallocate_and_full)
{
    const char *path = file_pool_scratch();
    struct page_pool pool;

    mount_small(path, "size=4m");
    test_refuse(SYS_fallocate, ENOSYS, 1, 0);
    cr_assert_eq(file_pool_open(&pool, path, 0), 0);
    cr_expect_geq(file_pool_take_all(&pool, 64 * KIB), 3 * MIB);
    pool_close(&pool);
    umount2(path, MNT_DETACH);
    rmdir(path);
}

Test(source_file, no_nameless_files)
{
    const char *path = file_pool_scratch();
    struct page_pool pool;

    test_refuse(SYS_openat, EOPNOTSUPP, 2, O_TMPFILE & ~O_DIRECTORY);
    cr_assert_eq(file_pool_open(&pool, path, FILE_POOL_LIMIT), 0);
    cr_expect_eq(file_pool_entries(path), 0);
    cr_expect_eq(file_pool_take_all(&pool, MIB), FILE_POOL_LIMIT);
    cr_expect_eq(file_pool_status(&pool).st_nlink, 0);
    pool_close(&pool);
    cr_expect_eq(rmdir(path), 0);
}

/* --- the process's limits --------------------------------------------------------------------- */

static bool is_signal_left(void)
{
    sigset_t pending, held;

    return sigpending(&pending) || pthread_sigmask(SIG_BLOCK, NULL, &held) ||
           sigismember(&pending, SIGXFSZ) || sigismember(&held, SIGXFSZ);
}

/* Criterion would report a SIGXFSZ. */
Test(source_file, file_size_limit)
{
    for (int write = 0; write < 2; write++) {
        struct page_pool pool;
        char *first;

        if (write)
            test_refuse(SYS_fallocate, EOPNOTSUPP, 1, 0);
        cr_assert_eq(file_pool_open(&pool, file_pool_directories[1], FILE_POOL_LIMIT), 0);
        cr_assert_not_null(first = file_pool_take(&pool, MIB));
        file_pool_limit(8 * MIB + 5);
        cr_expect_eq(file_pool_take_all(&pool, os_page_size()), 7 * MIB);
        cr_expect(!is_signal_left());
        cr_expect(pool_unmap(&pool, first, MIB));
        cr_expect_eq(file_pool_take_all(&pool, os_page_size()), MIB);
        file_pool_limit(RLIM_INFINITY);
        cr_expect_eq(file_pool_take_all(&pool, os_page_size()), FILE_POOL_LIMIT - 8 * MIB);
        if (!write) {
            file_pool_limit(0);
            cr_expect(pool_unmap(&pool, first, MIB));
            cr_expect_not_null(file_pool_take(&pool, MIB), "the file is as long as that already");
            file_pool_limit(RLIM_INFINITY);
        }
        pool_close(&pool);
    }
}

Test(source_file, address_space_limit)
{
    struct rlimit limit = {test_virtual() + 200 * MIB, RLIM_INFINITY};
    struct page_pool pool;

    if (TEST_SANITIZED)
        test_skip("sanitizers need the address space");
    cr_assert_eq(file_pool_open(&pool, file_pool_directories[1], 0), 0);
    cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
    cr_expect_not_null(file_pool_take(&pool, MIB),
                       "a window of 1 GiB is not to be had, a smaller one is");
    cr_expect_null(file_pool_take(&pool, 300 * MIB));
    pool_close(&pool);
}

Test(source_file, five_hundred_pools)
{
    enum { POOLS = 500 };
    struct page_pool *pools = calloc(POOLS, sizeof *pools);
    struct rlimit limit = {1024, 1024};

    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int i = 0; i < POOLS; i++) {
        cr_assert_eq(
            file_pool_open(&pools[i], file_pool_directories[1], i % 2 ? FILE_POOL_LIMIT : 0), 0,
            "%d", i);
        cr_assert_not_null(file_pool_take(&pools[i], 64 * KIB), "%d", i);
    }
    for (int i = 0; i < POOLS; i++)
        pool_close(&pools[i]);
    free(pools);
}

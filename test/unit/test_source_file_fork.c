/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_source_file, continued: in the child of a fork, the parent's file stays the parent's, and
 * new pages come from a file of the child's own.
 */
#include "file_pools.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kinds/pages/address_map.h"

static struct page_pool forked_pool;
static char *inherited;
static const char *scratch_of_parent;

/* Criterion's assertions are not for children. */
#define NEED(condition)                     \
    do {                                    \
        if (!(condition)) {                 \
            fputs(#condition "\n", stderr); \
            _exit(1);                       \
        }                                   \
    } while (0)

/* In the child: its parent's pages are memory and nothing else; its own come from a file of its
 * own, with all of the limit. */
static void child(void *argument)
{
    struct page_pool *pool = &forked_pool;
    struct stat parent = file_pool_status(pool);
    int file = file_pool_descriptor(pool);
    bool zeroed;
    char *at;

    (void)argument;
    NEED(chdir("/") == 0);
    pool_forked(pool);
    NEED(fcntl(file, F_GETFD) < 0);
    NEED(pool_unmap(pool, inherited, 4 * MIB));
    NEED(pool_unmap(pool, inherited + 4 * MIB, 2 * MIB));
    NEED(test_holds(inherited, 8 * MIB, 1));
    NEED(pool_mapped(pool) == 0);
    for (size_t taken = 0; taken < FILE_POOL_LIMIT; taken += 2 * MIB) {
        at = pool_map(pool, 0, 2 * MIB, 2 * MIB, &zeroed);
        NEED(at && !address_map_find(at)->inherited);
        memset(at, 0xcc, 2 * MIB);
    }
    NEED(!pool_map(pool, 0, 2 * MIB, 2 * MIB, &zeroed));
    NEED(file_pool_status(pool).st_ino != parent.st_ino);
    NEED(file_pool_ranges(pool) >= FILE_POOL_LIMIT);
    NEED(test_holds(inherited, 8 * MIB, 1));
    pool_close(pool);
    _exit(7);
}

Test(source_file, a_child_has_a_file_of_its_own)
{
    const char *path = file_pool_scratch();
    struct test_child result;

    cr_assert_eq(chdir(path), 0);
    cr_assert_eq(file_pool_open(&forked_pool, ".", FILE_POOL_LIMIT), 0);
    cr_assert_not_null(inherited = file_pool_take(&forked_pool, 8 * MIB));
    test_fill(inherited, 8 * MIB, 1);
    cr_expect(pool_is_shared(&forked_pool));
    test_run(&result, child, NULL, NULL);
    cr_expect(WIFEXITED(result.status) && WEXITSTATUS(result.status) == 7, "status %#x: %s",
              (unsigned)result.status, result.errors);
    cr_expect(test_holds(inherited, 8 * MIB, 1));
    cr_expect_geq(file_pool_ranges(&forked_pool), 8 * MIB, "the child gave nothing back");
    cr_expect_eq(file_pool_take_all(&forked_pool, 2 * MIB), FILE_POOL_LIMIT - 8 * MIB);
    pool_close(&forked_pool);
    cr_expect_eq(chdir("/"), 0);
    rmdir(path);
}

/* The file may be shorter than the parent's was. */
static void limited_child(void *argument)
{
    size_t taken = 0;
    bool zeroed;

    (void)argument;
    pool_forked(&forked_pool);
    file_pool_limit(8 * MIB);
    while (pool_map(&forked_pool, 0, MIB, os_page_size(), &zeroed))
        taken += MIB;
    NEED(taken == 8 * MIB);
    pool_close(&forked_pool);
    _exit(7);
}

Test(source_file, a_child_with_a_file_size_limit)
{
    struct test_child result;

    cr_assert_eq(file_pool_open(&forked_pool, file_pool_directories[1], FILE_POOL_LIMIT), 0);
    cr_expect_eq(file_pool_take_all(&forked_pool, MIB), FILE_POOL_LIMIT);
    test_run(&result, limited_child, NULL, NULL);
    cr_expect(WIFEXITED(result.status) && WEXITSTATUS(result.status) == 7, "status %#x: %s",
              (unsigned)result.status, result.errors);
    pool_close(&forked_pool);
}

/* Its directory is gone: no pages, but an error. */
static void lost_child(void *argument)
{
    bool zeroed;

    (void)argument;
    NEED(rmdir(scratch_of_parent) == 0);
    pool_forked(&forked_pool);
    NEED(!pool_map(&forked_pool, 0, MIB, os_page_size(), &zeroed));
    NEED(errno == ENOMEM);
    pool_close(&forked_pool);
    _exit(7);
}

Test(source_file, a_child_without_the_directory)
{
    struct test_child result;

    scratch_of_parent = file_pool_scratch();
    cr_assert_eq(file_pool_open(&forked_pool, scratch_of_parent, FILE_POOL_LIMIT), 0);
    test_run(&result, lost_child, NULL, NULL);
    cr_expect(WIFEXITED(result.status) && WEXITSTATUS(result.status) == 7, "status %#x: %s",
              (unsigned)result.status, result.errors);
    pool_close(&forked_pool);
}

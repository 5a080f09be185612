/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why: see file_pools.h. */
#include "file_pools.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kinds/pages/address_map.h"

const char *const file_pool_directories[2] = {"/var/tmp", "/dev/shm"};

int file_pool_open(struct page_pool *pool, const char *directory, size_t limit)
{
    struct page_setup setup = {.kind = &page_kind_file,
                               .source = &page_source_file,
                               .directory = directory,
                               .size = limit};

    return pool_open(pool, &setup);
}

void *file_pool_take(struct page_pool *pool, size_t size)
{
    bool zeroed;
    void *pages = pool_map(pool, 0, size, os_page_size(), &zeroed);

    if (pages) {
        cr_assert_eq(address_map_find(pages)->pool, pool);
        cr_assert(!zeroed || test_is_zero(pages, size));
        memset(pages, 0xdd, size);
    }
    return pages;
}

size_t file_pool_take_all(struct page_pool *pool, size_t size)
{
    size_t taken = 0;

    while (errno = 0, file_pool_take(pool, size))
        taken += size;
    cr_expect_eq(errno, ENOMEM);
    return taken;
}

struct stat file_pool_status(const struct page_pool *pool)
{
    struct stat status;

    cr_assert_eq(fstat(pool->own.file.file, &status), 0, "fstat: %s", strerror(errno));
    return status;
}

size_t file_pool_ranges(const struct page_pool *pool)
{
    return (size_t)file_pool_status(pool).st_blocks * 512;
}

const char *file_pool_scratch(void)
{
    static char path[] = "/tmp/memkind-test-XXXXXX";

    cr_assert_not_null(mkdtemp(path));
    return path;
}

size_t file_pool_entries(const char *path)
{
    DIR *directory = opendir(path);
    size_t count = 0;

    while (readdir(directory))
        count++;
    closedir(directory);
    return count - 2;
}

void file_pool_limit(size_t size)
{
    struct rlimit limit = {size, RLIM_INFINITY};

    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

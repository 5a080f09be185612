/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why: see file_pools.h. */
#include "file_pools.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kinds/pages/address_map.h"
#include "kinds/pages/source_file.h"

#define DESCRIPTORS_MOST 1024

const char *const file_pool_directories[2] = {"/var/tmp", "/dev/shm"};

int file_pool_open(struct page_pool *pool, const char *directory, size_t limit)
{
    const struct source_file_request request = {.directory = directory, .limit = limit};
    const struct page_setup setup = {
        .kind = &page_kind_file, .source = &page_source_file, .request = &request};

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

/* The inode of the file that is mapped at an address; 0: none. */
static unsigned long mapped_inode(const void *address)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    unsigned long start, end, inode, found = 0;
    char line[512];

    while (fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx %*s %*s %*s %lu", &start, &end, &inode) == 3 &&
            (uintptr_t)address >= start && (uintptr_t)address < end)
            found = inode;
    fclose(maps);
    return found;
}

int file_pool_descriptor(const struct page_pool *pool)
{
    const struct page_region *window = LIST_FIRST(&pool->regions.list);
    unsigned long inode = window ? mapped_inode(window->start) : 0;
    struct stat status;

    for (int file = 0; inode && file < DESCRIPTORS_MOST; file++)
        if (fstat(file, &status) == 0 && status.st_ino == inode && status.st_nlink == 0)
            return file;
    return -1;
}

struct stat file_pool_status(const struct page_pool *pool)
{
    struct stat status;
    int file = file_pool_descriptor(pool);

    cr_assert_eq(fstat(file, &status), 0, "fstat: %s", strerror(errno));
    return status;
}

size_t file_pool_ranges(const struct page_pool *pool)
{
    if (LIST_EMPTY(&pool->regions.list))
        return 0; /* nothing of the file was ever to be had */
    return (size_t)file_pool_status(pool).st_blocks * 512;
}

size_t file_pool_windows(const struct page_pool *pool)
{
    const struct page_region *window;
    size_t size = 0;

    LIST_FOREACH (window, &pool->regions.list, entry)
        size += window->size;
    return size;
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

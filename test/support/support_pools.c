/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * The machine's pools of huge pages, for tests: see support.h.
 *
 * The pools belong to the machine, so a lock file keeps other tests out, and a guardian process
 * restores them: it waits until nobody holds the writing end of a pipe any more, that is, until
 * the test, its children and whatever they ran have ended or test_pool_restore() has closed it.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define POOL_LOCK "/tmp/memkind-test-hugepages.lock"
#define POOL_FILES 256

struct pool_file {
    char path[128];
    size_t before, set; /* what we found, and what we left there last */
};

static struct pool_file *pool_files; /* shared with the guardian */
static size_t pool_file_count;
static int pool_pipe = -1;
static pid_t pool_guardian;

static void pool_path(char *path, size_t size, int node, size_t page_size, const char *file)
{
    if (node < 0)
        snprintf(path, size, "/sys/kernel/mm/hugepages/hugepages-%zukB/%s", page_size / KIB, file);
    else
        snprintf(path, size, TEST_NODE_FILES "/node%d/hugepages/hugepages-%zukB/%s", node,
                 page_size / KIB, file);
}

/* The number in a file of a pool, without pages that the kernel added on demand and will remove. */
static size_t pool_read(const char *path)
{
    char surplus[160];
    const char *name = strstr(path, "/nr_hugepages");

    if (!name)
        return test_read_number(path);
    snprintf(surplus, sizeof surplus, "%.*s/surplus_hugepages", (int)(name - path), path);
    return test_read_number(path) - test_read_number(surplus);
}

static void pool_remember(int node, size_t page_size, const char *file)
{
    char path[128];

    pool_path(path, sizeof path, node, page_size, file);
    if (pool_file_count == POOL_FILES || access(path, W_OK) != 0)
        return;
    snprintf(pool_files[pool_file_count].path, sizeof path, "%s", path);
    pool_files[pool_file_count].before = pool_files[pool_file_count].set = pool_read(path);
    pool_file_count++;
}

static void pool_write(const char *path, size_t number)
{
    test_write_number(path, number);
    for (size_t i = 0; i < pool_file_count; i++)
        if (strcmp(pool_files[i].path, path) == 0)
            pool_files[i].set = pool_read(path);
}

/* What somebody else added or took away meanwhile stays added or taken away. */
static void pool_files_restore(void)
{
    for (size_t i = 0; i < pool_file_count; i++) {
        size_t now = pool_read(pool_files[i].path);
        size_t wanted = pool_files[i].before + now - pool_files[i].set;

        test_write_number(pool_files[i].path, (ssize_t)wanted < 0 ? 0 : wanted);
    }
}

static void guard_pools(int lock)
{
    static const size_t sizes[] = {2 * MIB, GIB};
    struct test_mask nodes = test_nodes_file("online");
    int ends[2];

    pool_files = test_shared(POOL_FILES * sizeof *pool_files);
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        for (int node = 0; node < TEST_NODES; node++)
            if (test_mask_has(&nodes, node))
                pool_remember(node, sizes[i], "nr_hugepages");
        pool_remember(-1, sizes[i], "nr_overcommit_hugepages");
    }
    cr_assert(pipe2(ends, 0) == 0, "pipe2: %s", strerror(errno));
    pool_guardian = fork();
    cr_assert(pool_guardian >= 0, "fork: %s", strerror(errno));
    if (pool_guardian == 0) {
        int null = open("/dev/null", O_RDWR);
        char byte;

        setsid(); /* whoever ends the test's process group lets it live */
        for (int file = 0; file < 3; file++)
            dup2(null, file);
        for (int file = 3; file < 256; file++)
            if (file != ends[0] && file != lock)
                close(file);
        while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
            ;
        pool_files_restore();
        _exit(0);
    }
    close(ends[0]);
    pool_pipe = ends[1];
}

static bool pools_take(void)
{
    int lock;

    if (pool_pipe >= 0)
        return true;
    lock = open(POOL_LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock < 0)
        return false;
    while (flock(lock, LOCK_EX))
        cr_assert(errno == EINTR, "flock: %s", strerror(errno));
    guard_pools(lock);
    close(lock); /* the guardian holds it until the pools are restored */
    return true;
}

const char *test_pool_try(size_t page_size, size_t count)
{
    static char reason[128];
    struct test_mask nodes = test_nodes_file("online");
    char path[128];

    pool_path(path, sizeof path, 0, page_size, "nr_hugepages");
    if (access(path, F_OK) != 0) {
        snprintf(reason, sizeof reason, "this machine has no huge pages of %zu MiB",
                 page_size / MIB);
        return reason;
    }
    if (geteuid() != 0 || access(path, W_OK) != 0)
        return "only root can reserve huge pages";
    if (!pools_take()) {
        snprintf(reason, sizeof reason, POOL_LOCK ": %s", strerror(errno));
        return reason;
    }
    pool_path(path, sizeof path, -1, page_size, "nr_overcommit_hugepages");
    pool_write(path, 0);
    if (page_size == GIB && count)
        test_write_number("/proc/sys/vm/compact_memory", 1); /* whole ones are rare */
    for (int node = 0; node < TEST_NODES; node++) {
        if (!test_mask_has(&nodes, node))
            continue;
        pool_path(path, sizeof path, node, page_size, "nr_hugepages");
        pool_write(path, node == 0 ? count : 0);
    }
    pool_path(path, sizeof path, -1, page_size, "nr_hugepages");
    if (test_read_number(path) == count && test_pool_free(page_size) == count)
        return NULL;
    snprintf(reason, sizeof reason, "%zu huge pages of %zu MiB cannot be reserved", count,
             page_size / MIB);
    return reason;
}

void test_pool_set(size_t page_size, size_t count)
{
    const char *reason = test_pool_try(page_size, count);

    if (reason)
        test_skip("%s", reason);
}

size_t test_pool_free(size_t page_size)
{
    char path[128];
    size_t free_pages, reserved;

    pool_path(path, sizeof path, -1, page_size, "free_hugepages");
    free_pages = test_read_number(path);
    pool_path(path, sizeof path, -1, page_size, "resv_hugepages");
    reserved = test_read_number(path);
    return free_pages - reserved;
}

size_t test_pool_of_others(size_t page_size)
{
    char path[128], line[256];
    size_t used, own = 0, size;
    FILE *file = fopen("/proc/self/smaps_rollup", "re");

    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "%*[a-zA-Z]_Hugetlb: %zu kB", &size) == 1)
            own += size * KIB / page_size;
    if (file)
        fclose(file);
    pool_path(path, sizeof path, -1, page_size, "nr_hugepages");
    used = test_read_number(path);
    pool_path(path, sizeof path, -1, page_size, "free_hugepages");
    used -= test_read_number(path);
    return used > own ? used - own : 0;
}

void test_pool_overcommit(size_t page_size, size_t count)
{
    char path[128];

    pool_path(path, sizeof path, -1, page_size, "nr_overcommit_hugepages");
    pool_write(path, count);
    cr_assert_eq(test_read_number(path), count);
}

void test_pool_restore(void)
{
    if (pool_pipe < 0)
        return;
    close(pool_pipe);
    pool_pipe = -1;
    while (waitpid(pool_guardian, NULL, 0) < 0 && errno == EINTR)
        ;
    munmap(pool_files, POOL_FILES * sizeof *pool_files);
    pool_file_count = 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_source_file: kinds in a file, on the level of pages: which directories are accepted, that
 * the file is as large as what is in use and never larger than promised, what happens on file
 * systems that are full or cannot do everything, in children of fork, and at the process's limits.
 *
 * The file has no name: its descriptor in the pool tells its size.
 */
#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kinds/address_map.h"
#include "kinds/host.h"
#include "kinds/pool.h"

#define LIMIT (32 * MIB)
#define NOBODY 65534

TestSuite(source_file, .init = test_bare, .timeout = 120);

static size_t page(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static int open_pool(struct page_pool *pool, const char *directory, size_t limit)
{
    struct page_setup setup = {.kind = &page_kind_file,
                               .source = &page_source_file,
                               .directory = directory,
                               .size = limit};

    return pool_open(pool, &setup);
}

/* Where test programs may write: ext4 or whatever is there, and tmpfs. */
static const char *const directories[] = {"/var/tmp", "/dev/shm"};

static void *take(struct page_pool *pool, size_t size)
{
    bool zeroed;
    void *pages = pool_map(pool, 0, size, page(), &zeroed);

    if (pages) {
        cr_assert_eq(address_map_find(pages)->pool, pool);
        cr_assert(!zeroed || test_is_zero(pages, size));
        memset(pages, 0xdd, size);
    }
    return pages;
}

static size_t take_all(struct page_pool *pool, size_t size)
{
    size_t taken = 0;

    while (errno = 0, take(pool, size))
        taken += size;
    cr_expect_eq(errno, ENOMEM);
    return taken;
}

static struct stat file_of(const struct page_pool *pool)
{
    struct stat status;

    cr_assert_eq(fstat(pool->own.file.file, &status), 0, "fstat: %s", strerror(errno));
    return status;
}

static size_t file_space(const struct page_pool *pool)
{
    return (size_t)file_of(pool).st_blocks * 512;
}

static size_t descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    size_t count = 0;

    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* A directory of our own. */
static const char *scratch(void)
{
    static char path[] = "/tmp/memkind-test-XXXXXX";

    cr_assert_not_null(mkdtemp(path));
    return path;
}

static size_t entries(const char *path)
{
    DIR *directory = opendir(path);
    size_t count = 0;

    while (readdir(directory))
        count++;
    closedir(directory);
    return count - 2;
}

/* A tmpfs on it, seen by this process only. */
static void mount_small(const char *path, const char *options)
{
    if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("none", path, "tmpfs", 0, options))
        test_skip("no file system can be mounted: %s", strerror(errno));
}

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
    cr_expect_eq(create(NULL, LIMIT), MEMKIND_ERROR_INVALID);
    cr_expect_eq(create("", LIMIT), MEMKIND_ERROR_INVALID);
    cr_expect_eq(create("/nonexistent", LIMIT), MEMKIND_ERROR_INVALID);
    cr_expect_eq(create("/proc/self/maps", LIMIT), MEMKIND_ERROR_INVALID);
    cr_expect_eq(create("/proc", LIMIT), MEMKIND_ERROR_INVALID);
    cr_expect_eq(memkind_create_pmem("/dev/shm", LIMIT, NULL), MEMKIND_ERROR_INVALID);
    cr_expect_eq(memkind_create_pmem_with_config(NULL, &kind), MEMKIND_ERROR_INVALID);
}

Test(source_file, configuration)
{
    struct memkind_config *config = memkind_config_new();
    memkind_t kind;

    cr_expect_eq(memkind_create_pmem_with_config(config, &kind), MEMKIND_ERROR_INVALID, "no path");
    memkind_config_set_path(config, "/dev/shm");
    memkind_config_set_size(config, LIMIT + 1);
    for (int policy = -1; policy <= MEMKIND_MEM_USAGE_POLICY_MAX_VALUE; policy++) {
        int error;

        memkind_config_set_memory_usage_policy(config, (memkind_mem_usage_policy)policy);
        error = memkind_create_pmem_with_config(config, &kind);
        if (policy < 0 || policy == MEMKIND_MEM_USAGE_POLICY_MAX_VALUE) {
            cr_expect_eq(error, MEMKIND_ERROR_INVALID, "policy %d", policy);
            continue;
        }
        cr_assert_eq(error, 0, "policy %d", policy);
        cr_expect_eq(memkind_get_capacity(kind), (ssize_t)(LIMIT + 2 * MIB));
        cr_expect_eq(memkind_destroy_kind(kind), 0);
    }
    memkind_config_delete(config);
}

Test(source_file, a_directory_that_is_read_only)
{
    const char *path = scratch();

    if (geteuid() == 0)
        cr_assert_eq(seteuid(NOBODY), 0);
    else
        chmod(path, 0500);
    cr_expect_eq(create(path, LIMIT), MEMKIND_ERROR_INVALID);
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

    for (size_t i = 0; i < LENGTH(directories); i++) {
        cr_assert_eq(statvfs(directories[i], &system), 0);
        cr_assert_eq(memkind_create_pmem(directories[i], 0, &kind), 0);
        cr_expect_eq(memkind_get_capacity(kind), (ssize_t)(system.f_blocks * system.f_frsize));
        cr_expect_eq(memkind_destroy_kind(kind), 0);
    }
}

static void failed_creates(const char *path)
{
    cr_expect_eq(create("/nonexistent", LIMIT), MEMKIND_ERROR_INVALID);
    cr_expect_eq(create("/proc", LIMIT), MEMKIND_ERROR_INVALID);
    cr_expect_eq(create(path, 3), MEMKIND_ERROR_INVALID);
    cr_expect_eq(memkind_check_dax_path("/proc"), MEMKIND_ERROR_RUNTIME);
    (void)memkind_check_dax_path(path);
}

Test(source_file, nothing_is_left)
{
    const char *path = scratch();
    struct page_pool pool;
    size_t files, mappings, space;

    failed_creates(path);
    space = test_virtual();
    for (int i = 0; i < 500; i++)
        failed_creates(path);
    if (!TEST_SANITIZED)
        cr_expect_leq(test_virtual(), space + 64 * KIB);
    cr_assert_eq(open_pool(&pool, path, LIMIT), 0);
    cr_expect(take(&pool, MIB));
    pool_close(&pool);
    files = descriptors();
    mappings = test_mappings();
    for (int i = 0; i < 100; i++) {
        failed_creates(path);
        cr_assert_eq(open_pool(&pool, path, LIMIT), 0);
        cr_expect_eq(entries(path), 0, "the file has a name");
        cr_expect_eq(descriptors(), files + 1, "one descriptor for a kind");
        cr_expect(take(&pool, MIB));
        pool_close(&pool);
    }
    cr_expect_eq(descriptors(), files);
    cr_expect_eq(entries(path), 0);
    /* Records and leaves of the map are never given back, and windows lie anywhere. */
    cr_expect_leq(test_mappings(), mappings + 20);
    cr_expect_eq(rmdir(path), 0);
}

/* --- the file's size -------------------------------------------------------------------------- */

Test(source_file, the_limit_to_the_byte)
{
    static const size_t sizes[] = {4096, 64 * KIB, 2 * MIB};

    for (size_t i = 0; i < LENGTH(directories); i++) {
        for (size_t j = 0; j < LENGTH(sizes); j++) {
            struct page_pool pool;

            cr_assert_eq(open_pool(&pool, directories[i], MEMKIND_PMEM_MIN_SIZE + 1), 0);
            cr_expect_eq(pool_limit(&pool), 18 * MIB);
            cr_expect_eq(take_all(&pool, sizes[j]), 18 * MIB, "%s", directories[i]);
            cr_expect_eq((size_t)file_of(&pool).st_size, 18 * MIB);
            cr_expect_leq(file_space(&pool), 18 * MIB + MIB);
            pool_close(&pool);
        }
    }
}

/* Limits of more than a window; regions lie across the border of two. */
Test(source_file, several_windows)
{
    size_t limit = 2 * GIB + 16 * MIB, taken = 0, crossing = 0;
    struct page_pool pool;
    bool zeroed;
    char *at;

    cr_assert_eq(open_pool(&pool, directories[0], limit), 0);
    for (size_t size = GIB; size >= 2 * MIB; size /= 2)
        while ((at = pool_map(&pool, 0, size, page(), &zeroed)) != NULL)
            taken += size;
    if (taken < limit && (size_t)file_of(&pool).st_size < limit)
        test_skip("%s has no room for %zu bytes", directories[0], limit);
    cr_expect_eq(taken, limit);
    cr_expect_eq((size_t)file_of(&pool).st_size, limit);
    for (struct page_region *window = pool.regions; window; window = window->next)
        cr_expect(pool_unmap(&pool, window->start, window->size));
    cr_expect_leq(file_space(&pool), MIB);
    for (struct page_region *window = pool.regions; window; window = window->next) {
        struct page_region *next = address_map_find(window->start + window->size);

        if (!next || next->pool != &pool)
            continue;
        /* All that lies before the border is taken but for its last MiB. */
        crossing++;
        while ((at = pool_map(&pool, 0, 2 * MIB, 2 * MIB, &zeroed)) != NULL &&
               at != window->start + window->size - 2 * MIB)
            ;
        cr_assert(at && pool_unmap(&pool, at, 2 * MIB));
        cr_assert_eq(take(&pool, 4 * MIB), at, "across the border");
        cr_expect(pool_unmap(&pool, at, 4 * MIB));
        cr_expect_eq(take(&pool, 4 * MIB), at, "again");
        break;
    }
    pool_close(&pool);
    if (!crossing)
        test_skip("no two windows are neighbours");
}

/* Pages of any size go back at once, and are zeroes when they come again. */
Test(source_file, given_back_as_holes)
{
    for (size_t i = 0; i < LENGTH(directories); i++) {
        struct page_pool pool;
        bool zeroed = false;
        char *at;

        cr_assert_eq(open_pool(&pool, directories[i], LIMIT), 0);
        cr_assert_not_null(at = take(&pool, 16 * MIB));
        cr_expect_geq(file_space(&pool), 16 * MIB, "%s: space is reserved", directories[i]);
        cr_expect(pool_unmap(&pool, at + 3 * page(), 4 * MIB));
        cr_expect(pool_unmap(&pool, at + 8 * MIB, page()));
        cr_expect_leq(file_space(&pool), 12 * MIB + MIB / 2);
        cr_expect_eq(pool_map(&pool, 0, 4 * MIB, page(), &zeroed), at + 3 * page());
        cr_expect(zeroed);
        cr_expect(test_is_zero(at + 3 * page(), 4 * MIB));
        cr_expect_eq((unsigned char)at[3 * page() - 1], 0xdd, "the neighbours keep their content");
        cr_expect_eq((unsigned char)at[3 * page() + 4 * MIB], 0xdd);
        cr_expect(pool_unmap(&pool, at, 8 * MIB));
        cr_expect(pool_unmap(&pool, at + 8 * MIB + page(), 8 * MIB - page()));
        cr_expect_leq(file_space(&pool), MIB / 2);
        cr_expect_eq(take_all(&pool, 2 * MIB), LIMIT);
        pool_close(&pool);
    }
}

Test(source_file, alignment)
{
    unsigned windows = 0, large = 0;
    struct page_pool pool;
    bool zeroed;

    cr_assert_eq(open_pool(&pool, directories[1], 0), 0);
    for (size_t alignment = page(); alignment <= 32 * GIB; alignment *= 2) {
        void *at = pool_map(&pool, 0, 3 * page(), alignment, &zeroed);

        cr_assert(at, "alignment %zu", alignment);
        cr_expect_eq((uintptr_t)at & (alignment - 1), 0, "alignment %zu", alignment);
        large += alignment >= GIB / 2;
    }
    for (struct page_region *window = pool.regions; window; window = window->next, windows++)
        cr_expect_eq((uintptr_t)window->start & (2 * MIB - 1), 0);
    cr_expect_leq(windows, large + 1, "one window for a large alignment, no more");
    pool_close(&pool);
}

/* --- file systems that are full or cannot do everything -----------------------------------------
 */

Test(source_file, a_full_file_system)
{
    const char *path = scratch();
    struct page_pool pool;
    size_t taken;
    char *last;

    mount_small(path, "size=4m");
    cr_assert_eq(open_pool(&pool, path, 0), 0);
    cr_expect_null(take(&pool, 5 * MIB));
    cr_expect_leq(file_space(&pool), 0, "what failed has gone back");
    cr_expect_null(take(&pool, 100 * GIB));
    cr_expect_leq(pool.own.file.windows, GIB, "no addresses are spent on what is not there");
    cr_assert_not_null(last = take(&pool, MIB));
    taken = MIB + take_all(&pool, page());
    cr_expect_geq(taken, 3 * MIB);
    cr_expect_leq(taken, 4 * MIB);
    cr_expect(pool_unmap(&pool, last, MIB));
    cr_expect_not_null(take(&pool, MIB));
    pool_close(&pool);
    cr_assert_eq(open_pool(&pool, path, LIMIT), 0, "a limit that the file system has not");
    cr_expect_eq(take_all(&pool, page()), taken);
    pool_close(&pool);
    cr_expect_eq(umount2(path, MNT_DETACH), 0);
    rmdir(path);
}

static void expect_use(bool given_back)
{
    struct page_pool pool;
    bool zeroed = false;
    char *at;

    cr_assert_eq(open_pool(&pool, directories[1], LIMIT), 0);
    cr_assert_not_null(at = pool_map(&pool, 0, 16 * MIB, page(), &zeroed));
    cr_expect(zeroed);
    cr_expect_geq(file_space(&pool), 16 * MIB, "space is reserved");
    memset(at, 0xdd, 16 * MIB);
    cr_expect(pool_unmap(&pool, at + MIB, 8 * MIB));
    if (given_back)
        cr_expect_leq(file_space(&pool), 8 * MIB + MIB / 2);
    cr_expect_eq(pool_map(&pool, 0, 8 * MIB, page(), &zeroed), at + MIB, "used again");
    cr_expect(!zeroed || test_is_zero(at + MIB, 8 * MIB));
    cr_expect_eq((unsigned char)at[MIB - 1], 0xdd);
    cr_expect_eq((unsigned char)at[9 * MIB], 0xdd);
    memset(at + MIB, 0xdd, 8 * MIB);
    cr_expect_eq(take_all(&pool, 64 * KIB), LIMIT - 16 * MIB);
    pool_close(&pool);
}

static int log_lines;

static void count_line(const char *format, ...)
{
    log_lines += strstr(format, "no holes in the file") || strstr(format, "no fallocate");
}

/* How often the library says what the file system cannot. */
static void count_lines(void)
{
    static struct host services;

    services = *host;
    services.log = count_line;
    host_set(&services);
}

Test(source_file, no_hole_punching)
{
    count_lines();
    test_refuse(SYS_fallocate, EOPNOTSUPP, 1, 1);
    expect_use(false);
    cr_expect_eq(log_lines, 1, "once for a pool");
}

Test(source_file, hole_punching_that_fails)
{
    count_lines();
    test_refuse(SYS_fallocate, EIO, 1, 1);
    expect_use(false);
    cr_expect_eq(log_lines, 1, "once for a pool");
}

Test(source_file, no_fallocate)
{
    count_lines();
    test_refuse(SYS_fallocate, EOPNOTSUPP, 1, 0);
    expect_use(false);
    cr_expect_eq(log_lines, 2, "each once for a pool");
}

Test(source_file, no_fallocate_and_full)
{
    const char *path = scratch();
    struct page_pool pool;

    mount_small(path, "size=4m");
    test_refuse(SYS_fallocate, ENOSYS, 1, 0);
    cr_assert_eq(open_pool(&pool, path, 0), 0);
    cr_expect_geq(take_all(&pool, 64 * KIB), 3 * MIB);
    pool_close(&pool);
    umount2(path, MNT_DETACH);
    rmdir(path);
}

Test(source_file, no_nameless_files)
{
    const char *path = scratch();
    struct page_pool pool;

    test_refuse(SYS_openat, EOPNOTSUPP, 2, O_TMPFILE & ~O_DIRECTORY);
    cr_assert_eq(open_pool(&pool, path, LIMIT), 0);
    cr_expect_eq(entries(path), 0);
    cr_expect_eq(file_of(&pool).st_nlink, 0);
    cr_expect_eq(take_all(&pool, MIB), LIMIT);
    pool_close(&pool);
    cr_expect_eq(rmdir(path), 0);
}

/* --- the process's limits -----------------------------------------------------------------------
 */

static void limit_files(size_t size)
{
    struct rlimit limit = {size, RLIM_INFINITY};

    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Criterion would report a SIGXFSZ. */
Test(source_file, file_size_limit)
{
    for (int write = 0; write < 2; write++) {
        struct page_pool pool;
        char *first;

        if (write)
            test_refuse(SYS_fallocate, EOPNOTSUPP, 1, 0);
        cr_assert_eq(open_pool(&pool, directories[1], LIMIT), 0);
        cr_assert_not_null(first = take(&pool, MIB));
        limit_files(8 * MIB + 5);
        cr_expect_eq(take_all(&pool, page()), 7 * MIB);
        cr_expect(pool_unmap(&pool, first, MIB));
        cr_expect_eq(take_all(&pool, page()), MIB);
        limit_files(RLIM_INFINITY);
        cr_expect_eq(take_all(&pool, page()), LIMIT - 8 * MIB);
        if (!write) {
            limit_files(0);
            cr_expect(pool_unmap(&pool, first, MIB));
            cr_expect_not_null(take(&pool, MIB), "the file is as long as that already");
            limit_files(RLIM_INFINITY);
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
    cr_assert_eq(open_pool(&pool, directories[1], 0), 0);
    cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
    cr_expect_not_null(take(&pool, MIB), "a window of 1 GiB is not to be had, a smaller one is");
    cr_expect_null(take(&pool, 300 * MIB));
    pool_close(&pool);
}

Test(source_file, five_hundred_pools)
{
    enum { POOLS = 500 };
    struct page_pool *pools = calloc(POOLS, sizeof *pools);
    struct rlimit limit = {1024, 1024};

    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int i = 0; i < POOLS; i++) {
        cr_assert_eq(open_pool(&pools[i], directories[1], i % 2 ? LIMIT : 0), 0, "%d", i);
        cr_assert_not_null(take(&pools[i], 64 * KIB), "%d", i);
    }
    for (int i = 0; i < POOLS; i++)
        pool_close(&pools[i]);
    free(pools);
}

/* --- threads ------------------------------------------------------------------------------------
 */

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
        held[slot].size = page() * (1 + test_random(&state) % 40);
        held[slot].at = pool_map(pool, 0, held[slot].size, page(), &zeroed);
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

    cr_assert_eq(open_pool(&pool, directories[1], MEMKIND_PMEM_MIN_SIZE), 0);
    for (size_t i = 0; i < LENGTH(threads); i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, take_and_give, &pool), 0);
    for (size_t i = 0; i < LENGTH(threads); i++) {
        pthread_join(threads[i], &wrong);
        cr_expect_null(wrong, "%s", (char *)wrong);
    }
    cr_expect_eq(pool_mapped(&pool), 0);
    cr_expect_eq(file_space(&pool), 0);
    cr_expect_eq(take_all(&pool, MEMKIND_PMEM_MIN_SIZE), MEMKIND_PMEM_MIN_SIZE, "in one piece");
    pool_close(&pool);
}

/* --- fork ---------------------------------------------------------------------------------------
 */

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
    struct stat parent = file_of(pool);
    int file = pool->own.file.file;
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
    for (size_t taken = 0; taken < LIMIT; taken += 2 * MIB) {
        at = pool_map(pool, 0, 2 * MIB, 2 * MIB, &zeroed);
        NEED(at && !address_map_find(at)->inherited);
        memset(at, 0xcc, 2 * MIB);
    }
    NEED(!pool_map(pool, 0, 2 * MIB, 2 * MIB, &zeroed));
    NEED(file_of(pool).st_ino != parent.st_ino);
    NEED(file_space(pool) >= LIMIT);
    NEED(test_holds(inherited, 8 * MIB, 1));
    pool_close(pool);
    _exit(7);
}

Test(source_file, a_child_has_a_file_of_its_own)
{
    const char *path = scratch();
    struct test_child result;

    cr_assert_eq(chdir(path), 0);
    cr_assert_eq(open_pool(&forked_pool, ".", LIMIT), 0);
    cr_assert_not_null(inherited = take(&forked_pool, 8 * MIB));
    test_fill(inherited, 8 * MIB, 1);
    cr_expect(pool_is_shared(&forked_pool));
    test_run(&result, child, NULL, NULL);
    cr_expect(WIFEXITED(result.status) && WEXITSTATUS(result.status) == 7, "status %#x: %s",
              (unsigned)result.status, result.errors);
    cr_expect(test_holds(inherited, 8 * MIB, 1));
    cr_expect_geq(file_space(&forked_pool), 8 * MIB, "the child gave nothing back");
    cr_expect_eq(take_all(&forked_pool, 2 * MIB), LIMIT - 8 * MIB);
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
    limit_files(8 * MIB);
    while (pool_map(&forked_pool, 0, MIB, page(), &zeroed))
        taken += MIB;
    NEED(taken == 8 * MIB);
    pool_close(&forked_pool);
    _exit(7);
}

Test(source_file, a_child_with_a_file_size_limit)
{
    struct test_child result;

    cr_assert_eq(open_pool(&forked_pool, directories[1], LIMIT), 0);
    cr_expect_eq(take_all(&forked_pool, MIB), LIMIT);
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
    NEED(!pool_map(&forked_pool, 0, MIB, page(), &zeroed));
    NEED(errno == ENOMEM);
    pool_close(&forked_pool);
    _exit(7);
}

Test(source_file, a_child_without_the_directory)
{
    struct test_child result;

    scratch_of_parent = scratch();
    cr_assert_eq(open_pool(&forked_pool, scratch_of_parent, LIMIT), 0);
    test_run(&result, lost_child, NULL, NULL);
    cr_expect(WIFEXITED(result.status) && WEXITSTATUS(result.status) == 7, "status %#x: %s",
              (unsigned)result.status, result.errors);
    pool_close(&forked_pool);
}

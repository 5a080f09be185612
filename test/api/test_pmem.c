/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_pmem: what memkind.h promises of file-backed kinds on any file system: limits, how full a
 * kind can be, directories that do not serve, configurations, the end of a kind, fork.
 */
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(pmem, .init = mounts_begin, .fini = mounts_end, .timeout = 280);

/* --- the limit -------------------------------------------------------------------------------- */

/* Never more than promised, and little less; small blocks too. Under TBB the sizes that count are
 * those of its classes, which are up to a quarter apart. */
static void fill_kind(memkind_t kind, size_t limit, size_t least, size_t most, unsigned percent)
{
    size_t before = mounts_used(), sum = mounts_take(kind, least, most, SIZE_MAX, test_tbb());

    cr_assert_geq(sum, limit / 100 * percent, "%zu to %zu bytes: %zu of %zu are %.1f %%", least,
                  most, sum, limit, 100.0 * (double)sum / (double)limit);
    cr_assert_leq(mounts_used(), (before > limit ? before : limit) + MIB, "%zu bytes in use",
                  mounts_used());
}

Test(pmem, small_blocks_fill_a_kind)
{
    const size_t limit = 64 * MIB;
    memkind_t kind;

    mounts_mount(&mounts_tmpfs, 0);
    kind = mounts_create(limit);
    cr_assert_eq(memkind_get_capacity(kind), (ssize_t)limit);
    for (int round = 0; round < 3; round++) {
        size_t kept = 0;

        fill_kind(kind, limit, 64, 4096, 85);
        mounts_verify();
        /* Every other block goes, and others come. */
        for (size_t i = 0; i < mounts_count; i += 2)
            memkind_free(kind, mounts_blocks[i].at);
        for (size_t i = 1; i < mounts_count; i += 2, kept++) {
            mounts_blocks[kept] = mounts_blocks[i];
            test_fill(mounts_blocks[kept].at, mounts_blocks[kept].size, kept);
        }
        mounts_count = kept;
        mounts_take(kind, 64, 4096, limit / 100 * 30, false);
        mounts_free(kind);
    }
    cr_assert_eq(memkind_destroy_kind(kind), 0);
}

/* Space of freed blocks serves for blocks of any other size. */
Test(pmem, freed_space_serves_other_sizes)
{
    static const struct {
        size_t least, most;
        unsigned percent;
    } steps[] = {
        {64 * KIB, 64 * KIB, 90}, {64, 4096, 80}, {MIB, MIB, 75},         {10000, 90000, 75},
        {5 * MIB, 5 * MIB, 60},   {64, 64, 75},   {2 * MIB, 3 * MIB, 60}, {14 * KIB, 14 * KIB, 75},
    };
    const size_t limit = 64 * MIB;
    memkind_t kind;

    mounts_mount(&mounts_tmpfs, 0);
    kind = mounts_create(limit);
    for (size_t i = 0; i < 2 * LENGTH(steps); i++) {
        size_t j = i % LENGTH(steps);

        /* TBB: a large block takes its size and a header, rounded up to 8 KiB, of which so many lie
         * in a MiB. What its caches keep of other sizes comes back when it is short, but not all.
         */
        fill_kind(kind, limit, steps[j].least, steps[j].most,
                  test_tbb() ? steps[j].percent / 3 * 2 : steps[j].percent);
        mounts_free(kind);
    }
    cr_assert_eq(memkind_destroy_kind(kind), 0);
}

Test(pmem, limits)
{
    static const size_t refused[] = {1, 4096, MEMKIND_PMEM_MIN_SIZE - 1};
    memkind_t kind = (memkind_t)(void *)mounts_directory;

    mounts_mount(&mounts_tmpfs, 0);
    for (size_t i = 0; i < LENGTH(refused); i++) {
        cr_assert_eq(memkind_create_pmem(mounts_directory, refused[i], &kind),
                     MEMKIND_ERROR_INVALID);
        cr_assert_eq(kind, (memkind_t)(void *)mounts_directory);
    }
    kind = mounts_create(MEMKIND_PMEM_MIN_SIZE);
    cr_assert_eq(memkind_get_capacity(kind), MEMKIND_PMEM_MIN_SIZE);
    mounts_take(kind, 1000, 1000, SIZE_MAX, false);
    cr_assert_leq(mounts_used(), MEMKIND_PMEM_MIN_SIZE + MIB);
    mounts_free(kind);
    cr_assert_eq(memkind_destroy_kind(kind), 0);
    kind = mounts_create(20 * MIB + 1);
    cr_assert_eq(memkind_get_capacity(kind), 22 * MIB, "not rounded up to a multiple of 2 MiB");
    errno = TEST_ERRNO;
    cr_assert_null(memkind_malloc(kind, 30 * MIB));
    cr_assert_eq(errno, ENOMEM);
    cr_assert_eq(memkind_destroy_kind(kind), 0);
}

/* Unused pages go back at once, under jemalloc. */
Test(pmem, conservative_kind_gives_back_at_once)
{
    size_t empty, full;
    memkind_t kind;

    if (test_tbb())
        test_skip("the conservative policy has no effect with the TBB heap manager");
    mounts_mount(&mounts_tmpfs, 0);
    kind = mounts_create_conservative(0);
    memkind_free(kind, memkind_malloc(kind, 100000));
    empty = mounts_used();
    mounts_take(kind, 100000, 3000000, 100 * MIB, false);
    full = mounts_used();
    mounts_free(kind);
    cr_assert_leq(mounts_used(), empty + (full - empty) / 10,
                  "%zu bytes when empty, %zu when full, %zu "
                  "when all is free",
                  empty, full, mounts_used());
    cr_assert_eq(memkind_destroy_kind(kind), 0);
}

/* --- directories that do not serve ------------------------------------------------------------ */

Test(pmem, wrong_directories)
{
    char missing[96], file[96];
    const char *refused[4] = {missing, file, "", "/proc/self"};
    size_t descriptors, mappings = 0;
    memkind_t kind = NULL;

    snprintf(missing, sizeof missing, "%s/missing/too", mounts_directory);
    snprintf(file, sizeof file, "%s/file", mounts_directory);
    close(open(file, O_CREAT | O_WRONLY, 0600));
    for (int round = 0; round < 2; round++) {
        descriptors = test_descriptors();
        mappings = test_mappings();
        for (size_t i = 0; i < LENGTH(refused); i++) {
            cr_assert_eq(memkind_create_pmem(refused[i], 0, &kind), MEMKIND_ERROR_INVALID, "%s: %d",
                         refused[i], memkind_create_pmem(refused[i], 0, &kind));
            cr_assert_eq(memkind_check_dax_path(refused[i]), MEMKIND_ERROR_RUNTIME, "%s: %d",
                         refused[i], memkind_check_dax_path(refused[i]));
        }
        cr_assert_null(kind);
    }
    cr_assert_eq(test_descriptors(), descriptors);
    cr_assert(TEST_SANITIZED || test_mappings() == mappings);
    cr_assert_eq(memkind_create_pmem(NULL, 0, &kind), MEMKIND_ERROR_INVALID);
    cr_assert_eq(memkind_create_pmem(mounts_directory, 0, NULL), MEMKIND_ERROR_INVALID);
    cr_assert_eq(memkind_check_dax_path(NULL), MEMKIND_ERROR_INVALID);
    unlink(file);
}

Test(pmem, read_only)
{
    memkind_t kind = NULL;

    mounts_mount(&mounts_tmpfs, 0);
    cr_assert_eq(memkind_check_dax_path(mounts_directory), MEMKIND_ERROR_MMAP, "tmpfs is no DAX");
    cr_assert_eq(mount(NULL, mounts_directory, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    cr_assert_eq(memkind_create_pmem(mounts_directory, 0, &kind), MEMKIND_ERROR_INVALID);
    cr_assert_null(kind);
    cr_assert_eq(memkind_check_dax_path(mounts_directory), MEMKIND_ERROR_RUNTIME);
    mounts_unmount();
}

/* A configuration is checked when it is used. */
static void create_small(void *argument)
{
    memkind_t kind;

    (void)argument;
    memkind_create_pmem(mounts_directory, 10 * MIB, &kind);
    memkind_create_fixed(&kind, 1 * KIB, &kind);
}

Test(pmem, a_limit_that_is_too_small_is_told_the_least)
{
    static const char *const environment[] = {"MEMKIND_DEBUG=1", NULL};
    struct test_child child;

    mounts_mount(&mounts_tmpfs, 0);
    test_run_well(&child, create_small, NULL, environment);
    cr_expect(test_line(child.errors, "a limit of 10485760 bytes is too small.*at least 16777216"));
    cr_expect(test_line(child.errors, "kind of 1024 bytes is too small: at least 4096"));
}

Test(pmem, configurations)
{
    static const struct {
        bool path;
        size_t size;
        int policy, code;
    } rows[] = {
        {false, 0, MEMKIND_MEM_USAGE_POLICY_DEFAULT, MEMKIND_ERROR_INVALID},
        {true, 0, MEMKIND_MEM_USAGE_POLICY_DEFAULT, MEMKIND_SUCCESS},
        {true, 0, MEMKIND_MEM_USAGE_POLICY_CONSERVATIVE, MEMKIND_SUCCESS},
        {true, 0, MEMKIND_MEM_USAGE_POLICY_MAX_VALUE, MEMKIND_ERROR_INVALID},
        {true, 0, -1, MEMKIND_ERROR_INVALID},
        {true, 1, MEMKIND_MEM_USAGE_POLICY_DEFAULT, MEMKIND_ERROR_INVALID},
        {true, MEMKIND_PMEM_MIN_SIZE, MEMKIND_MEM_USAGE_POLICY_DEFAULT, MEMKIND_SUCCESS},
        {true, SIZE_MAX, MEMKIND_MEM_USAGE_POLICY_DEFAULT, MEMKIND_ERROR_INVALID},
    };
    memkind_t kind = NULL;

    memkind_config_delete(NULL);
    cr_assert_eq(memkind_create_pmem_with_config(NULL, &kind), MEMKIND_ERROR_INVALID);
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct memkind_config *config = memkind_config_new();
        int code;

        cr_assert(config);
        if (rows[i].path)
            memkind_config_set_path(config, mounts_directory);
        memkind_config_set_size(config, rows[i].size);
        memkind_config_set_memory_usage_policy(config, (memkind_mem_usage_policy)rows[i].policy);
        cr_assert_eq(memkind_create_pmem_with_config(config, NULL), MEMKIND_ERROR_INVALID);
        code = memkind_create_pmem_with_config(config, &kind);
        if (rows[i].size == SIZE_MAX && !code) { /* cannot be rounded up; as good as no limit */
            void *block = memkind_malloc(kind, 2 * MEMKIND_PMEM_MIN_SIZE);

            cr_assert(block, "a limit of SIZE_MAX became a small one");
            memkind_free(kind, block);
        } else
            cr_assert_eq(code, rows[i].code, "row %zu: %d", i, code);
        memkind_config_delete(config);
        if (code)
            continue;
        memkind_free(kind, memkind_malloc(kind, 1000)); /* the configuration is not needed */
        cr_assert_eq(memkind_destroy_kind(kind), 0);
    }
}

/* --- the end of a kind ------------------------------------------------------------------------ */

/* --- the descriptor is another file's --------------------------------------------------------- */

/* The descriptor of a file without a name on the mounted file system. */
static int find_file(void)
{
    struct stat directory, file;

    if (stat(mounts_directory, &directory))
        return -1;
    for (int at = 3; at < 1000; at++)
        if (fstat(at, &file) == 0 && file.st_dev == directory.st_dev && file.st_nlink == 0)
            return at;
    return -1;
}

/* As a program does that closes all descriptors it does not know, and opens others. */
static void close_and_use(void *argument)
{
    memkind_t kind = mounts_create(64 * MIB);
    const char text[] = "somebody else's";
    struct stat file;
    char again[64] = "";
    bool *well = argument;
    int victim, at;

    mounts_take(kind, 1000, 1 * MIB, 10 * MIB, false);
    at = find_file();
    victim = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    *well = at >= 0 && dup2(victim, at) == at && write(at, text, sizeof text) == sizeof text;
    close(victim);
    errno = 0;
    *well &= !memkind_malloc(kind, 40 * MIB) && errno == ENOMEM;
    mounts_take(kind, 1000, 1 * MIB, SIZE_MAX, false);
    mounts_free(kind); /* verified before */
    *well &= memkind_destroy_kind(kind) == MEMKIND_SUCCESS;
    *well &= fstat(at, &file) == 0 && file.st_size == sizeof text;
    *well &= pread(at, again, sizeof again, 0) == sizeof text && strcmp(again, text) == 0;
}

Test(pmem, a_descriptor_that_is_another_files)
{
    static const char *const environment[] = {"MEMKIND_DEBUG=1", NULL};
    bool *well = test_shared(sizeof *well);
    struct test_child child;

    mounts_mount(&mounts_tmpfs, 0);
    test_run_well(&child, close_and_use, well, environment);
    cr_expect(*well);
    cr_expect(test_line(child.errors, "the program has closed descriptor [0-9]+, a kind's file"));
}

/* --- standard input, output and error are closed ---------------------------------------------- */

/* Nothing is there to print into, and the file's descriptor is closed by exec(3). */
static bool file_is_elsewhere(void)
{
    int at = find_file();

    for (int standard = 0; standard < 3; standard++)
        if (fcntl(standard, F_GETFD) >= 0)
            return false;
    return at >= 3 && fcntl(at, F_GETFD) & FD_CLOEXEC;
}

static void use_closed(bool *well)
{
    memkind_t kind = mounts_create(64 * MIB);
    void *block = memkind_malloc(kind, 100000);
    int status;
    pid_t child;

    *well = block && file_is_elsewhere();
    test_fill(block, 100000, 1);
    child = fork();
    if (child == 0) {
        void *own = memkind_malloc(kind, 100000); /* in a file of the child's */

        _exit(own && file_is_elsewhere() ? 0 : 1);
    }
    *well = *well && waitpid(child, &status, 0) == child && status == 0 &&
            test_holds(block, 100000, 1) && memkind_check_dax_path(mounts_directory) <= 0 &&
            memkind_get_capacity(kind) > 0 && file_is_elsewhere();
}

/* Those of a bit set stay open; with 8, the library has been used before. */
static void close_standard(int which)
{
    if (which & 8)
        memkind_free(NULL, memkind_malloc(MEMKIND_DEFAULT, 1));
    for (int standard = 0; standard < 3; standard++)
        if (!(which >> standard & 1))
            close(standard);
}

static void print_nowhere(void *argument)
{
    struct {
        int which;
        bool well;
    } *shared = argument;
    int open_ones = 0;

    close_standard(shared->which);
    for (int standard = 0; standard < 3; standard++)
        open_ones += fcntl(standard, F_GETFD) >= 0;
    if (open_ones == 0)
        use_closed(&shared->well);
    else { /* those that are closed stay so */
        memkind_t kind = mounts_create(64 * MIB);
        int now = 0;

        shared->well = memkind_malloc(kind, 100000) && find_file() >= 3;
        for (int standard = 0; standard < 3; standard++)
            now += fcntl(standard, F_GETFD) >= 0;
        shared->well = shared->well && now == open_ones;
    }
}

Test(pmem, standard_descriptors_are_not_a_file)
{
    struct {
        int which;
        bool well;
    } *shared = test_shared(sizeof *shared);

    mounts_mount(&mounts_tmpfs, 0);
    for (shared->which = 0; shared->which < 16; shared->which++) {
        struct test_child child;

        shared->well = false;
        test_run(&child, print_nowhere, shared, NULL);
        cr_expect(shared->well, "open are those of %#x", shared->which);
    }
}

Test(pmem, nothing_is_left_of_a_kind)
{
    size_t empty = 0, descriptors = 0, mappings = 0;

    mounts_mount(&mounts_tmpfs, 0);
    for (int round = 0; round < 20; round++) {
        memkind_t kind = mounts_create(round % 2 ? 64 * MIB : 0);

        mounts_take(kind, 1, 50000, 20 * MIB, false);
        mounts_verify();
        mounts_count = 0;
        cr_assert_eq(memkind_destroy_kind(kind), 0);
        if (round == 3) {
            empty = mounts_used();
            descriptors = test_descriptors();
            mappings = test_mappings();
        }
    }
    cr_assert_eq(test_descriptors(), descriptors);
    cr_assert(TEST_SANITIZED || test_mappings() <= mappings + 3, "%zu mappings, later %zu",
              mappings, test_mappings());
    cr_assert_leq(mounts_used(), empty, "%zu bytes in use, later %zu", empty, mounts_used());
    mounts_unmount();
}

/* --- fork ------------------------------------------------------------------------------------- */

#define OWN 4000

static unsigned char *own_blocks[OWN];

static bool own_take(memkind_t kind, uint64_t seed)
{
    for (size_t i = 0; i < OWN; i++) {
        own_blocks[i] = memkind_malloc(kind, 1 + i * 3);
        if (!own_blocks[i])
            return false;
        test_fill(own_blocks[i], 1 + i * 3, seed + i);
    }
    return true;
}

static bool own_hold(uint64_t seed)
{
    for (size_t i = 0; i < OWN; i++)
        if (!test_holds(own_blocks[i], 1 + i * 3, seed + i))
            return false;
    return true;
}

struct meeting {
    int to_child[2], to_parent[2];
};

static void tell(int pipe_end)
{
    cr_assert_eq(write(pipe_end, "x", 1), 1);
}

static bool hear(int pipe_end)
{
    char byte;

    return read(pipe_end, &byte, 1) == 1;
}

/* Exit status: 0, or which step went wrong. */
static int be_child(memkind_t kind, unsigned char *common, const struct meeting *meeting)
{
    unsigned char *copy;

    if (!own_take(kind, 700000))
        return 1;
    for (size_t i = 0; i < mounts_count; i++)
        if (!test_holds(mounts_blocks[i].at, mounts_blocks[i].size, i))
            return 2;
    memkind_free(kind, mounts_blocks[0].at); /* nothing happens: it is the parent's */
    memkind_free(NULL, mounts_blocks[1].at);
    for (size_t i = 0; i < 10000; i++)
        memkind_free(kind, memkind_malloc(kind, mounts_blocks[0].size));
    if (!test_holds(mounts_blocks[0].at, mounts_blocks[0].size, 0) ||
        !test_holds(mounts_blocks[1].at, mounts_blocks[1].size, 1))
        return 3;
    copy = memkind_realloc(kind, mounts_blocks[2].at, mounts_blocks[2].size + 1);
    if (!copy || copy == mounts_blocks[2].at || !test_holds(copy, mounts_blocks[2].size, 2))
        return 4;
    memset(copy, 0xee, mounts_blocks[2].size + 1);
    memkind_free(kind, copy);
    strcpy((char *)common, "from the child");
    tell(meeting->to_parent[1]);
    if (!hear(meeting->to_child[0]) || strcmp((char *)common, "from the parent") != 0)
        return 5;
    if (!own_hold(700000))
        return 6;
    for (size_t i = 0; i < OWN; i++)
        memkind_free(NULL, own_blocks[i]);
    if (!own_take(kind, 800000) || !own_hold(800000))
        return 7;
    return memkind_destroy_kind(kind) ? 8 : 0;
}

static void fork_and_meet(size_t limit)
{
    struct meeting meeting;
    memkind_t kind;
    unsigned char *common;
    size_t before;
    int status;
    pid_t child;

    mounts_mount(&mounts_tmpfs, 0);
    kind = mounts_create(limit);
    mounts_take(kind, 1, 30000, 16 * MIB, false);
    common = memkind_malloc(kind, 100);
    cr_assert(common && pipe(meeting.to_child) == 0 && pipe(meeting.to_parent) == 0);
    before = mounts_used();
    child = fork();
    if (child == 0) {
        alarm(60);
        _exit(be_child(kind, common, &meeting));
    }
    cr_assert(own_take(kind, 900000)); /* while the child does the same */
    close(meeting.to_parent[1]);
    if (hear(meeting.to_parent[0])) {
        cr_assert_str_eq((char *)common, "from the child", "the old blocks are not in common");
        strcpy((char *)common, "from the parent");
        tell(meeting.to_child[1]);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0, "the child's step %d, signal %d", WEXITSTATUS(status),
                 WTERMSIG(status));
    cr_assert(own_hold(900000), "new blocks of the parent were overwritten");
    for (size_t i = 0; i < OWN; i++)
        memkind_free(kind, own_blocks[i]);
    cr_assert_leq(mounts_used(), before + 64 * MIB, "the child's file is left");
    mounts_free(kind);
    mounts_take(kind, 1, 30000, 16 * MIB, false);
    mounts_free(kind);
    cr_assert_eq(memkind_destroy_kind(kind), 0);
    mounts_unmount();
}

/* The child's new blocks are in a file of its own, and old ones stay the parent's. */
Test(pmem, fork)
{
    fork_and_meet(0);
}

Test(pmem, fork_with_limit)
{
    fork_and_meet(96 * MIB);
}

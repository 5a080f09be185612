/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_page_granular: what holds of kinds whose pages are scarce: files and fixed areas, which are
 * cut into pieces of any size. They can be used to the end, by several threads; what a thread does
 * not use, another gets; zeroed means zeroed; every page goes back. The same of a program's own
 * regions: test_regions.c.
 */
#include "blocks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIRECTORY "/dev/shm"

TestSuite(page_granular, .init = test_bare, .timeout = 280);

/* --- kinds ------------------------------------------------------------------------------------ */

static memkind_t create_file(size_t size, memkind_mem_usage_policy policy)
{
    struct memkind_config *config = memkind_config_new();
    memkind_t kind;
    int error;

    if (access(DIRECTORY, W_OK) != 0)
        test_skip(DIRECTORY ": %s", strerror(errno));
    cr_assert_not_null(config);
    memkind_config_set_path(config, DIRECTORY);
    memkind_config_set_size(config, size);
    memkind_config_set_memory_usage_policy(config, policy);
    error = memkind_create_pmem_with_config(config, &kind);
    memkind_config_delete(config);
    cr_assert_eq(error, MEMKIND_SUCCESS, "no file kind in " DIRECTORY ": %d", error);
    return kind;
}

/* Over an area that is full of other people's bytes. */
static memkind_t create_fixed(size_t size)
{
    void *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memkind_t kind;

    cr_assert_neq(area, MAP_FAILED);
    memset(area, 0xa5, size);
    cr_assert_eq(memkind_create_fixed(area, size, &kind), MEMKIND_SUCCESS);
    return kind;
}

static memkind_t create(bool file, size_t size)
{
    return file ? create_file(size, MEMKIND_MEM_USAGE_POLICY_DEFAULT) : create_fixed(size);
}

/* --- to the last page ------------------------------------------------------------------------- */

static void fill_with_small_blocks(bool file, size_t size)
{
    struct blocks blocks = blocks_of(create(file, size), 64, 4096);
    /* Of 256 pages, each of the classes has one that is used in part. */
    size_t part = size / TEST_HEAP_PAGE > 256 ? 85 : 80;

    blocks_fill(&blocks);
    EXPECT_FULL(blocks, size, part, "at first");
    for (int turn = 0; turn < 2000; turn++) {
        blocks_drop_some(&blocks, 1 + test_random(&blocks.seed) % 100);
        while (blocks_add(&blocks))
            ;
        EXPECT_FULL(blocks, size, part, "one after the other");
    }
    for (int turn = 0; turn < 10; turn++) {
        blocks_drop_some(&blocks, blocks.count / 3);
        blocks_fill(&blocks);
        EXPECT_FULL(blocks, size, part, "a third of all");
    }
    blocks_drop_some(&blocks, blocks.count);
    blocks.least = blocks.most = 64 * KIB;
    blocks_fill(&blocks);
    EXPECT_FULL(blocks, size, 80, "after small blocks"); /* these land in what holes they find */
    cr_assert_eq(memkind_destroy_kind(blocks.kind), MEMKIND_SUCCESS);
}

Test(page_granular, small_blocks_fill_a_file)
{
    fill_with_small_blocks(true, 64 * MIB);
}

Test(page_granular, small_blocks_fill_a_small_file)
{
    fill_with_small_blocks(true, 16 * MIB);
}

Test(page_granular, small_blocks_fill_an_area)
{
    fill_with_small_blocks(false, 64 * MIB);
}

Test(page_granular, blocks_of_64k_fill_an_area)
{
    struct blocks blocks = blocks_of(create_fixed(256 * MIB), 64 * KIB, 64 * KIB);

    blocks_fill(&blocks);
    EXPECT_FULL(blocks, 256 * MIB, 90, "64 KiB");
}

/* One block after the other as large as the whole, and as small as can be. */
Test(page_granular, sizes_change)
{
    static const size_t sizes[] = {32, 12 * MIB, 20000, 3 * MIB, 500, 300 * KIB, 12 * MIB};

    for (int file = 0; file < 2; file++) {
        memkind_t kind = create(file, 16 * MIB);

        for (size_t i = 0; i < LENGTH(sizes); i++) {
            struct blocks blocks = blocks_of(kind, sizes[i], sizes[i]);

            blocks_fill(&blocks);
            EXPECT_FULL(blocks, 16 * MIB, 70, "same size");
            blocks_drop_some(&blocks, blocks.count);
        }
    }
}

/* A block that no room is left to grow in moves to what was freed. */
Test(page_granular, realloc_at_the_limit)
{
    memkind_t kind = create_fixed(16 * MIB);
    struct blocks blocks = blocks_of(kind, 4096, 4096);
    char *block = memkind_malloc(kind, 100);

    test_fill(block, 100, 1);
    blocks_fill(&blocks);
    cr_assert_null(memkind_realloc(kind, block, 2 * MIB));
    cr_assert(test_holds(block, 100, 1));
    blocks_drop_some(&blocks, blocks.count);
    for (size_t size = 2 * MIB; size <= 6 * MIB; size += 2 * MIB) {
        block = memkind_realloc(kind, block, size);
        cr_assert(block && test_holds(block, 100, 1));
    }
}

/* --- several threads -------------------------------------------------------------------------- */

Test(page_granular, pages_of_another_thread)
{
    for (int file = 0; file < 2; file++) {
        size_t percent = blocks_share(create(file, 64 * MIB), 64 * KIB, 1, 3 * MIB);

        cr_assert_geq(percent, 90, "large blocks: %zu %%", percent);
        percent = blocks_share(create(file, 64 * MIB), 1024, 1, 192 * KIB);
        cr_assert_geq(percent, 90, "small blocks: %zu %%", percent);
    }
}

/* Of every slab of the other thread's arena half is free: no page can go back. */
Test(page_granular, slabs_of_another_thread)
{
    for (int file = 0; file < 2; file++) {
        size_t percent = blocks_share(create(file, 64 * MIB), 1024, 2, 1024);

        cr_assert_geq(percent, 90, "%zu %%", percent);
    }
}

#define THREADS 8

static pthread_barrier_t start;

static void *churn(void *argument)
{
    struct blocks *blocks = argument;

    pthread_barrier_wait(&start);
    for (int turn = 0; turn < (TEST_SANITIZED ? 20 : 80); turn++) {
        while (blocks_add(blocks))
            ;
        blocks_drop_some(blocks, blocks->count / 2 + 1);
    }
    blocks_drop_some(blocks, blocks->count);
    return NULL;
}

/* Threads that all keep hitting the limit do not take each other's blocks. */
static void churn_with_threads(memkind_t kind, size_t size)
{
    struct blocks blocks[THREADS], after = blocks_of(kind, 64 * KIB, 64 * KIB);
    pthread_t threads[THREADS];

    pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        blocks[i] = blocks_of(kind, 64, 30000);
        blocks[i].seed += (uint64_t)i * 77;
        cr_assert_eq(pthread_create(&threads[i], NULL, churn, &blocks[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    blocks_fill(&after);
    EXPECT_FULL(after, size, 80, "after the threads");
}

Test(page_granular, threads_at_the_limit)
{
    churn_with_threads(create_fixed(32 * MIB), 32 * MIB);
    churn_with_threads(create_file(32 * MIB, MEMKIND_MEM_USAGE_POLICY_DEFAULT), 32 * MIB);
    churn_with_threads(create_file(32 * MIB, MEMKIND_MEM_USAGE_POLICY_CONSERVATIVE), 32 * MIB);
}

/* --- zeroes ----------------------------------------------------------------------------------- */

Test(page_granular, calloc_zeroes)
{
    blocks_use_dirty(create_fixed(16 * MIB));
    blocks_use_dirty(create_file(16 * MIB, MEMKIND_MEM_USAGE_POLICY_DEFAULT));
}

/* --- giving back ------------------------------------------------------------------------------ */

/* Bytes of the only file without a name in DIRECTORY that this process has open. */
static size_t file_bytes(void)
{
    DIR *files = opendir("/proc/self/fd");
    size_t bytes = 0;

    cr_assert_not_null(files);
    for (struct dirent *entry; (entry = readdir(files)) != NULL;) {
        char target[4096];
        ssize_t length = readlinkat(dirfd(files), entry->d_name, target, sizeof target - 1);
        struct stat status;

        target[length < 0 ? 0 : length] = '\0';
        if (strncmp(target, DIRECTORY "/", sizeof DIRECTORY) == 0 &&
            fstat(atoi(entry->d_name), &status) == 0 && status.st_nlink == 0)
            bytes += (size_t)status.st_blocks * 512;
    }
    closedir(files);
    return bytes;
}

/* Many kinds of few blocks cost little; a kind of many does not ask for space all the time. */
Test(page_granular, a_file_starts_small)
{
    struct blocks blocks = blocks_of(create_file(0, MEMKIND_MEM_USAGE_POLICY_DEFAULT), 100, 100);

    cr_assert(blocks_add(&blocks));
    cr_assert_leq(file_bytes(), TEST_HEAP_PAGE > 4096 ? 3 * TEST_HEAP_PAGE : 64 * KIB,
                  "%zu KiB for a block", file_bytes() / KIB);
    for (size_t wanted = 1 * MIB; wanted <= 16 * MIB; wanted *= 4) {
        while (blocks.bytes < wanted)
            cr_assert(blocks_add(&blocks));
        cr_assert_leq(file_bytes(), wanted * 5 / 2, "%zu KiB for %zu", file_bytes() / KIB,
                      wanted / KIB);
    }
}

Test(page_granular, conservative_gives_back_at_once)
{
    struct blocks blocks =
        blocks_of(create_file(0, MEMKIND_MEM_USAGE_POLICY_CONSERVATIVE), 40000, 400000);
    /* Slabs that are used in part have some pages each. With pages of 64 KiB there are slabs for
     * twelve of the classes up to 224 KiB. */
    const size_t partly = 11 * MIB / 4 + 64 * TEST_HEAP_PAGE;

    for (int i = 0; i < 100; i++)
        cr_assert(blocks_add(&blocks));
    for (size_t left = 100; left; left -= 20) {
        cr_assert_geq(file_bytes(), blocks.bytes);
        cr_assert_leq(file_bytes(), blocks.bytes * 5 / 4 + partly, "%zu KiB for %zu blocks",
                      file_bytes() / KIB, left);
        blocks_drop_some(&blocks, 20);
    }
    cr_assert_leq(file_bytes(), partly);
}

Test(page_granular, default_gives_back_later)
{
    struct blocks blocks = blocks_of(create_file(0, MEMKIND_MEM_USAGE_POLICY_DEFAULT), 64, 400000);

    for (int i = 0; i < 300; i++)
        cr_assert(blocks_add(&blocks));
    blocks_drop_some(&blocks, blocks.count);
    cr_assert_geq(file_bytes(), 20 * MIB);
    test_decay(blocks.kind);
    cr_assert_leq(file_bytes(), 6 * MIB);
}

Test(page_granular, background_threads_give_back)
{
    struct blocks blocks = blocks_of(create_file(0, MEMKIND_MEM_USAGE_POLICY_DEFAULT), 64, 400000);

    cr_assert_eq(memkind_set_bg_threads(true), MEMKIND_SUCCESS);
    for (int turn = 0; turn < 10; turn++) {
        for (int i = 0; i < 300; i++)
            cr_assert(blocks_add(&blocks));
        blocks_drop_some(&blocks, blocks.count);
        test_jump(30);
    }
    cr_assert_eq(memkind_destroy_kind(blocks.kind), MEMKIND_SUCCESS);
    cr_assert_eq(memkind_set_bg_threads(false), MEMKIND_SUCCESS);
}

/* --- statistics ------------------------------------------------------------------------------- */

/* What a thread keeps at hand is not allocated. */
Test(page_granular, allocated_is_exact)
{
    memkind_t kinds[] = {create_fixed(64 * MIB), MEMKIND_REGULAR};

    for (size_t i = 0; i < LENGTH(kinds); i++) {
        struct blocks blocks = blocks_of(kinds[i], 8, 50000);
        size_t usable = 0, global = test_kind_allocated(NULL);

        for (int j = 0; j < 1000; j++)
            cr_assert(blocks_add(&blocks));
        blocks_drop_some(&blocks, 500);
        for (size_t j = 0; j < blocks.count; j++)
            usable += memkind_malloc_usable_size(kinds[i], blocks.block[j]);
        cr_assert_eq(test_kind_allocated(kinds[i]), usable);
        cr_assert_geq(test_kind_allocated(NULL), global + usable);
        blocks_drop_some(&blocks, blocks.count);
        cr_assert_eq(test_kind_allocated(kinds[i]), 0);
    }
}

/* --- many kinds ------------------------------------------------------------------------------- */

static void make_many(void *argument)
{
    memkind_t kinds[500];
    size_t *made = argument;

    while (*made < LENGTH(kinds)) {
        if (memkind_create_pmem(DIRECTORY, 16 * MIB, &kinds[*made]))
            return;
        if (!memkind_malloc(kinds[*made], 1000))
            return;
        ++*made;
    }
    for (size_t i = 0; i < LENGTH(kinds); i++)
        if (memkind_destroy_kind(kinds[i]))
            *made = 0;
}

Test(page_granular, five_hundred_files)
{
    static const char *const environment[] = {"MEMKIND_ARENA_NUM_PER_KIND=896", NULL};
    size_t *made = test_shared(sizeof *made);
    struct test_child child;

    if (access(DIRECTORY, W_OK) != 0)
        test_skip(DIRECTORY ": %s", strerror(errno));
    test_run_well(&child, make_many, made, environment);
    cr_assert_eq(*made, 500, "%zu kinds", *made);
}

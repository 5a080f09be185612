/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_divisible: what holds of kinds whose pages are scarce: files and fixed areas, which are cut
 * into pieces of any size, and regions of a program's own functions. They can be used to the end,
 * by several threads; what a thread does not use, another gets; zeroed means zeroed; every page
 * goes back.
 */
#include "support.h"

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

TestSuite(divisible, .init = test_bare, .timeout = 280);

/* --- kinds --------------------------------------------------------------------------------------
 */

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

/* --- blocks -------------------------------------------------------------------------------------
 */

#define MOST_BLOCKS ((size_t)1 << 20)

struct blocks {
    memkind_t kind;
    size_t least, most; /* sizes */
    size_t count, bytes;
    uint64_t seed;
    void **block;
    size_t *size;
};

static struct blocks blocks_of(memkind_t kind, size_t least, size_t most)
{
    struct blocks blocks = {.kind = kind, .least = least, .most = most, .seed = 88172645463325252};

    /* Mappings, which end with the test. */
    blocks.block = test_shared(MOST_BLOCKS * sizeof(void *));
    blocks.size = test_shared(MOST_BLOCKS * sizeof(size_t));
    return blocks;
}

static bool add(struct blocks *blocks)
{
    size_t size = blocks->least + test_random(&blocks->seed) % (blocks->most - blocks->least + 1);
    void *block = blocks->count < MOST_BLOCKS ? memkind_malloc(blocks->kind, size) : NULL;

    if (!block)
        return false;
    memset(block, (int)size, size);
    blocks->block[blocks->count] = block;
    blocks->size[blocks->count++] = size;
    blocks->bytes += size;
    return true;
}

/* Allocates until a block is refused. */
static void fill(struct blocks *blocks)
{
    errno = TEST_ERRNO;
    while (add(blocks))
        cr_assert_eq(errno, TEST_ERRNO);
    cr_assert_eq(errno, ENOMEM);
}

static void drop(struct blocks *blocks, size_t at)
{
    unsigned char *block = blocks->block[at];
    size_t size = blocks->size[at];

    cr_assert(block[0] == (unsigned char)size && block[size - 1] == (unsigned char)size);
    memkind_free(blocks->kind, block);
    blocks->bytes -= size;
    blocks->block[at] = blocks->block[--blocks->count];
    blocks->size[at] = blocks->size[blocks->count];
}

static void drop_some(struct blocks *blocks, size_t count)
{
    while (count-- && blocks->count)
        drop(blocks, test_random(&blocks->seed) % blocks->count);
}

#define EXPECT_FULL(BLOCKS, SIZE, PERCENT, WHEN)                                                 \
    cr_assert_geq((BLOCKS).bytes * 100, (SIZE) * (PERCENT), "%s: %zu of %zu MiB, %.1f %%", WHEN, \
                  (BLOCKS).bytes / MIB, (SIZE) / MIB, 100.0 * (double)(BLOCKS).bytes / (SIZE))

/* --- to the last page ---------------------------------------------------------------------------
 */

static void fill_with_small_blocks(bool file, size_t size)
{
    struct blocks blocks = blocks_of(create(file, size), 64, 4096);

    fill(&blocks);
    EXPECT_FULL(blocks, size, 85, "at first");
    for (int turn = 0; turn < 2000; turn++) {
        drop_some(&blocks, 1 + test_random(&blocks.seed) % 100);
        while (add(&blocks))
            ;
        EXPECT_FULL(blocks, size, 85, "one after the other");
    }
    for (int turn = 0; turn < 10; turn++) {
        drop_some(&blocks, blocks.count / 3);
        fill(&blocks);
        EXPECT_FULL(blocks, size, 85, "a third of all");
    }
    drop_some(&blocks, blocks.count);
    blocks.least = blocks.most = 64 * KIB;
    fill(&blocks);
    EXPECT_FULL(blocks, size, 80, "after small blocks"); /* these land in what holes they find */
    cr_assert_eq(memkind_destroy_kind(blocks.kind), MEMKIND_SUCCESS);
}

Test(divisible, small_blocks_fill_a_file)
{
    fill_with_small_blocks(true, 64 * MIB);
}

Test(divisible, small_blocks_fill_a_small_file)
{
    fill_with_small_blocks(true, 16 * MIB);
}

Test(divisible, small_blocks_fill_an_area)
{
    fill_with_small_blocks(false, 64 * MIB);
}

Test(divisible, blocks_of_64k_fill_an_area)
{
    struct blocks blocks = blocks_of(create_fixed(256 * MIB), 64 * KIB, 64 * KIB);

    fill(&blocks);
    EXPECT_FULL(blocks, 256 * MIB, 90, "64 KiB");
}

/* One block after the other as large as the whole, and as small as can be. */
Test(divisible, sizes_change)
{
    static const size_t sizes[] = {32, 12 * MIB, 20000, 3 * MIB, 500, 300 * KIB, 12 * MIB};

    for (int file = 0; file < 2; file++) {
        memkind_t kind = create(file, 16 * MIB);

        for (size_t i = 0; i < LENGTH(sizes); i++) {
            struct blocks blocks = blocks_of(kind, sizes[i], sizes[i]);

            fill(&blocks);
            EXPECT_FULL(blocks, 16 * MIB, 70, "same size");
            drop_some(&blocks, blocks.count);
        }
    }
}

/* A block that no room is left to grow in moves to what was freed. */
Test(divisible, realloc_at_the_limit)
{
    memkind_t kind = create_fixed(16 * MIB);
    struct blocks blocks = blocks_of(kind, 4096, 4096);
    char *block = memkind_malloc(kind, 100);

    test_fill(block, 100, 1);
    fill(&blocks);
    cr_assert_null(memkind_realloc(kind, block, 2 * MIB));
    cr_assert(test_holds(block, 100, 1));
    drop_some(&blocks, blocks.count);
    for (size_t size = 2 * MIB; size <= 6 * MIB; size += 2 * MIB) {
        block = memkind_realloc(kind, block, size);
        cr_assert(block && test_holds(block, 100, 1));
    }
}

/* --- several threads ----------------------------------------------------------------------------
 */

struct pair {
    struct blocks blocks;
    size_t step; /* frees every block, or every other */
    pthread_barrier_t barrier;
};

/* Takes everything, frees, and lives on with its cache and its arena. */
static void *take_and_free(void *argument)
{
    struct pair *pair = argument;

    fill(&pair->blocks);
    for (size_t i = 0; i < pair->blocks.count; i += pair->step)
        memkind_free(pair->blocks.kind, pair->blocks.block[i]);
    pthread_barrier_wait(&pair->barrier);
    pthread_barrier_wait(&pair->barrier);
    return NULL;
}

/* What the calling thread gets, in per cent, of what another has freed. */
static size_t share(memkind_t kind, size_t theirs, size_t step, size_t mine)
{
    struct pair pair = {.blocks = blocks_of(kind, theirs, theirs), .step = step};
    struct blocks blocks = blocks_of(kind, mine, mine);
    pthread_t thread;
    size_t freed;

    cr_assert(add(&blocks)); /* this thread has an arena, and the other gets one of its own */
    pthread_barrier_init(&pair.barrier, NULL, 2);
    cr_assert_eq(pthread_create(&thread, NULL, take_and_free, &pair), 0);
    pthread_barrier_wait(&pair.barrier);
    freed = (pair.blocks.count + step - 1) / step * theirs;
    blocks.bytes = 0;
    fill(&blocks);
    pthread_barrier_wait(&pair.barrier);
    pthread_join(thread, NULL);
    return blocks.bytes * 100 / freed;
}

Test(divisible, pages_of_another_thread)
{
    for (int file = 0; file < 2; file++) {
        size_t percent = share(create(file, 64 * MIB), 64 * KIB, 1, 3 * MIB);

        cr_assert_geq(percent, 90, "large blocks: %zu %%", percent);
        percent = share(create(file, 64 * MIB), 1024, 1, 192 * KIB);
        cr_assert_geq(percent, 90, "small blocks: %zu %%", percent);
    }
}

/* Of every slab of the other thread's arena half is free: no page can go back. */
Test(divisible, slabs_of_another_thread)
{
    for (int file = 0; file < 2; file++) {
        size_t percent = share(create(file, 64 * MIB), 1024, 2, 1024);

        cr_assert_geq(percent, 90, "%zu %%", percent);
    }
}

#define THREADS 8

static pthread_barrier_t start;

static void *churn(void *argument)
{
    struct blocks *blocks = argument;

    pthread_barrier_wait(&start);
    for (int turn = 0; turn < (TEST_SANITIZED ? 30 : 300); turn++) {
        while (add(blocks))
            ;
        drop_some(blocks, blocks->count / 2 + 1);
    }
    drop_some(blocks, blocks->count);
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
    fill(&after);
    EXPECT_FULL(after, size, 80, "after the threads");
}

Test(divisible, threads_at_the_limit)
{
    churn_with_threads(create_fixed(32 * MIB), 32 * MIB);
    churn_with_threads(create_file(32 * MIB, MEMKIND_MEM_USAGE_POLICY_DEFAULT), 32 * MIB);
    churn_with_threads(create_file(32 * MIB, MEMKIND_MEM_USAGE_POLICY_CONSERVATIVE), 32 * MIB);
}

/* --- zeroes -------------------------------------------------------------------------------------
 */

static void use_dirty(memkind_t kind)
{
    static const size_t sizes[] = {8, 100, 4096, 20000, 40000, 300 * KIB, MIB, 3 * MIB + 5};
    static void *blocks[1 << 16];
    uint64_t seed = 99;

    for (int turn = 0; turn < (TEST_THREAD_SANITIZED ? 8 : 20); turn++) {
        size_t count = 0;

        while (count < LENGTH(blocks)) {
            size_t size = sizes[test_random(&seed) % LENGTH(sizes)];
            char *block = memkind_calloc(kind, 1, size);

            if (!block)
                break;
            cr_assert(test_is_zero(block, size), "calloc of %zu bytes, turn %d", size, turn);
            memset(block, 0xa5, memkind_malloc_usable_size(kind, block));
            blocks[count++] = block;
        }
        cr_assert_gt(count, 0);
        /* The largest of all, which the pool has no step for. */
        while (count)
            memkind_free(kind, blocks[--count]);
        if (turn % 4 == 0) {
            char *block = memkind_calloc(kind, 1, 11 * MIB);

            cr_assert(block && test_is_zero(block, 11 * MIB));
            memset(block, 0xa5, 11 * MIB);
            memkind_free(kind, block);
        }
        if (turn % 4 == 1)
            test_decay(kind);
    }
}

Test(divisible, calloc_zeroes)
{
    use_dirty(create_fixed(16 * MIB));
    use_dirty(create_file(16 * MIB, MEMKIND_MEM_USAGE_POLICY_DEFAULT));
}

/* --- giving back --------------------------------------------------------------------------------
 */

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

Test(divisible, conservative_gives_back_at_once)
{
    struct blocks blocks =
        blocks_of(create_file(0, MEMKIND_MEM_USAGE_POLICY_CONSERVATIVE), 40000, 400000);

    for (int i = 0; i < 100; i++)
        cr_assert(add(&blocks));
    for (size_t left = 100; left; left -= 20) {
        cr_assert_geq(file_bytes(), blocks.bytes);
        cr_assert_leq(file_bytes(), blocks.bytes * 5 / 4 + 3 * MIB, "%zu blocks", left);
        drop_some(&blocks, 20);
    }
    cr_assert_leq(file_bytes(), 3 * MIB);
}

Test(divisible, default_gives_back_later)
{
    struct blocks blocks = blocks_of(create_file(0, MEMKIND_MEM_USAGE_POLICY_DEFAULT), 64, 400000);

    for (int i = 0; i < 300; i++)
        cr_assert(add(&blocks));
    drop_some(&blocks, blocks.count);
    cr_assert_geq(file_bytes(), 20 * MIB);
    test_decay(blocks.kind);
    cr_assert_leq(file_bytes(), 6 * MIB);
}

Test(divisible, background_threads_give_back)
{
    struct blocks blocks = blocks_of(create_file(0, MEMKIND_MEM_USAGE_POLICY_DEFAULT), 64, 400000);

    if (TEST_THREAD_SANITIZED)
        test_skip("jemalloc's background threads start without ThreadSanitizer's knowledge");
    cr_assert_eq(memkind_set_bg_threads(true), MEMKIND_SUCCESS);
    for (int turn = 0; turn < 10; turn++) {
        for (int i = 0; i < 300; i++)
            cr_assert(add(&blocks));
        drop_some(&blocks, blocks.count);
        test_jump(30);
    }
    cr_assert_eq(memkind_destroy_kind(blocks.kind), MEMKIND_SUCCESS);
    cr_assert_eq(memkind_set_bg_threads(false), MEMKIND_SUCCESS);
}

/* --- regions of the program's own ---------------------------------------------------------------
 */

/* Slots of 2 MiB, one beside the other: the first that are free. */
#define SLOTS 32
#define SLOT (2 * MIB)

struct regions {
    char *area;
    size_t size[SLOTS]; /* of the region that begins here */
    bool used[SLOTS];
    size_t bytes; /* in use */
    size_t mapped, unmapped;
    const char *wrong;
};

static bool slots_are_free(const struct regions *regions, size_t first, size_t count)
{
    for (size_t at = first; at < first + count; at++)
        if (at >= SLOTS || regions->used[at])
            return false;
    return true;
}

static void *map_region(void *context, size_t size, size_t alignment)
{
    struct regions *regions = context;
    size_t count = size / SLOT;

    if (size % SLOT || alignment % SLOT)
        regions->wrong = "a region of an odd size is asked for";
    for (size_t first = 0; first < SLOTS; first++) {
        char *address = regions->area + first * SLOT;

        if ((uintptr_t)address % alignment || !slots_are_free(regions, first, count))
            continue;
        memset(regions->used + first, true, count);
        memset(address, 0xa5, size);
        regions->size[first] = size;
        regions->bytes += size;
        regions->mapped++;
        return address;
    }
    return NULL;
}

static void unmap_region(void *context, void *address, size_t size)
{
    struct regions *regions = context;
    size_t first = (size_t)((char *)address - regions->area) / SLOT;

    if (first >= SLOTS || (uintptr_t)address % SLOT || !regions->size[first]) {
        regions->wrong = "what is no region, or no more, comes back";
        return;
    }
    if (regions->size[first] != size)
        regions->wrong = "a region comes back in another size";
    memset(regions->used + first, false, regions->size[first] / SLOT);
    regions->bytes -= regions->size[first];
    regions->size[first] = 0;
    regions->unmapped++;
}

static int purge_region(void *context, void *address, size_t size)
{
    (void)context;
    memset(address, 0, size);
    return 0;
}

static memkind_t create_custom(struct regions *regions, bool purges)
{
    struct memkind_page_ops ops = {map_region, unmap_region, purges ? purge_region : NULL};
    char *area = test_shared((SLOTS + 1) * SLOT);
    memkind_t kind;

    *regions = (struct regions){.area = area + (-(uintptr_t)area & (SLOT - 1))};
    cr_assert_eq(memkind_create_custom(&ops, regions, &kind), MEMKIND_SUCCESS);
    return kind;
}

Test(divisible, regions_come_back_once)
{
    for (int purges = 0; purges < 2; purges++) {
        struct regions regions = {.area = NULL};
        memkind_t kind = create_custom(&regions, purges);
        struct blocks blocks = blocks_of(kind, 64, 3 * MIB);

        for (int turn = 0; turn < (TEST_THREAD_SANITIZED ? 15 : 50); turn++) {
            while (add(&blocks))
                ;
            drop_some(&blocks, blocks.count / 2);
            if (turn % 10 == 0)
                test_decay(kind);
            cr_assert_null(regions.wrong, "%s", regions.wrong);
        }
        drop_some(&blocks, blocks.count);
        use_dirty(kind);
        cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
        cr_assert_null(regions.wrong, "%s", regions.wrong);
        cr_assert_gt(regions.mapped, 32);
        cr_assert_eq(regions.mapped, regions.unmapped);
    }
}

/* Nothing is lost beyond an odd size: 64 MiB have room for 25 blocks of 2.5 MiB, in ten regions of
 * 6 MiB and what is left of them. */
Test(divisible, regions_are_used_in_full)
{
    struct regions regions = {.area = NULL};
    struct blocks large = blocks_of(create_custom(&regions, false), 5 * MIB / 2, 5 * MIB / 2);
    struct blocks small = blocks_of(large.kind, 64 * KIB, 64 * KIB);

    fill(&large);
    fill(&small);
    cr_assert_geq(large.bytes + small.bytes, 63 * MIB, "%zu KiB",
                  (large.bytes + small.bytes) / KIB);
    cr_assert_null(regions.wrong, "%s", regions.wrong);
    cr_assert_eq(memkind_destroy_kind(large.kind), MEMKIND_SUCCESS);
}

/* Without purge by decay. */
Test(divisible, unused_regions_come_back)
{
    struct regions regions = {.area = NULL};
    struct blocks blocks = blocks_of(create_custom(&regions, false), 2 * MIB, 2 * MIB);

    fill(&blocks);
    drop_some(&blocks, blocks.count);
    test_decay(blocks.kind);
    cr_assert_leq(regions.bytes, 8 * MIB, "%zu MiB", regions.bytes / MIB);
    memkind_destroy_kind(blocks.kind);
}

/* To another thread they come at the latest when it would get nothing. */
Test(divisible, regions_of_another_thread)
{
    static const struct {
        size_t theirs, step, mine;
    } sizes[] = {{5 * MIB / 2, 1, 10 * MIB}, {100 * KIB, 1, 10 * MIB}, {1000, 2, 1000}};

    for (size_t i = 0; i < 2 * LENGTH(sizes); i++) {
        struct regions regions = {.area = NULL};
        memkind_t kind = create_custom(&regions, i % 2);
        size_t percent = share(kind, sizes[i / 2].theirs, sizes[i / 2].step, sizes[i / 2].mine);

        cr_assert_geq(percent, 75, "%zu: %zu %%", i, percent);
        cr_assert_null(regions.wrong, "%s", regions.wrong);
        memkind_destroy_kind(kind);
    }
}

/* A map() that gives what is a live kind's, be it another one's or its own: whoever has it keeps
 * it, and does not lose it by an unmap() either. */
static void *map_the_first(void *context, size_t size, size_t alignment)
{
    struct regions *regions = context;

    regions->mapped++;
    return (uintptr_t)regions->area % alignment || size > SLOTS * SLOT ? NULL : regions->area;
}

static void map_again(void *argument)
{
    struct regions regions = {.area = NULL}, thief;
    struct memkind_page_ops ops = {map_the_first, unmap_region, NULL};
    memkind_t owner = create_custom(&regions, false), kind;
    struct blocks blocks = blocks_of(owner, 64, 3 * MIB);
    bool *well = argument;

    thief = (struct regions){.area = regions.area};
    fill(&blocks);
    *well = memkind_create_custom(&ops, &thief, &kind) == MEMKIND_SUCCESS;
    errno = 0;
    *well &= !memkind_malloc(kind, 100) && errno == ENOMEM && thief.mapped;
    *well &= !memkind_malloc(kind, 5 * MIB);
    *well &= memkind_destroy_kind(kind) == MEMKIND_SUCCESS && !thief.wrong && !thief.unmapped;
    drop_some(&blocks, blocks.count);
    *well &= memkind_destroy_kind(owner) == MEMKIND_SUCCESS && !regions.wrong;
    *well &= regions.mapped == regions.unmapped;
}

Test(divisible, a_region_of_a_live_kind_is_refused)
{
    static const char *const environment[] = {"MEMKIND_DEBUG=1", NULL};
    bool *well = test_shared(sizeof *well);
    struct test_child child;

    test_run_well(&child, map_again, well, environment);
    cr_expect(*well);
    cr_expect(test_line(child.errors, "custom: a part of [0-9]+ bytes at 0x[0-9a-f]+ belongs to a "
                                      "live kind"));
}

/* --- statistics ---------------------------------------------------------------------------------
 */

static size_t allocated(memkind_t kind)
{
    size_t value;

    cr_assert_eq(memkind_update_cached_stats(), MEMKIND_SUCCESS);
    cr_assert_eq(memkind_get_stat(kind, MEMKIND_STAT_TYPE_ALLOCATED, &value), MEMKIND_SUCCESS);
    return value;
}

/* What a thread keeps at hand is not allocated. */
Test(divisible, allocated_is_exact)
{
    memkind_t kinds[] = {create_fixed(64 * MIB), MEMKIND_REGULAR};

    for (size_t i = 0; i < LENGTH(kinds); i++) {
        struct blocks blocks = blocks_of(kinds[i], 8, 50000);
        size_t usable = 0, global = allocated(NULL);

        for (int j = 0; j < 1000; j++)
            cr_assert(add(&blocks));
        drop_some(&blocks, 500);
        for (size_t j = 0; j < blocks.count; j++)
            usable += memkind_malloc_usable_size(kinds[i], blocks.block[j]);
        cr_assert_eq(allocated(kinds[i]), usable);
        cr_assert_geq(allocated(NULL), global + usable);
        drop_some(&blocks, blocks.count);
        cr_assert_eq(allocated(kinds[i]), 0);
    }
}

/* --- many kinds ---------------------------------------------------------------------------------
 */

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

Test(divisible, five_hundred_files)
{
    static const char *const environment[] = {"MEMKIND_ARENA_NUM_PER_KIND=896", NULL};
    size_t *made = test_shared(sizeof *made);
    struct test_child child;

    if (access(DIRECTORY, W_OK) != 0)
        test_skip(DIRECTORY ": %s", strerror(errno));
    test_run_well(&child, make_many, made, environment);
    cr_assert_eq(*made, 500, "%zu kinds", *made);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_regions: regions of the program's own functions (memkind_create_custom()). Each comes back
 * once, whole, and at the latest when another thread would get nothing; nothing is lost beyond an
 * odd size; what is no region of its own is refused; functions that call the library get an answer.
 */
#include "blocks.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(regions, .init = test_bare, .timeout = 280);

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

static struct regions make_regions(void)
{
    char *area = test_shared((SLOTS + 1) * SLOT);

    return (struct regions){.area = area + (-(uintptr_t)area & (SLOT - 1))};
}

static memkind_t create_custom(struct regions *regions, bool purges)
{
    struct memkind_page_ops ops = {map_region, unmap_region, purges ? purge_region : NULL};
    memkind_t kind;

    *regions = make_regions();
    cr_assert_eq(memkind_create_custom(&ops, regions, &kind), MEMKIND_SUCCESS);
    return kind;
}

Test(regions, regions_come_back_once)
{
    for (int purges = 0; purges < 2; purges++) {
        struct regions regions = {.area = NULL};
        memkind_t kind = create_custom(&regions, purges);
        struct blocks blocks = blocks_of(kind, 64, 3 * MIB);

        for (int turn = 0; turn < (TEST_THREAD_SANITIZED ? 15 : 50); turn++) {
            while (blocks_add(&blocks))
                ;
            blocks_drop_some(&blocks, blocks.count / 2);
            if (turn % 10 == 0)
                test_decay(kind);
            cr_assert_null(regions.wrong, "%s", regions.wrong);
        }
        blocks_drop_some(&blocks, blocks.count);
        blocks_use_dirty(kind);
        cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
        cr_assert_null(regions.wrong, "%s", regions.wrong);
        cr_assert_gt(regions.mapped, TEST_THREAD_SANITIZED ? 8 : 32); /* of fewer turns */
        cr_assert_eq(regions.mapped, regions.unmapped);
    }
}

/* Nothing is lost beyond an odd size: 64 MiB have room for 25 blocks of 2.5 MiB, in ten regions of
 * 6 MiB and what is left of them. */
Test(regions, regions_are_used_in_full)
{
    struct regions regions = {.area = NULL};
    struct blocks large = blocks_of(create_custom(&regions, false), 5 * MIB / 2, 5 * MIB / 2);
    struct blocks small = blocks_of(large.kind, 64 * KIB, 64 * KIB);

    blocks_fill(&large);
    blocks_fill(&small);
    cr_assert_geq(large.bytes + small.bytes, (test_tbb() ? 62 : 63) * MIB, "%zu KiB",
                  (large.bytes + small.bytes) / KIB);
    cr_assert_null(regions.wrong, "%s", regions.wrong);
    cr_assert_eq(memkind_destroy_kind(large.kind), MEMKIND_SUCCESS);
}

/* Without purge by decay. */
Test(regions, unused_regions_come_back)
{
    struct regions regions = {.area = NULL};
    struct blocks blocks = blocks_of(create_custom(&regions, false), 2 * MIB, 2 * MIB);

    blocks_fill(&blocks);
    blocks_drop_some(&blocks, blocks.count);
    test_decay(blocks.kind);
    cr_assert_leq(regions.bytes, 8 * MIB, "%zu MiB", regions.bytes / MIB);
    memkind_destroy_kind(blocks.kind);
}

/* To another thread they come at the latest when it would get nothing. */
Test(regions, regions_of_another_thread)
{
    static const struct {
        size_t theirs, step, mine;
    } sizes[] = {{5 * MIB / 2, 1, 10 * MIB}, {100 * KIB, 1, 10 * MIB}, {1000, 2, 1000}};

    /* A slab of libtbbmalloc's is its thread's as long as that lives. */
    for (size_t i = 0; i < 2 * (LENGTH(sizes) - test_tbb()); i++) {
        struct regions regions = {.area = NULL};
        memkind_t kind = create_custom(&regions, i % 2);
        size_t percent =
            blocks_share(kind, sizes[i / 2].theirs, sizes[i / 2].step, sizes[i / 2].mine);

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
    blocks_fill(&blocks);
    *well = memkind_create_custom(&ops, &thief, &kind) == MEMKIND_SUCCESS;
    errno = 0;
    *well &= !memkind_malloc(kind, 100) && errno == ENOMEM && thief.mapped;
    *well &= !memkind_malloc(kind, 5 * MIB);
    *well &= memkind_destroy_kind(kind) == MEMKIND_SUCCESS && !thief.wrong && !thief.unmapped;
    blocks_drop_some(&blocks, blocks.count);
    *well &= memkind_destroy_kind(owner) == MEMKIND_SUCCESS && !regions.wrong;
    *well &= regions.mapped == regions.unmapped;
}

Test(regions, a_region_of_a_live_kind_is_refused)
{
    static const char *const environment[] = {"MEMKIND_DEBUG=1", NULL};
    bool *well = test_shared(sizeof *well);
    struct test_child child;

    test_run_well(&child, map_again, well, environment);
    cr_expect(*well);
    cr_expect(test_line(child.errors, "custom: some of the [0-9]+ bytes at 0x[0-9a-f]+ belong to a "
                                      "live kind"));
}

/* --- what is no region ------------------------------------------------------------------------ */

static char *no_region; /* what map() returns, instead of a region */
static size_t no_region_unmapped;

static void *map_nothing(void *context, size_t size, size_t alignment)
{
    (void)context, (void)size, (void)alignment;
    return no_region;
}

static void unmap_nothing(void *context, void *address, size_t size)
{
    (void)context, (void)size;
    no_region_unmapped += (char *)address == no_region;
}

static void use_no_region(void *argument)
{
    struct memkind_page_ops ops = {map_nothing, unmap_nothing, NULL};
    bool *well = argument;
    memkind_t kind;

    *well = memkind_create_custom(&ops, NULL, &kind) == MEMKIND_SUCCESS;
    for (size_t size = 100; size < 10 * MIB; size *= 300) {
        errno = 0;
        *well &= !memkind_malloc(kind, size) && errno == ENOMEM;
    }
    *well &= (no_region_unmapped != 0) == (no_region != NULL);
    *well &= memkind_destroy_kind(kind) == MEMKIND_SUCCESS;
}

Test(regions, what_is_no_region_is_refused)
{
    static const char *const environment[] = {"MEMKIND_DEBUG=1", NULL};
    char *area = test_shared(2 * SLOT), *last = (char *)(-(uintptr_t)SLOT);
    const struct {
        char *address;
        const char *line;
    } wrong[] = {
        {NULL, "cannot map a region"},
        {area + (-(uintptr_t)area & (SLOT - 1)) + 4096, "is not aligned"},
        {(char *)((uintptr_t)1 << 48) - SLOT, "is not mapped|beyond the address space"},
        {last, "beyond the address space"},
        {(char *)((uintptr_t)1 << 60), "beyond the address space"},
        {(char *)((uintptr_t)1 << 46), "is not mapped"},
    };
    bool *well = test_shared(sizeof *well);
    struct test_child child;

    /* The last row is not for sanitizers: they reserve most addresses for themselves. */
    for (size_t i = 0; i < LENGTH(wrong) - (TEST_SANITIZED ? 1 : 0); i++) {
        no_region = wrong[i].address;
        test_run_well(&child, use_no_region, well, environment);
        cr_expect(*well, "row %zu", i);
        cr_expect(test_line(child.errors, wrong[i].line), "row %zu: %s", i, child.errors);
    }
}

/* --- a region, and then what lies across it --------------------------------------------------- */

static char *real_region;
static size_t real_unmapped;

static void *map_across(void *context, size_t size, size_t alignment)
{
    if (real_region)
        return real_region + 4096;
    real_region = map_region(context, size, alignment);
    return real_region;
}

static void unmap_across(void *context, void *address, size_t size)
{
    (void)context, (void)size;
    real_unmapped += address != real_region;
}

static void use_across(void *argument)
{
    struct memkind_page_ops ops = {map_across, unmap_across, NULL};
    struct regions regions = make_regions();
    bool *well = argument;
    memkind_t kind;

    *well = memkind_create_custom(&ops, &regions, &kind) == MEMKIND_SUCCESS;
    for (size_t bytes = 0; bytes < 16 * SLOT && memkind_malloc(kind, SLOT / 8); bytes += SLOT / 8)
        continue;
    *well &= real_region && memkind_destroy_kind(kind) == MEMKIND_SUCCESS && !real_unmapped;
}

/* It is not aligned, but to unmap it would be to unmap what the kind has. */
Test(regions, what_lies_across_a_region_is_not_unmapped)
{
    static const char *const environment[] = {"MEMKIND_DEBUG=1", NULL};
    bool *well = test_shared(sizeof *well);
    struct test_child child;

    test_run_well(&child, use_across, well, environment);
    cr_expect(*well);
    cr_expect(test_line(child.errors, "is not aligned"));
}

/* --- a function that forks -------------------------------------------------------------------- */

static size_t forks;

static void *map_and_fork(void *context, size_t size, size_t alignment)
{
    pid_t child = fork();
    int status = -1;

    if (child == 0) {
        void *block = memkind_malloc(MEMKIND_DEFAULT, 100);

        _exit(block == NULL);
    }
    forks += waitpid(child, &status, 0) == child && status == 0;
    return map_region(context, size, alignment);
}

static void use_forking(void *argument)
{
    struct memkind_page_ops ops = {map_and_fork, unmap_region, purge_region};
    struct regions regions = make_regions();
    bool *well = argument;
    memkind_t kind;

    alarm(20);
    *well = memkind_create_custom(&ops, &regions, &kind) == MEMKIND_SUCCESS;
    *well &= memkind_malloc(kind, 100) && forks > 0;
    *well &= memkind_destroy_kind(kind) == MEMKIND_SUCCESS;
}

/* It must not, but nobody waits for himself. */
Test(regions, a_function_that_forks_does_not_hang)
{
    bool *well = test_shared(sizeof *well);
    struct test_child child;

    test_run_well(&child, use_forking, well, NULL);
    cr_expect(*well);
}

/* --- functions that call the library ---------------------------------------------------------- */

static memkind_t calling, elsewhere;
static char *before[3]; /* blocks of both kinds */
static size_t calls, refusals;

/* Everything that takes a lock. */
static void call(void)
{
    memkind_t other;
    size_t size;
    void *block;

    calls++;
    memkind_free(calling, memkind_malloc(calling, 100));
    memkind_free(NULL, memkind_malloc(calling, 5 * MIB));
    block = memkind_malloc(elsewhere, 64);
    if (block)
        memset(block, 1, 64);
    memkind_free(elsewhere, memkind_realloc(elsewhere, block, 3000));
    memkind_free(calling, memkind_calloc(calling, 10, 10));
    memkind_free(NULL, memkind_defrag_reallocate(calling, before[0]));
    memkind_free(NULL, before[1]);
    memkind_free(calling, before[2]);
    before[1] = before[2] = NULL;
    (void)memkind_detect_kind(before[0]);
    refusals += memkind_create_kind(MEMKIND_MEMTYPE_DEFAULT, MEMKIND_POLICY_PREFERRED_LOCAL, 0,
                                    &other) == MEMKIND_ERROR_OPERATION_FAILED;
    refusals += memkind_destroy_kind(elsewhere) == MEMKIND_ERROR_OPERATION_FAILED;
    refusals += memkind_update_cached_stats() == MEMKIND_ERROR_OPERATION_FAILED;
    refusals +=
        memkind_get_stat(NULL, MEMKIND_STAT_TYPE_ACTIVE, &size) == MEMKIND_ERROR_OPERATION_FAILED;
}

static void *map_and_call(void *context, size_t size, size_t alignment)
{
    call();
    return map_region(context, size, alignment);
}

static void unmap_and_call(void *context, void *address, size_t size)
{
    call();
    unmap_region(context, address, size);
}

static int purge_and_call(void *context, void *address, size_t size)
{
    call();
    return purge_region(context, address, size);
}

static void use_calling(void *argument)
{
    struct memkind_page_ops ops = {map_and_call, unmap_and_call, purge_and_call};
    struct regions regions = make_regions();
    struct blocks blocks;
    bool *well = argument;

    *well = test_create_kind((memkind_bits_t)0, &elsewhere) == MEMKIND_SUCCESS &&
            memkind_create_custom(&ops, &regions, &calling) == MEMKIND_SUCCESS;
    before[2] = memkind_malloc(elsewhere, 64);
    before[0] = memkind_malloc(calling, 100);
    before[1] = memkind_malloc(calling, 100);
    blocks = blocks_of(calling, 64, 3 * MIB);
    for (int turn = 0; turn < 10; turn++) {
        blocks_fill(&blocks);
        blocks_drop_some(&blocks, blocks.count);
        test_decay(calling);
    }
    *well &= memkind_destroy_kind(calling) == MEMKIND_SUCCESS;
    *well &= memkind_destroy_kind(elsewhere) == MEMKIND_SUCCESS;
    *well &= !regions.wrong && regions.mapped == regions.unmapped;
    *well &= calls > 20 && refusals == 4 * calls;
}

Test(regions, functions_that_call_the_library_are_refused)
{
    bool *well = test_shared(sizeof *well);
    struct test_child child;

    test_run_well(&child, use_calling, well, NULL);
    cr_expect(*well);
}

static void *map_and_free(void *context, size_t size, size_t alignment)
{
    memkind_free(NULL, before[0]);
    before[0] = NULL;
    return map_region(context, size, alignment);
}

/* With MEMKIND_CHECK=2 freed blocks are held, up to 16 MiB, and the oldest go back with a free. */
static void free_while_mapping(void *argument)
{
    struct memkind_page_ops ops = {map_and_free, unmap_region, NULL};
    struct regions regions = make_regions();
    void *held[15];
    size_t allocated = 1;
    bool *well = argument;

    *well = test_create_kind((memkind_bits_t)0, &elsewhere) == MEMKIND_SUCCESS;
    before[0] = memkind_malloc(elsewhere, 5 * MIB);
    for (size_t i = 0; i < LENGTH(held); i++)
        held[i] = memkind_malloc(elsewhere, MIB);
    for (size_t i = 0; i < LENGTH(held); i++)
        memkind_free(NULL, held[i]);
    *well &= memkind_create_custom(&ops, &regions, &calling) == MEMKIND_SUCCESS;
    memkind_free(calling, memkind_malloc(calling, 3 * MIB));
    *well &= !before[0] && memkind_update_cached_stats() == MEMKIND_SUCCESS;
    (void)memkind_get_stat(elsewhere, MEMKIND_STAT_TYPE_ALLOCATED, &allocated);
    *well &= allocated == 0;
}

Test(regions, what_a_function_frees_keeps_no_other_block)
{
    const char *const environment[] = {"MEMKIND_CHECK=2", NULL};
    bool *well = test_shared(sizeof *well);
    struct test_child child;

    test_run_well(&child, free_while_mapping, well, environment);
    cr_expect(*well);
}

/* --- a kind at its limit ---------------------------------------------------------------------- */

#define CHURNERS 3
#define HELD 100

static memkind_t capped;
static pthread_mutex_t regions_lock = PTHREAD_MUTEX_INITIALIZER;

static void *map_locked(void *context, size_t size, size_t alignment)
{
    void *region;

    pthread_mutex_lock(&regions_lock);
    region = map_region(context, size, alignment);
    pthread_mutex_unlock(&regions_lock);
    return region;
}

static void unmap_locked(void *context, void *address, size_t size)
{
    pthread_mutex_lock(&regions_lock);
    unmap_region(context, address, size);
    pthread_mutex_unlock(&regions_lock);
}

static void *churn(void *argument)
{
    uint64_t state = (uintptr_t)argument;
    size_t refused = 0;
    void *held[HELD] = {NULL};

    for (int i = 0; i < 20000; i++) {
        size_t slot = test_random(&state) % HELD;
        size_t most = test_random(&state) % 40 ? 9000 : 1200 * KIB;

        memkind_free(NULL, held[slot]);
        held[slot] = memkind_malloc(capped, test_random(&state) % most + 1);
        refused += !held[slot];
    }
    for (size_t slot = 0; slot < HELD; slot++)
        memkind_free(NULL, held[slot]);
    return (void *)refused;
}

/* Three times 100 blocks are 6 MiB; there are 48, in pieces that suit nobody. */
Test(regions, a_capped_kind_serves_what_there_is)
{
    struct memkind_page_ops ops = {map_locked, unmap_locked, NULL};
    struct regions regions = make_regions();
    pthread_t thread[CHURNERS];

    memset(regions.used + 24, true, SLOTS - 24);
    cr_assert_eq(memkind_create_custom(&ops, &regions, &capped), MEMKIND_SUCCESS);
    for (uintptr_t i = 0; i < CHURNERS; i++)
        cr_assert_eq(pthread_create(&thread[i], NULL, churn, (void *)(i + 1)), 0);
    for (size_t i = 0; i < CHURNERS; i++) {
        void *refused;

        pthread_join(thread[i], &refused);
        cr_expect_eq((uintptr_t)refused, 0, "%zu times NULL", (size_t)refused);
    }
    cr_expect_null(regions.wrong, "%s", regions.wrong);
    cr_expect_eq(memkind_destroy_kind(capped), MEMKIND_SUCCESS);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_regions: regions of the program's own functions (memkind_create_custom()). Each comes back
 * once, whole, and at the latest when another thread would get nothing; nothing is lost beyond an
 * odd size; what a map() gives of a live kind's memory is refused.
 */
#include "blocks.h"

#include <errno.h>
#include <string.h>

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

static memkind_t create_custom(struct regions *regions, bool purges)
{
    struct memkind_page_ops ops = {map_region, unmap_region, purges ? purge_region : NULL};
    char *area = test_shared((SLOTS + 1) * SLOT);
    memkind_t kind;

    *regions = (struct regions){.area = area + (-(uintptr_t)area & (SLOT - 1))};
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
        cr_assert_gt(regions.mapped, 32);
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
    cr_assert_geq(large.bytes + small.bytes, 63 * MIB, "%zu KiB",
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

    for (size_t i = 0; i < 2 * LENGTH(sizes); i++) {
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

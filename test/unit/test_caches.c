/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_caches: what a thread's caches hold under the heap manager JEMALLOC, as the manual bounds
 * it, and what gets into them. Looks into the caches, so it is linked to the static library.
 */
#include "support.h"

#include "backend_jemalloc/fast.h"
#include "frontend/registry.h"

#include <stdlib.h>

#define LARGEST ((size_t)32 * KIB) /* that is cached */

TestSuite(caches, .init = test_bare, .timeout = 60);

/* --- looking inside --------------------------------------------------------------------------- */

static struct jem_bins *cache_of(memkind_t kind)
{
    unsigned slot = kind->heap.slot;

    cr_assert(slot && slot < jem_thread_now->slots);
    return jem_thread_now->cache[slot];
}

static size_t count(const struct jem_bin *bin)
{
    return (size_t)(bin->empty - atomic_load(&bin->head));
}

static size_t bytes_in(memkind_t kind)
{
    struct jem_bins *cache = cache_of(kind);
    size_t bytes = 0;

    for (size_t i = 0; i < JEM_BINS_MOST; i++)
        for (void **at = atomic_load(&cache->of[i].head); at < cache->of[i].empty; at++)
            bytes += memkind_malloc_usable_size(NULL, *at);
    return bytes;
}

static const struct jem_bin *bin_of(memkind_t kind, size_t size)
{
    return (struct jem_bin *)((char *)cache_of(kind) + jem_bin_offset[(size - 1) / 8]);
}

/* --- use -------------------------------------------------------------------------------------- */

/* Allocates so many blocks and frees them all, again and again. */
static void breathe(memkind_t kind, size_t size, size_t blocks, int times)
{
    static void *held[32 * KIB];

    cr_assert_leq(blocks, LENGTH(held));
    while (times--) {
        for (size_t i = 0; i < blocks; i++)
            cr_assert_not_null(held[i] = memkind_malloc(kind, size));
        for (size_t i = 0; i < blocks; i++)
            memkind_free(kind, held[i]);
    }
}

/* All sizes that are cached, often enough for each to get all the room it can. */
static void breathe_all(memkind_t kind)
{
    for (size_t size = 8; size <= LARGEST; size += size < 128 ? 8 : size / 8)
        breathe(kind, size, MIB / 4 / size, 12);
}

/* So many looks for unused blocks. */
static void allocate_others(memkind_t kind, int looks)
{
    for (long i = 0; i < (long)looks * JEM_CALLS_BETWEEN * JEM_LOOKS_BETWEEN; i++)
        memkind_free(kind, memkind_malloc(kind, 1000));
}

/* --- bounds ----------------------------------------------------------------------------------- */

Test(caches, bounded)
{
    size_t bytes;

    breathe_all(MEMKIND_REGULAR);
    bytes = bytes_in(MEMKIND_REGULAR);
    cr_expect_gt(bytes, MIB, "%zu bytes: the caches are used", bytes);
    cr_expect_leq(bytes, JEM_CACHE_MOST, "%zu bytes", bytes);
}

static memkind_t create(memkind_mem_usage_policy policy, size_t limit)
{
    struct memkind_config *config = memkind_config_new();
    memkind_t kind = NULL;

    memkind_config_set_path(config, "/dev/shm");
    memkind_config_set_size(config, limit);
    memkind_config_set_memory_usage_policy(config, policy);
    cr_assert_eq(memkind_create_pmem_with_config(config, &kind), MEMKIND_SUCCESS);
    memkind_config_delete(config);
    return kind;
}

Test(caches, conservative_is_little)
{
    memkind_t kind = create(MEMKIND_MEM_USAGE_POLICY_CONSERVATIVE, 0);
    size_t bytes;

    breathe_all(kind);
    for (size_t size = 8; size <= LARGEST; size += size < 128 ? 8 : size / 8)
        breathe(kind, size, 8, 1);
    bytes = bytes_in(kind);
    cr_expect_gt(bytes, 16 * KIB, "%zu bytes: there is a cache", bytes);
    cr_expect_leq(bytes, JEM_CACHE_LITTLE, "%zu bytes", bytes);
    memkind_destroy_kind(kind);
}

/* A small kind's blocks are not for one thread's cache. */
Test(caches, limited_grow_little)
{
    memkind_t kind = create(MEMKIND_MEM_USAGE_POLICY_DEFAULT, 16 * MIB);
    size_t bytes;

    breathe_all(kind);
    bytes = bytes_in(kind);
    cr_expect_leq(bytes, MIB, "%zu bytes", bytes);
    memkind_destroy_kind(kind);
}

/* --- growth, and giving back ------------------------------------------------------------------ */

Test(caches, grow_for_what_breathes)
{
    breathe(MEMKIND_REGULAR, 64, 600, 8);
    cr_expect_geq(count(bin_of(MEMKIND_REGULAR, 64)), 600);
}

/* Who only frees has no use for blocks: some room, for larger exchanges with arenas. */
Test(caches, stay_small_for_what_leaves)
{
    static void *held[20000];

    for (size_t i = 0; i < LENGTH(held); i++)
        held[i] = memkind_malloc(MEMKIND_REGULAR, 64);
    for (size_t i = 0; i < LENGTH(held); i++)
        memkind_free(MEMKIND_REGULAR, held[i]);
    cr_expect_leq(count(bin_of(MEMKIND_REGULAR, 64)) * 64, 128 * KIB);
}

Test(caches, unused_blocks_go_back)
{
    const struct jem_bin *bin;

    breathe(MEMKIND_REGULAR, 64, 600, 8);
    breathe(MEMKIND_REGULAR, 20 * KIB, 16, 8);
    bin = bin_of(MEMKIND_REGULAR, 64);
    cr_assert_geq(count(bin), 600);
    allocate_others(MEMKIND_REGULAR, 10);
    cr_expect_leq(count(bin), 2);
    cr_expect_leq((size_t)(bin->empty - bin->full), 64, "its room shrinks");
    cr_expect_leq(bytes_in(MEMKIND_REGULAR), 32 * KIB, "nor are large ones kept");
}

/* A thread that only frees looks at what is unused, too. */
Test(caches, frees_are_counted)
{
    enum { BLOCKS = 100000 };
    static void *blocks[BLOCKS];
    unsigned looks;

    for (size_t i = 0; i < BLOCKS; i++)
        cr_assert_not_null(blocks[i] = memkind_malloc(MEMKIND_REGULAR, 64));
    looks = jem_thread_now->looks;
    for (size_t i = 0; i < BLOCKS; i++)
        memkind_free(MEMKIND_REGULAR, blocks[i]);
    looks = jem_thread_now->looks - looks;
    cr_expect_geq(looks, BLOCKS / JEM_CALLS_BETWEEN / 2, "%u looks", looks);
}

/* Each look is at one cache; all come in turn. */
Test(caches, every_kind_is_looked_at)
{
    breathe(MEMKIND_REGULAR, 64, 600, 8);
    breathe(MEMKIND_DEFAULT, 64, 600, 8);
    allocate_others(MEMKIND_DEFAULT, 20);
    cr_expect_leq(count(bin_of(MEMKIND_REGULAR, 64)), 2);
    cr_expect_leq(count(bin_of(MEMKIND_DEFAULT, 64)), 2);
}

/* What a thread has used since the last look it will use again. */
Test(caches, used_blocks_stay)
{
    size_t before;

    breathe(MEMKIND_REGULAR, 64, 600, 8);
    cr_assert_eq(memkind_update_cached_stats(), MEMKIND_SUCCESS);
    breathe(MEMKIND_REGULAR, 64, count(bin_of(MEMKIND_REGULAR, 64)), 1);
    before = count(bin_of(MEMKIND_REGULAR, 64));
    cr_assert_geq(before, 600);
    cr_assert_eq(memkind_update_cached_stats(), MEMKIND_SUCCESS);
    cr_expect_eq(count(bin_of(MEMKIND_REGULAR, 64)), before);
}

Test(caches, statistics_give_back)
{
    breathe(MEMKIND_REGULAR, 64, 600, 8);
    for (int i = 0; i < 10; i++)
        cr_assert_eq(memkind_update_cached_stats(), MEMKIND_SUCCESS);
    cr_expect_leq(count(bin_of(MEMKIND_REGULAR, 64)), 2);
}

/* --- what gets in ----------------------------------------------------------------------------- */

Test(caches, only_blocks)
{
    char *block = memkind_malloc(MEMKIND_REGULAR, 64);
    char *large = memkind_malloc(MEMKIND_REGULAR, 4 * MIB);
    void *beyond = (void *)((uintptr_t)block | (uintptr_t)1 << 60);
    size_t before = bytes_in(MEMKIND_REGULAR), blocks = count(bin_of(MEMKIND_REGULAR, 64));

    memkind_free(NULL, block + 16);
    memkind_free(NULL, beyond);
    memkind_free(MEMKIND_REGULAR, beyond);
    memkind_free(NULL, &before);
    memkind_free(MEMKIND_REGULAR, &before);
    memkind_free(NULL, large + 4096);
    cr_expect_eq(bytes_in(MEMKIND_REGULAR), before);
    cr_expect_eq(count(bin_of(MEMKIND_REGULAR, 64)), blocks);
    cr_expect_eq(memkind_malloc_usable_size(NULL, beyond), 0);
    cr_expect_eq(memkind_malloc_usable_size(NULL, block + 16), 0);
    cr_expect_eq(memkind_realloc(NULL, block + 16, 64), NULL);
    memkind_free(NULL, large);
    memkind_free(NULL, block);
    cr_expect_eq(bytes_in(MEMKIND_REGULAR), before + 64);
}

/* The other heap manager's threads have no table of caches to look into. */
Test(caches, none_with_tbb)
{
    void *block;

    cr_assert_eq(setenv("MEMKIND_HEAP_MANAGER", "TBB", 1), 0);
    block = memkind_calloc(MEMKIND_REGULAR, 1, 64);
    cr_assert_not_null(block);
    cr_expect_eq(jem_thread_now->slots, 0);
    cr_expect_eq(jem_fast_size(block), 0);
    cr_expect_eq(jem_fast_free(&MEMKIND_REGULAR->heap, block), false);
    cr_expect_eq(jem_fast_free_unknown(block), false);
    memkind_free(MEMKIND_REGULAR, block);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_cxx_resource: a kind as a std::pmr::memory_resource. Every block is of the kind, aligned as
 * it was asked for, and all of them go back.
 */
#include "support.h"

#include <cstdint>
#include <map>
#include <memkind_resource.h>
#include <memory_resource>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

TestSuite(cxx_resource, .timeout = 120);

static bool is_aligned(const void *block, size_t alignment)
{
    return reinterpret_cast<uintptr_t>(block) % alignment == 0;
}

/* A kind of its own, so that what it has allocated is the test's alone. */
static memkind_t make_kind()
{
    memkind_t kind = nullptr;

    cr_assert_eq(memkind_create_nodes("all", MEMKIND_POLICY_BIND_ALL, memkind_bits_t(0), &kind),
                 MEMKIND_SUCCESS);
    return kind;
}

static size_t allocated(memkind_t kind)
{
    size_t value = 0;

    cr_assert_eq(memkind_update_cached_stats(), 0);
    cr_assert_eq(memkind_get_stat(kind, MEMKIND_STAT_TYPE_ALLOCATED, &value), 0);
    return value;
}

Test(cxx_resource, sizes_and_alignments)
{
    const memkind_t kind = make_kind();
    libmemkind::resource resource(kind);

    cr_assert_eq(resource.kind(), kind);
    for (size_t size : {0, 1, 8, 9, 24, 100, 4096, 5000000})
        for (size_t alignment = 1; alignment <= 4096; alignment *= 2) {
            void *const block = resource.allocate(size, alignment);

            cr_assert_not_null(block);
            cr_assert(is_aligned(block, alignment), "%zu bytes, %zu", size, alignment);
            cr_assert_eq(memkind_detect_kind(block), kind);
            memset(block, 1, size);
            resource.deallocate(block, size, alignment);
        }
    cr_assert_eq(allocated(kind), 0);
    cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
}

/* Small blocks side by side: one that is aligned by chance does not hide those that are not. */
Test(cxx_resource, small_blocks_have_the_default_alignment)
{
    libmemkind::resource resource(MEMKIND_DEFAULT);
    std::vector<void *> blocks;

    for (int i = 0; i < 100; i++) {
        blocks.push_back(resource.allocate(8));
        cr_assert(is_aligned(blocks.back(), alignof(std::max_align_t)));
    }
    for (void *block : blocks)
        resource.deallocate(block, 8);
}

Test(cxx_resource, no_memory_is_bad_alloc)
{
    libmemkind::resource resource(MEMKIND_DEFAULT);

    for (size_t alignment : {size_t(8), size_t(128)}) {
        bool thrown = false;

        try {
            resource.deallocate(resource.allocate(SIZE_MAX / 2, alignment), SIZE_MAX / 2,
                                alignment);
        } catch (const std::bad_alloc &) {
            thrown = true;
        }
        cr_assert(thrown, "alignment %zu", alignment);
    }
}

Test(cxx_resource, equal_if_of_the_same_kind)
{
    const libmemkind::resource one(MEMKIND_DEFAULT), same(MEMKIND_DEFAULT), other(MEMKIND_REGULAR);

    cr_assert(one == same);
    cr_assert(one != other);
    cr_assert(one != *std::pmr::new_delete_resource());
}

Test(cxx_resource, containers)
{
    const memkind_t kind = make_kind();
    libmemkind::resource resource(kind);

    {
        std::pmr::vector<std::pmr::string> strings(&resource);
        std::pmr::map<int, std::pmr::string> map(&resource);
        std::pmr::unordered_map<int, int> table(&resource);
        std::pmr::unsynchronized_pool_resource pool(&resource);
        std::pmr::vector<int> pooled(&pool);

        for (int i = 0; i < 1000; i++) {
            strings.emplace_back("a string that does not fit into the object itself");
            map.emplace(i, strings.back());
            table[i] = i;
            pooled.push_back(i);
        }
        cr_assert_eq(memkind_detect_kind(strings.data()), kind);
        cr_assert_eq(memkind_detect_kind(strings.back().data()), kind);
        cr_assert_eq(memkind_detect_kind(map.at(999).data()), kind);
        cr_assert_gt(allocated(kind), 1000 * 2 * sizeof(std::pmr::string));
        cr_assert_eq(table[999] + pooled[1], 1000);
    }
    cr_assert_eq(allocated(kind), 0);
    cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
}

Test(cxx_resource, another_thread_deallocates)
{
    const memkind_t kind = make_kind();
    libmemkind::resource resource(kind);
    std::pmr::vector<void *> blocks;

    for (int i = 0; i < 10000; i++)
        blocks.push_back(resource.allocate(64));
    std::thread([&] {
        for (void *block : blocks)
            resource.deallocate(block, 64);
    }).join();
    cr_assert_eq(allocated(kind), 0);
    cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */

/*
 * memkind_allocator.h - C++ containers in memory of a static kind
 * ================================================================
 *
 * libmemkind::static_kind::allocator<T> is an allocator for the containers of
 * the C++ standard library. It takes memory from one of the static kinds of
 * memkind.h, which describes them and has the words used here.
 *
 *     #include <memkind_allocator.h>
 *     #include <vector>
 *     int main()
 *     {
 *         using allocator = libmemkind::static_kind::allocator<int>;
 *         std::vector<int, allocator> v(allocator(libmemkind::kinds::REGULAR));
 *         v.push_back(1);
 *     }
 *
 * Build it with: c++ -std=c++11 example.cpp -lmemkind (any later standard will
 * do, too)
 *
 * Lifetime. Static kinds exist until the process ends, and blocks live until
 *   they are deallocated. An allocator is a handle: its copies cost nothing.
 *
 * Copies. A copy allocates from the same kind, also one for another type. Two
 *   allocators are equal if they have the same kind, that is, if each can
 *   deallocate what the other allocated.
 *
 * Containers. A container's elements stay in the kind that the container was
 *   made with. Copy and move construction give the new container the same
 *   kind. Assignment keeps the kind of the left side: a move between equal
 *   allocators hands the blocks over, otherwise each element is moved. swap()
 *   exchanges the kinds together with the blocks. std::scoped_allocator_adaptor
 *   puts the elements' own memory into the kind of the container.
 *
 * Errors. The constructor throws
 *     std::runtime_error     kind is none of libmemkind::kinds. It does not ask
 *                            whether the kind is available: for that, there is
 *                            memkind_check_available().
 *   allocate() throws
 *     std::bad_alloc         no memory, the kind is not available, or n is 0;
 *     std::bad_array_new_length (a std::bad_alloc)
 *                            n * sizeof(T) is more than a size_t can hold.
 *   Nothing else throws, but for what T's own constructors and destructor do.
 *
 * Threads. Any number of threads may use an allocator or copies of it at the
 *   same time. Assigning to an allocator that another thread uses needs a lock,
 *   as with any object. A block may be deallocated by another thread than the
 *   one that allocated it.
 *
 * Alignment. Blocks are aligned for T, also if that is more than any built-in
 *   type needs.
 *
 * Rests on memkind_malloc(), memkind_posix_memalign(), memkind_free().
 */

#pragma once

#include <memkind.h>

#include <cstddef>
#include <stdexcept>

#include "memkind/allocator_base.h"

namespace libmemkind
{

/** The static kinds: kinds::NAME is MEMKIND_NAME. */
enum class kinds {
    DEFAULT = 0,
    HUGETLB = 1,
    INTERLEAVE = 2,
    HBW = 3,
    HBW_ALL = 4,
    HBW_HUGETLB = 5,
    HBW_ALL_HUGETLB = 6,
    HBW_PREFERRED = 7,
    HBW_PREFERRED_HUGETLB = 8,
    HBW_INTERLEAVE = 9,
    REGULAR = 10,
    DAX_KMEM = 11,
    DAX_KMEM_ALL = 12,
    DAX_KMEM_PREFERRED = 13,
    DAX_KMEM_INTERLEAVE = 14,
    HIGHEST_CAPACITY = 15,
    HIGHEST_CAPACITY_PREFERRED = 16,
    HIGHEST_CAPACITY_LOCAL = 17,
    HIGHEST_CAPACITY_LOCAL_PREFERRED = 18,
    LOWEST_LATENCY_LOCAL = 19,
    LOWEST_LATENCY_LOCAL_PREFERRED = 20,
    HIGHEST_BANDWIDTH_LOCAL = 21,
    HIGHEST_BANDWIDTH_LOCAL_PREFERRED = 22
};

namespace internal
{

inline memkind_t find_static_kind(kinds kind)
{
    /* In the order of enum kinds. */
    static const memkind_t *const handles[] = {
        &MEMKIND_DEFAULT,
        &MEMKIND_HUGETLB,
        &MEMKIND_INTERLEAVE,
        &MEMKIND_HBW,
        &MEMKIND_HBW_ALL,
        &MEMKIND_HBW_HUGETLB,
        &MEMKIND_HBW_ALL_HUGETLB,
        &MEMKIND_HBW_PREFERRED,
        &MEMKIND_HBW_PREFERRED_HUGETLB,
        &MEMKIND_HBW_INTERLEAVE,
        &MEMKIND_REGULAR,
        &MEMKIND_DAX_KMEM,
        &MEMKIND_DAX_KMEM_ALL,
        &MEMKIND_DAX_KMEM_PREFERRED,
        &MEMKIND_DAX_KMEM_INTERLEAVE,
        &MEMKIND_HIGHEST_CAPACITY,
        &MEMKIND_HIGHEST_CAPACITY_PREFERRED,
        &MEMKIND_HIGHEST_CAPACITY_LOCAL,
        &MEMKIND_HIGHEST_CAPACITY_LOCAL_PREFERRED,
        &MEMKIND_LOWEST_LATENCY_LOCAL,
        &MEMKIND_LOWEST_LATENCY_LOCAL_PREFERRED,
        &MEMKIND_HIGHEST_BANDWIDTH_LOCAL,
        &MEMKIND_HIGHEST_BANDWIDTH_LOCAL_PREFERRED,
    };
    constexpr std::size_t count = sizeof handles / sizeof handles[0];
    static_assert(count == static_cast<std::size_t>(kinds::HIGHEST_BANDWIDTH_LOCAL_PREFERRED) + 1,
                  "a kind has no handle");
    const std::size_t index = static_cast<std::size_t>(kind);

    if (index >= count)
        throw std::runtime_error("libmemkind::static_kind::allocator: unknown libmemkind::kinds");
    return *handles[index];
}

} // namespace internal

namespace static_kind
{

template <typename T>
class allocator : public internal::allocator_base<allocator, T, internal::kind_heap<memkind_t>>
{
    using heap = internal::kind_heap<memkind_t>;
    using base = internal::allocator_base<static_kind::allocator, T, heap>;

public:
    /**
     * An allocator for a static kind.
     *
     * kind    which one. It need not be available.
     *
     * Throws  std::runtime_error: kind is none of libmemkind::kinds.
     */
    explicit allocator(libmemkind::kinds kind) : base(heap(internal::find_static_kind(kind)))
    {
    }

    /** The same kind, for another type. Containers allocate their nodes so. */
    template <typename U>
    allocator(const allocator<U> &other) noexcept : base(other)
    {
    }
};

} // namespace static_kind
} // namespace libmemkind

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */

/**
 * @file memkind_allocator.h
 * @brief C++ containers in memory of a static kind.
 */

#pragma once

#include <memkind.h>

#include <cstddef>
#include <stdexcept>

#include "memkind/allocator_base.h"

namespace libmemkind
{

/**
 * The static kinds: `kinds::NAME` is `MEMKIND_NAME`.
 *
 * @ingroup cxx_allocators
 */
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

/** @cond internal */
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
/** @endcond */

/** For containers in memory of a static kind. */
namespace static_kind
{

/**
 * An allocator for containers in memory of a static kind, see
 * @ref memkind_static_kinds.
 *
 * Static kinds exist until the process ends, and blocks live until they are
 * deallocated. An allocator is a handle: its copies cost nothing.
 *
 * @code{.cpp}
 * #include <memkind_allocator.h>
 * #include <vector>
 * int main()
 * {
 *     using allocator = libmemkind::static_kind::allocator<int>;
 *     std::vector<int, allocator> v(allocator(libmemkind::kinds::REGULAR));
 *     v.push_back(1);
 * }
 * @endcode
 *
 * @tparam T  the type of the objects.
 *
 * @ingroup cxx_allocators
 */
template <typename T>
class allocator : public internal::allocator_base<allocator, T, internal::kind_heap<memkind_t>>
{
    using heap = internal::kind_heap<memkind_t>;
    using base = internal::allocator_base<static_kind::allocator, T, heap>;

public:
    /**
     * Makes an allocator for a static kind. It does not ask whether the kind is
     * available: for that, there is memkind_check_available().
     *
     * @param kind  which one.
     *
     * @exception std::runtime_error  kind is none of libmemkind::kinds.
     */
    explicit allocator(libmemkind::kinds kind) : base(heap(internal::find_static_kind(kind)))
    {
    }

    /**
     * Makes an allocator of the same kind for another type. Containers allocate their
     * nodes so.
     *
     * @tparam U  the other type.
     *
     * @param other  the allocator to copy.
     */
    template <typename U>
    allocator(const allocator<U> &other) noexcept : base(other)
    {
    }
};

} // namespace static_kind
} // namespace libmemkind

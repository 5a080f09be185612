/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */

/**
 * @file fixed_allocator.h
 * @brief C++ containers in an area of the caller.
 */

#pragma once

#include <memkind.h>

#include <cstddef>

#include "memkind/allocator_base.h"
#include "memkind/kind_owner.h"

namespace libmemkind
{
/** @cond internal */
namespace internal
{

inline shared_kind create_fixed(void *addr, std::size_t size)
{
    memkind_t kind = nullptr;
    const int error = memkind_create_fixed(addr, size, &kind);

    return own("libmemkind::fixed::allocator", error, kind);
}

} // namespace internal
/** @endcond */

/** For containers in an area of the caller. */
namespace fixed
{

/**
 * An allocator for containers in an area of the caller.
 *
 * It creates a kind inside an area of memory that the program owns (a mapping of a
 * device, shared or locked memory, an array), and everything the container holds
 * lies in there. memkind_create_fixed() says what such a kind is.
 *
 * The kind lives as long as the last copy of the allocator: rebound ones count, and
 * so does the one in each container. With the last copy go the kind and every block
 * that was not deallocated; after that, the area is the program's again, which must
 * not release it earlier.
 *
 * `allocate()` throws `std::bad_alloc` also when the area is used up.
 *
 * @code{.cpp}
 * #include <fixed_allocator.h>
 * #include <sys/mman.h>
 * #include <vector>
 * int main()
 * {
 *     using allocator = libmemkind::fixed::allocator<int>;
 *     const size_t size = 64 << 20;
 *     void *area = mmap(nullptr, size, PROT_READ | PROT_WRITE,
 *                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
 *     {
 *         std::vector<int, allocator> v(allocator(area, size));
 *         v.push_back(1);
 *     }
 *     munmap(area, size);
 * }
 * @endcode
 *
 * @tparam T  the type of the objects.
 *
 * @ingroup cxx_allocators
 */
template <typename T>
class allocator
    : public internal::allocator_base<allocator, T, internal::kind_heap<internal::shared_kind>>
{
    using heap = internal::kind_heap<internal::shared_kind>;
    using base = internal::allocator_base<fixed::allocator, T, heap>;

public:
    /**
     * Creates a kind in an area, and an allocator for it.
     *
     * @param addr  start of the area; it must be readable and writable.
     * @param size  its size in bytes, at least #MEMKIND_FIXED_MIN_SIZE.
     *
     * @exception std::invalid_argument  memkind_create_fixed() returns
     *              #MEMKIND_ERROR_INVALID: addr is NULL, size is less than
     *              #MEMKIND_FIXED_MIN_SIZE or too large for addr, or the area has no
     *              whole base page, or a part of it is not mapped or lies in another live kind.
     * @exception std::runtime_error     any other failure. what() has the reason in
     *              words and the error code.
     * @exception std::bad_alloc         there is no memory to count the copies with.
     */
    explicit allocator(void *addr, std::size_t size)
        : base(heap(internal::create_fixed(addr, size)))
    {
    }

    /**
     * Makes an allocator of the same area for another type. Containers allocate their
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

} // namespace fixed
} // namespace libmemkind

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */

/**
 * @file hbw_allocator.h
 * @brief C++ containers in high-bandwidth memory.
 */

#pragma once

#include <hbwmalloc.h>

#include <cstddef>
#include <memory>

#include "memkind/allocator_base.h"

/** @cond internal */
namespace libmemkind
{
namespace internal
{

/* A Heap: that of hbwmalloc.h. There is only one. */
struct hbw_heap {
    void *get(std::size_t size) const noexcept
    {
        return hbw_malloc(size);
    }

    int get_aligned(void **block, std::size_t alignment, std::size_t size) const noexcept
    {
        return hbw_posix_memalign(block, alignment, size);
    }

    void put(void *block) const noexcept
    {
        hbw_free(block);
    }

    bool is(const hbw_heap &) const noexcept
    {
        return true;
    }
};

} // namespace internal
} // namespace libmemkind
/** @endcond */

/** For containers in high-bandwidth memory. */
namespace hbw
{

/**
 * An allocator for containers in high-bandwidth memory.
 *
 * It is to hbwmalloc.h what `std::allocator` is to malloc(3): it has no data, a
 * container creates it by itself, and the policy of the process, hbw_set_policy(),
 * decides which memory it is. The default, #HBW_POLICY_PREFERRED, uses ordinary
 * memory on a machine without high-bandwidth nodes. With the others, allocate()
 * fails there; hbw_check_available() tells beforehand. The first block settles the
 * policy.
 *
 * All allocators are equal: each can deallocate what another one allocated, whatever
 * their types. So containers hand their blocks over when they are moved or swapped.
 * Blocks live until they are deallocated.
 *
 * @code{.cpp}
 * #include <hbw_allocator.h>
 * #include <vector>
 * int main()
 * {
 *     std::vector<int, hbw::allocator<int>> v;
 *     v.push_back(1);
 * }
 * @endcode
 *
 * @tparam T  the type of the objects.
 *
 * @ingroup cxx_allocators
 */
template <class T>
class allocator
    : public libmemkind::internal::allocator_base<allocator, T, libmemkind::internal::hbw_heap>
{
    using heap = libmemkind::internal::hbw_heap;
    using base = libmemkind::internal::allocator_base<hbw::allocator, T, heap>;

public:
    /** @cond internal */
    using typename base::const_pointer;
    using typename base::const_reference;
    using typename base::pointer;
    using typename base::reference;
    using typename base::size_type;
    /** @endcond */

    /** Makes an allocator. All of them are equal. */
    allocator() noexcept : base(heap())
    {
    }

    /**
     * Makes an allocator for another type. Containers allocate their nodes so.
     *
     * @tparam U  the other type.
     *
     * @param other  the allocator to copy.
     */
    template <class U>
    allocator(const allocator<U> &other) noexcept : base(other)
    {
    }

    /**
     * Tells the address of an object, also where its type has an operator & of its
     * own.
     *
     * @param x  the object.
     *
     * @return Its address.
     */
    pointer address(reference x) const noexcept
    {
        return std::addressof(x);
    }

    /**
     * Tells the address of an object, also where its type has an operator & of its
     * own.
     *
     * @param x  the object.
     *
     * @return Its address.
     */
    const_pointer address(const_reference x) const noexcept
    {
        return std::addressof(x);
    }

    /**
     * Allocates room for objects, which are not constructed. The second argument, a
     * hint, has no effect.
     *
     * @param n  number of objects.
     *
     * @return The room, aligned for the type.
     *
     * @exception std::bad_alloc  there is no memory, n is 0, or there are no
     *                            high-bandwidth nodes and the policy is not
     *                            #HBW_POLICY_PREFERRED.
     * @exception std::bad_array_new_length  n is more than max_size().
     */
    pointer allocate(size_type n, const void * = nullptr) const
    {
        return base::allocate(n);
    }

    /**
     * Tells the largest number of objects whose size in bytes fits a size_t.
     *
     * @return That number.
     */
    size_type max_size() const noexcept
    {
        return base::most();
    }
};

} // namespace hbw

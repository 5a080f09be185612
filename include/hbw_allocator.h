/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */

/*
 * hbw_allocator.h - C++ containers in high-bandwidth memory
 * ==========================================================
 *
 * hbw::allocator<T> is an allocator for the containers of the C++ standard
 * library. It is to hbwmalloc.h what std::allocator is to malloc(3): it has no
 * data, a container creates it by itself, and the policy of the process
 * (hbw_set_policy()) decides which memory it is. hbwmalloc.h has the words used
 * here.
 *
 *     #include <hbw_allocator.h>
 *     #include <vector>
 *     int main()
 *     {
 *         std::vector<int, hbw::allocator<int>> v;
 *         v.push_back(1);
 *     }
 *
 * Build it with: c++ -std=c++11 example.cpp -lmemkind (any later standard will
 * do, too)
 *
 * Policy. The default, HBW_POLICY_PREFERRED, uses ordinary memory on a machine
 *   without high-bandwidth nodes. With the others, allocate() fails there;
 *   hbw_check_available() tells beforehand. The first block settles the policy.
 *
 * Lifetime. Blocks live until they are deallocated.
 *
 * Copies. All allocators are equal: each can deallocate what another one
 *   allocated, whatever their types. So containers hand their blocks over when
 *   they are moved or swapped.
 *
 * Errors. allocate() throws
 *     std::bad_alloc         no memory, no high-bandwidth nodes (see above), or
 *                            n is 0;
 *     std::bad_array_new_length (a std::bad_alloc)
 *                            n is more than max_size().
 *   Nothing else throws, but for what T's own constructors and destructor do.
 *
 * Threads. Everything is thread-safe. A block may be deallocated by another
 *   thread than the one that allocated it.
 *
 * Alignment. Blocks are aligned for T, also if that is more than any built-in
 *   type needs.
 *
 * Rests on hbw_malloc(), hbw_posix_memalign(), hbw_free().
 */

#pragma once

#include <hbwmalloc.h>

#include <cstddef>
#include <memory>

#include "memkind/allocator_base.h"

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

namespace hbw
{

template <class T>
class allocator
    : public libmemkind::internal::allocator_base<allocator, T, libmemkind::internal::hbw_heap>
{
    using heap = libmemkind::internal::hbw_heap;
    using base = libmemkind::internal::allocator_base<hbw::allocator, T, heap>;

public:
    using typename base::const_pointer;
    using typename base::const_reference;
    using typename base::pointer;
    using typename base::reference;
    using typename base::size_type;

    allocator() noexcept : base(heap())
    {
    }

    /** Containers allocate their nodes so. */
    template <class U>
    allocator(const allocator<U> &other) noexcept : base(other)
    {
    }

    /** The address of x, also where T has an operator & of its own. */
    pointer address(reference x) const noexcept
    {
        return std::addressof(x);
    }

    const_pointer address(const_reference x) const noexcept
    {
        return std::addressof(x);
    }

    /**
     * Allocate room for n objects. The hint has no effect.
     *
     * Throws  see "Errors" above.
     */
    pointer allocate(size_type n, const void * = nullptr) const
    {
        return base::allocate(n);
    }

    /** The largest n for which n * sizeof(T) fits a size_t. */
    size_type max_size() const noexcept
    {
        return base::most();
    }
};

} // namespace hbw

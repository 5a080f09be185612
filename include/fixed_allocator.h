/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */

/*
 * fixed_allocator.h - C++ containers in an area of the caller's
 * ==============================================================
 *
 * libmemkind::fixed::allocator<T> is an allocator for the containers of the
 * C++ standard library. It creates a kind inside an area of memory that the
 * program owns (a mapping of a device, shared or locked memory, an array), and
 * everything the container holds lies in there. memkind.h has the words used
 * here, and memkind_create_fixed() says what such a kind is.
 *
 *     #include <fixed_allocator.h>
 *     #include <sys/mman.h>
 *     #include <vector>
 *     int main()
 *     {
 *         using allocator = libmemkind::fixed::allocator<int>;
 *         const size_t size = 64 << 20;
 *         void *area = mmap(nullptr, size, PROT_READ | PROT_WRITE,
 *                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
 *         {
 *             std::vector<int, allocator> v(allocator(area, size));
 *             v.push_back(1);
 *         }
 *         munmap(area, size);
 *     }
 *
 * Build it with: c++ -std=c++11 example.cpp -lmemkind (any later standard will
 * do, too)
 *
 * Lifetime. The kind lives as long as the last copy of the allocator: rebound
 *   ones count, and so does the one in each container. With the last copy go
 *   the kind and every block that was not deallocated; after that, the area is
 *   the program's again, which must not release it earlier.
 *
 * Copies. A copy allocates from the same area, also one for another type, and
 *   one made by a move: the moved-from allocator stays usable. Two allocators
 *   are equal if they have the same kind, that is, if each can deallocate what
 *   the other allocated.
 *
 * Containers. A container's elements stay in the area that the container was
 *   made with. Copy and move construction give the new container the same
 *   area. Assignment keeps the area of the left side: a move between equal
 *   allocators hands the blocks over, otherwise each element is moved. swap()
 *   exchanges the areas together with the blocks. std::scoped_allocator_adaptor
 *   puts the elements' own memory into the area of the container.
 *
 * Errors. The constructor throws
 *     std::invalid_argument  where memkind_create_fixed() returns
 *                            MEMKIND_ERROR_INVALID: addr is NULL, size is less
 *                            than MEMKIND_FIXED_MIN_SIZE or too large for addr,
 *                            or a part of the area is not mapped;
 *     std::runtime_error     for any other failure. what() has the reason in
 *                            words and the error code;
 *     std::bad_alloc         no memory to count the copies with.
 *   allocate() throws
 *     std::bad_alloc         no memory: the area is used up, or n is 0;
 *     std::bad_array_new_length (a std::bad_alloc)
 *                            n * sizeof(T) is more than a size_t can hold.
 *   Nothing else throws, but for what T's own constructors and destructor do.
 *   An exception leaves nothing behind.
 *
 * Threads. Any number of threads may use copies of an allocator, or one
 *   allocator through its const member functions, at the same time. Assigning
 *   to an allocator that another thread uses needs a lock, as with any object.
 *   A block may be deallocated by another thread than the one that allocated
 *   it.
 *
 * Alignment. Blocks are aligned for T, also if that is more than any built-in
 *   type needs.
 *
 * Rests on memkind_malloc(), memkind_posix_memalign(), memkind_free().
 */

#pragma once

#include <memkind.h>

#include <cstddef>

#include "memkind/allocator_base.h"
#include "memkind/kind_owner.h"

namespace libmemkind
{
namespace internal
{

inline shared_kind create_fixed(void *addr, std::size_t size)
{
    memkind_t kind = nullptr;
    const int error = memkind_create_fixed(addr, size, &kind);

    return own("libmemkind::fixed::allocator", error, kind);
}

} // namespace internal

namespace fixed
{

template <typename T>
class allocator
    : public internal::allocator_base<allocator, T, internal::kind_heap<internal::shared_kind>>
{
    using heap = internal::kind_heap<internal::shared_kind>;
    using base = internal::allocator_base<fixed::allocator, T, heap>;

public:
    /**
     * Create a kind in an area, and an allocator for it.
     *
     * addr    start of the area; it must be readable and writable.
     * size    its size in bytes, at least MEMKIND_FIXED_MIN_SIZE.
     *
     * Throws  see "Errors" above.
     */
    explicit allocator(void *addr, std::size_t size)
        : base(heap(internal::create_fixed(addr, size)))
    {
    }

    /** The same area, for another type. Containers allocate their nodes so. */
    template <typename U>
    allocator(const allocator<U> &other) noexcept : base(other)
    {
    }
};

} // namespace fixed
} // namespace libmemkind

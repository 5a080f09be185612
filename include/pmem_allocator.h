/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */

/*
 * pmem_allocator.h - C++ containers in a file
 * ============================================
 *
 * libmemkind::pmem::allocator<T> is an allocator for the containers of the C++
 * standard library. It creates a file-backed ("PMEM") kind, and everything the
 * container holds lies in that file: on persistent memory when the directory
 * is on a file system mounted with DAX. memkind.h has the words used here, and
 * memkind_create_pmem_with_config() says what such a kind is.
 *
 *     #include <pmem_allocator.h>
 *     #include <vector>
 *     int main()
 *     {
 *         using allocator = libmemkind::pmem::allocator<int>;
 *         std::vector<int, allocator> v(allocator("/mnt/pmem", 64 << 20));
 *         v.push_back(1);
 *     }
 *
 * Build it with: c++ -std=c++11 example.cpp -lmemkind (any later standard will
 * do, too)
 *
 * Lifetime. The kind lives as long as the last copy of the allocator: rebound
 *   ones count, and so does the one in each container. With the last copy go
 *   the kind, its file, and every block that was not deallocated.
 *
 * Copies. A copy allocates from the same kind, also one for another type, and
 *   one made by a move: the moved-from allocator stays usable. Two allocators
 *   are equal if they have the same kind, that is, if each can deallocate what
 *   the other allocated. Two that were constructed separately are not equal,
 *   even with the same arguments: each has a file of its own.
 *
 * Containers. A container's elements stay in the kind that the container was
 *   made with. Copy and move construction give the new container the same
 *   kind. Assignment keeps the kind of the left side: a move between equal
 *   allocators hands the blocks over, otherwise each element is moved. swap()
 *   exchanges the kinds together with the blocks. std::scoped_allocator_adaptor
 *   puts the elements' own memory into the kind of the container.
 *
 * Errors. Constructors throw
 *     std::invalid_argument  where the create function returns
 *                            MEMKIND_ERROR_INVALID: dir is NULL or not a
 *                            directory that a file can be created in, max_size
 *                            is not 0 and less than MEMKIND_PMEM_MIN_SIZE, or
 *                            alloc_policy is not a policy;
 *     std::runtime_error     for any other failure. what() has the reason in
 *                            words and the error code;
 *     std::bad_alloc         no memory to count the copies with.
 *   allocate() throws
 *     std::bad_alloc         no memory: max_size is reached, the file system
 *                            is full, or n is 0;
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
#include <memory>
#include <stdexcept>
#include <string>

#include "memkind/allocator_base.h"
#include "memkind/kind_owner.h"

namespace libmemkind
{

/** How eagerly the kind gives memory back: memkind_mem_usage_policy for C++. */
enum class allocation_policy {
    /** Unused pages are kept for a while. */
    DEFAULT = MEMKIND_MEM_USAGE_POLICY_DEFAULT,

    /** Unused pages are given back at once: least memory, more time. */
    CONSERVATIVE = MEMKIND_MEM_USAGE_POLICY_CONSERVATIVE,

    /** One more than the last policy; not a policy. */
    MAX
};

namespace internal
{

inline shared_kind create_pmem(const char *dir, std::size_t max_size, allocation_policy policy)
{
    using config_owner = std::unique_ptr<memkind_config, void (*)(memkind_config *)>;

    const char *const who = "libmemkind::pmem::allocator";
    const config_owner config(memkind_config_new(), memkind_config_delete);
    memkind_t kind = nullptr;

    if (!config)
        throw std::runtime_error(std::string(who) + ": no memory for a configuration");
    memkind_config_set_path(config.get(), dir);
    memkind_config_set_size(config.get(), max_size);
    memkind_config_set_memory_usage_policy(config.get(),
                                           static_cast<memkind_mem_usage_policy>(policy));
    const int error = memkind_create_pmem_with_config(config.get(), &kind);
    return own(who, error, kind);
}

} // namespace internal

namespace pmem
{

template <typename T>
class allocator
    : public internal::allocator_base<allocator, T, internal::kind_heap<internal::shared_kind>>
{
    using heap = internal::kind_heap<internal::shared_kind>;
    using base = internal::allocator_base<pmem::allocator, T, heap>;

public:
    /**
     * Create a kind, and an allocator for it.
     *
     * dir           path of a directory that the process may write to.
     * max_size      limit of the file in bytes, at least MEMKIND_PMEM_MIN_SIZE.
     *               0: no limit but the file system's.
     * alloc_policy  how eagerly memory is given back.
     *
     * Throws        see "Errors" above.
     */
    explicit allocator(const char *dir, std::size_t max_size,
                       allocation_policy alloc_policy = allocation_policy::DEFAULT)
        : base(heap(internal::create_pmem(dir, max_size, alloc_policy)))
    {
    }

    explicit allocator(const std::string &dir, std::size_t max_size,
                       allocation_policy alloc_policy = allocation_policy::DEFAULT)
        : allocator(dir.c_str(), max_size, alloc_policy)
    {
    }

    /** The same kind, for another type. Containers allocate their nodes so. */
    template <typename U>
    allocator(const allocator<U> &other) noexcept : base(other)
    {
    }
};

} // namespace pmem
} // namespace libmemkind

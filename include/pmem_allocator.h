/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */

/**
 * @file pmem_allocator.h
 * @brief C++ containers in a file.
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

/**
 * How eagerly the kind gives memory back: memkind_mem_usage_policy for C++.
 *
 * @ingroup cxx_allocators
 */
enum class allocation_policy {
    /** Unused pages are kept for a while. */
    DEFAULT = MEMKIND_MEM_USAGE_POLICY_DEFAULT,

    /** Unused pages are given back at once: least memory, more time. */
    CONSERVATIVE = MEMKIND_MEM_USAGE_POLICY_CONSERVATIVE,

    /** One more than the last policy; not a policy. */
    MAX
};

/** @cond internal */
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
/** @endcond */

/** For containers in a file. */
namespace pmem
{

/**
 * An allocator for containers in a file.
 *
 * It creates a file-backed ("PMEM") kind, and everything the container holds lies
 * in that file: on persistent memory when the directory is on a file system mounted
 * with DAX. memkind_create_pmem_with_config() says what such a kind is.
 *
 * The kind lives as long as the last copy of the allocator: rebound ones count, and
 * so does the one in each container. With the last copy go the kind, its file, and
 * every block that was not deallocated. Two allocators that were constructed
 * separately are not equal, even with the same arguments: each has a file of its
 * own.
 *
 * `allocate()` throws `std::bad_alloc` also when the limit of the file is reached or
 * the file system is full.
 *
 * @code{.cpp}
 * #include <pmem_allocator.h>
 * #include <vector>
 * int main()
 * {
 *     using allocator = libmemkind::pmem::allocator<int>;
 *     std::vector<int, allocator> v(allocator("/mnt/pmem", 64 << 20));
 *     v.push_back(1);
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
    using base = internal::allocator_base<pmem::allocator, T, heap>;

public:
    /**
     * Creates a kind, and an allocator for it.
     *
     * @param dir           path of a directory that the process may write to.
     * @param max_size      limit of the file in bytes, at least
     *                      #MEMKIND_PMEM_MIN_SIZE. 0: no limit but the file system's.
     * @param alloc_policy  how eagerly memory is given back.
     *
     * @exception std::invalid_argument  the create function returns
     *                      #MEMKIND_ERROR_INVALID: dir is NULL or not a directory that
     *                      a file can be created in, max_size is not 0 and less than
     *                      #MEMKIND_PMEM_MIN_SIZE, or alloc_policy is not a policy.
     * @exception std::runtime_error     any other failure. what() has the reason in
     *                      words and the error code.
     * @exception std::bad_alloc         there is no memory to count the copies with.
     */
    explicit allocator(const char *dir, std::size_t max_size,
                       allocation_policy alloc_policy = allocation_policy::DEFAULT)
        : base(heap(internal::create_pmem(dir, max_size, alloc_policy)))
    {
    }

    /**
     * Creates a kind, and an allocator for it, as the constructor above does.
     *
     * @param dir           path of a directory that the process may write to.
     * @param max_size      limit of the file in bytes.
     * @param alloc_policy  how eagerly memory is given back.
     */
    explicit allocator(const std::string &dir, std::size_t max_size,
                       allocation_policy alloc_policy = allocation_policy::DEFAULT)
        : allocator(dir.c_str(), max_size, alloc_policy)
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

} // namespace pmem
} // namespace libmemkind

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */

/**
 * @file memkind_resource.h
 * @brief A kind as a std::pmr::memory_resource (C++17).
 */

#pragma once

#include <memkind.h>

#include <cstddef>
#include <memory_resource>
#include <new>

namespace libmemkind
{

/**
 * A memory resource of the C++ standard library whose memory is a kind's, static or
 * created. `std::pmr` containers and the pools of the standard library take it.
 *
 * It is a handle: it neither makes nor destroys the kind, which has to live as long as
 * what was allocated. All its functions may be called from any thread at the same time,
 * and a block may be deallocated by another thread than the one that allocated it.
 *
 * @code{.cpp}
 * #include <memkind_resource.h>
 * #include <vector>
 * int main()
 * {
 *     libmemkind::resource regular(MEMKIND_REGULAR);
 *     std::pmr::vector<int> numbers(&regular);
 *     numbers.push_back(1);
 * }
 * @endcode
 *
 * (The namespace is not `memkind`: that is the name of a struct.)
 *
 * @ingroup cxx_allocators
 */
class resource : public std::pmr::memory_resource
{
public:
    /**
     * Makes a resource for a kind. It does not ask whether the kind is available: for
     * that, there is memkind_check_available().
     *
     * @param kind  which one.
     */
    explicit resource(memkind_t kind) noexcept : kind_(kind)
    {
    }

    /**
     * Which kind that is.
     *
     * @return The kind.
     */
    memkind_t kind() const noexcept
    {
        return kind_;
    }

private:
    /** @cond internal */
    /* A size below its alignment is raised to it: a block of 8 bytes is aligned to 8. The
     * standard wants a block also for 0 bytes. */
    void *do_allocate(std::size_t bytes, std::size_t alignment) override
    {
        const std::size_t size = bytes < alignment ? alignment : bytes;
        void *block = nullptr;

        if (alignment <= alignof(std::max_align_t))
            block = memkind_malloc(kind_, size);
        else if (memkind_posix_memalign(kind_, &block, alignment, size) != 0)
            block = nullptr;
        if (!block)
            throw std::bad_alloc();
        return block;
    }

    void do_deallocate(void *block, std::size_t, std::size_t) override
    {
        memkind_free(kind_, block);
    }

    /* Without run-time types a resource knows itself only. */
    bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override
    {
#ifdef __cpp_rtti
        const resource *const same = dynamic_cast<const resource *>(&other);

        return same && same->kind_ == kind_;
#else
        return this == &other;
#endif
    }
    /** @endcond */

    memkind_t kind_;
};

} // namespace libmemkind

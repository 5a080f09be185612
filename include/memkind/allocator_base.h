/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */

/*
 * memkind/allocator_base.h - what the C++ allocators have in common
 * ==================================================================
 *
 * Programs do not include this header. They include one of
 *
 *   pmem_allocator.h     libmemkind::pmem::allocator<T>
 *   fixed_allocator.h    libmemkind::fixed::allocator<T>
 *   memkind_allocator.h  libmemkind::static_kind::allocator<T>
 *   hbw_allocator.h      hbw::allocator<T>
 *
 * and nothing in libmemkind::internal is theirs to use. It may change.
 *
 * An allocator is a class template Allocator<T>, derived from
 * allocator_base<Allocator, T, Heap>. What sets it apart is its Heap, which
 * has the member functions
 *
 *   void *get(std::size_t size) const noexcept;
 *   int get_aligned(void **block, std::size_t alignment, std::size_t size)
 *       const noexcept;                    as posix_memalign(3)
 *   void put(void *block) const noexcept;
 *   bool is(const Heap &other) const noexcept;
 *       whether blocks of the one can be given to the other
 *
 * and whose copies mean the same as the original. A moved-from allocator has
 * to stay as good as before (the standard demands that of allocators, and a
 * moved-from container goes on using its own): a Heap has no move operations
 * of its own, it is always copied.
 */

#pragma once

#include <memkind.h>

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace libmemkind
{
namespace internal
{

/* A kind that is destroyed with its last holder. */
using shared_kind = std::shared_ptr<struct memkind>;

inline memkind_t handle(memkind_t kind) noexcept
{
    return kind;
}

inline memkind_t handle(const shared_kind &kind) noexcept
{
    return kind.get();
}

/* A Heap: one kind. Holder is memkind_t or shared_kind. */
template <typename Holder>
class kind_heap
{
public:
    explicit kind_heap(const Holder &holder) noexcept : holder_(holder)
    {
    }

    kind_heap(const kind_heap &) = default;
    kind_heap &operator=(const kind_heap &) = default;

    void *get(std::size_t size) const noexcept
    {
        return memkind_malloc(handle(holder_), size);
    }

    int get_aligned(void **block, std::size_t alignment, std::size_t size) const noexcept
    {
        return memkind_posix_memalign(handle(holder_), block, alignment, size);
    }

    void put(void *block) const noexcept
    {
        memkind_free(handle(holder_), block);
    }

    bool is(const kind_heap &other) const noexcept
    {
        return handle(holder_) == handle(other.holder_);
    }

private:
    Holder holder_;
};

template <template <typename> class Allocator, typename T, typename Heap>
class allocator_base;

/* Equal: each can free what the other allocated. */
template <template <typename> class Allocator, typename T, typename U, typename Heap>
bool operator==(const allocator_base<Allocator, T, Heap> &lhs,
                const allocator_base<Allocator, U, Heap> &rhs) noexcept
{
    return static_cast<const Heap &>(lhs).is(rhs);
}

template <template <typename> class Allocator, typename T, typename U, typename Heap>
bool operator!=(const allocator_base<Allocator, T, Heap> &lhs,
                const allocator_base<Allocator, U, Heap> &rhs) noexcept
{
    return !(lhs == rhs);
}

/*
 * The allocator requirements of the C++ standard, for Allocator<T>. The Heap is
 * a base class so that one without data takes no room in a container.
 */
template <template <typename> class Allocator, typename T, typename Heap>
class allocator_base : private Heap
{
    template <template <typename> class, typename, typename>
    friend class allocator_base;

    template <template <typename> class A, typename V, typename W, typename H>
    friend bool operator==(const allocator_base<A, V, H> &lhs,
                           const allocator_base<A, W, H> &rhs) noexcept;

public:
    using value_type = T;
    using pointer = T *;
    using const_pointer = const T *;
    using reference = T &;
    using const_reference = const T &;
    using size_type = std::size_t;
    using difference_type = std::ptrdiff_t;

    template <typename U>
    struct rebind {
        using other = Allocator<U>;
    };

    /*
     * A container stays in the memory it was made with: assignment does not
     * take the other side's allocator along. (Without data there is only one
     * memory, and a move never has to copy.) Swap exchanges the allocators,
     * since blocks cannot change hands without them.
     */
    using is_always_equal = typename std::is_empty<Heap>::type;
    using propagate_on_container_copy_assignment = std::false_type;
    using propagate_on_container_move_assignment = is_always_equal;
    using propagate_on_container_swap = std::true_type;

    pointer allocate(size_type n) const
    {
        void *block = nullptr;

        if (n > most())
            throw std::bad_array_new_length();
        if (alignof(T) <= alignof(std::max_align_t))
            block = Heap::get(n * sizeof(T));
        else if (Heap::get_aligned(&block, alignof(T), n * sizeof(T)) != 0)
            block = nullptr;
        if (!block)
            throw std::bad_alloc();
        return static_cast<pointer>(block);
    }

    void deallocate(pointer p, size_type) const noexcept
    {
        Heap::put(p);
    }

    template <typename U, typename... Args>
    void construct(U *p, Args &&...args) const
    {
        ::new (const_cast<void *>(static_cast<const volatile void *>(p)))
            U(std::forward<Args>(args)...);
    }

    void destroy(pointer p) const
    {
        p->~T();
    }

protected:
    explicit allocator_base(const Heap &heap) noexcept : Heap(heap)
    {
    }

    template <typename U>
    explicit allocator_base(const allocator_base<Allocator, U, Heap> &other) noexcept
        : Heap(static_cast<const Heap &>(other))
    {
    }

    /* The largest n for which n * sizeof(T) fits. */
    static constexpr size_type most() noexcept
    {
        return static_cast<size_type>(-1) / sizeof(T);
    }
};

} // namespace internal
} // namespace libmemkind

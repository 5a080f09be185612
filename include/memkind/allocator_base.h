/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */

/**
 * @file memkind/allocator_base.h
 * @brief What the C++ allocators have in common. Programs do not include it.
 */

/**
 * @defgroup cxx_allocators C++ allocators
 * @brief Containers of the C++ standard library in the memory of a kind.
 *
 * | Header              | Class                               | Memory                        |
 * | ------------------- | ----------------------------------- | ----------------------------- |
 * | memkind_allocator.h | libmemkind::static_kind::allocator  | a static kind                 |
 * | hbw_allocator.h     | hbw::allocator                      | HBW, by the process's policy  |
 * | pmem_allocator.h    | libmemkind::pmem::allocator         | a file                        |
 * | fixed_allocator.h   | libmemkind::fixed::allocator        | an area of the caller         |
 * | memkind_resource.h  | libmemkind::resource, for std::pmr  | any kind                      |
 *
 * All of them need C++11 or later: `c++ -std=c++11 example.cpp -lmemkind`; the memory
 * resource, which is described with its class, C++17. They rest
 * on memkind_malloc(), memkind_posix_memalign() and memkind_free(), or on the
 * functions of hbwmalloc.h, and use the words of memkind.h.
 *
 * @par Copies
 * A copy allocates from the same memory, also one for another type, and one made by
 * a move: the moved-from allocator stays usable. Two allocators are equal if they
 * have the same kind, that is, if each can deallocate what the other allocated.
 *
 * @par Containers
 * A container's elements stay in the kind that the container was made with. Copy
 * and move construction give the new container the same kind. Assignment keeps the
 * kind of the left side: a move between equal allocators hands the blocks over,
 * otherwise each element is moved. `swap()` exchanges the kinds together with the
 * blocks. `std::scoped_allocator_adaptor` puts the elements' own memory into the
 * kind of the container.
 *
 * @par Errors
 * What constructors throw is said with each of them. `allocate()` throws
 * `std::bad_alloc` when there is no memory, the kind is not available or the number
 * of objects is 0, and `std::bad_array_new_length` (a `std::bad_alloc`) when the
 * size in bytes is more than a `std::size_t` can hold. Nothing else throws, but for
 * what constructors and destructors of the elements do. An exception leaves
 * nothing behind.
 *
 * @par Alignment
 * Blocks are aligned for the type of the elements, also if that is more than any
 * built-in type needs.
 *
 * @par Threads
 * Any number of threads may use copies of an allocator, or one allocator through
 * its const member functions, at the same time. Assigning to an allocator that
 * another thread uses needs a lock, as with any object. A block may be deallocated
 * by another thread than the one that allocated it.
 */

/*
 * Nothing in libmemkind::internal is for programs to use. It may change.
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

/** The C++ interface of the library. */
namespace libmemkind
{
/** What the allocators are made of. It is not for programs to use, and may change. */
namespace internal
{

/** @cond internal */

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

/** @endcond */

/**
 * The members that all allocators have: the allocator requirements of the C++
 * standard, for `Allocator<T>`.
 *
 * The heap is a base class so that one without data takes no room in a container.
 *
 * @tparam Allocator  the class template of the allocator.
 * @tparam T          the type of the objects.
 * @tparam Heap       where their memory comes from.
 *
 * @ingroup cxx_allocators
 */
template <template <typename> class Allocator, typename T, typename Heap>
class allocator_base : private Heap
{
    /** @cond internal */
    template <template <typename> class, typename, typename>
    friend class allocator_base;

    template <template <typename> class A, typename V, typename W, typename H>
    friend bool operator==(const allocator_base<A, V, H> &lhs,
                           const allocator_base<A, W, H> &rhs) noexcept;
    /** @endcond */

public:
    using value_type = T;                   /**< The type of the objects. */
    using pointer = T *;                    /**< A pointer to an object. */
    using const_pointer = const T *;        /**< A pointer to a const object. */
    using reference = T &;                  /**< A reference to an object. */
    using const_reference = const T &;      /**< A reference to a const object. */
    using size_type = std::size_t;          /**< A number of objects. */
    using difference_type = std::ptrdiff_t; /**< A difference of two pointers. */

    /**
     * The same allocator for another type.
     *
     * @tparam U  the other type.
     */
    template <typename U>
    struct rebind {
        using other = Allocator<U>; /**< The allocator for the other type. */
    };

    /**
     * @name Traits for containers
     *
     * A container stays in the memory it was made with: assignment does not
     * take the other side's allocator along. (Without data there is only one
     * memory, and a move never has to copy.) Swap exchanges the allocators,
     * since blocks cannot change hands without them.
     *
     * @{
     */

    /** Whether there is only one memory for all allocators. */
    using is_always_equal = typename std::is_empty<Heap>::type;
    /** Copy assignment does not take the allocator along. */
    using propagate_on_container_copy_assignment = std::false_type;
    /** Move assignment takes the allocator along where all are equal. */
    using propagate_on_container_move_assignment = is_always_equal;
    /** Swap exchanges the allocators. */
    using propagate_on_container_swap = std::true_type;

    /** @} */

    /**
     * Allocates room for objects, which are not constructed.
     *
     * @param n  number of objects.
     *
     * @return The room, aligned for the type.
     *
     * @exception std::bad_alloc  there is no memory, the kind is not available, or n
     *                            is 0.
     * @exception std::bad_array_new_length  n * sizeof(T) is more than a size_t can
     *                            hold.
     */
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

    /**
     * Frees the room of objects, which are destroyed already. The second argument,
     * their number, has no effect.
     *
     * @param p  from allocate() of an equal allocator.
     */
    void deallocate(pointer p, size_type) const noexcept
    {
        Heap::put(p);
    }

    /**
     * Constructs an object.
     *
     * @tparam U     the type of the object.
     * @tparam Args  the types of the arguments.
     *
     * @param p     where.
     * @param args  the arguments of its constructor.
     */
    template <typename U, typename... Args>
    void construct(U *p, Args &&...args) const
    {
        ::new (const_cast<void *>(static_cast<const volatile void *>(p)))
            U(std::forward<Args>(args)...);
    }

    /**
     * Destroys an object; its room stays.
     *
     * @param p  the object.
     */
    void destroy(pointer p) const
    {
        p->~T();
    }

protected:
    /** @cond internal */
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
    /** @endcond */
};

} // namespace internal
} // namespace libmemkind

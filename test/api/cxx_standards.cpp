/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * cxx_standards: every member of every C++ allocator, and the containers of the standard library on
 * each, for a compiler to look at. test_cxx_headers.sh compiles it as C++11, 14, 17 and 20, with
 * all warnings; what the allocators do is test_cxx.cpp's.
 */
#include <fixed_allocator.h>
#include <hbw_allocator.h>
#include <memkind_allocator.h>
#include <pmem_allocator.h>

#include <deque>
#include <forward_list>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <scoped_allocator>
#include <set>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

template class libmemkind::pmem::allocator<int>;
template class libmemkind::fixed::allocator<int>;
template class libmemkind::static_kind::allocator<int>;
template class hbw::allocator<int>;

struct incomplete;

template <template <typename> class A>
struct use {
    using traits = std::allocator_traits<A<int>>;
    using string = std::basic_string<char, std::char_traits<char>, A<char>>;
    using strings = std::vector<string, std::scoped_allocator_adaptor<A<string>>>;
    using pair = std::pair<const int, strings>;
    using map = std::map<int, strings, std::less<int>, std::scoped_allocator_adaptor<A<pair>>>;

    /* What a program could do with libmemkind 1.14, and what the standard asks for. */
    static bool members(A<int> &a, const A<char> &other)
    {
        A<int> copy(a), moved(std::move(copy)), converted(other), moved_from_other(A<char>{other});
        const A<int> constant(a);
        typename A<int>::template rebind<double>::other doubles(a);
        typename traits::template rebind_alloc<incomplete> incompletes(a);

        copy = a;
        copy = other;
        copy = A<int>(a);
        copy = A<char>(other);
        int *p = constant.allocate(1);
        constant.construct(p, 1);
        constant.destroy(p);
        constant.deallocate(p, 1);
        p = traits::allocate(a, 1, nullptr);
        traits::construct(a, p, 1);
        traits::destroy(a, p);
        traits::deallocate(a, p, 1);
        return traits::max_size(a) && a == constant && a == doubles && doubles != other &&
               !(incompletes != a) && traits::select_on_container_copy_construction(a) == moved &&
               moved_from_other == converted;
    }

    static bool containers(const A<char> &a)
    {
        std::vector<int, A<int>> vector({1, 2, 3}, A<int>(a));
        std::deque<int, A<int>> deque(10, 1, a);
        std::list<int, A<int>> list(vector.begin(), vector.end(), a);
        std::forward_list<int, A<int>> forward(list.begin(), list.end(), a);
        std::set<int, std::less<int>, A<int>> set(a);
        std::unordered_map<int, int, std::hash<int>, std::equal_to<int>,
                           A<std::pair<const int, int>>>
            table(16, a);
        std::vector<std::unique_ptr<int>, A<std::unique_ptr<int>>> pointers(a);
        string text("text", a);
        map nested(a);

        vector.push_back(4);
        vector.resize(100);
        vector.shrink_to_fit();
        deque.push_front(2);
        list.sort();
        forward.reverse();
        set.insert(list.begin(), list.end());
        table[1] = 2;
        pointers.push_back(std::unique_ptr<int>());
        pointers.emplace_back(new int(1));
        text += text;
        nested[1].emplace_back("a string");
        nested[1].push_back(text);

        auto other = vector;
        other = vector;
        other = std::move(vector);
        swap(other, vector);
        auto moved = std::move(nested);
        return other.size() == 100 && !moved.empty() && std::allocate_shared<int>(a, 1);
    }

    /* In C++11 or later: copies and comparisons never throw, blocks of memory are plain pointers.
     */
    static_assert(std::is_nothrow_copy_constructible<A<int>>::value, "");
    static_assert(std::is_nothrow_move_constructible<A<int>>::value, "");
    static_assert(std::is_nothrow_copy_assignable<A<int>>::value, "");
    static_assert(std::is_nothrow_move_assignable<A<int>>::value, "");
    static_assert(std::is_nothrow_constructible<A<int>, const A<char> &>::value, "");
    static_assert(std::is_nothrow_constructible<A<int>, A<char>>::value, "");
    static_assert(std::is_convertible<A<char>, A<int>>::value, "");
    static_assert(noexcept(std::declval<A<int> &>() == std::declval<A<char> &>()), "");
    static_assert(noexcept(std::declval<A<int> &>() != std::declval<A<char> &>()), "");
    static_assert(noexcept(std::declval<A<int> &>().deallocate(nullptr, 1)), "");
    static_assert(std::is_same<typename traits::value_type, int>::value, "");
    static_assert(std::is_same<typename traits::pointer, int *>::value, "");
    static_assert(std::is_same<typename traits::const_pointer, const int *>::value, "");
    static_assert(std::is_same<typename A<int>::reference, int &>::value, "");
    static_assert(std::is_same<typename A<int>::const_reference, const int &>::value, "");
    static_assert(std::is_same<typename traits::size_type, std::size_t>::value, "");
    static_assert(std::is_same<typename traits::difference_type, std::ptrdiff_t>::value, "");
    static_assert(std::is_same<typename A<int>::template rebind<char>::other, A<char>>::value, "");
    static_assert(!traits::propagate_on_container_copy_assignment::value, "");
    static_assert(traits::propagate_on_container_swap::value, "");
};

template struct use<libmemkind::pmem::allocator>;
template struct use<libmemkind::fixed::allocator>;
template struct use<libmemkind::static_kind::allocator>;
template struct use<hbw::allocator>;

/* Only the allocator without data is there without being asked for, and takes no room. */
template <typename A>
constexpr bool has_data()
{
    return !std::is_default_constructible<A>::value && !A::is_always_equal::value &&
           !A::propagate_on_container_move_assignment::value;
}

static_assert(has_data<libmemkind::pmem::allocator<int>>(), "");
static_assert(has_data<libmemkind::fixed::allocator<int>>(), "");
static_assert(has_data<libmemkind::static_kind::allocator<int>>(), "");
static_assert(std::is_nothrow_default_constructible<hbw::allocator<int>>::value, "");
static_assert(std::is_empty<hbw::allocator<int>>::value, "");
static_assert(hbw::allocator<int>::is_always_equal::value, "");
static_assert(hbw::allocator<int>::propagate_on_container_move_assignment::value, "");
static_assert(std::is_nothrow_move_assignable<std::vector<int, hbw::allocator<int>>>::value, "");
static_assert(sizeof(std::vector<int, hbw::allocator<int>>) == sizeof(std::vector<int>), "");
static_assert(sizeof(libmemkind::static_kind::allocator<int>) == sizeof(memkind_t), "");
static_assert(std::is_trivially_copyable<libmemkind::static_kind::allocator<int>>::value, "");

/* Constructors take what they say and nothing turns into an allocator by itself. */
static_assert(std::is_constructible<libmemkind::pmem::allocator<int>, const char *, size_t>::value,
              "");
static_assert(std::is_constructible<libmemkind::pmem::allocator<int>, std::string, size_t,
                                    libmemkind::allocation_policy>::value,
              "");
static_assert(std::is_constructible<libmemkind::fixed::allocator<int>, void *, size_t>::value, "");
static_assert(
    std::is_constructible<libmemkind::static_kind::allocator<int>, libmemkind::kinds>::value, "");
static_assert(
    !std::is_convertible<libmemkind::kinds, libmemkind::static_kind::allocator<int>>::value, "");

/* Allocators of different headers are never equal, nor made from each other. */
template <typename A, typename B>
auto comparable(int) -> decltype(std::declval<A &>() == std::declval<B &>());
template <typename A, typename B>
char (&comparable(...))[2];

static_assert(sizeof(comparable<hbw::allocator<int>, hbw::allocator<char>>(0)) == 1, "");
static_assert(
    sizeof(comparable<libmemkind::pmem::allocator<int>, libmemkind::fixed::allocator<int>>(0)) == 2,
    "");
static_assert(!std::is_constructible<libmemkind::pmem::allocator<int>,
                                     libmemkind::fixed::allocator<int>>::value,
              "");

/* The numbers are part of the interface. */
static_assert(static_cast<int>(libmemkind::allocation_policy::DEFAULT) == 0, "");
static_assert(static_cast<int>(libmemkind::allocation_policy::CONSERVATIVE) == 1, "");
static_assert(static_cast<int>(libmemkind::allocation_policy::MAX) == 2, "");

/* What only hbw::allocator has. */
std::size_t hbw_members(int &x, const int &y)
{
    hbw::allocator<int> a;
    int *p = a.allocate(1, nullptr);
    const bool same = a.address(x) == &x && a.address(y) == &y;

    a.deallocate(p, 1);
    return same ? a.max_size() : 0;
}

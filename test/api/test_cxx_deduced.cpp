/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_cxx_deduced: containers whose template arguments are deduced from their elements and an
 * allocator of ours (C++23). The types are what they are to be, and the blocks are where the
 * allocator says. That memkind_resource.h and the allocators are clean C++23 is tested by including
 * them.
 */
#include "support.h"

#include <deque>
#include <fixed_allocator.h>
#include <forward_list>
#include <functional>
#include <hbw_allocator.h>
#include <list>
#include <map>
#include <memkind_allocator.h>
#include <memkind_resource.h>
#include <memory_resource>
#include <pmem_allocator.h>
#include <queue>
#include <set>
#include <stack>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

TestSuite(cxx_deduced, .timeout = 60);

template <typename Expected, typename Deduced>
static void same(const Deduced &)
{
    static_assert(std::is_same_v<Expected, Deduced>);
}

static const char long_text[] = "a string that does not fit into the object itself";
using entry = std::pair<const int, int>;

/* Every container that a program makes of elements and an allocator. */
template <template <typename> class Allocator>
static void containers(const Allocator<int> &numbers)
{
    const Allocator<entry> entries(numbers);
    const memkind_t kind = memkind_detect_kind(std::vector({1}, numbers).data());

    std::vector vector({3, 1, 2}, numbers);
    std::deque deque({3, 1, 2}, numbers);
    std::list list(vector.begin(), vector.end(), numbers);
    std::forward_list forward(list.begin(), list.end(), numbers);
    std::set set(vector.begin(), vector.end(), std::less<int>(), numbers);
    std::unordered_set table({3, 1, 2}, 16, std::hash<int>(), std::equal_to<int>(), numbers);
    std::map map({std::pair(1, 2)}, std::less<int>(), entries);
    std::unordered_map hashed({std::pair(1, 2)}, 16, std::hash<int>(), std::equal_to<int>(),
                              entries);
    const Allocator<char> characters(numbers);
    std::basic_string text(std::string_view{long_text}, characters);
    std::priority_queue greatest(std::less<int>(), vector, numbers);
    std::stack stack(deque, numbers);

    same<std::vector<int, Allocator<int>>>(vector);
    same<std::deque<int, Allocator<int>>>(deque);
    same<std::list<int, Allocator<int>>>(list);
    same<std::forward_list<int, Allocator<int>>>(forward);
    same<std::set<int, std::less<int>, Allocator<int>>>(set);
    same<std::unordered_set<int, std::hash<int>, std::equal_to<int>, Allocator<int>>>(table);
    same<std::map<int, int, std::less<int>, Allocator<entry>>>(map);
    same<std::unordered_map<int, int, std::hash<int>, std::equal_to<int>, Allocator<entry>>>(
        hashed);
    same<std::basic_string<char, std::char_traits<char>, Allocator<char>>>(text);
    same<std::priority_queue<int, std::vector<int, Allocator<int>>>>(greatest);
    same<std::stack<int, std::deque<int, Allocator<int>>>>(stack);

    cr_expect_not_null(kind);
    cr_expect_eq(memkind_detect_kind(vector.data()), kind);
    cr_expect_eq(memkind_detect_kind(text.data()), kind);
    cr_expect(deque.get_allocator() == numbers && list.get_allocator() == numbers);
    cr_expect(forward.get_allocator() == numbers && set.get_allocator() == numbers);
    cr_expect(table.get_allocator() == numbers && map.get_allocator() == numbers);
    cr_expect(hashed.get_allocator() == numbers);
    cr_expect_eq(memkind_detect_kind(const_cast<int *>(&greatest.top())), kind);
    cr_expect_eq(stack.top(), 2);

    /* A copy asks for no more than something that turns into its allocator. */
    std::vector copy(vector, characters);
    same<std::vector<int, Allocator<int>>>(copy);
    cr_expect_eq(copy, vector);
}

Test(cxx_deduced, from_an_allocator)
{
    alignas(4096) static char area[16 << 20];

    containers(libmemkind::static_kind::allocator<int>(libmemkind::kinds::DEFAULT));
    containers(hbw::allocator<int>());
    containers(libmemkind::fixed::allocator<int>(area, sizeof area));
    containers(libmemkind::pmem::allocator<int>("/tmp", 16 << 20));
}

/* Copies and moves of std::pmr containers into a kind: a pointer to the resource is enough. */
Test(cxx_deduced, from_a_resource)
{
    libmemkind::resource resource(MEMKIND_REGULAR);
    libmemkind::resource *const memory = &resource;
    const std::pmr::vector<int> vector({3, 1, 2});
    const std::pmr::map<int, int> map({{1, 2}});

    if (memkind_check_available(MEMKIND_REGULAR) != MEMKIND_SUCCESS)
        test_skip("there is no MEMKIND_REGULAR here");
    std::vector copy(vector, memory);
    std::vector moved(std::pmr::vector<int>(vector), memory);
    std::deque deque(std::pmr::deque<int>({3, 1, 2}), memory);
    std::list list(std::pmr::list<int>({3, 1, 2}), memory);
    std::set set(std::pmr::set<int>({3, 1, 2}), memory);
    std::map tree(map, memory);
    std::unordered_map table(std::pmr::unordered_map<int, int>({{1, 2}}), memory);
    std::priority_queue greatest(std::less<int>(), vector, memory);
    std::queue queue(deque, memory);

    same<std::pmr::vector<int>>(copy);
    same<std::pmr::vector<int>>(moved);
    same<std::pmr::deque<int>>(deque);
    same<std::pmr::list<int>>(list);
    same<std::pmr::set<int>>(set);
    same<std::pmr::map<int, int>>(tree);
    same<std::pmr::unordered_map<int, int>>(table);
    same<std::priority_queue<int, std::pmr::vector<int>>>(greatest);
    same<std::queue<int, std::pmr::deque<int>>>(queue);

    cr_expect_eq(memkind_detect_kind(copy.data()), MEMKIND_REGULAR);
    cr_expect_eq(memkind_detect_kind(moved.data()), MEMKIND_REGULAR);
    cr_expect_eq(memkind_detect_kind(const_cast<int *>(&greatest.top())), MEMKIND_REGULAR);
    cr_expect_eq(deque.get_allocator().resource(), memory);
    cr_expect_eq(list.get_allocator().resource(), memory);
    cr_expect_eq(set.get_allocator().resource(), memory);
    cr_expect_eq(tree.get_allocator().resource(), memory);
    cr_expect_eq(table.get_allocator().resource(), memory);
    cr_expect_eq(queue.front(), 3);

    std::vector filled({1, 2, 3}, std::pmr::polymorphic_allocator<int>(memory));
    same<std::pmr::vector<int>>(filled);
    cr_expect_eq(filled.get_allocator().resource(), memory);
}

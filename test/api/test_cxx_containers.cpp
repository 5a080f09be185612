/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_cxx, continued: containers, with each allocator. Whatever they hold, they behave as on
 * std::allocator, and every node is of the allocator's kind.
 */
#include "cxx.h"

/* --- containers of many nodes, as on std::allocator ------------------------------------------- */

static size_t nodes; /* how many each container of the test has */

template <typename C, typename D>
static void same(const C &ours, const D &theirs)
{
    cr_assert_eq(ours.size(), theirs.size());
    cr_assert(std::equal(ours.begin(), ours.end(), theirs.begin()));
}

template <typename C>
static void fill_list(C &list)
{
    uint64_t seed = 1;

    for (size_t i = 0; i < nodes; i++)
        list.push_back(test_random(&seed));
    for (auto i = list.begin(); i != list.end();) /* every other one goes, half of them return */
        i = std::next(list.erase(i));
    for (size_t i = 0; i < nodes / 4; i++)
        list.push_front(i);
}

template <typename C>
static void fill_map(C &map)
{
    uint64_t seed = 2;

    for (size_t i = 0; i < nodes; i++)
        map[test_random(&seed)] = i;
    seed = 2;
    for (size_t i = 0; i < nodes; i++) {
        const uint64_t key = test_random(&seed);

        if (i % 2)
            map.erase(key);
    }
    for (size_t i = 0; i < nodes / 4; i++)
        map.emplace(i, i);
}

template <typename C>
static void fill_numbers(C &numbers)
{
    uint64_t seed = 3;

    for (size_t i = 0; i < nodes; i++)
        numbers.push_back(test_random(&seed));
    numbers.erase(numbers.begin(), numbers.begin() + 1000);
    numbers.insert(numbers.begin() + 500, 2000, 7);
}

template <typename S>
static void many_numbers(void)
{
    {
        typename types<S>::numbers ours(S::make());
        typename types<S>::deque queue(S::make());
        const memkind_t kind = kind_of(ours.get_allocator());
        const long before = news;

        fill_numbers(ours);
        fill_numbers(queue);
        ours.shrink_to_fit();
        cr_assert_eq(news, before, "no other memory is used");
        cr_assert_eq(memkind_detect_kind(ours.data()), kind);

        std::vector<uint64_t> theirs;
        fill_numbers(theirs);
        same(ours, theirs);
        same(queue, theirs);
    }
    nothing_is_left();
}

template <typename S>
static void many_list_nodes(void)
{
    {
        typename types<S>::list ours(S::make());
        const long before = news;

        fill_list(ours);
        ours.sort();
        cr_assert_eq(news, before);
        cr_assert_geq(blocks, static_cast<long>(ours.size()), "a block for each node");

        std::list<uint64_t> theirs;
        fill_list(theirs);
        theirs.sort();
        same(ours, theirs);
    }
    nothing_is_left();
}

template <typename S>
static void many_map_nodes(void)
{
    {
        typename types<S>::map ours(S::make());
        const long before = news;

        fill_map(ours);
        cr_assert_eq(news, before);
        cr_assert_geq(blocks, static_cast<long>(ours.size()));

        std::map<uint64_t, uint64_t> theirs;
        fill_map(theirs);
        same(ours, theirs);
    }
    nothing_is_left();
}

template <typename S>
static void many_table_nodes(void)
{
    {
        typename types<S>::table ours(16, S::make());
        const long before = news;

        fill_map(ours);
        cr_assert_eq(news, before);
        cr_assert_geq(blocks, static_cast<long>(ours.size()));

        std::unordered_map<uint64_t, uint64_t> theirs;
        fill_map(theirs);
        cr_assert_eq(ours.size(), theirs.size());
        for (const auto &pair : ours) {
            auto found = theirs.find(pair.first);

            if (found == theirs.end() || found->second != pair.second)
                cr_assert_fail("key %ju", static_cast<uintmax_t>(pair.first));
        }
    }
    nothing_is_left();
}

/* --- nested containers ------------------------------------------------------------------------ */

/* The strings' own memory, too, is from the kind of the outermost container. */
template <typename S>
static void nested_containers(void)
{
    {
        const auto a = S::make();
        const memkind_t kind = kind_of(a);
        typename types<S>::index ours(a);
        std::map<std::string, std::vector<std::string>> theirs;

        for (size_t i = 0; i < 20000; i++) {
            const std::string key = word(i % 500), text = word(i);
            const typename types<S>::string our_key(key.c_str(), a);
            const long before = news;

            ours[our_key].emplace_back(text.c_str());
            cr_assert_eq(news, before);
            theirs[key].push_back(text);
        }
        cr_assert_eq(ours.size(), theirs.size());
        auto their = theirs.begin();
        for (const auto &pair : ours) {
            cr_assert_str_eq(pair.first.c_str(), their->first.c_str());
            cr_assert_eq(memkind_detect_kind(const_cast<char *>(pair.first.data())), kind);
            cr_assert_eq(pair.second.size(), their->second.size());
            for (size_t i = 0; i < pair.second.size(); i++) {
                cr_assert_str_eq(pair.second[i].c_str(), their->second[i].c_str());
                cr_assert_eq(memkind_detect_kind(const_cast<char *>(pair.second[i].data())), kind);
            }
            ++their;
        }

        typename types<S>::index copy(ours), moved(std::move(ours));
        cr_assert(copy == moved);
        copy.erase(copy.begin(), std::next(copy.begin(), 250));
        moved = copy;
        cr_assert(copy == moved);
    }
    nothing_is_left();
}

/* A million of them with one of the allocators: a kind grows the same way whichever names it. */
#define MANY (TEST_SANITIZED ? 100000 : 300000)

/* clang-format off */
#define CONTAINER_TESTS_OF(SUITE, NODES)                                              \
    Test(SUITE, many_numbers) { nodes = (NODES); many_numbers<SUITE>(); }             \
    Test(SUITE, many_list_nodes) { nodes = (NODES); many_list_nodes<SUITE>(); }       \
    Test(SUITE, many_map_nodes) { nodes = (NODES); many_map_nodes<SUITE>(); }         \
    Test(SUITE, many_table_nodes) { nodes = (NODES); many_table_nodes<SUITE>(); }     \
    Test(SUITE, nested_containers) { nested_containers<SUITE>(); }
/* clang-format on */

CONTAINER_TESTS_OF(cxx_static, MANY)
CONTAINER_TESTS_OF(cxx_hbw, 100000)
CONTAINER_TESTS_OF(cxx_pmem, 100000)
CONTAINER_TESTS_OF(cxx_fixed, 100000)

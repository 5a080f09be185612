/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_cxx: what the C++ allocators promise: containers on each of them behave as on std::allocator
 * and hold everything in their kind, failures are the documented exceptions and leave nothing
 * behind, a kind lives as long as the last copy of its allocator.
 *
 * The functions of the library that the headers call are in cxx_calls.cpp, which counts blocks,
 * kinds and configurations, checks that each block goes back to its own kind, and can fail. While
 * `pretending`, file-backed and fixed kinds are ordinary ones: who owns them is the headers'
 * business, what they are made of is not.
 *
 * What holds of every allocator is in test_cxx_containers.cpp and test_cxx_members.cpp, kinds that
 * an allocator owns in test_cxx_owner.cpp.
 *
 * The heap manager is the environment's choice.
 */
#include "cxx.h"

TestSuite(cxx_static, .init = cxx_init, .timeout = 240);
TestSuite(cxx_hbw, .init = cxx_init, .timeout = 240);
TestSuite(cxx_pmem, .init = cxx_init, .timeout = 240);
TestSuite(cxx_fixed, .init = cxx_init, .timeout = 240);

/* --- static kinds ----------------------------------------------------------------------------- */

#define KIND(NAME)                   \
    {                                \
        kinds::NAME, &MEMKIND_##NAME \
    }

Test(cxx_static, each_name_is_its_kind)
{
    static const struct {
        kinds name;
        const memkind_t *kind;
    } table[] = {
        KIND(DEFAULT),
        KIND(HUGETLB),
        KIND(INTERLEAVE),
        KIND(HBW),
        KIND(HBW_ALL),
        KIND(HBW_HUGETLB),
        KIND(HBW_ALL_HUGETLB),
        KIND(HBW_PREFERRED),
        KIND(HBW_PREFERRED_HUGETLB),
        KIND(HBW_INTERLEAVE),
        KIND(REGULAR),
        KIND(DAX_KMEM),
        KIND(DAX_KMEM_ALL),
        KIND(DAX_KMEM_PREFERRED),
        KIND(DAX_KMEM_INTERLEAVE),
        KIND(HIGHEST_CAPACITY),
        KIND(HIGHEST_CAPACITY_PREFERRED),
        KIND(HIGHEST_CAPACITY_LOCAL),
        KIND(HIGHEST_CAPACITY_LOCAL_PREFERRED),
        KIND(LOWEST_LATENCY_LOCAL),
        KIND(LOWEST_LATENCY_LOCAL_PREFERRED),
        KIND(HIGHEST_BANDWIDTH_LOCAL),
        KIND(HIGHEST_BANDWIDTH_LOCAL_PREFERRED),
    };

    for (size_t i = 0; i < LENGTH(table); i++) {
        cr_assert_eq(static_cast<size_t>(table[i].name), i, "the numbers are part of the ABI");

        libmemkind::static_kind::allocator<int> a(table[i].name);
        const bool available = memkind_check_available(*table[i].kind) == MEMKIND_SUCCESS;
        const int error = thrown(a, 1);

        cr_assert_eq(last_kind, *table[i].kind, "%zu", i);
        if (!available)
            cr_assert_eq(error, 1, "%zu", i);
        for (size_t j = 0; j < LENGTH(table); j++) {
            const libmemkind::static_kind::allocator<char> other(table[j].name);

            cr_assert_eq(a == other, i == j);
            cr_assert_eq(a != other, i != j);
        }
    }
    nothing_is_left();
}

Test(cxx_static, unknown_names_are_refused)
{
    static const int unknown[] = {-1, 23, 24, INT_MAX, INT_MIN};

    for (int number : unknown) {
        try {
            libmemkind::static_kind::allocator<int> a(static_cast<kinds>(number));
            cr_assert_fail("%d", number);
        } catch (const std::runtime_error &) {
        }
    }
}

/* --- high-bandwidth memory -------------------------------------------------------------------- */

Test(cxx_hbw, blocks_are_of_the_policy)
{
    if (hbw_check_available() != 0)
        test_skip("MEMKIND_HBW_NODES=0 makes no high-bandwidth node");
    cr_assert_eq(hbw_set_policy(HBW_POLICY_BIND_ALL), 0);

    std::vector<int, hbw::allocator<int>> v(1000, 1);
    std::list<aligned<64>, hbw::allocator<aligned<64>>> list(1, aligned<64>(1));

    cr_assert_eq(memkind_detect_kind(v.data()), MEMKIND_HBW_ALL);
    cr_assert_eq(kind_of(hbw::allocator<aligned<64>>()), MEMKIND_HBW_ALL);
}

Test(cxx_hbw, no_nodes_and_a_strict_policy)
{
    unsetenv("MEMKIND_HBW_NODES");
    if (hbw_check_available() == 0)
        test_skip("this machine has high-bandwidth nodes");
    cr_assert_eq(hbw_set_policy(HBW_POLICY_BIND), 0);
    cr_assert_eq(thrown(hbw::allocator<int>(), 1), 1);
    cr_assert_eq(thrown(hbw::allocator<aligned<64>>(), 1), 1);
    nothing_is_left();
}

Test(cxx_hbw, everything_is_equal)
{
    hbw::allocator<int> a, b;
    hbw::allocator<aligned<64>> c(a);

    cr_assert(a == b && b == c && !(a != c));
    b.deallocate(a.allocate(10, nullptr), 10);

    struct {
        char *operator&()
        {
            return nullptr;
        }
    } shy;
    using shy_type = decltype(shy);
    const shy_type &constant = shy;
    cr_assert_eq(hbw::allocator<shy_type>().address(shy), std::addressof(shy));
    cr_assert_eq(hbw::allocator<shy_type>().address(constant), std::addressof(shy));
    nothing_is_left();
}

/* --- what file-backed and fixed kinds do ------------------------------------------------------ */

/* Until there is no more: an exception, never more than there was, and afterwards it can be used
 * again. The containers keep what they had. */
template <typename S>
static void exhaust(const typename S::template allocator<char> &a, size_t size)
{
    typename types<S>::list list(a);
    typename types<S>::numbers v(a);
    bool full = false;

    for (int round = 0; round < 2; round++) {
        size_t count = 0;

        for (full = false; !full;) {
            try {
                list.push_back(count);
                count++;
            } catch (const std::bad_alloc &) {
                full = true;
            }
            cr_assert_leq(count, size / sizeof(uint64_t), "more than there is");
        }
        cr_assert_eq(list.size(), count);
        cr_assert_gt(count, size / (3 * sizeof(uint64_t)) / 4, "only %zu nodes", count);
        uint64_t expected = 0;
        for (uint64_t number : list)
            if (number != expected++)
                cr_assert_fail("node %ju", static_cast<uintmax_t>(expected - 1));
        list.clear();
    }
    for (full = false; !full;) {
        try {
            v.push_back(v.size());
        } catch (const std::bad_alloc &) {
            full = true;
        }
        cr_assert_leq(v.size(), size / sizeof(uint64_t));
    }
    for (size_t i = 0; i < v.size(); i++)
        cr_assert_eq(v[i], i);
}

Test(cxx_fixed, everything_is_in_the_area)
{
    char *area = static_cast<char *>(cxx_fixed::area(64 * MIB));
    {
        const libmemkind::fixed::allocator<uint64_t> a(area, 64 * MIB);
        types<cxx_fixed>::list list(10000, 1, a);
        types<cxx_fixed>::numbers v(100000, 1, a);

        for (const uint64_t &number : list)
            cr_assert(reinterpret_cast<const char *>(&number) >= area &&
                      reinterpret_cast<const char *>(&number) < area + 64 * MIB);
        for (const uint64_t &number : v)
            cr_assert(reinterpret_cast<const char *>(&number) >= area &&
                      reinterpret_cast<const char *>(&number) < area + 64 * MIB);
    }
    cr_assert_eq(munmap(area, 64 * MIB), 0); /* ours again */
    nothing_is_left();
}

Test(cxx_fixed, exhausted)
{
    exhaust<cxx_fixed>(libmemkind::fixed::allocator<char>(cxx_fixed::area(32 * MIB), 32 * MIB),
                       32 * MIB);
    nothing_is_left();
}

Test(cxx_fixed, wrong_arguments)
{
    using allocator = libmemkind::fixed::allocator<int>;

    cr_assert_eq(refusal([] { allocator(nullptr, 64 * MIB); }), 'i');
    cr_assert_eq(refusal([] { allocator(cxx_fixed::area(32 * MIB), KIB); }), 'i');
    cr_assert_eq(refusal([] { allocator(cxx_fixed::area(32 * MIB), 0); }), 'i');
    cr_assert_eq(refusal([] { allocator(cxx_fixed::area(32 * MIB), SIZE_MAX); }), 'i');
    nothing_is_left();
}

Test(cxx_pmem, exhausted)
{
    exhaust<cxx_pmem>(libmemkind::pmem::allocator<char>(directory(), 32 * MIB), 32 * MIB);
    nothing_is_left();
}

Test(cxx_pmem, both_policies_and_no_limit)
{
    for (auto policy : {allocation_policy::DEFAULT, allocation_policy::CONSERVATIVE}) {
        const libmemkind::pmem::allocator<uint64_t> a(directory(), 0, policy);
        types<cxx_pmem>::numbers v(1000000, 1, a);

        v.resize(2000000, 2);
        cr_assert_eq(std::count(v.begin(), v.end(), 2), 1000000);
    }
    nothing_is_left();
}

Test(cxx_pmem, wrong_arguments)
{
    using allocator = libmemkind::pmem::allocator<int>;

    const std::string good = directory();
    const char *null = nullptr;
    cr_assert_eq(refusal([null] { allocator(null, 0); }), 'i');
    cr_assert_eq(refusal([] { allocator("/nonexistent/directory", 0); }), 'i');
    cr_assert_eq(refusal([] { allocator(std::string("/proc/self/exe"), 0); }), 'i');
    cr_assert_eq(refusal([&good] { allocator(good, MEMKIND_PMEM_MIN_SIZE - 1); }), 'i');
    cr_assert_eq(refusal([&good] { allocator(good, 0, allocation_policy::MAX); }), 'i');
    nothing_is_left();
}

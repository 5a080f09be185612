/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_cxx, continued: kinds that an allocator owns. Arguments arrive, errors are exceptions, and
 * the kind lives exactly as long as the last copy; containers stay in their kind.
 */
#include "cxx.h"

TestSuite(cxx_owner, .init = cxx_init_pretending, .timeout = 120);

/* Calls f(S()) for both. */
template <typename F>
static void for_owners(F f)
{
    f(cxx_pmem());
    f(cxx_fixed());
}

Test(cxx_owner, arguments_arrive)
{
    using allocator = libmemkind::pmem::allocator<int>;

    const auto arrived = [](const char *path, size_t size, memkind_mem_usage_policy policy) {
        return last_path == path && last_size == size && last_policy == policy;
    };
    allocator a("/a", 1);
    cr_assert(arrived("/a", 1, MEMKIND_MEM_USAGE_POLICY_DEFAULT));
    allocator b("/b", 2, allocation_policy::CONSERVATIVE);
    cr_assert(arrived("/b", 2, MEMKIND_MEM_USAGE_POLICY_CONSERVATIVE));
    allocator c(std::string("/c"), 3);
    cr_assert(arrived("/c", 3, MEMKIND_MEM_USAGE_POLICY_DEFAULT));
    allocator d(std::string("/d"), 4, allocation_policy::CONSERVATIVE);
    cr_assert(arrived("/d", 4, MEMKIND_MEM_USAGE_POLICY_CONSERVATIVE));
    allocator e("/e", 5, allocation_policy::MAX);
    cr_assert(arrived("/e", 5, MEMKIND_MEM_USAGE_POLICY_MAX_VALUE));
    cr_assert_eq(live_configs, 0);
    cr_assert_eq(live_kinds, 5);
}

Test(cxx_owner, errors_become_exceptions)
{
    static const int errors[] = {
        MEMKIND_ERROR_INVALID,     MEMKIND_ERROR_MMAP,
        MEMKIND_ERROR_MALLOC,      MEMKIND_ERROR_ENVIRON,
        MEMKIND_ERROR_TOOMANY,     MEMKIND_ERROR_OPERATION_FAILED,
        MEMKIND_ERROR_RUNTIME,     MEMKIND_ERROR_ARENAS_CREATE,
        MEMKIND_ERROR_UNAVAILABLE, -12345, /* one that no header knows */
    };

    for (int error : errors)
        for_owners([error](auto suite) {
            char reason[MEMKIND_ERROR_MESSAGE_SIZE];
            std::string text;

            create_error = error;
            cr_assert_eq(refusal([] { decltype(suite)::make(); }, &text),
                         error == MEMKIND_ERROR_INVALID ? 'i' : 'r', "%d", error);
            memkind_error_message(error, reason, sizeof reason);
            cr_assert_neq(text.find(reason), std::string::npos, "%s", text.c_str());
            cr_assert_neq(text.find(std::to_string(error)), std::string::npos);
            nothing_is_left();
        });
}

Test(cxx_owner, no_configuration)
{
    no_configuration = true;
    cr_assert_eq(refusal([] { cxx_pmem::make(); }), 'r');
    nothing_is_left();
}

/* Every operator new on the way fails once. */
Test(cxx_owner, no_memory_leaves_nothing)
{
    for (int error : {MEMKIND_SUCCESS, MEMKIND_ERROR_INVALID, MEMKIND_ERROR_RUNTIME})
        for_owners([error](auto suite) {
            const char goal = error == MEMKIND_ERROR_INVALID ? 'i' : error ? 'r' : '-';
            const std::string where(100, '/');
            const auto construct = [&where](auto s) {
                if (std::is_same<decltype(s), cxx_pmem>::value)
                    libmemkind::pmem::allocator<int>(where, room);
                else
                    decltype(s)::make();
            };
            char result = 0;
            long left = 0;

            last_path.reserve(where.size());
            create_error = error;
            for (; left < 100 && result != goal; left++) {
                news_left = left;
                result = refusal([&construct, suite] { construct(suite); });
                news_left = LONG_MAX;
                cr_assert(result == goal || result == 'b', "%c", result);
                nothing_is_left();
            }
            cr_assert_eq(result, goal);
            cr_assert_gt(left, 1, "there was nothing to fail");
        });
}

Test(cxx_owner, kind_lives_as_long_as_the_last_copy)
{
    for_owners([](auto suite) {
        using S = decltype(suite);
        using A = typename S::template allocator<int>;
        std::unique_ptr<A> first(new A(S::make()));

        cr_assert_eq(live_kinds, 1);
        std::unique_ptr<A> copy(new A(*first));
        auto rebound = std::make_unique<typename S::template allocator<double>>(*first);
        auto container = std::make_unique<std::map<int, int, std::less<int>, A>>(*copy);
        for (int i = 0; i < 1000; i++)
            (*container)[i] = i;
        first.reset();
        copy.reset();
        rebound.reset();
        cr_assert_eq(live_kinds, 1, "the container has a copy");
        for (int i = 0; i < 1000; i++)
            cr_assert_eq((*container)[i], i);
        container.reset();
        nothing_is_left();
    });
}

/* More of them, one after the other, than can be alive at the same time. */
Test(cxx_owner, kinds_are_reused)
{
    for_owners([](auto suite) {
        for (int i = 0; i < MEMKIND_MAX_KIND + 10; i++)
            kind_of(decltype(suite)::make());
    });
    nothing_is_left();
}

Test(cxx_owner, assignment_gives_the_old_kind_up)
{
    for_owners([](auto suite) {
        using S = decltype(suite);
        auto a = S::make(), b = S::make();
        typename S::template allocator<double> c(S::make());

        cr_assert_eq(live_kinds, 3);
        cr_assert(a != b);
        a = b;
        cr_assert(a == b);
        cr_assert_eq(live_kinds, 2);
        a = *&a;
        cr_assert_eq(live_kinds, 2);
        b = c;
        cr_assert(a != b && b == c);
        a = std::move(c);
        cr_assert_eq(live_kinds, 1);
        cr_assert_eq(kind_of(a), kind_of(b));
    });
    nothing_is_left();
}

Test(cxx_owner, equal_means_the_same_kind)
{
    for_owners([](auto suite) {
        using S = decltype(suite);
        const auto a = S::make(), b = S::make();
        const typename S::template allocator<double> c(a);

        cr_assert(a == a && !(a != a));
        cr_assert(a != b && !(a == b));
        cr_assert(a == c && c != b);
        double *p = c.allocate(5);
        typename S::template allocator<double>(a).deallocate(p, 5);
    });
    nothing_is_left();
}

Test(cxx_owner, moved_from_is_as_good_as_before)
{
    for_owners([](auto suite) {
        using S = decltype(suite);
        using numbers = typename types<S>::numbers;
        auto a = S::make();
        auto b = std::move(a);
        typename S::template allocator<double> c(std::move(b));

        cr_assert(a == b && a == c);
        cr_assert_eq(kind_of(a), kind_of(c));

        numbers v({1, 2, 3}, a), w(std::move(v));
        v.clear();
        v.push_back(4);
        cr_assert_eq(v[0], 4);
        cr_assert_eq(w[2], 3);
        w = std::move(v);
        v.assign(10, 5);
        cr_assert_eq(v[9], 5);
    });
    nothing_is_left();
}

template <typename C>
static void assign_and_swap(const C &first, const C &second)
{
    const auto a = first.get_allocator(), b = second.get_allocator();

    cr_assert(a != b);
    {
        C copy(first), moved(std::move(copy));
        cr_assert(moved.get_allocator() == a);
        cr_assert(moved == first);
    }
    {
        C x(first);
        const C y(second);
        x = y;
        cr_assert(x.get_allocator() == a, "copies into the memory of the left side");
        cr_assert(x == second && y == second);
    }
    {
        C x(first), y(second);
        x = std::move(y);
        cr_assert(x.get_allocator() == a, "moves into the memory of the left side");
        cr_assert(x == second);
        y = first;
        cr_assert(y.get_allocator() == b);
    }
    {
        C x(first), y(first.begin(), first.end(), a);
        const auto *element = &*x.begin();
        y = std::move(x);
        cr_assert_eq(&*y.begin(), element, "equal allocators: no element moves");
    }
    {
        C x(first), y(second);
        const auto *element = &*x.begin();
        swap(x, y);
        cr_assert(x == second && y == first);
        cr_assert(x.get_allocator() == b && y.get_allocator() == a);
        cr_assert_eq(&*y.begin(), element);
        y.insert(y.end(), *y.begin());
    }
}

template <typename S>
static void assign_and_swap_all(const typename S::template allocator<char> &a,
                                const typename S::template allocator<char> &b)
{
    using map = typename types<S>::map;
    using pair = typename map::value_type;

    assign_and_swap(typename types<S>::numbers({1, 2, 3}, a),
                    typename types<S>::numbers({4, 5, 6, 7}, b));
    assign_and_swap(typename types<S>::list({1, 2, 3}, a),
                    typename types<S>::list({4, 5, 6, 7}, b));
    assign_and_swap(typename types<S>::string("a string that needs memory of its own", a),
                    typename types<S>::string("another one, and this one is a little longer", b));
    assign_and_swap(map({pair(1, 2), pair(3, 4)}, a), map({pair(5, 6)}, b));
    nothing_is_left();
}

Test(cxx_owner, containers_stay_in_their_kind)
{
    for_owners([](auto suite) {
        const auto a = decltype(suite)::make(), b = decltype(suite)::make();
        const long kinds_before = live_kinds;

        live_kinds = 0; /* for nothing_is_left() */
        assign_and_swap_all<decltype(suite)>(a, b);
        live_kinds += kinds_before;
    });
}

Test(cxx_static, containers_stay_in_their_kind)
{
    using allocator = libmemkind::static_kind::allocator<char>;

    if (memkind_check_available(MEMKIND_REGULAR) != MEMKIND_SUCCESS)
        test_skip("MEMKIND_REGULAR is not available");
    assign_and_swap_all<cxx_static>(allocator(kinds::DEFAULT), allocator(kinds::REGULAR));
}

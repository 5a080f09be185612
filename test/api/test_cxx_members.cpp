/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_cxx, continued: the members of each allocator: strings, construction, alignment, sizes,
 * elements that throw, and threads.
 */
#include "cxx.h"

template <typename S>
static void strings(void)
{
    {
        typename types<S>::string ours(S::make());
        std::string theirs;

        for (size_t i = 0; i < 50000; i++) {
            ours += word(i).c_str();
            theirs += word(i);
        }
        ours.insert(1000, "inserted");
        theirs.insert(1000, "inserted");
        cr_assert_str_eq(ours.c_str(), theirs.c_str());
        cr_assert_eq(memkind_detect_kind(&ours[0]), kind_of(ours.get_allocator()));
    }
    nothing_is_left();
}

/* Can only be made by an allocator that passes on what it is given, as it is given. */
struct picky {
    picky(std::unique_ptr<int> first, int &second, const char *third)
        : first(std::move(first)), second(second), third(third)
    {
    }

    std::unique_ptr<int> first;
    int &second;
    std::string third;
};

template <typename S>
static void construction(void)
{
    {
        int number = 1;
        std::vector<picky, typename S::template allocator<picky>> v(S::make());

        for (int i = 0; i < 100; i++)
            v.emplace_back(std::unique_ptr<int>(new int(i)), number, "third");
        v.push_back(picky(nullptr, number, "last")); /* moved, there is no copy */
        for (int i = 0; i < 100; i++) {
            cr_assert_eq(*v[i].first, i);
            cr_assert_eq(&v[i].second, &number);
            cr_assert_str_eq(v[i].third.c_str(), "third");
        }

        typename S::template allocator<std::string> a(S::make());
        std::string *p = a.allocate(2);
        a.construct(p, "a long string that needs memory of its own");
        a.construct(const_cast<const std::string *>(p + 1), 50, 'x');
        cr_assert_eq(p[0].size(), 42);
        cr_assert_eq(p[1], std::string(50, 'x'));
        a.destroy(p);
        a.destroy(p + 1);
        a.deallocate(p, 2);
    }
    nothing_is_left();
}

template <typename T>
static bool is_aligned(const T &object)
{
    return reinterpret_cast<uintptr_t>(&object) % alignof(T) == 0;
}

template <typename S, size_t Alignment>
static void aligned_to(void)
{
    using T = aligned<Alignment>;
    const auto a = S::make();
    std::vector<T, typename S::template allocator<T>> v(a);
    std::list<T, typename S::template allocator<T>> list(a);

    for (int i = 0; i < 100; i++) {
        v.emplace_back(static_cast<unsigned char>(i));
        list.emplace_back(static_cast<unsigned char>(i));
        cr_assert(is_aligned(v[0]), "%zu: %p", Alignment, static_cast<void *>(&v[0]));
        cr_assert(is_aligned(list.back()));
    }
    for (int i = 0; i < 100; i++) {
        cr_assert_eq(v[i].value, i);
        cr_assert_eq(list.front().value, i);
        list.pop_front();
    }
}

template <typename S>
static void alignment(void)
{
    aligned_to<S, 1>();
    aligned_to<S, 16>();
    aligned_to<S, 32>();
    aligned_to<S, 64>();
    aligned_to<S, 1024>();
    aligned_to<S, 4096>();
    aligned_to<S, 65536>();
    nothing_is_left();
}

struct large {
    char bytes[24];
};

template <typename S, typename T>
static void sizes_of(void)
{
    typename S::template allocator<T> a(S::make());
    const size_t most = SIZE_MAX / sizeof(T);

    cr_assert_eq(thrown(a, 1), 0);
    cr_assert_eq(thrown(a, 0), 1);
    cr_assert_eq(thrown(a, most), 1);
    cr_assert_eq(thrown(a, PTRDIFF_MAX / sizeof(T) + 1), 1);
    if (sizeof(T) > 1) {
        cr_assert_eq(thrown(a, most + 1), 2, "wraps around to a small size");
        cr_assert_eq(thrown(a, most + 2), 2);
        cr_assert_eq(thrown(a, SIZE_MAX), 2);
    }
    cr_assert_eq(std::allocator_traits<decltype(a)>::max_size(a), most);
}

/* A size that is no size is an exception, and leaves a container as it was. */
template <typename S>
static void sizes(void)
{
    sizes_of<S, char>();
    sizes_of<S, uint64_t>();
    sizes_of<S, large>();
    sizes_of<S, aligned<64>>();
    {
        typename types<S>::numbers v({1, 2, 3}, S::make());

        try {
            v.reserve(v.max_size());
            cr_assert_fail("no exception");
        } catch (const std::bad_alloc &) {
        }
        cr_assert_eq(v.size(), 3);
        cr_assert_eq(v[2], 3);
    }
    nothing_is_left();
}

struct thrower {
    static int left, alive;

    thrower()
    {
        if (left-- == 0)
            throw std::logic_error("enough");
        alive++;
    }

    thrower(const thrower &) : thrower()
    {
    }

    ~thrower()
    {
        alive--;
    }
};

int thrower::left, thrower::alive;

template <typename S>
static void throwing_elements(void)
{
    using A = typename S::template allocator<thrower>;
    const A a(S::make());
    const long before = blocks;

    for (int good = 0; good < 10; good++) {
        thrower::left = good;
        try {
            std::vector<thrower, A> v(10, a);
            cr_assert_fail("no exception");
        } catch (const std::logic_error &) {
        }
        thrower::left = good;
        try {
            std::list<thrower, A> list(a);
            for (;;)
                list.emplace_back();
        } catch (const std::logic_error &) {
        }
        cr_assert_eq(thrower::alive, 0);
        cr_assert_eq(blocks, before);
    }
}

/* Copies in many threads, blocks from one thread to the next; the last copy may go anywhere. */
template <typename S>
static void threads(void)
{
    {
        using list = typename types<S>::list;
        std::mutex lock;
        std::vector<list> passed;
        std::vector<std::thread> running;
        std::atomic<size_t> sum(0);

        {
            const auto a = S::make();

            for (unsigned id = 0; id < 4; id++)
                running.emplace_back([&sum, &lock, &passed, a, id] {
                    for (unsigned round = 0; round < 50; round++) {
                        list ours(a);

                        for (unsigned i = 0; i < 200; i++)
                            ours.push_back(id);
                        std::lock_guard<std::mutex> guard(lock);
                        passed.push_back(std::move(ours));
                        if (round % 2 == 0)
                            continue;
                        const list &other = passed[passed.size() / 2];
                        sum += other.size();
                        passed.erase(passed.begin() + static_cast<long>(passed.size() / 2));
                    }
                });
        }
        for (auto &thread : running)
            thread.join();
        running.clear();
        cr_assert_eq(sum, 4 * 25 * 200);
        cr_assert_eq(passed.size(), 4 * 25);
        for (const auto &other : passed)
            cr_assert(std::count(other.begin(), other.end(), other.front()) == 200);
    }
    nothing_is_left();
}

/* clang-format off */
#define MEMBER_TESTS_OF(SUITE)                                          \
    Test(SUITE, strings) { strings<SUITE>(); }                          \
    Test(SUITE, construction) { construction<SUITE>(); }                \
    Test(SUITE, alignment) { alignment<SUITE>(); }                      \
    Test(SUITE, sizes) { sizes<SUITE>(); }                              \
    Test(SUITE, throwing_elements) { throwing_elements<SUITE>(); }      \
    Test(SUITE, threads) { threads<SUITE>(); }
/* clang-format on */

MEMBER_TESTS_OF(cxx_static)
MEMBER_TESTS_OF(cxx_hbw)
MEMBER_TESTS_OF(cxx_pmem)
MEMBER_TESTS_OF(cxx_fixed)

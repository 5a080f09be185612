/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_cxx: what the C++ allocators promise: containers on each of them behave as on std::allocator
 * and hold everything in their kind, failures are the documented exceptions and leave nothing
 * behind, a kind lives as long as the last copy of its allocator.
 *
 * The functions of the library that the headers call are wrapped (ld's --wrap). The wrappers count
 * blocks, kinds and configurations, check that each block goes back to its own kind, and can fail.
 * While `pretending`, file-backed and fixed kinds are ordinary ones: who owns them is the
 * headers' business, what they are made of is not.
 *
 * The heap manager is the environment's choice.
 */
#include "support.h"

#include <fixed_allocator.h>
#include <hbw_allocator.h>
#include <memkind_allocator.h>
#include <pmem_allocator.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <scoped_allocator>
#include <set>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <thread>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

using libmemkind::allocation_policy;
using libmemkind::kinds;

/* --- what the headers call -------------------------------------------------------------------- */

static std::atomic<long> blocks;    /* allocated and not freed */
static std::atomic<long> misplaced; /* freed to a kind that was not theirs */
static std::atomic<long> live_kinds, live_configs;
static std::atomic<memkind_t> last_kind; /* of the last allocation */
static bool pretending;
static int create_error;      /* what create functions return */
static bool no_configuration; /* memkind_config_new() fails */
static memkind_mem_usage_policy last_policy;
static std::string last_path;
static size_t last_size;

extern "C" {
void *__real_memkind_malloc(memkind_t kind, size_t size);
int __real_memkind_posix_memalign(memkind_t kind, void **block, size_t alignment, size_t size);
void __real_memkind_free(memkind_t kind, void *block);
void *__real_hbw_malloc(size_t size);
int __real_hbw_posix_memalign(void **block, size_t alignment, size_t size);
void __real_hbw_free(void *block);
struct memkind_config *__real_memkind_config_new(void);
void __real_memkind_config_delete(struct memkind_config *config);
void __real_memkind_config_set_path(struct memkind_config *config, const char *path);
void __real_memkind_config_set_size(struct memkind_config *config, size_t size);
void __real_memkind_config_set_memory_usage_policy(struct memkind_config *config,
                                                   memkind_mem_usage_policy policy);
int __real_memkind_create_pmem_with_config(struct memkind_config *config, memkind_t *kind);
int __real_memkind_create_fixed(void *address, size_t size, memkind_t *kind);
int __real_memkind_destroy_kind(memkind_t kind);

void *__wrap_memkind_malloc(memkind_t kind, size_t size)
{
    void *block = __real_memkind_malloc(kind, size);

    last_kind = kind;
    blocks += block != nullptr;
    return block;
}

int __wrap_memkind_posix_memalign(memkind_t kind, void **block, size_t alignment, size_t size)
{
    int error = __real_memkind_posix_memalign(kind, block, alignment, size);

    last_kind = kind;
    blocks += error == 0 && *block;
    return error;
}

void __wrap_memkind_free(memkind_t kind, void *block)
{
    blocks -= block != nullptr;
    misplaced += memkind_detect_kind(block) != kind;
    __real_memkind_free(kind, block);
}

void *__wrap_hbw_malloc(size_t size)
{
    void *block = __real_hbw_malloc(size);

    blocks += block != nullptr;
    return block;
}

int __wrap_hbw_posix_memalign(void **block, size_t alignment, size_t size)
{
    int error = __real_hbw_posix_memalign(block, alignment, size);

    blocks += error == 0 && *block;
    return error;
}

void __wrap_hbw_free(void *block)
{
    blocks -= block != nullptr;
    misplaced += memkind_detect_kind(block) == nullptr;
    __real_hbw_free(block);
}

struct memkind_config *__wrap_memkind_config_new(void)
{
    struct memkind_config *config = no_configuration ? nullptr : __real_memkind_config_new();

    live_configs += config != nullptr;
    return config;
}

void __wrap_memkind_config_delete(struct memkind_config *config)
{
    live_configs -= config != nullptr;
    __real_memkind_config_delete(config);
}

void __wrap_memkind_config_set_path(struct memkind_config *config, const char *path)
{
    last_path = path ? path : "(null)";
    __real_memkind_config_set_path(config, path);
}

void __wrap_memkind_config_set_size(struct memkind_config *config, size_t size)
{
    last_size = size;
    __real_memkind_config_set_size(config, size);
}

void __wrap_memkind_config_set_memory_usage_policy(struct memkind_config *config,
                                                   memkind_mem_usage_policy policy)
{
    last_policy = policy;
    __real_memkind_config_set_memory_usage_policy(config, policy);
}

static int pretend(memkind_t *kind)
{
    return create_error
               ? create_error
               : memkind_create_kind(MEMKIND_MEMTYPE_DEFAULT, MEMKIND_POLICY_PREFERRED_LOCAL,
                                     (memkind_bits_t)0, kind);
}

int __wrap_memkind_create_pmem_with_config(struct memkind_config *config, memkind_t *kind)
{
    int error = pretending ? pretend(kind) : __real_memkind_create_pmem_with_config(config, kind);

    live_kinds += error == MEMKIND_SUCCESS;
    return error;
}

int __wrap_memkind_create_fixed(void *address, size_t size, memkind_t *kind)
{
    int error = pretending ? pretend(kind) : __real_memkind_create_fixed(address, size, kind);

    live_kinds += error == MEMKIND_SUCCESS;
    return error;
}

int __wrap_memkind_destroy_kind(memkind_t kind)
{
    int error = __real_memkind_destroy_kind(kind);

    live_kinds -= error == MEMKIND_SUCCESS;
    return error;
}
}

static std::atomic<long> news;                /* calls of operator new */
static std::atomic<long> news_left(LONG_MAX); /* how many of them succeed */

/* Not inlined: a compiler that sees only one of a pair takes it for a mismatch. */
__attribute__((noinline)) void *operator new(size_t size)
{
    void *block = news_left-- > 0 ? malloc(size ? size : 1) : nullptr;

    news++;
    if (!block)
        throw std::bad_alloc();
    return block;
}

__attribute__((noinline)) void operator delete(void *block) noexcept
{
    free(block);
}

__attribute__((noinline)) void operator delete(void *block, size_t) noexcept
{
    free(block);
}

static void init(void)
{
    const char *manager = getenv("MEMKIND_HEAP_MANAGER");
    const std::string kept(manager ? manager : "JEMALLOC");

    test_with_nodes();
    setenv("MEMKIND_HEAP_MANAGER", kept.c_str(), 1);
}

static void init_pretending(void)
{
    init();
    pretending = true;
}

static void nothing_is_left(void)
{
    cr_assert_eq(blocks, 0, "%ld blocks", blocks.load());
    cr_assert_eq(misplaced, 0, "%ld blocks to the wrong kind", misplaced.load());
    cr_assert_eq(live_kinds, 0, "%ld kinds", live_kinds.load());
    cr_assert_eq(live_configs, 0, "%ld configurations", live_configs.load());
}

/* --- the allocators --------------------------------------------------------------------------- */

static const size_t room = 512 * MIB;

struct cxx_static {
    template <typename T>
    using allocator = libmemkind::static_kind::allocator<T>;

    static allocator<char> make()
    {
        return allocator<char>(memkind_check_available(MEMKIND_REGULAR) == MEMKIND_SUCCESS
                                   ? kinds::REGULAR
                                   : kinds::DEFAULT);
    }
};

struct cxx_hbw {
    template <typename T>
    using allocator = hbw::allocator<T>;

    static allocator<char> make()
    {
        return allocator<char>();
    }
};

/* Where files can be. */
static std::string directory(void)
{
    const char *path = getenv("TMPDIR");

    return path && *path ? path : "/tmp";
}

struct cxx_pmem {
    template <typename T>
    using allocator = libmemkind::pmem::allocator<T>;

    /* A version without such kinds does not look at the size. */
    static void needed()
    {
        memkind_t kind;

        if (memkind_create_pmem("/", 1, &kind) == MEMKIND_ERROR_OPERATION_FAILED)
            test_skip("no file-backed kinds in this version");
    }

    static allocator<char> make()
    {
        if (!pretending)
            needed();
        return allocator<char>(directory(), room);
    }
};

struct cxx_fixed {
    template <typename T>
    using allocator = libmemkind::fixed::allocator<T>;

    static void needed()
    {
        memkind_t kind;

        if (__real_memkind_create_fixed(&kind, 0, &kind) == MEMKIND_ERROR_OPERATION_FAILED)
            test_skip("no fixed kinds in this version");
    }

    /* Stays until the test ends. */
    static void *area(size_t size)
    {
        void *area = mmap(NULL, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        cr_assert_neq(area, MAP_FAILED);
        return area;
    }

    static allocator<char> make()
    {
        if (!pretending)
            needed();
        return allocator<char>(area(room), room);
    }
};

/* The kind that an allocator's blocks come from, as the library sees it. */
template <typename A>
static memkind_t kind_of(const A &a)
{
    A copy(a);
    auto *p = copy.allocate(1);
    memkind_t kind = memkind_detect_kind(p);

    copy.deallocate(p, 1);
    cr_assert(kind);
    return kind;
}

template <typename S>
struct types {
    template <typename T>
    using A = typename S::template allocator<T>;
    template <typename T>
    using scoped = std::scoped_allocator_adaptor<A<T>>;

    using numbers = std::vector<uint64_t, A<uint64_t>>;
    using list = std::list<uint64_t, A<uint64_t>>;
    using deque = std::deque<uint64_t, A<uint64_t>>;
    using map =
        std::map<uint64_t, uint64_t, std::less<uint64_t>, A<std::pair<const uint64_t, uint64_t>>>;
    using table =
        std::unordered_map<uint64_t, uint64_t, std::hash<uint64_t>, std::equal_to<uint64_t>,
                           A<std::pair<const uint64_t, uint64_t>>>;
    using string = std::basic_string<char, std::char_traits<char>, A<char>>;
    using strings = std::vector<string, scoped<string>>;
    using index =
        std::map<string, strings, std::less<string>, scoped<std::pair<const string, strings>>>;
};

/* --- containers of a million nodes, as on std::allocator -------------------------------------- */

static const size_t nodes = TEST_THREAD_SANITIZED ? 100000 : 1000000;

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
static void million_numbers(void)
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
static void million_list_nodes(void)
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
static void million_map_nodes(void)
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
static void million_table_nodes(void)
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

static std::string word(size_t i)
{
    return std::string(20 + i % 100, static_cast<char>('a' + i % 26)) + std::to_string(i);
}

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

/* --- members ---------------------------------------------------------------------------------- */

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

template <size_t Alignment>
struct alignas(Alignment) aligned {
    explicit aligned(unsigned char value) : value(value)
    {
    }

    unsigned char value;
};

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

/* What allocate(n) throws: 0 nothing, 1 bad_alloc, 2 bad_array_new_length. */
template <typename A>
static int thrown(const A &a, size_t n)
{
    A copy(a);

    try {
        copy.deallocate(copy.allocate(n), n);
    } catch (const std::bad_array_new_length &) {
        return 2;
    } catch (const std::bad_alloc &) {
        return 1;
    }
    return 0;
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
#define TESTS_OF(SUITE)                                                                            \
    TestSuite(SUITE, .init = init, .timeout = 240);                                                \
    Test(SUITE, million_numbers) { million_numbers<SUITE>(); }                                     \
    Test(SUITE, million_list_nodes) { million_list_nodes<SUITE>(); }                               \
    Test(SUITE, million_map_nodes) { million_map_nodes<SUITE>(); }                                 \
    Test(SUITE, million_table_nodes) { million_table_nodes<SUITE>(); }                             \
    Test(SUITE, nested_containers) { nested_containers<SUITE>(); }                                 \
    Test(SUITE, strings) { strings<SUITE>(); }                                                     \
    Test(SUITE, construction) { construction<SUITE>(); }                                           \
    Test(SUITE, alignment) { alignment<SUITE>(); }                                                 \
    Test(SUITE, sizes) { sizes<SUITE>(); }                                                         \
    Test(SUITE, throwing_elements) { throwing_elements<SUITE>(); }                                 \
    Test(SUITE, threads) { threads<SUITE>(); }
/* clang-format on */

TESTS_OF(cxx_static)
TESTS_OF(cxx_hbw)
TESTS_OF(cxx_pmem)
TESTS_OF(cxx_fixed)

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

/* --- kinds that an allocator owns ------------------------------------------------------------- */

TestSuite(cxx_owner, .init = init_pretending, .timeout = 120);

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

/* What constructing an allocator throws: 'i'nvalid_argument, 'r'untime_error, 'b'ad_alloc, '-'. */
template <typename F>
static char refusal(F construct, std::string *text = nullptr)
{
    try {
        construct();
    } catch (const std::invalid_argument &error) {
        if (text)
            *text = error.what();
        return 'i';
    } catch (const std::runtime_error &error) {
        if (text)
            *text = error.what();
        return 'r';
    } catch (const std::bad_alloc &) {
        return 'b';
    }
    return '-';
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
    cxx_fixed::needed();
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
    cxx_fixed::needed();
    exhaust<cxx_fixed>(libmemkind::fixed::allocator<char>(cxx_fixed::area(32 * MIB), 32 * MIB),
                       32 * MIB);
    nothing_is_left();
}

Test(cxx_fixed, wrong_arguments)
{
    using allocator = libmemkind::fixed::allocator<int>;

    cxx_fixed::needed();
    cr_assert_eq(refusal([] { allocator(nullptr, 64 * MIB); }), 'i');
    cr_assert_eq(refusal([] { allocator(cxx_fixed::area(32 * MIB), MIB); }), 'i');
    cr_assert_eq(refusal([] { allocator(cxx_fixed::area(32 * MIB), 0); }), 'i');
    cr_assert_eq(refusal([] { allocator(cxx_fixed::area(32 * MIB), SIZE_MAX); }), 'i');
    nothing_is_left();
}

Test(cxx_pmem, exhausted)
{
    cxx_pmem::needed();
    exhaust<cxx_pmem>(libmemkind::pmem::allocator<char>(directory(), 32 * MIB), 32 * MIB);
    nothing_is_left();
}

Test(cxx_pmem, both_policies_and_no_limit)
{
    cxx_pmem::needed();
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

    cxx_pmem::needed();
    const std::string good = directory();
    const char *null = nullptr;
    cr_assert_eq(refusal([null] { allocator(null, 0); }), 'i');
    cr_assert_eq(refusal([] { allocator("/nonexistent/directory", 0); }), 'i');
    cr_assert_eq(refusal([] { allocator(std::string("/proc/self/exe"), 0); }), 'i');
    cr_assert_eq(refusal([&good] { allocator(good, MEMKIND_PMEM_MIN_SIZE - 1); }), 'i');
    cr_assert_eq(refusal([&good] { allocator(good, 0, allocation_policy::MAX); }), 'i');
    nothing_is_left();
}

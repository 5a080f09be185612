/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * cxx: what the tests of the C++ headers have in common: the calls of the library that the headers
 * make, which are counted and fail on demand (cxx_calls.cpp), and a struct for each allocator,
 * which is also a suite of tests.
 */
#pragma once

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

extern std::atomic<long> blocks;    /* allocated and not freed */
extern std::atomic<long> misplaced; /* freed to a kind that was not theirs */
extern std::atomic<long> live_kinds, live_configs;
extern std::atomic<memkind_t> last_kind; /* of the last allocation */
extern bool pretending;                  /* pmem and fixed kinds are others, which cost nothing */
extern int create_error;                 /* what create functions return, if they pretend */
extern bool no_configuration;            /* memkind_config_new() fails */
extern memkind_mem_usage_policy last_policy;
extern std::string last_path;
extern size_t last_size;

extern std::atomic<long> news;      /* calls of operator new */
extern std::atomic<long> news_left; /* how many of them succeed */

/* For TestSuite(.init = ...); the second pretends. */
void cxx_init(void);
void cxx_init_pretending(void);

/* Every block has gone back to its kind, every kind and configuration is gone. */
void nothing_is_left(void);

/* --- the allocators --------------------------------------------------------------------------- */

/* Where files can be. */
std::string directory(void);

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

struct cxx_pmem {
    template <typename T>
    using allocator = libmemkind::pmem::allocator<T>;

    static allocator<char> make()
    {
        return allocator<char>(directory(), room);
    }
};

struct cxx_fixed {
    template <typename T>
    using allocator = libmemkind::fixed::allocator<T>;

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
        return allocator<char>(area(room), room);
    }
};

/* The kind that an allocator's blocks come from, as the library sees it. */
template <typename A>
memkind_t kind_of(const A &a)
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

/* --- what several tests do -------------------------------------------------------------------- */

template <size_t Alignment>
struct alignas(Alignment) aligned {
    explicit aligned(unsigned char value) : value(value)
    {
    }

    unsigned char value;
};

inline std::string word(size_t i)
{
    return std::string(20 + i % 100, static_cast<char>('a' + i % 26)) + std::to_string(i);
}

/* What allocate(n) throws: 0 nothing, 1 bad_alloc, 2 bad_array_new_length. */
template <typename A>
int thrown(const A &a, size_t n)
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

/* What constructing an allocator throws: 'i'nvalid_argument, 'r'untime_error, 'b'ad_alloc, '-'. */
template <typename F>
char refusal(F construct, std::string *text = nullptr)
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

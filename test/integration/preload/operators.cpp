// SPDX-License-Identifier: BSD-2-Clause
// Copyright (C) 2026 the libmemkind developers.
//
// operators: all forms of new and delete, as the language promises them. Run with
// libmemkind-preload.so, which replaces them, and without. Prints "well".
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <new>
#include <string>
#include <thread>
#include <vector>

static void expect(bool condition, const char *what)
{
    if (condition)
        return;
    std::fprintf(stderr, "operators: %s\n", what);
    std::_Exit(1);
}

static volatile std::size_t huge = SIZE_MAX / 2;
static int handled;

struct alignas(256) wide {
    char bytes[300];
};

static void handle()
{
    if (++handled == 3)
        std::set_new_handler(nullptr);
}

template <typename Allocate>
static void throws(Allocate allocate, const char *what)
{
    bool caught = false;

    handled = 0;
    std::set_new_handler(handle);
    try {
        allocate();
    } catch (const std::bad_alloc &) {
        caught = true;
    }
    expect(caught && handled == 3, what);
}

template <typename Allocate>
static void gives_null(Allocate allocate, const char *what)
{
    handled = 0;
    std::set_new_handler(handle);
    expect(allocate() == nullptr && handled == 3, what);
}

static void check_failures()
{
    const std::align_val_t aligned{256};

    throws([] { return ::operator new(huge); }, "new");
    throws([] { return ::operator new[](huge); }, "new[]");
    throws([&] { return ::operator new(huge, aligned); }, "new, aligned");
    throws([&] { return ::operator new[](huge, aligned); }, "new[], aligned");
    gives_null([] { return ::operator new(huge, std::nothrow); }, "new, nothrow");
    gives_null([] { return ::operator new[](huge, std::nothrow); }, "new[], nothrow");
    gives_null([&] { return ::operator new(huge, aligned, std::nothrow); },
               "new, aligned, nothrow");
    gives_null([&] { return ::operator new[](huge, aligned, std::nothrow); },
               "new[], aligned, nothrow");
}

static void check_forms()
{
    const std::align_val_t aligned{256};

    ::operator delete(::operator new(10));
    ::operator delete (::operator new(10), std::size_t{10});
    ::operator delete(::operator new(10, std::nothrow), std::nothrow);
    ::operator delete(::operator new(300, aligned), aligned);
    ::operator delete(::operator new(300, aligned), 300, aligned);
    ::operator delete(::operator new(300, aligned, std::nothrow), aligned, std::nothrow);
    ::operator delete[](::operator new[](10));
    ::operator delete[](::operator new[](10), std::size_t{10});
    ::operator delete[](::operator new[](10, std::nothrow), std::nothrow);
    ::operator delete[](::operator new[](300, aligned), aligned);
    ::operator delete[](::operator new[](300, aligned), 300, aligned);
    ::operator delete[](::operator new[](300, aligned, std::nothrow), aligned, std::nothrow);
    ::operator delete(nullptr);
    /* Volatile: compilers take for granted that it is not null. */
    void *volatile nothing = ::operator new(0);
    expect(nothing != nullptr, "new of nothing");
    ::operator delete(nothing);
}

static void check_objects()
{
    std::vector<wide *> objects;
    std::map<std::string, std::string> words;

    for (int i = 0; i < 1000; i++) {
        objects.push_back(new wide);
        expect(reinterpret_cast<std::uintptr_t>(objects.back()) % 256 == 0, "an aligned type");
        words[std::to_string(i)] = std::string(static_cast<std::size_t>(i), 'x');
    }
    for (wide *object : objects)
        delete object;
    expect(words["999"].size() == 999, "containers");
}

static std::string *global = new std::string("from before main");

int main()
{
    std::vector<std::thread> threads;

    check_failures();
    check_forms();
    for (int i = 0; i < 4; i++)
        threads.emplace_back(check_objects);
    for (std::thread &thread : threads)
        thread.join();
    expect(*global == "from before main", "a static constructor");
    delete global;
    std::puts("well");
    return 0;
}

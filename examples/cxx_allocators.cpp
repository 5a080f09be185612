/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * cxx_allocators: the same std::vector in four sorts of memory.
 *
 *     cxx_allocators [DIRECTORY]
 *
 * The file of the file-backed vector is made in DIRECTORY, or in /tmp. Where this machine does not
 * have a sort of memory, the line says so.
 */
#include <fixed_allocator.h>
#include <hbw_allocator.h>
#include <memkind_allocator.h>
#include <pmem_allocator.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <iostream>
#include <numeric>
#include <vector>

static const std::size_t area_size = std::size_t(32) << 20;
alignas(4096) static char area[area_size];

/* The allocator of a vector says where the elements are. All else is as ever. */
template <typename Allocator>
static void count(const char *where, const Allocator &allocator)
{
    std::vector<std::uint64_t, Allocator> numbers(allocator);

    for (std::uint64_t i = 1; i <= 100000; i++)
        numbers.push_back(i);
    std::cout << where << ": " << std::accumulate(numbers.begin(), numbers.end(), std::uint64_t(0))
              << '\n';
}

/* An allocator that cannot be made, or has no memory, throws. */
template <typename Function>
static void attempt(const char *where, Function function)
{
    try {
        function();
    } catch (const std::exception &error) {
        std::cout << where << ": not here, " << error.what() << '\n';
    }
}

int main(int argc, char **argv)
{
    using number = std::uint64_t;
    const char *const directory = argc > 1 ? argv[1] : "/tmp";

    attempt("nodes with CPUs", [] {
        const libmemkind::static_kind::allocator<number> regular(libmemkind::kinds::REGULAR);
        count("nodes with CPUs", regular);
    });
    attempt("high bandwidth, else ordinary",
            [] { count("high bandwidth, else ordinary", hbw::allocator<number>()); });
    attempt("a file", [directory] {
        const libmemkind::pmem::allocator<number> file(directory, area_size);
        count("a file", file);
    });
    attempt("an array", [] {
        const libmemkind::fixed::allocator<number> array(area, area_size);
        count("an array", array);
    });
    return 0;
}

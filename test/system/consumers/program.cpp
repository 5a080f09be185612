// SPDX-License-Identifier: BSD-2-Clause
// Copyright (C) 2026 the libmemkind developers.
//
// program: as program.c, in C++. Prints the library's version if all went well.
#include <hbw_allocator.h>
#include <memkind_allocator.h>

#include <cstdio>
#include <map>
#include <numeric>
#include <vector>

int main()
{
    libmemkind::static_kind::allocator<int> regular(libmemkind::kinds::REGULAR);
    std::vector<int, libmemkind::static_kind::allocator<int>> numbers(1000, 1, regular);
    std::map<int, int, std::less<int>, hbw::allocator<std::pair<const int, int>>> squares;

    for (int i = 0; i < 1000; i++)
        squares[i] = i * i;
    if (std::accumulate(numbers.begin(), numbers.end(), 0) != 1000 || squares[30] != 900 ||
        memkind_detect_kind(numbers.data()) != MEMKIND_REGULAR)
        return 1;
    std::printf("%d\n", memkind_get_version());
    return 0;
}

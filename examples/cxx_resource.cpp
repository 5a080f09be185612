/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * cxx_resource: std::pmr containers in a kind (C++17), in a pool over it, and with the strings that
 * they hold.
 */
#include <memkind_resource.h>

#include <iostream>
#include <memory_resource>
#include <string>
#include <unordered_map>
#include <vector>

static const char *is_in(memkind_t kind, const void *block)
{
    return memkind_detect_kind(const_cast<void *>(block)) == kind ? "yes" : "no";
}

int main()
{
    memkind_t kind = memkind_check_available(MEMKIND_REGULAR) ? MEMKIND_DEFAULT : MEMKIND_REGULAR;
    libmemkind::resource memory(kind);

    /* The strings of a container are where the container is. */
    std::pmr::vector<std::pmr::string> lines(&memory);
    lines.emplace_back("a line that does not fit into the string itself");
    std::cout << "vector: " << is_in(kind, lines.data())
              << ", its string: " << is_in(kind, lines[0].data()) << '\n';

    /* Many small blocks that end together: the kind is asked for few large ones. */
    std::pmr::monotonic_buffer_resource pool(&memory);
    std::pmr::unordered_map<int, int> squares(&pool);
    for (int i = 0; i < 100000; i++)
        squares[i] = i % 1000 * (i % 1000);
    std::cout << "in a pool over it: " << squares[999] << '\n';
    return 0;
}

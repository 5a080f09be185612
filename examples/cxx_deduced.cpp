/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * cxx_deduced: containers in a kind whose types the compiler deduces (C++23). What they hold and
 * where it is are said once, by the elements and the allocator.
 */
#include <memkind_allocator.h>
#include <memkind_resource.h>

#include <functional>
#include <iostream>
#include <map>
#include <memory_resource>
#include <utility>
#include <vector>

static const char *is_in(memkind_t kind, const void *block)
{
    return memkind_detect_kind(const_cast<void *>(block)) == kind ? "yes" : "no";
}

int main()
{
    const bool regular = memkind_check_available(MEMKIND_REGULAR) == MEMKIND_SUCCESS;
    memkind_t kind = regular ? MEMKIND_REGULAR : MEMKIND_DEFAULT;
    const libmemkind::static_kind::allocator<int> allocator(regular ? libmemkind::kinds::REGULAR
                                                                    : libmemkind::kinds::DEFAULT);

    std::vector numbers({3, 1, 2}, allocator);
    std::map squares({std::pair(1, 1), std::pair(2, 4)}, std::less<int>(),
                     libmemkind::static_kind::allocator<std::pair<const int, int>>(allocator));
    std::cout << "vector: " << is_in(kind, numbers.data())
              << ", map: " << (squares.get_allocator() == allocator ? "yes" : "no") << '\n';

    /* A copy elsewhere: any pointer to a memory resource is an allocator for it (C++23). */
    libmemkind::resource memory(kind);
    const std::pmr::vector<int> ordinary(numbers.begin(), numbers.end());
    std::vector copy(ordinary, &memory);
    std::cout << "copy of an ordinary one: " << is_in(kind, copy.data()) << '\n';
    return 0;
}

// SPDX-License-Identifier: BSD-2-Clause
// Copyright (C) 2026 the libmemkind developers.
//
// allocators: containers with each of the four C++ allocators of libmemkind 1.14.0, whose headers
// are compiled in here. Its argument is a folder for files.
#include <fixed_allocator.h>
#include <hbw_allocator.h>
#include <memkind_allocator.h>
#include <pmem_allocator.h>

#include <cstdio>
#include <list>
#include <map>
#include <scoped_allocator>
#include <string>
#include <vector>

#include <sys/mman.h>

template <typename Allocator>
static void use(const char *name, const Allocator &allocator)
{
    using traits = std::allocator_traits<Allocator>;
    using pair = std::pair<const int, int>;
    using pair_allocator = typename traits::template rebind_alloc<pair>;
    std::vector<int, Allocator> numbers(allocator);
    std::list<int, Allocator> list(allocator);
    std::map<int, int, std::less<int>, pair_allocator> squares{std::less<int>(),
                                                               pair_allocator(allocator)};
    long sum = 0;

    for (int i = 0; i < 100000; i++)
        numbers.push_back(i);
    for (int i = 0; i < 1000; i++) {
        list.push_front(i);
        squares[i] = i * i;
    }
    list.remove_if([](int i) { return i % 2 == 0; });
    auto copy = numbers;
    for (int i : copy)
        sum += i;
    for (int i : list)
        sum += squares[i];
    std::printf("%s: %ld, equal %d\n", name, sum, numbers.get_allocator() == copy.get_allocator());
}

int main(int argc, char *argv[])
{
    const size_t size = 32 << 20;

    if (argc != 2)
        return 2;
    void *area = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    use("static_kind", libmemkind::static_kind::allocator<int>(libmemkind::kinds::DEFAULT));
    use("hbw", hbw::allocator<int>());
    use("pmem", libmemkind::pmem::allocator<int>(argv[1], size));
    use("pmem, conservative",
        libmemkind::pmem::allocator<int>(std::string(argv[1]), size,
                                         libmemkind::allocation_policy::CONSERVATIVE));
    use("fixed", libmemkind::fixed::allocator<int>(area, size));
    return 0;
}

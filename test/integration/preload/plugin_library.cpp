// SPDX-License-Identifier: BSD-2-Clause
// Copyright (C) 2026 the libmemkind developers.
//
// plugin_library: what plugin.c opens.
#include <cstdint>
#include <new>

static volatile std::size_t huge = SIZE_MAX / 2;

extern "C" __attribute__((visibility("default"))) int catches()
{
    try {
        ::operator delete(::operator new(huge));
    } catch (const std::bad_alloc &) {
        return 1;
    }
    return 0;
}

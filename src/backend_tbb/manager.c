/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * manager: the place of the heap manager TBB, pools of a dlopen'd libtbbmalloc.
 *
 * This version declines to load, so MEMKIND_HEAP_MANAGER=TBB says so and jemalloc is used: the same
 * way out as on a machine without libtbbmalloc.
 */
#include "heap_manager.h"

static int load(const struct heap_settings *settings)
{
    (void)settings;
    return MEMKIND_ERROR_UNAVAILABLE;
}

const struct heap_manager heap_manager_tbb = {.name = "TBB", .load = load};

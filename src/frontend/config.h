/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* config: what a struct memkind_config holds; see config.c. Nothing in it is checked before a kind
 * is created from it. */
#pragma once

#include <memkind.h>

struct memkind_config {
    const char *directory; /* the caller's string */
    size_t limit;          /* bytes, 0: the file system's size */
    memkind_mem_usage_policy policy;
    bool no_core_dump;
};

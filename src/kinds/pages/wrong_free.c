/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see wrong_free.h. */
#include "kinds/pages/wrong_free.h"

#include <stdio.h>

#include "kinds/pages/address_map.h"
#include "kinds/system/callbacks.h"

#define LINE 160

void wrong_free_tell_twice(const void *block, size_t size, const struct page_pool *pool)
{
    char line[LINE];

    snprintf(line, sizeof line,
             "MEMKIND: double free: %p, a block of %zu bytes of %.60s; it is ignored\n", block,
             size, pool->kind->name);
    callbacks->say(line);
}

bool wrong_free_tell_no_start(const void *address)
{
    const struct page_region *region = address_map_find(address);
    char line[LINE];

    if (!region || region->inherited)
        return false;
    snprintf(line, sizeof line,
             "MEMKIND: wrong free: %p, where no block of %.60s starts; it is ignored\n", address,
             region->pool->kind->name);
    callbacks->say(line);
    return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see object_pool.h. */
#include "kinds/system/object_pool.h"

#include "kinds/system/os.h"

#define CHUNK_SIZE ((size_t)64 << 10) /* bytes of a mapping */

void object_pool_put(struct object_pool *pool, void *object)
{
    *(void **)object = pool->unused;
    pool->unused = object;
}

void *object_pool_get(struct object_pool *pool)
{
    void *object;

    if (!pool->unused) {
        char *chunk = os_map(CHUNK_SIZE, os_page_size());

        for (size_t at = 0; chunk && at + pool->size <= CHUNK_SIZE; at += pool->size)
            object_pool_put(pool, chunk + at);
    }
    object = pool->unused;
    if (object)
        pool->unused = *(void **)object;
    return object;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * object_pool: the library's own small objects, of one size per pool.
 *
 * The library never calls malloc for itself. What it has to remember beside the heaps comes from
 * plain mappings, cut into objects that are used again and never unmapped: a reader without a lock
 * that comes late reads an old object, and not a hole.
 *
 * Threads: the caller has a lock for each pool.
 */
#pragma once

#include <stddef.h>

struct object_pool {
    size_t size;  /* bytes of an object, at least those of a pointer */
    void *unused; /* free objects, linked through their first word */
};

/* An object with any content, or NULL where there is no memory. */
void *object_pool_get(struct object_pool *pool);
void object_pool_put(struct object_pool *pool, void *object);

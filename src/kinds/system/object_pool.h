/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * object_pool: the library's own small objects, of one size per pool.
 *
 * The library never calls malloc for itself. What it has to remember beside the heaps comes from
 * plain mappings, cut into objects that are used again and never unmapped: a reader without a lock
 * that comes late reads an old object, and not a hole.
 *
 * Threads: the caller's lock guards a list.
 */
#pragma once

#include <stddef.h>

struct object_pool {
    size_t size;  /* of a object, at least a pointer's */
    void *unused; /* linked through their first word */
};

/* A object with any content, or NULL. */
void *object_pool_get(struct object_pool *pool);
void object_pool_put(struct object_pool *pool, void *object);

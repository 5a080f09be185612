/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * wrong_free: one line on stderr for each free that would damage a heap, whatever MEMKIND_CHECK is.
 *
 * Heap managers come here when they have found that there is nothing to free. What is looked at
 * then costs nothing of a free that is right.
 *
 * Threads: any, with any locks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "kinds/pages/pool.h"

/* A block of `size` bytes is freed that is free. */
void wrong_free_tell_twice(const void *block, size_t size, const struct page_pool *pool);

/* No block starts at the address. False, and nothing is told: it is in no kind's memory, or in a
 * parent's of a fork(2), whose blocks are left alone. */
bool wrong_free_tell_no_start(const void *address);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * early: blocks from before libc has started.
 *
 * A program's .preinit_array runs before libc's own constructor, so there is no environment yet: if
 * the library started then, it would miss all its variables. These blocks come from a small area
 * and are never used again. Once the settings are read, or constructors run, no more are made,
 * whatever becomes of the environment.
 *
 * Threads: one, since none can have been started; early_size() any.
 */
#pragma once

#include <stddef.h>

/* Zeroed. `alignment` is a power of two. NULL with ENOMEM. */
void *early_alloc(size_t size, size_t alignment);

/* Bytes of a block of this module; 0: it is not one. */
size_t early_size(const void *block);

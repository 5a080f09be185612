/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * stacks: who called, as return addresses.
 *
 * By the unwinder of GCC's runtime, linked in: it needs no frame pointers, allocates nothing, and
 * with glibc 2.35 and later finds its tables without a lock, so that it may be called from any
 * malloc, in the middle of dlopen() as well.
 *
 * Threads: any.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define STACKS_FRAMES 32 /* of deeper stacks the outermost callers are missing */

/* The callers of this library, innermost first. Returns how many. */
size_t stacks_take(uintptr_t frames[STACKS_FRAMES]);

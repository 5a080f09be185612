/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * serve: a block of a kind, as a program expects it of libc.
 *
 * Threads: any.
 */
#pragma once

#include <memkind.h>

#include <stddef.h>

/* Whether a block's bytes are to be zero. */
enum filling { AS_IS, ZEROED };

/* What to ask a kind for. libc aligns every block for every type, however small it is; blocks of up
 * to 8 bytes of a kind are aligned to 8. Blocks of no size are blocks, too. */
static inline size_t serve_size(size_t size)
{
    return size > 8 ? size : 9;
}

/* `alignment` is a power of two; 1 for none in particular. Where the kind has no memory,
 * MEMKIND_DEFAULT serves. NULL with ENOMEM. */
void *serve(memkind_t kind, size_t size, size_t alignment, enum filling filling);

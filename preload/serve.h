/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * serve: a block of a kind, as a program expects it of libc.
 *
 * Threads: any.
 */
#pragma once

#include <memkind.h>

#include <errno.h>
#include <stddef.h>

/* Whether a block's bytes are to be zero. */
enum filling { AS_IS, ZEROED };

/* What to ask a kind for. libc aligns every block for every type, however small it is; blocks of up
 * to 8 bytes of a kind are aligned to 8. Blocks of no size are blocks, too. */
static inline size_t serve_size(size_t size)
{
    return size > 8 ? size : 9;
}

/* `alignment` is a power of two; 1 for none in particular. NULL with ENOMEM. */
static inline void *serve_alone(memkind_t kind, size_t size, size_t alignment, enum filling filling)
{
    void *block = NULL;
    int error;

    size = serve_size(size);
    if (filling == ZEROED)
        return memkind_calloc(kind, 1, size);
    if (alignment <= 16)
        return memkind_malloc(kind, size);
    error = memkind_posix_memalign(kind, &block, alignment, size);
    if (error)
        errno = error;
    return block;
}

/* `alignment` is a power of two; 1 for none in particular. Where the kind has no memory,
 * MEMKIND_DEFAULT serves. NULL with ENOMEM. */
void *serve(memkind_t kind, size_t size, size_t alignment, enum filling filling);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see serve.h. */
#include "serve.h"

#include <errno.h>

static void *serve_alone(memkind_t kind, size_t size, size_t alignment, enum filling filling)
{
    void *block = NULL;
    int error;

    if (filling == ZEROED)
        return memkind_calloc(kind, 1, size);
    if (alignment <= 16)
        return memkind_malloc(kind, size);
    error = memkind_posix_memalign(kind, &block, alignment, size);
    if (error)
        errno = error;
    return block;
}

void *serve(memkind_t kind, size_t size, size_t alignment, enum filling filling)
{
    void *block;

    size = serve_size(size);
    block = serve_alone(kind, size, alignment, filling);
    if (!block && kind != MEMKIND_DEFAULT)
        block = serve_alone(MEMKIND_DEFAULT, size, alignment, filling);
    return block;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see early.h. */
#include "early.h"

#include <errno.h>
#include <stdint.h>

#define AREA ((size_t)64 << 10)
#define UNIT 16 /* what blocks are aligned to, and what stands before one: its size */

static _Alignas(UNIT) char area[AREA];
static size_t used;

void *early_alloc(size_t size, size_t alignment)
{
    size_t start;

    if (alignment < UNIT)
        alignment = UNIT;
    start = (uintptr_t)area + used + UNIT;
    start = ((start + alignment - 1) & -alignment) - (uintptr_t)area;
    if (alignment > AREA || start > AREA || size > AREA - start) {
        errno = ENOMEM;
        return NULL;
    }
    *(size_t *)(area + start - UNIT) = size;
    used = (start + size + UNIT - 1) & -(size_t)UNIT;
    return area + start;
}

size_t early_size(const void *block)
{
    size_t at = (uintptr_t)block - (uintptr_t)area;

    return at < AREA ? *(const size_t *)(area + at - UNIT) : 0;
}

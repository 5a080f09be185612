/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* round: sizes and addresses up and down to whole units, which are powers of two. */
#pragma once

#include <stddef.h>
#include <stdint.h>

_Static_assert(sizeof(size_t) == sizeof(uintptr_t), "an address is rounded as a size is");

/* What is too large comes out smaller than it was. */
static inline size_t round_up(size_t value, size_t unit)
{
    return (value + unit - 1) & ~(unit - 1);
}

static inline size_t round_down(size_t value, size_t unit)
{
    return value & ~(unit - 1);
}

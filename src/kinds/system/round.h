/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* round: sizes and addresses up and down to whole units, which are powers of two; multiples of
 * units that are not. */
#pragma once

#include <stdbool.h>
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

/*
 * Division without a division (Lemire, Kaser, Kurz: Faster remainder by direct computation, 2019),
 * exact for a value and a unit of less than 2^32. The unit is at least 2; `inverse` is its
 * round_inverse(), or 0 where there is no unit: then nothing is a multiple.
 */
static inline uint64_t round_inverse(uint32_t unit)
{
    return UINT64_MAX / unit + 1;
}

static inline uint32_t round_quotient(uint32_t value, uint64_t inverse)
{
    return (uint32_t)((unsigned __int128)value * inverse >> 64);
}

static inline bool round_is_multiple(uint32_t value, uint64_t inverse)
{
    return value * inverse < inverse;
}

/* Whether value + 1 is. */
static inline bool round_is_before_multiple(uint32_t value, uint64_t inverse)
{
    return value * inverse + inverse < inverse;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* round.h: divisions by units that are no powers of two, which every lookup of a block rests on. */
#include <criterion/criterion.h>

#include "kinds/system/round.h"

#define LARGEST_UNIT 229376u /* jemalloc's largest small block where pages are of 64 KiB */
#define PAGE 65536u

static void expect_right(uint32_t value, uint32_t unit)
{
    uint64_t inverse = round_inverse(unit);

    cr_assert_eq(round_is_multiple(value, inverse), value % unit == 0, "%u of %u", value, unit);
    if (value)
        cr_assert_eq(round_is_before_multiple(value - 1, inverse), value % unit == 0, "%u of %u",
                     value, unit);
    cr_assert_eq(round_quotient(value, inverse), value / unit, "%u / %u", value, unit);
}

/* A slab is as long as whole blocks and whole pages are the same. */
static void expect_right_in_slab(uint32_t unit)
{
    uint32_t slab = unit;

    while (slab % PAGE)
        slab += unit;
    for (uint32_t value = 0; value < slab; value += unit) {
        expect_right(value, unit);
        expect_right(value + 1, unit);
        expect_right(value + unit / 2, unit);
        expect_right(value + unit - 1, unit);
    }
}

/* jemalloc's size classes: four between a power of two and the next. */
Test(round, blocks_of_all_size_classes)
{
    for (uint32_t unit = 8; unit < 128; unit += 8)
        expect_right_in_slab(unit);
    for (uint32_t power = 128; power <= LARGEST_UNIT; power *= 2)
        for (uint32_t unit = power; unit < 2 * power && unit <= LARGEST_UNIT; unit += power / 4)
            expect_right_in_slab(unit);
}

Test(round, the_largest_values)
{
    for (uint32_t unit = 2; unit < UINT32_MAX / 3; unit = unit * 3 + 1) {
        expect_right(UINT32_MAX, unit);
        expect_right(UINT32_MAX / unit * unit, unit);
        expect_right(UINT32_MAX / unit * unit - 1, unit);
    }
}

Test(round, no_unit)
{
    cr_expect(!round_is_multiple(0, 0));
    cr_expect(!round_is_multiple(8, 0));
    cr_expect(!round_is_before_multiple(0, 0));
    cr_expect(!round_is_before_multiple(7, 0));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* The arithmetic of the profile's samples: distances, and what a sample stands for. */
#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>

#include "../../preload/poisson.h"

#define DRAWS 100000

/* Bounds are five standard deviations of the mean of that many. */
static void expect_near(const char *what, double expected, double found, double deviation)
{
    cr_expect(fabs(found - expected) <= 5 * deviation, "%s: %f, not %f", what, found, expected);
}

Test(poisson, distances_are_exponential)
{
    static const size_t rates[] = {16, 4096, (size_t)512 << 10, (size_t)1 << 40};

    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        double rate = (double)rates[i], sum = 0, squares = 0, beyond = 0;
        uint64_t state = poisson_seed(1);

        for (int draw = 0; draw < DRAWS; draw++) {
            int64_t drawn = poisson_draw(&state, rates[i]);
            double distance = (double)drawn - 0.5; /* of a whole number of bytes, the middle */

            cr_assert_geq(drawn, 1);
            sum += distance / rate;
            squares += distance / rate * distance / rate;
            beyond += distance > rate;
        }
        expect_near("mean", 1, sum / DRAWS, 1 / sqrt(DRAWS));
        expect_near("mean square", 2, squares / DRAWS, sqrt(20.0 / DRAWS) + 0.001);
        expect_near("part beyond the rate", exp(-1), beyond / DRAWS, 0.5 / sqrt(DRAWS) + 0.005);
    }
}

Test(poisson, threads_draw_other_numbers_and_every_run_the_same)
{
    uint64_t one = poisson_seed(1), again = poisson_seed(1), two = poisson_seed(2);

    cr_expect_eq(one, again);
    cr_expect_neq(one, two);
    cr_expect_neq(poisson_draw(&one, 1 << 20), poisson_draw(&two, 1 << 20));
    cr_expect_eq(poisson_draw(&one, 1 << 20),
                 (poisson_draw(&again, 1 << 20), poisson_draw(&again, 1 << 20)));
}

Test(poisson, weight_is_the_reciprocal_of_the_probability)
{
    size_t rate = (size_t)512 << 10;

    for (size_t size = 1; size < (size_t)1 << 40; size = size * 3 / 2 + 1) {
        double expected = -1 / expm1(-(double)size / (double)rate);

        cr_expect(fabs(poisson_weight(size, rate) / expected - 1) < 1e-6, "%zu bytes: %f, not %f",
                  size, poisson_weight(size, rate), expected);
    }
    cr_expect_eq(poisson_weight(SIZE_MAX, 1), 1);
}

/* Blocks of mixed sizes, counted down as sample.h does. */
Test(poisson, estimates_are_right_on_average)
{
    static const size_t sizes[] = {16, 100, 1000, 10000, 100000};
    size_t rate = 4096;
    double calls[5] = {0};
    uint64_t state = poisson_seed(7);
    int64_t left = poisson_draw(&state, rate);

    for (int i = 0; i < DRAWS * 5; i++) {
        left -= (int64_t)sizes[i % 5];
        if (left > 0)
            continue;
        calls[i % 5] += poisson_weight(sizes[i % 5], rate);
        left = poisson_draw(&state, rate);
    }
    for (size_t i = 0; i < 5; i++)
        expect_near("blocks", DRAWS, calls[i],
                    sqrt(DRAWS * (poisson_weight(sizes[i], rate) - 1)) + 1);
}

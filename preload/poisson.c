/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see poisson.h. */
#include "poisson.h"

#define GOLDEN 0x9e3779b97f4a7c15u

/* Steele, Lea and Flood's SplitMix64. */
static uint64_t next(uint64_t *state)
{
    uint64_t number = *state += GOLDEN;

    number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9u;
    number = (number ^ number >> 27) * 0x94d049bb133111ebu;
    return number ^ number >> 31;
}

uint64_t poisson_seed(uint64_t number)
{
    uint64_t state = number * GOLDEN;

    return next(&state);
}

/* The natural logarithm of a number from 2 to the power of -53 to 1, right to 1e-6: the exponent
 * is counted, and of the rest, from 1 to 2, it is twice the area tangent of (rest - 1) / (rest +
 * 1).
 */
static double logarithm(double number)
{
    double exponent = 0, part, square;

    while (number < 1) {
        number *= 2;
        exponent--;
    }
    part = (number - 1) / (number + 1);
    square = part * part;
    return exponent * 0.6931471805599453 +
           2 * part *
               (1 + square * (1.0 / 3 + square * (1.0 / 5 + square * (1.0 / 7 + square / 9))));
}

int64_t poisson_draw(uint64_t *state, size_t rate)
{
    double uniform = (double)((next(state) >> 11) + 1) * 0x1p-53;

    return 1 + (int64_t)(-logarithm(uniform) * (double)rate);
}

/* 1 - exp(-part) by its series at a 256th of it, where four terms are enough, and then eight times
 * that of the double: no difference of numbers that are nearly the same. */
double poisson_weight(size_t size, size_t rate)
{
    double part = (double)size / (double)rate / 256, probability;

    if (part > 0.15)
        return 1; /* but for 1e-17 */
    probability = part * (1 - part / 2 * (1 - part / 3 * (1 - part / 4 * (1 - part / 5))));
    for (int i = 0; i < 8; i++)
        probability *= 2 - probability;
    return 1 / probability;
}

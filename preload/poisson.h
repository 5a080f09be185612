/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * poisson: which bytes of a stream are sampled, and what a sample stands for.
 *
 * One byte in `rate`, on average, is drawn, each with the same probability and none because of
 * another: the distance to the next one has an exponential distribution. A block is a sample if at
 * least one of its bytes is drawn, which is so with a probability of 1 - exp(-size / rate); so a
 * sample stands for the reciprocal of that many blocks of its size.
 *
 * Neither libm nor a table: a program's malloc is no place for either. Any thread; a generator's
 * state belongs to one.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A generator's state for thread number `number`: other numbers each, the same in every run. */
uint64_t poisson_seed(uint64_t number);

/* How many bytes there are up to the next one that is drawn: from 1 on, `rate` on average. */
int64_t poisson_draw(uint64_t *state, size_t rate);

/* How many blocks of this size a sampled one stands for: from 1 on. */
double poisson_weight(size_t size, size_t rate);

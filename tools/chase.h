/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * chase: the latency of memory, as a chain of pointers sees it.
 *
 * Each element of the chain is in a cache line of its own and points to the next one in random
 * order, so that a CPU can neither guess nor begin the next access before the last one is back. One
 * thread.
 */
#pragma once

#include <stddef.h>

/* Makes all of an area one chain. `size`: bytes, CHASE_LEAST or more. */
#define CHASE_LEAST 4096
void chase_prepare(void *area, size_t size);

/* Nanoseconds of an access, the best part of about as many seconds. */
double chase_run(void *area, double seconds);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * sampled: level 1, one of many blocks is a guarded one. For production: all others are the heap
 * manager's as ever, and inline where they were.
 *
 * Each thread counts its allocations down from a random number, those that the frontend answers
 * inline included: heap_manager.countdown.
 *
 * Threads: any; see guarded.h.
 */
#pragma once

#include "heap_manager.h"

#define SAMPLED_EVERY 50000 /* one of so many, on average */

/* The table to call in place of that one: once. */
const struct heap_manager *sampled_over(const struct heap_manager *under);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * check: finds what a program does wrong with its blocks, where MEMKIND_CHECK asks for it.
 *
 * A level is a table of functions that stands in front of a heap manager's own: the frontend calls
 * it in place of that one, so what is not asked for costs nothing. Where every block is checked,
 * the inline part of the frontend is to have no answers (heap_settings.checked).
 */
#pragma once

#include "heap_manager.h"

enum check_level {
    CHECK_NOTHING,
    CHECK_SAMPLE, /* one of many blocks; sampled.h */
    CHECK_ALL,    /* every block; full.h */
};

/* What checks need of the dynamic loader: as open() of heap_manager.h, without a lock, and on any
 * number of threads. */
void check_open(enum check_level level);

/* The table to call in place of the base's. Once, under the frontend's first-use lock. */
const struct heap_manager *check_over(const struct heap_manager *base, enum check_level level);

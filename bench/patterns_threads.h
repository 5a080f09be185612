/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* patterns_threads: rows of the table in patterns.c that need several threads, or start some. */
#ifndef MEMKIND_BENCH_PATTERNS_THREADS_H
#define MEMKIND_BENCH_PATTERNS_THREADS_H

#include <stddef.h>

#include "worker.h"

void run_cross(struct worker *worker, size_t count);
void run_producer(struct worker *worker, size_t count);
void run_larson(struct worker *worker, size_t count);

#endif /* MEMKIND_BENCH_PATTERNS_THREADS_H */

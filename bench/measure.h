/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * measure: a cell is a pattern on a heap by so many threads: what is measured, in a process of its
 * own.
 */
#ifndef MEMKIND_BENCH_MEASURE_H
#define MEMKIND_BENCH_MEASURE_H

#include "patterns.h"
#include "report.h"

#define THREADS_MOST 4096

struct cell {
    const struct pattern *pattern;
    const char *heap_name;
    unsigned threads;
    size_t operations; /* of each thread; 0: as many as take `seconds` */
    double seconds;
};

/* In a process of its own. What goes wrong there is in the note. */
void measure(const struct cell *cell, struct result *result);

unsigned cpu_count(void);

#endif /* MEMKIND_BENCH_MEASURE_H */

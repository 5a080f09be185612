/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* patterns: what threads do with blocks. A pattern is a row of the table in patterns.c. */
#ifndef MEMKIND_BENCH_PATTERNS_H
#define MEMKIND_BENCH_PATTERNS_H

#include <stdbool.h>
#include <stddef.h>

#include "worker.h"

struct pattern {
    const char *name;
    const char *what;
    size_t unit;    /* operations that are always done together */
    size_t warm_up; /* of each thread, at least: until a heap has got what it needs */
    void (*set_up)(struct worker *worker);            /* not measured; NULL: nothing */
    void (*run)(struct worker *worker, size_t count); /* count: a multiple of unit */
    bool needs_kinds;                                 /* malloc(3) has nothing of the kind */
};

extern const struct pattern patterns[];
extern const size_t pattern_count;

#endif /* MEMKIND_BENCH_PATTERNS_H */

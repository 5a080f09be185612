/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* scenarios: programs that leave memory unused, or use all of a limit, and what they do next. */
#ifndef MEMKIND_BENCH_SCENARIOS_H
#define MEMKIND_BENCH_SCENARIOS_H

#include <stddef.h>

struct scene {
    double size; /* part of the bytes, threads and kinds of the whole scenario */
    double wait; /* seconds that a program goes on for after it has freed its memory */
};

struct scenario {
    const char *name;
    void (*act)(const struct scene *scene);
    const char *what;
};

extern const struct scenario scenarios[];
extern const size_t scenario_count;

/* Acts a scenario in a process of its own, which writes its figures to the standard output, as
 * lines scenario,seconds,figure,value,note; the value is empty where there is none, and the note
 * says why. */
void scenario_run(const struct scenario *scenario, const struct scene *scene);

#endif /* MEMKIND_BENCH_SCENARIOS_H */

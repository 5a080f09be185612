/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * report: what the process of a cell tells the one that started it, through memory of both.
 */
#ifndef MEMKIND_BENCH_REPORT_H
#define MEMKIND_BENCH_REPORT_H

#define NOTE_SIZE 160

struct result {
    double operations;    /* of all threads */
    double wall_ns;       /* elapsed, of one of the CPUs that are used, per operation */
    double cpu_ns;        /* of CPU time, the kernel's included, per operation */
    long peak_kib;        /* resident at most: not of files, not memkind-bench's own */
    char note[NOTE_SIZE]; /* not empty: why there are no figures */
};

/* Of the cell that runs. NULL: report_share() was not called yet. */
extern struct result *report;

/* Before the process of a cell is started: an empty report. Ends the program if there is no memory.
 */
void report_share(void);

/* In the process of a cell: it has failed, and this is why. Does not return. */
void give_up(const char *why) __attribute__((noreturn));

#endif /* MEMKIND_BENCH_REPORT_H */

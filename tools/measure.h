/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * measure: bandwidth and latency of each node's memory from the CPUs of each node, and what the
 * library would make of such figures.
 *
 * For machines whose firmware tells nothing. Bandwidth is that of a triad (bench/stream.h) by a
 * thread on each CPU, latency that of a chain of pointers (chase.h) on one of them. The memory is
 * bound to its node, and the kernel is asked where its pages are. The library never does this: it
 * takes seconds, memory and all CPUs. One thread; no memory for bookkeeping ends the program.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "kinds/machine/node_answer.h"

struct measure_limits {
    size_t size;      /* bytes to measure a node in, at most; 0: four times the caches */
    unsigned seconds; /* of all measuring */
};

struct measured_pair {
    unsigned cpu_node, node;
    unsigned bandwidth; /* MB/s; 0: not measured */
    unsigned latency;   /* ns; 0: not measured */
    size_t size;        /* bytes that it was measured in */
};

struct measured {
    struct measured_pair *pairs; /* of each node with memory and each with CPUs */
    size_t count;
};

/* What could not be measured, or only in memory that caches may hold, is said on the standard error
 * output. False: some pair was not measured. */
bool measure_run(const struct measure_limits *limits, struct measured *measured);
void measure_release(struct measured *measured);

/* Which nodes the library would call high-bandwidth if the firmware told these figures; an error
 * and why, if none, or if there are figures missing. MEMKIND_HBW_NODES is not looked at. */
void measure_conclude(const struct measured *measured, struct node_answer *answer);

/* For people, and with the line to export; info_measure.c. */
void measure_print(const struct measured *measured, FILE *stream);
void measure_print_json(const struct measured *measured, FILE *stream);

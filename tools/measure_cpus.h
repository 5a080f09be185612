/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * measure_cpus: the CPUs to measure from, and how large their caches are.
 *
 * Of sysfs and sched_getaffinity(2). One thread; no memory ends the program.
 */
#pragma once

#include <stddef.h>

struct measure_cpus {
    unsigned *cpus; /* of a node, those that this process may run on */
    unsigned count;
    size_t caches; /* bytes of all last-level caches of these */
    size_t cache;  /* of the largest one */
};

/* Asks for the CPUs that the process may run on at the time of the call. */
struct measure_cpus measure_cpus_of(unsigned node);
void measure_cpus_release(struct measure_cpus *cpus);

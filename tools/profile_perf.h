/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * profile_perf: the kernel's samples of a program's accesses to memory (perf_event_open), as the
 * lines that profile_samples.h reads.
 *
 * Precise samples of loads and stores, where the processor takes them and the user may have them:
 * Intel's mem-loads and mem-stores, AMD's ibs_op. Or page faults, which every kernel has: they tell
 * which memory is touched first, and whether it is touched at all.
 *
 * One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

enum perf_source { PERF_PRECISE, PERF_FAULTS };

struct perf;

/* Of a process that has not become its program yet: they begin when it does. NULL with errno: there
 * are none, or not for this user. */
struct perf *perf_open(enum perf_source source, pid_t process);

/* Writes what has come since then. Returns how many were lost. */
size_t perf_drain(struct perf *perf, FILE *stream);

void perf_close(struct perf *perf);

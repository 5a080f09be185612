/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * trace: who called, as return addresses.
 *
 * The C library's unwinder needs no frame pointers and allocates nothing once it has been used.
 * What it calls may come back here through a malloc interposer: such a call has no trace.
 *
 * Threads: any.
 */
#pragma once

#define TRACE_FRAMES 16

struct trace {
    int thread; /* its number in the system; 0: nothing was taken */
    int count;
    void *frames[TRACE_FRAMES]; /* innermost first */
};

/* Loads the unwinder: before all others, on any number of threads. */
void trace_start(void);

void trace_take(struct trace *trace);

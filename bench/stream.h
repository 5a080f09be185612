/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * stream: a[i] = b[i] + x * c[i], the fourth loop of McCalpin's STREAM, by several threads that
 * begin each round together. For bench_triad and for memkind-info --measure.
 *
 * Each thread is on a CPU of its own and writes its own part of the arrays first.
 */
#ifndef MEMKIND_BENCH_STREAM_H
#define MEMKIND_BENCH_STREAM_H

#include <stddef.h>

#define STREAM_ROUNDS 10
#define STREAM_ARRAYS 3

struct stream {
    const unsigned *cpus; /* one for each thread */
    unsigned threads;
    size_t count;   /* elements of each thread's arrays */
    double seconds; /* no round begins later than this after the first; but two are done */
    /* An array of a thread, `size` bytes; NULL: there is no memory. Called on that thread. */
    double *(*take)(void *context, unsigned thread, unsigned array, size_t size);
    void (*give_back)(void *context, double *array); /* also of NULL */
    void *context;
};

/* Seconds that the shortest round took, from the first thread's begin to the last one's end. 0: no
 * memory, or wrong sums. Where threads cannot be had, the program ends. */
double stream_run(const struct stream *stream);

/* Bytes that one round moves, as STREAM counts them. */
double stream_bytes(const struct stream *stream);

/* Of a clock that never goes back. */
double stream_clock(void);

/* Lets the calling thread run on this CPU only. Best effort. */
void stream_pin(unsigned cpu);

#endif /* MEMKIND_BENCH_STREAM_H */

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why: see stream.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched.h: CPU_ALLOC */
#endif
#include "stream.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FACTOR 3.0

/* What all threads of a run have in common. */
struct run {
    const struct stream *stream;
    pthread_barrier_t barrier;
    bool over[STREAM_ROUNDS + 1]; /* by thread 0, before all meet for that round */
};

struct worker {
    pthread_t thread;
    struct run *run;
    unsigned number;
    int rounds;
    double begin[STREAM_ROUNDS], end[STREAM_ROUNDS];
    bool bad; /* no memory, or a wrong sum */
};

void stream_pin(unsigned cpu)
{
    cpu_set_t *set = CPU_ALLOC((size_t)cpu + 1);
    size_t size = CPU_ALLOC_SIZE((size_t)cpu + 1);

    if (!set)
        return;
    CPU_ZERO_S(size, set);
    CPU_SET_S((size_t)cpu, size, set);
    sched_setaffinity(0, size, set);
    CPU_FREE(set);
}

double stream_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void triad(double *restrict a, const double *restrict b, const double *restrict c,
                  size_t count)
{
    for (size_t i = 0; i < count; i++)
        a[i] = b[i] + FACTOR * c[i];
}

/* All threads begin a round together, and do as many as thread 0 has time for. */
static void work_rounds(struct worker *worker, double *const arrays[STREAM_ARRAYS])
{
    struct run *run = worker->run;

    for (int round = 0;; round++) {
        if (worker->number == 0)
            run->over[round] =
                round == STREAM_ROUNDS ||
                (round > 1 && worker->end[round - 1] - worker->begin[0] > run->stream->seconds);
        pthread_barrier_wait(&run->barrier);
        if (run->over[round])
            break;
        worker->begin[round] = stream_clock();
        if (!worker->bad)
            triad(arrays[0], arrays[1], arrays[2], run->stream->count);
        worker->end[round] = stream_clock();
        worker->rounds = round + 1;
    }
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    const struct stream *stream = worker->run->stream;
    double *arrays[STREAM_ARRAYS];

    stream_pin(stream->cpus[worker->number]);
    for (unsigned i = 0; i < STREAM_ARRAYS; i++) {
        arrays[i] =
            stream->take(stream->context, worker->number, i, stream->count * sizeof **arrays);
        worker->bad |= !arrays[i];
    }
    for (size_t i = 0; !worker->bad && i < stream->count; i++) {
        arrays[0][i] = 0;
        arrays[1][i] = (double)i;
        arrays[2][i] = 2;
    }
    work_rounds(worker, arrays);
    for (size_t i = 0; !worker->bad && i < stream->count; i++)
        worker->bad = arrays[0][i] != (double)i + 2 * FACTOR;
    for (unsigned i = STREAM_ARRAYS; i-- > 0;)
        stream->give_back(stream->context, arrays[i]);
    return NULL;
}

/* From the first thread's begin to the last one's end. */
static double time_of(const struct worker *workers, unsigned threads, int round)
{
    double begin = workers[0].begin[round], end = workers[0].end[round];

    for (unsigned i = 1; i < threads; i++) {
        if (workers[i].begin[round] < begin)
            begin = workers[i].begin[round];
        if (workers[i].end[round] > end)
            end = workers[i].end[round];
    }
    return end - begin;
}

static double best_time(const struct worker *workers, unsigned threads)
{
    double best = 0;

    for (unsigned i = 0; i < threads; i++)
        if (workers[i].bad)
            return 0;
    for (int round = 0; round < workers[0].rounds; round++) {
        double taken = time_of(workers, threads, round);

        if (round == 0 || taken < best)
            best = taken;
    }
    return best;
}

double stream_run(const struct stream *stream)
{
    struct worker *workers = calloc(stream->threads, sizeof *workers);
    struct run run = {.stream = stream};
    double best;

    if (!workers) {
        perror("stream");
        exit(EXIT_FAILURE);
    }
    pthread_barrier_init(&run.barrier, NULL, stream->threads);
    for (unsigned i = 0; i < stream->threads; i++) {
        workers[i].run = &run;
        workers[i].number = i;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i])) {
            perror("stream: pthread_create");
            exit(EXIT_FAILURE);
        }
    }
    for (unsigned i = 0; i < stream->threads; i++)
        pthread_join(workers[i].thread, NULL);
    pthread_barrier_destroy(&run.barrier);
    best = best_time(workers, stream->threads);
    free(workers);
    return best;
}

double stream_bytes(const struct stream *stream)
{
    return (double)(STREAM_ARRAYS * sizeof(double)) * (double)stream->count * stream->threads;
}

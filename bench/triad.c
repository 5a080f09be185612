/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * triad: bandwidth of each kind's memory, as a[i] = b[i] + x * c[i] sees it, the fourth loop of
 * McCalpin's STREAM.
 *
 *     bench_triad [-m MIB] [-t THREADS] [KIND]...
 *
 * MIB is the size of each of the three arrays, 64 if not given: it should be well beyond the
 * caches. THREADS: one on each CPU if not given. KIND: a name of memkind.h, like MEMKIND_HBW; those
 * of the machine's sorts of memory if none is given. One line for each kind: the best of ten rounds
 * in MB/s, counted as STREAM counts (24 bytes an element), or why there is none. Exit status 1: a
 * kind that was named is not there, or the sums are wrong.
 *
 * Each thread writes its own part of the arrays first, so "nearest" means near that thread. Blocks
 * are the threads' own: a kind whose nodes depend on the CPU gives each of them the memory near it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <memkind.h>

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 10
#define THREADS_MOST 1024
#define FACTOR 3.0

static const char *const usual[] = {"MEMKIND_DEFAULT",
                                    "MEMKIND_REGULAR",
                                    "MEMKIND_HBW",
                                    "MEMKIND_HBW_INTERLEAVE",
                                    "MEMKIND_DAX_KMEM",
                                    "MEMKIND_HIGHEST_CAPACITY",
                                    "MEMKIND_HIGHEST_BANDWIDTH_LOCAL",
                                    NULL};

struct worker {
    pthread_t thread;
    memkind_t kind;
    size_t count; /* elements of each of its arrays */
    unsigned number;
    pthread_barrier_t *barrier;
    double begin[ROUNDS], end[ROUNDS];
    bool bad; /* no memory, or a wrong sum */
};

static void pin(unsigned number)
{
    cpu_set_t all, one;

    if (sched_getaffinity(0, sizeof all, &all))
        return;
    CPU_ZERO(&one);
    number %= (unsigned)CPU_COUNT(&all);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &all) && number-- == 0)
            CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
}

static void triad(double *restrict a, const double *restrict b, const double *restrict c,
                  size_t count)
{
    for (size_t i = 0; i < count; i++)
        a[i] = b[i] + FACTOR * c[i];
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* All threads begin a round together. */
static void *work(void *argument)
{
    struct worker *worker = argument;
    double *a, *b, *c;

    pin(worker->number);
    a = memkind_malloc(worker->kind, worker->count * sizeof *a);
    b = memkind_malloc(worker->kind, worker->count * sizeof *b);
    c = memkind_malloc(worker->kind, worker->count * sizeof *c);
    worker->bad = !a || !b || !c;
    for (size_t i = 0; !worker->bad && i < worker->count; i++) {
        a[i] = 0;
        b[i] = (double)i;
        c[i] = 2;
    }
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(worker->barrier);
        worker->begin[round] = seconds();
        if (!worker->bad)
            triad(a, b, c, worker->count);
        worker->end[round] = seconds();
    }
    for (size_t i = 0; !worker->bad && i < worker->count; i++)
        worker->bad = a[i] != (double)i + 2 * FACTOR;
    memkind_free(worker->kind, c);
    memkind_free(worker->kind, b);
    memkind_free(worker->kind, a);
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

/* The shortest round in seconds; 0: it did not work. */
static double measure(memkind_t kind, size_t bytes, unsigned threads)
{
    static struct worker workers[THREADS_MOST];
    pthread_barrier_t barrier;
    double best = 0;

    pthread_barrier_init(&barrier, NULL, threads);
    for (unsigned i = 0; i < threads; i++) {
        workers[i] = (struct worker){.kind = kind,
                                     .count = bytes / sizeof(double) / threads,
                                     .number = i,
                                     .barrier = &barrier};
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i])) {
            perror("bench_triad: pthread_create");
            exit(EXIT_FAILURE);
        }
    }
    for (unsigned i = 0; i < threads; i++)
        pthread_join(workers[i].thread, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        double taken = time_of(workers, threads, round);

        if (round == 0 || taken < best)
            best = taken;
    }
    for (unsigned i = 0; i < threads; i++)
        if (workers[i].bad)
            best = 0;
    pthread_barrier_destroy(&barrier);
    return best;
}

/* False: no such bandwidth. */
static bool report(const char *name, size_t bytes, unsigned threads)
{
    char why[MEMKIND_ERROR_MESSAGE_SIZE];
    const memkind_t *kind = dlsym(RTLD_DEFAULT, name);
    double best;
    int error;

    if (!kind || strncmp(name, "MEMKIND_", strlen("MEMKIND_"))) {
        fprintf(stderr, "bench_triad: %s: there is no such kind\n", name);
        return false;
    }
    error = memkind_check_available(*kind);
    if (error) {
        memkind_error_message(error, why, sizeof why);
        printf("%-36s %s\n", name, why);
        return false;
    }
    best = measure(*kind, bytes, threads);
    if (best <= 0) {
        printf("%-36s no memory, or wrong sums\n", name);
        return false;
    }
    printf("%-36s %10.0f MB/s\n", name, 3 * (double)bytes / best / 1e6);
    return true;
}

int main(int argc, char **argv)
{
    unsigned threads = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    size_t bytes = (size_t)64 << 20;
    bool good = true;
    int option;

    while ((option = getopt(argc, argv, "m:t:")) != -1) {
        if (option == 'm')
            bytes = strtoul(optarg, NULL, 10) << 20;
        else if (option == 't')
            threads = (unsigned)strtoul(optarg, NULL, 10);
        else
            return 2;
    }
    if (!bytes || !threads || threads > THREADS_MOST) {
        fprintf(stderr, "usage: bench_triad [-m MIB] [-t THREADS] [KIND]...\n");
        return 2;
    }
    bytes -= bytes % (threads * sizeof(double));
    for (int i = optind; i < argc; i++)
        good &= report(argv[i], bytes, threads);
    for (size_t i = 0; optind == argc && usual[i]; i++)
        report(usual[i], bytes, threads);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

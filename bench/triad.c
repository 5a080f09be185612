/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * triad: bandwidth of each kind's memory, as the triad of STREAM (stream.h) sees it.
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
#include <math.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream.h"

#define THREADS_MOST 1024

static const char *const usual[] = {"MEMKIND_DEFAULT",
                                    "MEMKIND_REGULAR",
                                    "MEMKIND_HBW",
                                    "MEMKIND_HBW_INTERLEAVE",
                                    "MEMKIND_DAX_KMEM",
                                    "MEMKIND_HIGHEST_CAPACITY",
                                    "MEMKIND_HIGHEST_BANDWIDTH_LOCAL",
                                    NULL};

/* The CPUs that this process may run on, in turn. */
static void choose_cpus(unsigned *cpus, unsigned threads)
{
    unsigned allowed[CPU_SETSIZE], count = 0;
    cpu_set_t all;

    if (sched_getaffinity(0, sizeof all, &all))
        CPU_ZERO(&all);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &all))
            allowed[count++] = cpu;
    for (unsigned i = 0; i < threads; i++)
        cpus[i] = count ? allowed[i % count] : i;
}

static double *take(void *kind, unsigned thread, unsigned array, size_t size)
{
    (void)thread, (void)array;
    return memkind_malloc(kind, size);
}

static void give_back(void *kind, double *array)
{
    memkind_free(kind, array);
}

/* False: no such bandwidth. */
static bool report(const char *name, size_t bytes, unsigned threads)
{
    char why[MEMKIND_ERROR_MESSAGE_SIZE];
    const memkind_t *kind = dlsym(RTLD_DEFAULT, name);
    unsigned cpus[THREADS_MOST];
    struct stream stream = {.cpus = cpus,
                            .threads = threads,
                            .count = bytes / sizeof(double) / threads,
                            .seconds = HUGE_VAL,
                            .take = take,
                            .give_back = give_back};
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
    choose_cpus(cpus, threads);
    stream.context = *kind;
    best = stream_run(&stream);
    if (best <= 0) {
        printf("%-36s no memory, or wrong sums\n", name);
        return false;
    }
    printf("%-36s %10.0f MB/s\n", name, stream_bytes(&stream) / best / 1e6);
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

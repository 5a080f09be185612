/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * bench_scale: what it costs to have kinds at all.
 *
 *     bench_scale [KINDS]
 *
 * Prints the time of the library's first use; of each static kind's first block; of creating a kind
 * and its first block, and how much memory that takes; and of destroying it. Medians of KINDS kinds
 * that live at the same time, 500 if not given. (What linking to the library costs a program that
 * does not use it is scripts/bench's to measure: see bench/PROFILE.md.)
 *
 * One thread; nothing here is for use in a threaded program.
 */
#include <memkind.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* KiB of the process that are in memory. */
static double resident_kib(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long all, resident = 0;

    if (file && fscanf(file, "%ld %ld", &all, &resident) != 2)
        resident = 0;
    if (file)
        fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1024;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    return values[count / 2];
}

static void first_uses(void)
{
    static const struct {
        const char *name;
        memkind_t *kind;
    } kinds[] = {{"MEMKIND_DEFAULT (the library's first use)", &MEMKIND_DEFAULT},
                 {"MEMKIND_REGULAR", &MEMKIND_REGULAR},
                 {"MEMKIND_INTERLEAVE", &MEMKIND_INTERLEAVE},
                 {"MEMKIND_HIGHEST_CAPACITY", &MEMKIND_HIGHEST_CAPACITY}};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        double start = now_us();
        void *block = memkind_malloc(*kinds[i].kind, 64);

        printf("first block of %s: %.0f us%s\n", kinds[i].name, now_us() - start,
               block ? "" : ", not available");
        memkind_free(*kinds[i].kind, block);
    }
}

/* Returns false when the machine has no more. */
static int live(int count)
{
    memkind_t *kinds = malloc((size_t)count * sizeof *kinds);
    double *created = malloc((size_t)count * sizeof *created);
    double *destroyed = malloc((size_t)count * sizeof *destroyed), before;

    if (!kinds || !created || !destroyed)
        return 0;
    memset(created, 0, (size_t)count * sizeof *created);
    memset(destroyed, 0, (size_t)count * sizeof *destroyed);
    memset(kinds, 0, (size_t)count * sizeof *kinds);
    before = resident_kib();
    for (int i = 0; i < count; i++) {
        double start = now_us();
        int error = memkind_create_nodes("all", MEMKIND_POLICY_PREFERRED_LOCAL, (memkind_bits_t)0,
                                         &kinds[i]);
        char *block = error ? NULL : memkind_malloc(kinds[i], 64);

        if (!block) {
            fprintf(stderr, "kind %d of %d: error %d\n", i + 1, count, error);
            return 0;
        }
        *block = 1;
        created[i] = now_us() - start;
    }
    before = (resident_kib() - before) / count;
    for (int i = 0; i < count; i++) {
        double start = now_us();

        memkind_destroy_kind(kinds[i]);
        destroyed[i] = now_us() - start;
    }
    printf("%d kinds: %.0f us to create one and allocate its first block, %.0f KiB; %.0f us to "
           "destroy it\n",
           count, median(created, count), before, median(destroyed, count));
    free(kinds);
    free(created);
    free(destroyed);
    return 1;
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 500;

    if (count <= 0) {
        fprintf(stderr, "usage: bench_scale [KINDS]\n");
        return EXIT_FAILURE;
    }
    first_uses();
    return live(count) ? EXIT_SUCCESS : EXIT_FAILURE;
}

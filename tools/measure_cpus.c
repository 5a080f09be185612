/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see measure_cpus.h. */
#define _GNU_SOURCE /* sched.h: CPU_ALLOC */
#include "measure_cpus.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kinds/system/sysfs.h"

#define CPUS_MOST 65536u /* more than any kernel has */
#define LEVELS 8

/* Takes the next range out of a list like "0-3,8". False: there is no more. */
static bool next_range(const char **list, unsigned *first, unsigned *last)
{
    char *end;

    *first = *last = (unsigned)strtoul(*list, &end, 10);
    if (end == *list)
        return false;
    if (*end == '-')
        *last = (unsigned)strtoul(end + 1, &end, 10);
    *list = *end == ',' ? end + 1 : end;
    return *last < CPUS_MOST;
}

static bool has(const struct measure_cpus *cpus, unsigned cpu)
{
    for (unsigned i = 0; i < cpus->count; i++)
        if (cpus->cpus[i] == cpu)
            return true;
    return false;
}

/* Whether `cpu` is the first of those here that share its cache of this index: each cache counts
 * once. */
static bool is_first_of_cache(const struct measure_cpus *cpus, unsigned cpu, unsigned index)
{
    char text[4096];
    const char *list = text;
    unsigned first, last;

    if (sysfs_read(text, sizeof text, "devices/system/cpu/cpu%u/cache/index%u/shared_cpu_list", cpu,
                   index) < 0)
        return true;
    while (next_range(&list, &first, &last))
        for (unsigned other = first; other <= last; other++)
            if (has(cpus, other))
                return other == cpu;
    return true;
}

/* sysfs has "32768K". */
static void add_cache(struct measure_cpus *cpus, unsigned cpu)
{
    uint64_t deepest = 0, size = 0;
    unsigned index = 0;

    for (unsigned i = 0; i < LEVELS; i++) {
        uint64_t level = sysfs_number("devices/system/cpu/cpu%u/cache/index%u/level", cpu, i);

        if (level <= deepest)
            continue;
        deepest = level;
        index = i;
        size = sysfs_number("devices/system/cpu/cpu%u/cache/index%u/size", cpu, i) << 10;
    }
    if (!deepest || !is_first_of_cache(cpus, cpu, index))
        return;
    cpus->caches += size;
    if (size > cpus->cache)
        cpus->cache = size;
}

struct measure_cpus measure_cpus_of(unsigned node)
{
    static char text[32768];
    size_t size = CPU_ALLOC_SIZE(CPUS_MOST);
    cpu_set_t *allowed = CPU_ALLOC(CPUS_MOST);
    struct measure_cpus made = {.cpus = calloc(CPUS_MOST, sizeof *made.cpus)};
    const char *list = text;
    unsigned first, last;

    if (!allowed || !made.cpus || sched_getaffinity(0, size, allowed)) {
        perror("memkind-info: CPUs");
        exit(EXIT_FAILURE);
    }
    if (sysfs_read(text, sizeof text, SYSFS_NODES "/node%u/cpulist", node) > 0)
        while (next_range(&list, &first, &last))
            for (unsigned cpu = first; cpu <= last; cpu++)
                if (CPU_ISSET_S(cpu, size, allowed))
                    made.cpus[made.count++] = cpu;
    CPU_FREE(allowed);
    for (unsigned i = 0; i < made.count; i++)
        add_cache(&made, made.cpus[i]);
    return made;
}

void measure_cpus_release(struct measure_cpus *cpus)
{
    free(cpus->cpus);
    cpus->cpus = NULL;
}

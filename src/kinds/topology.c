/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see topology.h. */
#include "kinds/topology.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kinds/host.h"
#include "kinds/os.h"

#define SYS_NODE "/sys/devices/system/node"
#define DISTANCE_UNKNOWN 255

static bool read_list(const char *directory, const char *file, struct nodemask *mask)
{
    char path[256], text[4096];

    snprintf(path, sizeof path, "%s/%s", directory, file);
    if (os_read_file(path, text, sizeof text) < 0 || !nodemask_parse(text, mask)) {
        memset(mask, 0, sizeof *mask);
        return false;
    }
    return true;
}

static uint64_t read_memory(const char *directory, int node)
{
    char path[256], text[4096];
    const char *line;

    snprintf(path, sizeof path, "%s/node%d/meminfo", directory, node);
    if (os_read_file(path, text, sizeof text) < 0)
        return 0;
    line = strstr(text, "MemTotal:");
    return line ? strtoull(line + strlen("MemTotal:"), NULL, 10) * 1024 : 0;
}

/* One row of the SLIT: a number per online node, in the order of their numbers. */
static void read_distances(const char *directory, int node, struct topology *topology)
{
    char path[256], text[8192], *at = text, *end;

    snprintf(path, sizeof path, "%s/node%d/distance", directory, node);
    if (os_read_file(path, text, sizeof text) < 0)
        return;
    nodemask_for_each (other, &topology->online) {
        unsigned long distance = strtoul(at, &end, 10);

        if (end == at)
            return;
        if (distance < DISTANCE_UNKNOWN)
            topology->distance[node][other] = (uint8_t)distance;
        at = end;
    }
}

void topology_read(const char *directory, struct topology *topology)
{
    if (!read_list(directory, "online", &topology->online)) {
        /* A kernel without NUMA, or no sysfs: one node that has everything. */
        host->log("%s tells no nodes: taken for a machine of one node", directory);
        nodemask_add(&topology->online, 0);
        topology->with_cpu = topology->with_memory = topology->online;
        topology->distance[0][0] = 10;
    } else {
        if (!read_list(directory, "has_cpu", &topology->with_cpu))
            topology->with_cpu = topology->online;
        if (!read_list(directory, "has_memory", &topology->with_memory))
            topology->with_memory = topology->online;
    }
    nodemask_for_each (node, &topology->online) {
        topology->memory[node] = read_memory(directory, node);
        nodemask_for_each (other, &topology->online)
            topology->distance[node][other] = DISTANCE_UNKNOWN;
        topology->distance[node][node] = 10;
        read_distances(directory, node, topology);
    }
}

static void log_topology(const struct topology *topology)
{
    char online[128], cpus[128], memory[128];

    nodemask_format(&topology->online, online, sizeof online);
    nodemask_format(&topology->with_cpu, cpus, sizeof cpus);
    nodemask_format(&topology->with_memory, memory, sizeof memory);
    host->log("nodes found: online %s, with CPUs %s, with memory for us %s", online, cpus, memory);
}

const struct topology *topology_get(void)
{
    static _Atomic(struct topology *) published;
    /* When even a mapping cannot be had: one node, so that DEFAULT and REGULAR still work. */
    static const struct topology fallback = {.online.bits[0] = 1,
                                             .with_cpu.bits[0] = 1,
                                             .with_memory.bits[0] = 1,
                                             .allowed.bits[0] = 1,
                                             .distance[0][0] = 10};
    struct topology *known = atomic_load_explicit(&published, memory_order_acquire);
    struct topology *fresh;

    if (known)
        return known;
    fresh = os_map(sizeof *fresh, os_page_size());
    if (!fresh)
        return &fallback;
    topology_read(SYS_NODE, fresh);
    if (os_allowed_nodes(&fresh->allowed))
        fresh->allowed = fresh->with_memory;
    nodemask_and(&fresh->with_memory, &fresh->allowed);
    if (!atomic_compare_exchange_strong(&published, &known, fresh)) {
        os_unmap(fresh, sizeof *fresh);
        return known;
    }
    log_topology(fresh);
    return fresh;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see topology.h. */
#include "kinds/machine/topology.h"

#include <stdlib.h>

#include "kinds/system/callbacks.h"
#include "kinds/system/os.h"
#include "kinds/system/once.h"
#include "kinds/system/sysfs.h"

#define DISTANCE_UNKNOWN 255

/* One row of the SLIT: a number per online node, in the order of their numbers. */
static void read_distances(int node, struct topology *topology)
{
    char text[8192], *at = text, *end;

    if (sysfs_read(text, sizeof text, SYSFS_NODES "/node%d/distance", node) < 0)
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

void topology_read(struct topology *topology)
{
    if (!sysfs_list(&topology->online, SYSFS_NODES "/online")) {
        /* A kernel without NUMA, or no sysfs: one node that has everything. */
        callbacks->log("%s/" SYSFS_NODES " lists no nodes: the machine is taken to be one node",
                       sysfs_root);
        nodemask_add(&topology->online, 0);
        topology->with_cpu = topology->populated = topology->online;
    } else {
        if (!sysfs_list(&topology->with_cpu, SYSFS_NODES "/has_cpu"))
            topology->with_cpu = topology->online;
        if (!sysfs_list(&topology->populated, SYSFS_NODES "/has_memory"))
            topology->populated = topology->online;
        nodemask_and(&topology->with_cpu, &topology->online);
        nodemask_and(&topology->populated, &topology->online);
    }
    nodemask_for_each (node, &topology->online) {
        topology->memory[node] = sysfs_meminfo((unsigned)node, "MemTotal:");
        nodemask_for_each (other, &topology->online)
            topology->distance[node][other] = DISTANCE_UNKNOWN;
        topology->distance[node][node] = 10;
        read_distances(node, topology);
    }
    topology->with_memory = topology->populated;
}

/* --- of the running machine ---------------------------------------------------------------------
 */

static void find(void *value)
{
    struct topology *topology = value;

    topology_read(topology);
    if (os_allowed_nodes(&topology->allowed))
        topology->allowed = topology->populated;
    nodemask_and(&topology->with_memory, &topology->allowed);
}

static void tell(const void *value)
{
    const struct topology *topology = value;
    char online[128], cpus[128], memory[128];

    nodemask_format(&topology->online, online, sizeof online);
    nodemask_format(&topology->with_cpu, cpus, sizeof cpus);
    nodemask_format(&topology->with_memory, memory, sizeof memory);
    callbacks->log("nodes found: online %s, with CPUs %s, with memory for us %s", online, cpus,
                   memory);
}

const struct topology *topology_get(void)
{
    static struct once once = {.size = sizeof(struct topology), .compute = find, .log = tell};
    /* When even a mapping cannot be had: one node, so that DEFAULT and REGULAR still work. */
    static const struct topology fallback = {.online.bits[0] = 1,
                                             .with_cpu.bits[0] = 1,
                                             .populated.bits[0] = 1,
                                             .with_memory.bits[0] = 1,
                                             .allowed.bits[0] = 1,
                                             .distance[0][0] = 10};
    const struct topology *known = once_get(&once);

    return known ? known : &fallback;
}

void topology_still_usable(struct nodemask *nodes)
{
    struct nodemask now;

    if (sysfs_list(&now, SYSFS_NODES "/has_memory"))
        nodemask_and(nodes, &now);
    if (os_allowed_nodes(&now) == 0)
        nodemask_and(nodes, &now);
}

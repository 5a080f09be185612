/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see topology.h. */
#include "kinds/machine/topology.h"

#include <stdlib.h>
#include <string.h>

#include "kinds/machine/facts.h"
#include "kinds/machine/gpu.h"
#include "kinds/system/callbacks.h"
#include "kinds/system/os.h"
#include "kinds/system/sysfs.h"

#define DISTANCE_LOCAL 10
#define DISTANCE_UNKNOWN 255

/* One row of the SLIT: a number per online node, in the order of their numbers. On the largest
 * machine there are a million: they are not worth a call of strtoul(3) each. */
static void read_distances(int node, struct topology *topology)
{
    char text[8192];
    const char *at = text;

    if (sysfs_read(text, sizeof text, SYSFS_NODES "/node%d/distance", node) < 0)
        return;
    nodemask_for_each (other, &topology->online) {
        unsigned distance = 0;

        while (*at == ' ')
            at++;
        if (*at < '0' || *at > '9')
            return;
        for (; *at >= '0' && *at <= '9'; at++)
            if (distance < DISTANCE_UNKNOWN)
                distance = distance * 10 + (unsigned)(*at - '0');
        if (distance >= DISTANCE_LOCAL && distance < DISTANCE_UNKNOWN)
            topology->distance[node][other] = (uint8_t)distance;
    }
}

/* "node12" */
static void add_folder(void *context, const char *name)
{
    struct nodemask node;

    if (strncmp(name, "node", 4) == 0 && nodemask_parse(name + 4, &node) &&
        nodemask_count(&node) == 1)
        nodemask_or(context, &node);
}

/* The list of nodes, or where there is none, their folders. False: neither. */
static bool read_online(struct topology *topology)
{
    if (!sysfs_list(&topology->online, SYSFS_NODES "/online") ||
        nodemask_empty(&topology->online)) {
        memset(&topology->online, 0, sizeof topology->online);
        sysfs_names(add_folder, &topology->online, SYSFS_NODES);
    }
    return !nodemask_empty(&topology->online);
}

/* Kernels of EL 7 show an empty has_cpu, while each node's cpulist is right. */
static void read_cpus(struct topology *topology)
{
    char cpus[16];

    if (sysfs_list(&topology->with_cpu, SYSFS_NODES "/has_cpu"))
        nodemask_and(&topology->with_cpu, &topology->online);
    if (!nodemask_empty(&topology->with_cpu))
        return;
    nodemask_for_each (node, &topology->online) {
        if (sysfs_read(cpus, sizeof cpus, SYSFS_NODES "/node%d/cpulist", node) > 0 &&
            cpus[0] >= '0' && cpus[0] <= '9')
            nodemask_add(&topology->with_cpu, (unsigned)node);
    }
    topology->cpus_unknown = nodemask_empty(&topology->with_cpu);
    if (topology->cpus_unknown)
        topology->with_cpu = topology->online;
}

/* Before Linux 3.8 there is no has_memory: then sizes tell. It also names nodes all of whose memory
 * the kernel keeps to itself; there, nobody else gets any. Called when sizes are known. */
static void read_populated(struct topology *topology)
{
    if (sysfs_list(&topology->populated, SYSFS_NODES "/has_memory"))
        nodemask_and(&topology->populated, &topology->online);
    nodemask_and(&topology->empty, &topology->populated);
    nodemask_remove(&topology->populated, &topology->empty);
    if (!nodemask_empty(&topology->populated))
        return;
    memset(&topology->empty, 0, sizeof topology->empty);
    nodemask_for_each (node, &topology->online) {
        if (topology->memory[node])
            nodemask_add(&topology->populated, (unsigned)node);
    }
    if (nodemask_empty(&topology->populated))
        topology->populated = topology->online;
}

static void read_node(int node, struct topology *topology)
{
    if (sysfs_meminfo((unsigned)node, "MemTotal:", &topology->memory[node]) &&
        !topology->memory[node])
        nodemask_add(&topology->empty, (unsigned)node);
    memset(topology->distance[node], DISTANCE_UNKNOWN, sizeof topology->distance[node]);
    topology->distance[node][node] = DISTANCE_LOCAL;
    read_distances(node, topology);
}

void topology_read(struct topology *topology)
{
    bool some = read_online(topology);

    if (!some) {
        /* A kernel without NUMA, or no sysfs: one node that has everything. */
        callbacks->log("%s/" SYSFS_NODES " lists no nodes: the machine is taken to be one node",
                       sysfs_root);
        nodemask_add(&topology->online, 0);
    }
    nodemask_for_each (node, &topology->online)
        read_node(node, topology);
    if (some) {
        read_cpus(topology);
        read_populated(topology);
        gpu_nodes(&topology->gpu);
    } else {
        topology->with_cpu = topology->populated = topology->online;
    }
    nodemask_and(&topology->gpu, &topology->populated);
    if (!topology->cpus_unknown)
        nodemask_remove(&topology->gpu, &topology->with_cpu); /* a GPU's memory has no CPUs */
    topology->with_memory = topology->host_memory = topology->populated;
    nodemask_remove(&topology->host_memory, &topology->gpu);
}

struct nodemask topology_memory_only(const struct topology *topology)
{
    struct nodemask nodes = topology->populated;

    nodemask_remove(&nodes, topology->cpus_unknown ? &topology->populated : &topology->with_cpu);
    return nodes;
}

/* --- of the running machine ------------------------------------------------------------------- */

static void find(void *value)
{
    struct topology *topology = value;

    topology_read(topology);
    if (os_allowed_nodes(&topology->allowed))
        topology->allowed = topology->populated;
    nodemask_and(&topology->with_memory, &topology->allowed);
    nodemask_and(&topology->host_memory, &topology->allowed);
    if (nodemask_empty(&topology->host_memory))
        topology->host_memory = topology->with_memory;
}

static void tell(const void *value)
{
    const struct topology *topology = value;
    char online[128], cpus[128], memory[128];

    nodemask_format(&topology->online, online, sizeof online);
    nodemask_format(&topology->with_cpu, cpus, sizeof cpus);
    nodemask_format(&topology->with_memory, memory, sizeof memory);
    callbacks->log("nodes found: online %s, with CPUs %s, with memory for us %s", online,
                   topology->cpus_unknown ? "nobody knows where" : cpus, memory);
}

/* Whether a list of nodes is what it was. One that is not there, or that topology_read() did not
 * believe, says nothing. */
static bool is_still(const struct nodemask *known, const char *list)
{
    struct nodemask now;

    return !sysfs_list(&now, SYSFS_NODES "/%s", list) || nodemask_empty(&now) ||
           nodemask_equal(&now, known);
}

/* By two small files and a system call; and one for each node of no size, of which there are none
 * as a rule. */
static bool is_current(const void *value)
{
    const struct topology *topology = value;
    struct nodemask listed = topology->populated, allowed;
    uint64_t size;

    nodemask_or(&listed, &topology->empty);
    nodemask_for_each (node, &topology->empty) {
        if (sysfs_meminfo((unsigned)node, "MemTotal:", &size) && size)
            return false;
    }
    return is_still(&topology->online, "online") && is_still(&listed, "has_memory") &&
           (os_allowed_nodes(&allowed) || nodemask_equal(&allowed, &topology->allowed));
}

const struct fact_rule topology_rule = {sizeof(struct topology), find, tell, is_current};

const struct topology *topology_get(void)
{
    /* When even a mapping cannot be had: one node, so that DEFAULT and REGULAR still work. */
    static const struct topology fallback = {.online.bits[0] = 1,
                                             .with_cpu.bits[0] = 1,
                                             .populated.bits[0] = 1,
                                             .with_memory.bits[0] = 1,
                                             .host_memory.bits[0] = 1,
                                             .allowed.bits[0] = 1,
                                             .distance[0][0] = 10};
    const struct topology *known = facts_get(FACT_TOPOLOGY);

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

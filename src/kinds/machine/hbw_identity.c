/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* The steps of hbw.h that know a machine by its CPU: cpu.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kinds/machine/hbw.h"
#include "kinds/system/sysfs.h"

#define GIB ((uint64_t)1 << 30)
#define SAME_SOCKET 20 /* smaller distances do not lead to another socket */

#define KNIGHTS_HBM (16 * GIB) /* MCDRAM */

/* CPUs with HBM: known by a part of the brand, Intel's number of the model of family 6, or Arm's
 * numbers of implementer and part. `hbm`: how much of it a socket has beside other memory; 0: it
 * has nothing else. */
static const struct hbm_cpu {
    const char *name, *brand;
    unsigned intel_model, implementer, part;
    uint64_t hbm;
} cpus[] = {
    {.name = "A64FX", .implementer = 0x46, .part = 0x001},
    {.name = "MI300A", .brand = "MI300A"},
    {.name = "Xeon Max", .brand = "Xeon(R) CPU Max", .hbm = 64 * GIB},
    {.name = "Knights Landing", .intel_model = 0x57, .hbm = KNIGHTS_HBM},
    {.name = "Knights Mill", .intel_model = 0x85, .hbm = KNIGHTS_HBM},
};

static bool is_cpu(const struct hbw_facts *facts, const struct hbm_cpu *cpu)
{
    if (cpu->brand)
        return strstr(facts->cpu.brand, cpu->brand) != NULL;
    if (cpu->intel_model)
        return strcmp(facts->cpu.vendor, "GenuineIntel") == 0 && facts->cpu.family == 6 &&
               facts->cpu.model == cpu->intel_model;
    return (facts->midr >> 24 & 0xff) == cpu->implementer &&
           (facts->midr >> 4 & 0xfff) == cpu->part;
}

static const struct hbm_cpu *identify(const struct hbw_facts *facts)
{
    for (size_t i = 0; i < sizeof cpus / sizeof cpus[0]; i++)
        if (is_cpu(facts, &cpus[i]))
            return &cpus[i];
    return NULL;
}

/* The socket of a node's lowest-numbered CPU; -1: unknown. */
static long socket_of(int node)
{
    char text[256], *end;
    unsigned long cpu;
    long socket;

    if (sysfs_read(text, sizeof text, SYSFS_NODES "/node%d/cpulist", node) < 0)
        return -1;
    cpu = strtoul(text, &end, 10);
    if (end == text ||
        sysfs_read(text, sizeof text, "devices/system/cpu/cpu%lu/topology/physical_package_id",
                   cpu) < 0)
        return -1;
    socket = strtol(text, &end, 10);
    return end == text ? -1 : socket;
}

static bool on_one_socket(const struct topology *topology, int node, int other)
{
    long socket = socket_of(node);

    if (socket >= 0)
        return socket == socket_of(other);
    /* 255 is unknown, and might be the same one */
    return topology->distance[node][other] < SAME_SOCKET ||
           topology->distance[node][other] == UINT8_MAX;
}

/* Sockets that have CPUs, at least 1: nodes that share one with no lower-numbered node. */
static unsigned count_sockets(const struct topology *topology)
{
    unsigned count = 0;

    nodemask_for_each (node, &topology->with_cpu) {
        int lower = nodemask_next(&topology->with_cpu, 0);

        while (lower < node && !on_one_socket(topology, node, lower))
            lower = nodemask_next(&topology->with_cpu, (unsigned)lower + 1);
        count += lower == node;
    }
    return count ? count : 1;
}

static void ignore_name(void *context, const char *name)
{
    (void)context, (void)name;
}

/* HBM that caches other memory is no memory of its own. */
static bool has_memory_side_cache(const struct topology *topology)
{
    nodemask_for_each (node, &topology->populated) {
        if (sysfs_names(ignore_name, NULL, SYSFS_NODES "/node%d/memory_side_cache", node))
            return true;
    }
    return false;
}

/* Knights without DIMMs were never seen. A Xeon Max without them has no memory-only nodes, and no
 * more memory than its HBM. */
static bool is_all_hbm(const struct hbw_facts *facts, const struct hbm_cpu *cpu)
{
    const struct topology *topology = facts->topology;
    uint64_t memory = 0;

    if (!cpu->hbm)
        return true;
    if (cpu->intel_model || !nodemask_empty(&facts->memory_only) || topology->cpus_unknown ||
        has_memory_side_cache(topology))
        return false;
    nodemask_for_each (node, &topology->populated) {
        if (!nodemask_has(&facts->never, (unsigned)node))
            memory += topology->memory[node];
    }
    return memory && memory <= cpu->hbm * count_sockets(topology);
}

bool hbw_nothing_but_hbm(const struct hbw_facts *facts, struct node_answer *answer)
{
    const struct hbm_cpu *cpu = identify(facts);

    if (!cpu || !is_all_hbm(facts, cpu))
        return false;
    answer->nodes = facts->topology->populated;
    nodemask_remove(&answer->nodes, &facts->never);
    answer->source = INFO_SOURCE_CPU_MODEL;
    snprintf(answer->why, sizeof answer->why, "all memory of this %s is HBM", cpu->name);
    return true;
}

/* The HBM of a Xeon Max is divided among the nodes with CPUs: a memory-only node with more than
 * such a part is something else. */
bool hbw_hbm_beside_cpu(const struct hbw_facts *facts, struct node_answer *answer)
{
    const struct topology *topology = facts->topology;
    const struct hbm_cpu *cpu = identify(facts);
    uint64_t most;

    if (!cpu || !cpu->hbm || topology->cpus_unknown)
        return false;
    most = cpu->hbm;
    if (!cpu->intel_model) /* Knights have one socket, and nodes of unlike sizes */
        most = most * count_sockets(topology) / nodemask_count(&topology->with_cpu);
    nodemask_for_each (node, &facts->memory_only) {
        if (topology->memory[node] <= most)
            nodemask_add(&answer->nodes, (unsigned)node);
    }
    answer->source = INFO_SOURCE_CPU_MODEL;
    if (nodemask_empty(&answer->nodes))
        snprintf(answer->why, sizeof answer->why,
                 "a %s, but without memory-only nodes of HBM: it is all cache", cpu->name);
    else
        snprintf(answer->why, sizeof answer->why, "memory-only nodes of a %s", cpu->name);
    return true;
}

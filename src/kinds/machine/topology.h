/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * topology: what the kernel says about the machine's memory.
 *
 * Everything comes from /sys/devices/system/node, get_mempolicy(2) and, for GPUs, gpu.h. Nothing is
 * read before a kind needs it. Which nodes are high-bandwidth, DAX, largest is not decided here but
 * in selector.c and hbw.c, from the facts below and those of attributes.h. Between a change of the
 * machine and the next look (facts.h), a node that was taken away makes the kinds that need it
 * fail; topology_still_usable() lets them say why.
 *
 * Threads: topology_get() may run on several threads at once and, because nothing here locks or
 * allocates, even inside itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kinds/system/nodemask.h"

struct topology {
    struct nodemask online;      /* nodes that exist */
    struct nodemask with_cpu;    /* has_cpu, or where that is empty, nodes whose cpulist is not */
    bool cpus_unknown;           /* with_cpu is all nodes, since neither says anything */
    struct nodemask populated;   /* has_memory, but for those of no size */
    struct nodemask empty;       /* the latter; unless there are no others */
    struct nodemask gpu;         /* of these, memory of GPUs */
    struct nodemask with_memory; /* of the populated ones, those that this process may use */
    struct nodemask host_memory; /* of these, those that are no GPU's; all if there are no others */
    struct nodemask allowed;     /* cpuset's mems_allowed */
    uint64_t memory[NODEMASK_NODES]; /* MemTotal in bytes */
    /* SLIT distances, 10 = local, 255 = unknown or unreachable. Rows of offline nodes say nothing.
     */
    uint8_t distance[NODEMASK_NODES][NODEMASK_NODES];
};

/* The running machine. Never NULL: a machine that says nothing is one node 0 with CPUs. */
const struct topology *topology_get(void);

/* Populated nodes without CPUs. None where nobody knows which nodes have CPUs: then nothing follows
 * from having none. */
struct nodemask topology_memory_only(const struct topology *topology);

/* Of these nodes, the ones that have memory for this process now: the kernel is asked again. */
void topology_still_usable(struct nodemask *nodes);

/* Reads the nodes under sysfs_root, but not the cpuset. The caller gives zeroed memory. */
void topology_read(struct topology *topology);

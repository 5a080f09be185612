/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * topology: what the kernel says about the machine's memory, read once.
 *
 * Everything comes from /sys/devices/system/node and get_mempolicy(2). Nothing is read before a
 * kind needs it. Which nodes are high-bandwidth, DAX, largest is not decided here but in
 * selector.c and hbw.c, from the facts below and those of attributes.h. What happens to the machine
 * later is not followed: a node that is taken away afterwards makes the kinds that need it fail
 * (topology_still_usable() lets them say why), one that is added stays unused.
 *
 * Threads: topology_get() may run on several threads at once and, because nothing here locks or
 * allocates, even inside itself; the first complete answer is kept for ever.
 */
#pragma once

#include <stdint.h>

#include "kinds/system/nodemask.h"

struct topology {
    struct nodemask online;          /* nodes that exist */
    struct nodemask with_cpu;        /* has_cpu */
    struct nodemask populated;       /* has_memory */
    struct nodemask with_memory;     /* of these, the ones this process may use */
    struct nodemask allowed;         /* cpuset's mems_allowed */
    uint64_t memory[NODEMASK_NODES]; /* MemTotal in bytes */
    /* SLIT distances, 10 = local, 255 = unknown or unreachable. Rows of offline nodes are 255. */
    uint8_t distance[NODEMASK_NODES][NODEMASK_NODES];
};

/* The running machine. Never NULL: a machine that says nothing is one node 0 with CPUs. */
const struct topology *topology_get(void);

/* Of these nodes, the ones that have memory for this process now: the kernel is asked again. */
void topology_still_usable(struct nodemask *nodes);

/* Reads the nodes under sysfs_root, but not the cpuset. The caller gives zeroed memory. */
void topology_read(struct topology *topology);

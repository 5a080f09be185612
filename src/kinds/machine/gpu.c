/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see gpu.h. */
#include "kinds/machine/gpu.h"

#include <stdlib.h>
#include <string.h>

#include "kinds/system/callbacks.h"
#include "kinds/system/sysfs.h"

/* Beside /sys, so that a machine that a test shows the library has its own. */
#define GPUS "../proc/driver/nvidia/gpus"

/* A line "Node:   255"; -1 where the GPU's memory is no node. */
static void add_node(void *context, const char *address)
{
    static const char label[] = "Node:";
    char status[512], *at, *end;
    long node;

    if (sysfs_read(status, sizeof status, GPUS "/%s/numa_status", address) < 0)
        return;
    at = strstr(status, label);
    if (!at)
        return;
    node = strtol(at + sizeof label - 1, &end, 10);
    if (end == at + sizeof label - 1 || node < 0 || node >= NODEMASK_NODES)
        return;
    callbacks->log("GPU %s has node %ld", address, node);
    nodemask_add(context, (unsigned)node);
}

void gpu_nodes(struct nodemask *nodes)
{
    sysfs_names(add_node, nodes, GPUS);
}

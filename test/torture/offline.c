/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * offline: the memory of a node that goes and comes again, while kinds are bound to it.
 *
 * The kernel moves the pages that are in use to other nodes. It ends a process that touches a page
 * for the first time when all nodes that it is bound to have gone, which nobody can foresee; so the
 * kinds are bound to node 0, too. This is for a machine of test/system/vm: only whoever names the
 * node has this fault.
 */
#include "torture.h"

#include "node_memory.h"

#include <stdio.h>
#include <stdlib.h>

static int node = -1;

bool offline_prepare(const char *name)
{
    char *end;
    long number = strtol(name, &end, 10);

    if (end == name || *end || number < 0 || number >= TEST_NODES)
        return false;
    node = (int)number;
    return node_memory_set(node, "online_movable");
}

void offline_restore(void)
{
    if (node >= 0)
        (void)node_memory_set(node, "online_movable");
}

bool offline_is_possible(void)
{
    return node >= 0;
}

void offline_set_environment(void)
{
    char text[16];

    snprintf(text, sizeof text, node < 0 ? "0" : "0,%d", node);
    setenv("MEMKIND_HBW_NODES", text, 1);
    setenv("MEMKIND_DAX_KMEM_NODES", text, 1);
}

bool offline_begin(enum fault fault, uint64_t random)
{
    (void)fault, (void)random;
    if (node_memory_set(node, "offline"))
        return true;
    offline_end(fault);
    return false;
}

/* Kinds notice it within ten seconds; they are told, so that everything can be had again at once.
 */
void offline_end(enum fault fault)
{
    (void)fault;
    MUST(node_memory_set(node, "online_movable"), "torture: node %d stays offline", node);
    for (int tries = 0; memkind_refresh(); tries++) {
        MUST(tries < 1000, "refresh: fails for a second");
        weather_wait();
    }
}

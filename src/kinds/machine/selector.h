/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * selector: which nodes a kind means.
 *
 * A selector turns facts (topology.h, attributes.h, hbw.h, dax.h) and the administrator's word
 * (MEMKIND_HBW_NODES, MEMKIND_DAX_KMEM_NODES) into a set of nodes and says where it knows them
 * from, or in words why there is none.
 *
 * Nearest to a CPU are the nodes at the shortest distance (of equal ones, those that the firmware
 * says the CPU's node is an initiator of). Local to it are its own node's memory, or the nearest
 * ordinary memory where it has none, and the memory-only nodes that are nearest to it and not to
 * other CPUs (node_attributes.initiators). A GPU's memory is neither all, nor the largest, nor
 * local: only who names the node means it. Nodes that are equally good are all chosen.
 *
 * Threads: any. The answers about HBW and DAX nodes are facts (facts.h); finding them may run on
 * several threads at once and holds no lock, since libdaxctl allocates.
 */
#pragma once

#include <stdbool.h>

#include "kinds/machine/node_answer.h"
#include "kinds/system/nodemask.h"

enum node_selector {
    SELECT_PROCESS,         /* no nodes: whatever policy the process has */
    SELECT_CPU_NODES,       /* nodes that have CPUs and memory; where no node has both, all that are
                               neither HBW nor DAX nodes nor a GPU's */
    SELECT_ALL,             /* all nodes with memory but a GPU's */
    SELECT_HBW_NEAREST,     /* HBW nodes nearest to the calling CPU */
    SELECT_HBW_ALL,         /* all HBW nodes */
    SELECT_DAX_NEAREST,     /* DAX nodes nearest to the calling CPU */
    SELECT_DAX_ALL,         /* all DAX nodes */
    SELECT_LARGEST,         /* nodes of the largest capacity in the machine */
    SELECT_LARGEST_LOCAL,   /* local nodes of the largest capacity */
    SELECT_LATENCY_LOCAL,   /* local nodes of the lowest latency */
    SELECT_BANDWIDTH_LOCAL, /* local nodes of the highest bandwidth */
    SELECT_GIVEN,           /* nodes of the program's choice */
    SELECT_GIVEN_NEAREST,   /* of these, the nearest to the calling CPU */
};

/* The nodes of a selector for a thread that runs on `cpu_node`. `given`: for SELECT_GIVEN*. */
void selector_answer(enum node_selector selector, const struct nodemask *given, unsigned cpu_node,
                     struct node_answer *answer);

/* The nodes of a list as numactl takes it. 0, MEMKIND_ERROR_INVALID for no list of existing nodes,
 * MEMKIND_ERROR_UNAVAILABLE where one that it names has no memory for this process. */
int selector_parse(const char *list, struct nodemask *nodes);

/* Whether the answer depends on the calling CPU. */
bool selector_is_local(enum node_selector selector);

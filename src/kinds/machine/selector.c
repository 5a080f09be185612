/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see selector.h. */
#include "kinds/machine/selector.h"

#include <memkind.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "kinds/machine/attributes.h"
#include "kinds/machine/dax.h"
#include "kinds/machine/facts.h"
#include "kinds/machine/hbw.h"
#include "kinds/machine/topology.h"
#include "kinds/system/callbacks.h"

/* --- answers that are kept -------------------------------------------------------------------- */

static void find_hbw(void *value)
{
    hbw_find(value);
}

static void find_dax(void *value)
{
    dax_find(value);
}

static void tell(const char *subject, const struct node_answer *answer)
{
    char nodes[128];

    nodemask_format(&answer->nodes, nodes, sizeof nodes);
    callbacks->log("%s: %s (%s)", subject, nodes, answer->why);
}

static void tell_hbw(const void *value)
{
    tell("high-bandwidth nodes", value);
}

static void tell_dax(const void *value)
{
    tell("DAX nodes", value);
}

const struct fact_rule selector_hbw_rule = {sizeof(struct node_answer), find_hbw, tell_hbw, NULL};
const struct fact_rule selector_dax_rule = {sizeof(struct node_answer), find_dax, tell_dax, NULL};

/* FACT_HBW or FACT_DAX. */
static void answer_known(enum fact fact, struct node_answer *answer)
{
    const struct node_answer *known = facts_get(fact);

    if (known)
        *answer = *known;
    else
        node_answer_refuse(answer, MEMKIND_ERROR_MMAP, "not even one page can be mapped");
}

/* --- choices ---------------------------------------------------------------------------------- */

/* Scores: how good a node is for threads on `cpu_node`; 0: nobody knows. */

static uint64_t score_nearness(unsigned node, unsigned cpu_node)
{
    return UINT8_MAX - topology_get()->distance[cpu_node][node];
}

/* 1: the firmware says that the CPU's node is one of those nearest to `node`. */
static uint64_t score_initiator(unsigned node, unsigned cpu_node)
{
    const struct node_attributes *known = &attributes_get()->of[node];

    return known->listed && nodemask_has(&known->initiators, cpu_node);
}

static uint64_t score_size(unsigned node, unsigned cpu_node)
{
    (void)cpu_node;
    return topology_get()->memory[node];
}

/* A number of the firmware's counts for the CPUs that it was measured from. */
static const struct node_attributes *seen_from(unsigned node, unsigned cpu_node)
{
    const struct node_attributes *known = &attributes_get()->of[node];

    return nodemask_has(&known->initiators, cpu_node) ? known : NULL;
}

static uint64_t score_latency(unsigned node, unsigned cpu_node)
{
    const struct node_attributes *known = seen_from(node, cpu_node);
    unsigned latency = known ? attributes_latency(known) : 0;

    return latency ? UINT64_MAX - latency : 0;
}

static uint64_t score_bandwidth(unsigned node, unsigned cpu_node)
{
    const struct node_attributes *known = seen_from(node, cpu_node);

    return known ? attributes_bandwidth(known) : 0;
}

static void keep_nearest(struct nodemask *nodes, unsigned cpu_node)
{
    if (nodemask_count(nodes) < 2)
        return;
    nodemask_keep_best(nodes, score_nearness, cpu_node);
    if (nodemask_count(nodes) > 1)
        nodemask_keep_best(nodes, score_initiator, cpu_node);
}

/* Nodes with memory that are local to a CPU: see selector.h. */
static struct nodemask local_nodes(unsigned cpu_node)
{
    const struct topology *topology = topology_get();
    const struct attributes *attributes = attributes_get();
    struct nodemask own = topology->host_memory, local = {{0}};

    nodemask_and(&own, &topology->with_cpu);
    if (nodemask_has(&own, cpu_node))
        nodemask_add(&local, cpu_node);
    else {
        keep_nearest(&own, cpu_node);
        local = own;
    }
    nodemask_for_each (node, &topology->host_memory) {
        if (!nodemask_has(&topology->with_cpu, (unsigned)node) &&
            nodemask_has(&attributes->of[node].initiators, cpu_node))
            nodemask_add(&local, (unsigned)node);
    }
    if (nodemask_empty(&local)) {
        local = topology->host_memory;
        keep_nearest(&local, cpu_node);
    }
    return local;
}

/*
 * The best local nodes by a number of the firmware's. `known`: whether there are any. Memory-only
 * nodes without a number are passed over. Where the CPU's own memory has none, nobody knows what is
 * better: a CXL device may tell how slow it is while the firmware says nothing of the rest.
 */
static void answer_measured(struct node_answer *answer, unsigned cpu_node, nodemask_score *score,
                            bool known, const char *what)
{
    answer->nodes = local_nodes(cpu_node);
    if (!known) {
        node_answer_refuse(answer, MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE,
                           "the kernel tells no %s of any node", what);
        return;
    }
    if (nodemask_empty(&answer->nodes)) {
        node_answer_refuse(answer, MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE,
                           "no node has memory for this process");
        return;
    }
    if (nodemask_has(&answer->nodes, cpu_node) && nodemask_count(&answer->nodes) > 1 &&
        !score(cpu_node, cpu_node)) {
        node_answer_refuse(answer, MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE,
                           "the kernel tells no %s of node %u, to compare local nodes with", what,
                           cpu_node);
        return;
    }
    nodemask_keep_best(&answer->nodes, score, cpu_node);
    answer->source = attributes_get()->of[nodemask_next(&answer->nodes, 0)].source;
    if (answer->source == INFO_SOURCE_NONE) /* there is no other */
        answer->source = INFO_SOURCE_SYSFS;
    snprintf(answer->why, sizeof answer->why, "%s: %s of local nodes",
             info_source_name(answer->source), what);
}

/* Without numbers to compare, HBM that the CPU's model tells of is the best. */
static void answer_bandwidth(struct node_answer *answer, unsigned cpu_node)
{
    struct nodemask local = local_nodes(cpu_node);
    struct node_answer special;

    answer_measured(answer, cpu_node, score_bandwidth, attributes_get()->bandwidth, "bandwidth");
    if (!answer->error)
        return;
    answer_known(FACT_HBW, &special);
    nodemask_and(&special.nodes, &local);
    if (!special.error && special.source == INFO_SOURCE_CPU_MODEL &&
        !nodemask_empty(&special.nodes))
        *answer = special;
}

/* Memory and CPUs are on different nodes, or nobody knows where the CPUs are: ordinary is what is
 * nothing else. In the second case it is all memory where all of it is something else, too: the
 * kernel did not say that there is no other. */
static void answer_ordinary(struct node_answer *answer)
{
    struct node_answer special;

    answer->nodes = topology_get()->host_memory;
    answer_known(FACT_HBW, &special);
    nodemask_remove(&answer->nodes, &special.nodes);
    answer_known(FACT_DAX, &special);
    nodemask_remove(&answer->nodes, &special.nodes);
    if (topology_get()->cpus_unknown && nodemask_empty(&answer->nodes))
        answer->nodes = topology_get()->host_memory;
    snprintf(answer->why, sizeof answer->why,
             "sysfs: no node with CPUs has memory: all that is neither HBW nor DAX");
}

static void answer_cpu_nodes(struct node_answer *answer)
{
    const struct topology *topology = topology_get();

    answer->nodes = topology->with_cpu;
    nodemask_and(&answer->nodes, &topology->populated);
    if (nodemask_empty(&answer->nodes) || topology->cpus_unknown) {
        answer_ordinary(answer);
    } else {
        nodemask_and(&answer->nodes, &topology->with_memory);
        snprintf(answer->why, sizeof answer->why, "sysfs: has_cpu");
    }
    if (nodemask_empty(&answer->nodes))
        node_answer_refuse(answer, MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE,
                           "no node with CPUs has memory for this process");
}

/* HBW or DAX nodes. */
static void answer_found(struct node_answer *answer, enum fact fact, bool nearest,
                         unsigned cpu_node)
{
    answer_known(fact, answer);
    if (nearest && !answer->error)
        keep_nearest(&answer->nodes, cpu_node);
}

static void answer_largest(struct node_answer *answer, const struct nodemask *nodes,
                           unsigned cpu_node, const char *why)
{
    answer->nodes = *nodes;
    nodemask_keep_best(&answer->nodes, score_size, cpu_node);
    snprintf(answer->why, sizeof answer->why, "sysfs: %s", why);
}

/* All of them had memory when the kind was made. */
static void answer_given(struct node_answer *answer, const struct nodemask *given)
{
    char nodes[64];

    answer->source = INFO_SOURCE_PROGRAM;
    answer->nodes = *given;
    nodemask_and(&answer->nodes, &topology_get()->with_memory);
    snprintf(answer->why, sizeof answer->why, "the program's choice");
    if (nodemask_empty(&answer->nodes)) {
        nodemask_format(given, nodes, sizeof nodes);
        node_answer_refuse(answer, MEMKIND_ERROR_UNAVAILABLE,
                           "nodes %s have no memory for this process any more", nodes);
    }
}

int selector_parse(const char *list, struct nodemask *nodes)
{
    const struct topology *topology = topology_get();

    if (!nodemask_parse_user(list, &topology->online, &topology->allowed, nodes))
        return MEMKIND_ERROR_INVALID;
    if (!nodemask_parse_user(list, &topology->with_memory, &topology->allowed, nodes))
        return MEMKIND_ERROR_UNAVAILABLE;
    nodemask_and(nodes, &topology->with_memory);
    return nodemask_empty(nodes) ? MEMKIND_ERROR_UNAVAILABLE : 0;
}

void selector_answer(enum node_selector selector, const struct nodemask *given, unsigned cpu_node,
                     struct node_answer *answer)
{
    struct nodemask local;

    memset(answer, 0, sizeof *answer);
    answer->source = INFO_SOURCE_SYSFS;
    switch (selector) {
    case SELECT_PROCESS:
        answer->source = INFO_SOURCE_PROCESS;
        snprintf(answer->why, sizeof answer->why, "the process's own policy");
        break;
    case SELECT_CPU_NODES:
        answer_cpu_nodes(answer);
        break;
    case SELECT_ALL:
        answer->nodes = topology_get()->host_memory;
        snprintf(answer->why, sizeof answer->why, "sysfs: has_memory");
        break;
    case SELECT_HBW_NEAREST:
    case SELECT_HBW_ALL:
        answer_found(answer, FACT_HBW, selector == SELECT_HBW_NEAREST, cpu_node);
        break;
    case SELECT_DAX_NEAREST:
    case SELECT_DAX_ALL:
        answer_found(answer, FACT_DAX, selector == SELECT_DAX_NEAREST, cpu_node);
        break;
    case SELECT_LARGEST:
        answer_largest(answer, &topology_get()->host_memory, cpu_node, "MemTotal");
        break;
    case SELECT_LARGEST_LOCAL:
        local = local_nodes(cpu_node);
        answer_largest(answer, &local, cpu_node, "MemTotal of local nodes");
        break;
    case SELECT_LATENCY_LOCAL:
        answer_measured(answer, cpu_node, score_latency, attributes_get()->latency, "latency");
        break;
    case SELECT_BANDWIDTH_LOCAL:
        answer_bandwidth(answer, cpu_node);
        break;
    case SELECT_GIVEN:
    case SELECT_GIVEN_NEAREST:
        answer_given(answer, given);
        if (selector == SELECT_GIVEN_NEAREST)
            keep_nearest(&answer->nodes, cpu_node);
        break;
    }
}

bool selector_is_local(enum node_selector selector)
{
    switch (selector) {
    case SELECT_HBW_NEAREST:
    case SELECT_DAX_NEAREST:
    case SELECT_LARGEST_LOCAL:
    case SELECT_LATENCY_LOCAL:
    case SELECT_BANDWIDTH_LOCAL:
    case SELECT_GIVEN_NEAREST:
        return true;
    default:
        return false;
    }
}

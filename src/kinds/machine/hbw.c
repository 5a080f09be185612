/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see hbw.h. */
#include "kinds/machine/hbw.h"

#include <memkind.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kinds/machine/attributes.h"
#include "kinds/machine/cpu.h"
#include "kinds/system/callbacks.h"
#include "kinds/machine/topology.h"

#define TIMES_ORDINARY 2 /* high bandwidth is more than so many times the ordinary memory's */

/* Intel's numbers of models of family 6. */
#define KNIGHTS_LANDING 0x57
#define KNIGHTS_MILL 0x85

/* MEMKIND_HBW_THRESHOLD: MB/s. */
struct threshold {
    bool set, wrong;
    unsigned long value;
};

static struct threshold read_threshold(void)
{
    static const char name[] = "MEMKIND_HBW_THRESHOLD";
    const char *value = callbacks->environment(name);
    struct threshold threshold = {.set = value != NULL};

    if (!value)
        return threshold;
    threshold.wrong = !*value || value[strspn(value, "0123456789")] != '\0';
    if (threshold.wrong)
        callbacks->reject(name, "a whole number of MB/s");
    threshold.value = strtoul(value, NULL, 10); /* ULONG_MAX where it is too large: no node */
    return threshold;
}

/* --- numbers of the firmware --------------------------------------------------------------------
 */

/* Best bandwidth of the memory of nodes with CPUs, as seen from those that `node`'s numbers are
 * seen from; where these have none of their own (CPUs without memory), of any. 0: unknown. */
static unsigned ordinary_bandwidth(const struct topology *topology, unsigned node)
{
    const struct attributes *attributes = attributes_get();
    unsigned same = 0, any = 0;

    nodemask_for_each (other, &topology->populated) {
        struct nodemask common = attributes->of[other].initiators;
        unsigned bandwidth = attributes_bandwidth(&attributes->of[other]);

        if (!nodemask_has(&topology->with_cpu, (unsigned)other))
            continue;
        nodemask_and(&common, &attributes->of[node].initiators);
        if (bandwidth > any)
            any = bandwidth;
        if (bandwidth > same && !nodemask_empty(&common))
            same = bandwidth;
    }
    return same ? same : any;
}

struct measurement {
    struct nodemask high; /* nodes with high bandwidth */
    enum info_source source;
    int best; /* of the other nodes that might be, the one with the highest; -1: none */
};

static struct measurement measure(const struct topology *topology,
                                  const struct threshold *threshold)
{
    const struct attributes *attributes = attributes_get();
    struct measurement result = {.source = INFO_SOURCE_ACCESS1, .best = -1};
    unsigned best = 0;

    nodemask_for_each (node, &topology->populated) {
        const struct node_attributes *known = &attributes->of[node];
        unsigned bandwidth = attributes_bandwidth(known), ordinary;
        bool high;

        if (!bandwidth)
            continue;
        if (threshold->set) {
            high = bandwidth >= threshold->value;
        } else {
            if (nodemask_has(&topology->with_cpu, (unsigned)node))
                continue;
            ordinary = ordinary_bandwidth(topology, (unsigned)node);
            high = ordinary && bandwidth > (unsigned long)TIMES_ORDINARY * ordinary;
        }
        if (high) {
            nodemask_add(&result.high, (unsigned)node);
            if (known->source == INFO_SOURCE_ACCESS0)
                result.source = INFO_SOURCE_ACCESS0;
        } else if (bandwidth > best) {
            best = bandwidth;
            result.best = node;
        }
    }
    return result;
}

/* Nodes without CPUs. */
static struct nodemask memory_only(const struct topology *topology)
{
    struct nodemask nodes = {{0}};

    nodemask_for_each (node, &topology->populated) {
        if (!nodemask_has(&topology->with_cpu, (unsigned)node))
            nodemask_add(&nodes, (unsigned)node);
    }
    return nodes;
}

static void explain_low(const struct topology *topology, const struct threshold *threshold,
                        int best, struct node_answer *answer)
{
    unsigned bandwidth = best < 0 ? 0 : attributes_bandwidth(&attributes_get()->of[best]);
    struct nodemask candidates = memory_only(topology);
    char nodes[48];

    nodemask_format(&candidates, nodes, sizeof nodes);
    if (threshold->set)
        snprintf(answer->why, sizeof answer->why,
                 "no node has MEMKIND_HBW_THRESHOLD=%lu MB/s: node %d has most, %u",
                 threshold->value, best, bandwidth);
    else if (best >= 0 && ordinary_bandwidth(topology, (unsigned)best))
        snprintf(answer->why, sizeof answer->why,
                 "node %d has %u MB/s, not more than twice the %u of the ordinary memory beside it",
                 best, bandwidth, ordinary_bandwidth(topology, (unsigned)best));
    else if (best >= 0)
        snprintf(answer->why, sizeof answer->why,
                 "node %d has %u MB/s, but no bandwidth of ordinary memory is known to compare",
                 best, bandwidth);
    else if (!nodemask_empty(&candidates))
        snprintf(answer->why, sizeof answer->why,
                 "no bandwidth is known of memory-only nodes %s: MEMKIND_HBW_NODES can name them",
                 nodes);
    else
        snprintf(answer->why, sizeof answer->why,
                 "all memory is on nodes with CPUs: there is no other to be faster");
}

static bool find_measured(const struct topology *topology, const struct threshold *threshold,
                          struct node_answer *answer)
{
    struct measurement result;

    if (!attributes_get()->bandwidth)
        return false;
    result = measure(topology, threshold);
    answer->nodes = result.high;
    answer->source = result.source;
    if (nodemask_empty(&result.high))
        explain_low(topology, threshold, result.best, answer);
    else if (threshold->set)
        snprintf(answer->why, sizeof answer->why,
                 "%s: a bandwidth of MEMKIND_HBW_THRESHOLD or more",
                 info_source_name(result.source));
    else
        snprintf(answer->why, sizeof answer->why,
                 "%s: more than twice the bandwidth of the ordinary memory",
                 info_source_name(result.source));
    return true;
}

/* --- the CPU's model ----------------------------------------------------------------------------
 */

static const char *knights(void)
{
    struct cpu_model cpu;

    cpu_identify(&cpu);
    if (strcmp(cpu.vendor, "GenuineIntel") != 0 || cpu.family != 6)
        return NULL;
    if (cpu.model == KNIGHTS_LANDING)
        return "Knights Landing";
    return cpu.model == KNIGHTS_MILL ? "Knights Mill" : NULL;
}

static bool find_knights(const struct topology *topology, struct node_answer *answer)
{
    const char *model = knights();

    if (!model)
        return false;
    answer->nodes = memory_only(topology);
    answer->source = INFO_SOURCE_CPU_MODEL;
    if (nodemask_empty(&answer->nodes))
        snprintf(answer->why, sizeof answer->why,
                 "a %s, but without memory-only nodes: its MCDRAM is all cache", model);
    else
        snprintf(answer->why, sizeof answer->why, "memory-only nodes of a %s", model);
    return true;
}

/* --- detection steps
 * ---------------------------------------------------------------------------------
 */

static void explain_nothing(const struct topology *topology, struct node_answer *answer)
{
    struct nodemask candidates = memory_only(topology);
    char nodes[48];

    nodemask_format(&candidates, nodes, sizeof nodes);
    if (nodemask_empty(&candidates))
        snprintf(answer->why, sizeof answer->why,
                 "all memory is on nodes with CPUs, and the firmware tells no bandwidths");
    else
        snprintf(answer->why, sizeof answer->why,
                 "the firmware tells no bandwidths: of memory-only nodes %s, MEMKIND_HBW_NODES can "
                 "name those of HBM",
                 nodes);
}

void hbw_find(struct node_answer *answer)
{
    const struct topology *topology = topology_get();
    struct threshold threshold = read_threshold();
    bool some;

    if (threshold.wrong) {
        answer->error = MEMKIND_ERROR_ENVIRON;
        snprintf(answer->why, sizeof answer->why,
                 "MEMKIND_HBW_THRESHOLD is not a whole number of MB/s");
        return;
    }
    if (node_answer_environment(answer, "MEMKIND_HBW_NODES", MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE))
        return;
    if (!find_measured(topology, &threshold, answer) && !find_knights(topology, answer))
        explain_nothing(topology, answer);
    some = !nodemask_empty(&answer->nodes);
    nodemask_and(&answer->nodes, &topology->with_memory);
    if (!nodemask_empty(&answer->nodes))
        return;
    answer->error = MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE;
    if (some) /* a cpuset without them */
        snprintf(answer->why, sizeof answer->why,
                 "none of the high-bandwidth nodes has memory for this process");
}

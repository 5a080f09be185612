/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see attributes.h. */
#include "kinds/machine/attributes.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "kinds/machine/facts.h"
#include "kinds/system/callbacks.h"
#include "kinds/system/sysfs.h"

#define BEYOND_MEASURE 32 /* no memory is so many times better than another */

static void add_initiator(void *context, const char *name)
{
    struct nodemask node;

    if (strncmp(name, "node", 4) == 0 && nodemask_parse(name + 4, &node) &&
        nodemask_count(&node) == 1)
        nodemask_add(context, (unsigned)nodemask_next(&node, 0));
}

static unsigned read_number(unsigned node, int access, const char *file)
{
    uint64_t number =
        sysfs_number(SYSFS_NODES "/node%u/access%d/initiators/%s", node, access, file);

    return number < UINT_MAX ? (unsigned)number : 0;
}

/* What access class `access` says about `node`. False: nothing, or only what devices see. */
static bool read_class(unsigned node, int access, struct node_attributes *found)
{
    struct nodemask listed = {{0}};

    memset(found, 0, sizeof *found);
    if (!sysfs_names(add_initiator, &listed, SYSFS_NODES "/node%u/access%d/initiators", node,
                     access))
        return false;
    found->initiators = listed;
    nodemask_and(&found->initiators, &topology_get()->with_cpu);
    found->listed = !nodemask_empty(&found->initiators);
    if (!found->listed && !nodemask_empty(&listed))
        return false;
    found->read_bandwidth = read_number(node, access, "read_bandwidth");
    found->write_bandwidth = read_number(node, access, "write_bandwidth");
    found->read_latency = read_number(node, access, "read_latency");
    found->write_latency = read_number(node, access, "write_latency");
    if (attributes_bandwidth(found) || attributes_latency(found))
        found->source = access ? INFO_SOURCE_ACCESS1 : INFO_SOURCE_ACCESS0;
    return found->listed || found->source != INFO_SOURCE_NONE;
}

static uint64_t score_way(unsigned cpu_node, unsigned node)
{
    return UINT8_MAX - topology_get()->distance[cpu_node][node];
}

/* Nodes with CPUs that have the shortest way to `node`. */
static struct nodemask find_nearest(unsigned node)
{
    struct nodemask nearest = topology_get()->with_cpu;

    nodemask_keep_best(&nearest, score_way, node);
    return nearest;
}

/* Without a list of the firmware's, the distances tell; against it, see attributes.h. */
static void correct_initiators(unsigned node, struct node_attributes *known)
{
    const struct nodemask *with_cpu = &topology_get()->with_cpu;
    struct nodemask nearest = {{0}}, both;

    if (nodemask_has(with_cpu, node))
        nodemask_add(&nearest, node);
    else
        nearest = find_nearest(node);
    both = nearest;
    nodemask_and(&both, &known->initiators);
    if (nodemask_empty(&both)) {
        if (known->listed)
            callbacks->log("node %u: another node with CPUs is nearer than those listed", node);
        known->initiators = nearest;
    } else if (!nodemask_has(with_cpu, node)) {
        known->initiators = both;
    }
}

/* access1 with numbers, else access0 with numbers, else at least initiators from either. */
static void read_node(unsigned node, struct node_attributes *known)
{
    for (int access = 1; access >= 0 && known->source == INFO_SOURCE_NONE; access--) {
        struct node_attributes found;

        if (read_class(node, access, &found) &&
            (found.source != INFO_SOURCE_NONE || !known->listed)) {
            if (!found.listed && known->listed) {
                found.initiators = known->initiators;
                found.listed = true;
            }
            *known = found;
        }
    }
    correct_initiators(node, known);
}

static unsigned mean(unsigned a, unsigned b)
{
    if (!a || !b)
        return a ? a : b;
    return a / 2 + b / 2 + (a % 2 + b % 2) / 2;
}

unsigned attributes_bandwidth(const struct node_attributes *node)
{
    return mean(node->read_bandwidth, node->write_bandwidth);
}

unsigned attributes_latency(const struct node_attributes *node)
{
    return mean(node->read_latency, node->write_latency);
}

/* --- of the running machine ------------------------------------------------------------------- */

/* What CPUs have of their own: the best numbers of nodes with CPUs. 0: unknown. */
static void find_ordinary(const struct attributes *attributes, unsigned *bandwidth,
                          unsigned *latency)
{
    *bandwidth = *latency = 0;
    nodemask_for_each (node, &topology_get()->with_cpu) {
        unsigned here = attributes_bandwidth(&attributes->of[node]);

        *bandwidth = here > *bandwidth ? here : *bandwidth;
        here = attributes_latency(&attributes->of[node]);
        *latency = here && (!*latency || here < *latency) ? here : *latency;
    }
}

/* Forgets numbers in another unit: GB/s or KB/s among MB/s, microseconds among nanoseconds. */
static void forget_strange_numbers(struct attributes *attributes)
{
    unsigned bandwidth, latency;

    find_ordinary(attributes, &bandwidth, &latency);
    nodemask_for_each (node, &topology_get()->populated) {
        struct node_attributes *known = &attributes->of[node];
        bool fast = bandwidth && attributes_bandwidth(known) / BEYOND_MEASURE >= bandwidth;
        bool quick =
            attributes_latency(known) && attributes_latency(known) <= latency / BEYOND_MEASURE;

        if (fast || quick)
            callbacks->log("node %d: %u MB/s, %u ns beside %u MB/s, %u ns are not believed", node,
                           attributes_bandwidth(known), attributes_latency(known), bandwidth,
                           latency);
        if (fast)
            known->read_bandwidth = known->write_bandwidth = 0;
        if (quick)
            known->read_latency = known->write_latency = 0;
        if (!attributes_bandwidth(known) && !attributes_latency(known))
            known->source = INFO_SOURCE_NONE;
    }
}

static void find(void *value)
{
    struct attributes *attributes = value;

    nodemask_for_each (node, &topology_get()->populated)
        read_node((unsigned)node, &attributes->of[node]);
    forget_strange_numbers(attributes);
    nodemask_for_each (node, &topology_get()->populated) {
        attributes->bandwidth |= attributes_bandwidth(&attributes->of[node]) != 0;
        attributes->latency |= attributes_latency(&attributes->of[node]) != 0;
    }
}

static void tell(const void *value)
{
    const struct attributes *attributes = value;
    char initiators[64];

    nodemask_for_each (node, &topology_get()->populated) {
        const struct node_attributes *known = &attributes->of[node];

        if (known->source == INFO_SOURCE_NONE)
            continue;
        nodemask_format(&known->initiators, initiators, sizeof initiators);
        callbacks->log("node %d: %u MB/s, %u ns, seen from CPUs of nodes %s (%s)", node,
                       attributes_bandwidth(known), attributes_latency(known), initiators,
                       info_source_name(known->source));
    }
    if (!attributes->bandwidth && !attributes->latency)
        callbacks->log("the kernel reports no bandwidths and latencies");
}

const struct fact_rule attributes_rule = {sizeof(struct attributes), find, tell, NULL};

const struct attributes *attributes_get(void)
{
    static struct attributes nothing; /* when it cannot be kept; not const, lest a file holds it */
    const struct attributes *known = facts_get(FACT_ATTRIBUTES);

    return known ? known : &nothing;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* The steps of hbw.h that compare the firmware's bandwidths (attributes.h). */
#include <stdio.h>

#include "kinds/machine/hbw.h"

#define STACK_OF_HBM 204800 /* MB/s: the least that one stack of HBM2e has */

static unsigned bandwidth_of(const struct hbw_facts *facts, int node)
{
    return attributes_bandwidth(&facts->attributes->of[node]);
}

/* Best bandwidth of these nodes, as seen from the CPUs that `node`'s numbers are seen from; where
 * these have none of their own (CPUs without memory), of any. 0: unknown. */
static unsigned best_bandwidth(const struct hbw_facts *facts, const struct nodemask *nodes,
                               int node)
{
    unsigned same = 0, any = 0;

    nodemask_for_each (other, nodes) {
        unsigned bandwidth = bandwidth_of(facts, other);
        struct nodemask common;

        if (other == node || bandwidth <= same)
            continue;
        any = bandwidth > any ? bandwidth : any;
        common = facts->attributes->of[other].initiators;
        nodemask_and(&common, &facts->attributes->of[node].initiators);
        if (!nodemask_empty(&common))
            same = bandwidth;
    }
    return same ? same : any;
}

/* What `node` is compared with: memory of nodes with CPUs, if possible without reserved memory. */
static unsigned ordinary_bandwidth(const struct hbw_facts *facts, int node)
{
    struct nodemask with_cpu = facts->topology->with_cpu, ordinary;
    unsigned bandwidth;

    nodemask_and(&with_cpu, &facts->topology->populated);
    ordinary = with_cpu;
    nodemask_remove(&ordinary, &facts->candidates);
    bandwidth = best_bandwidth(facts, &ordinary, node);
    return bandwidth ? bandwidth : best_bandwidth(facts, &with_cpu, node);
}

/* 1.14 called everything from 204800 MB/s on high, which ordinary memory has by now: so it must be
 * clearly more than that beside it, too. */
static bool is_high(uint64_t bandwidth, uint64_t ordinary)
{
    return bandwidth > 2 * ordinary || (bandwidth >= STACK_OF_HBM && 2 * bandwidth >= 3 * ordinary);
}

static void add_node(struct node_answer *answer, const struct hbw_facts *facts, int node)
{
    nodemask_add(&answer->nodes, (unsigned)node);
    if (answer->source != INFO_SOURCE_ACCESS0)
        answer->source = facts->attributes->of[node].source;
}

bool hbw_above_threshold(const struct hbw_facts *facts, struct node_answer *answer)
{
    int best = -1;

    if (!facts->threshold_set || !facts->attributes->bandwidth)
        return false;
    answer->source = INFO_SOURCE_ACCESS1;
    nodemask_for_each (node, &facts->topology->populated) {
        unsigned bandwidth = bandwidth_of(facts, node);

        if (bandwidth && bandwidth >= facts->threshold)
            add_node(answer, facts, node);
        if (bandwidth && (best < 0 || bandwidth > bandwidth_of(facts, best)))
            best = node;
    }
    if (nodemask_empty(&answer->nodes))
        snprintf(answer->why, sizeof answer->why,
                 "no node has MEMKIND_HBW_THRESHOLD=%lu MB/s: node %d has most, %u",
                 facts->threshold, best, bandwidth_of(facts, best));
    else
        snprintf(answer->why, sizeof answer->why,
                 "%s: a bandwidth of MEMKIND_HBW_THRESHOLD or more",
                 info_source_name(answer->source));
    return true;
}

/* Why the fastest candidate is not high, or that nobody knows. */
static void explain(const struct hbw_facts *facts, int best, struct node_answer *answer)
{
    unsigned ordinary = ordinary_bandwidth(facts, best);

    if (!ordinary)
        snprintf(answer->why, sizeof answer->why,
                 "node %d has %u MB/s, but no bandwidth of ordinary memory is known to compare",
                 best, bandwidth_of(facts, best));
    else
        snprintf(answer->why, sizeof answer->why,
                 "node %d has %u MB/s: no high bandwidth beside ordinary memory of %u MB/s", best,
                 bandwidth_of(facts, best), ordinary);
}

bool hbw_faster_than_ordinary(const struct hbw_facts *facts, struct node_answer *answer)
{
    bool compared = false;
    int best = -1;

    if (facts->threshold_wrong) /* it says that another bandwidth is meant */
        return false;
    nodemask_for_each (node, &facts->candidates) {
        unsigned bandwidth = bandwidth_of(facts, node), ordinary;

        if (!bandwidth)
            continue;
        ordinary = ordinary_bandwidth(facts, node);
        compared |= ordinary != 0;
        if (ordinary && is_high(bandwidth, ordinary))
            add_node(answer, facts, node);
        else if (best < 0 || bandwidth > bandwidth_of(facts, best))
            best = node;
    }
    if (!nodemask_empty(&answer->nodes))
        snprintf(answer->why, sizeof answer->why,
                 "%s: much more bandwidth than the ordinary memory beside it",
                 info_source_name(answer->source));
    else if (best >= 0)
        explain(facts, best, answer);
    return compared;
}

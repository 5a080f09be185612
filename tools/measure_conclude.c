/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* measure_conclude() of measure.h: the figures are put in place of the firmware's. */
#include <memkind.h>
#include <string.h>

#include "kinds/machine/hbw.h"
#include "measure.h"

/* As the firmware's: of a node, what its nearest CPUs see. Of several, the best. */
static void take_pair(struct node_attributes *node, const struct measured_pair *pair)
{
    if (!nodemask_has(&node->initiators, pair->cpu_node))
        return;
    if (pair->bandwidth > node->read_bandwidth)
        node->read_bandwidth = node->write_bandwidth = pair->bandwidth;
    if (!node->read_latency || pair->latency < node->read_latency)
        node->read_latency = node->write_latency = pair->latency;
}

void measure_conclude(const struct measured *measured, struct node_answer *answer)
{
    static struct attributes figures;

    memset(answer, 0, sizeof *answer);
    figures = *attributes_get();
    figures.bandwidth = figures.latency = true;
    for (size_t i = 0; i < NODEMASK_NODES; i++) {
        struct node_attributes *node = &figures.of[i];

        node->source = INFO_SOURCE_MEASURED;
        node->read_bandwidth = node->write_bandwidth = 0;
        node->read_latency = node->write_latency = 0;
    }
    for (size_t i = 0; i < measured->count; i++) {
        const struct measured_pair *pair = &measured->pairs[i];

        if (!pair->bandwidth || !pair->latency) {
            node_answer_refuse(answer, MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE,
                               "not everything was measured, so nothing can be concluded");
            return;
        }
        take_pair(&figures.of[pair->node], pair);
    }
    hbw_from_numbers(&figures, answer);
}

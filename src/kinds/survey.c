/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see survey.h. */
#include "kinds/survey.h"

#include <stdio.h>
#include <string.h>

#include "kinds/dax.h"
#include "kinds/sysfs.h"
#include "kinds/tiers.h"
#include "kinds/topology.h"

/* --- nodes --------------------------------------------------------------------------------------
 */

static void read_cpus(struct node_survey *survey)
{
    if (sysfs_read(survey->cpus, sizeof survey->cpus, SYSFS_NODES "/node%u/cpulist", survey->node) <
        0)
        survey->cpus[0] = '\0';
    survey->cpus[strcspn(survey->cpus, "\n")] = '\0';
}

/* Whether a node is one of a selector's, and how that is known. */
static bool is_one_of(enum node_selector selector, unsigned node, enum knowledge *source)
{
    struct node_answer answer;

    selector_answer(selector, NULL, 0, &answer);
    *source = answer.source;
    return !answer.error && nodemask_has(&answer.nodes, node);
}

static void find_type(struct node_survey *survey)
{
    static const enum memory_type type_of[] = {[DAX_UNKNOWN] = MEMORY_DAX,
                                               [DAX_PERSISTENT] = MEMORY_PERSISTENT,
                                               [DAX_CXL] = MEMORY_CXL,
                                               [DAX_RESERVED] = MEMORY_RESERVED};
    enum knowledge hbw_source, dax_source;
    struct dax_device device;
    bool bus = dax_bus_device(survey->node, &device);

    survey->hbw = is_one_of(SELECT_HBW_ALL, survey->node, &hbw_source);
    survey->dax = is_one_of(SELECT_DAX_ALL, survey->node, &dax_source);
    memcpy(survey->device, device.name, sizeof survey->device);
    survey->source = KNOWN_SYSFS;
    if (!nodemask_has(&topology_get()->populated, survey->node)) {
        survey->type = MEMORY_NONE;
    } else if (survey->hbw) {
        survey->type = MEMORY_HBW;
        survey->source = hbw_source;
    } else if (bus) {
        survey->type = type_of[device.sort];
        survey->source = KNOWN_DAX_BUS;
    } else if (survey->dax) {
        survey->type = MEMORY_DAX;
        survey->source = dax_source;
    } else if (nodemask_has(&topology_get()->with_cpu, survey->node)) {
        survey->type = MEMORY_ORDINARY;
    } else {
        survey->type = MEMORY_ONLY;
        survey->source = KNOWN_NOT;
    }
}

bool survey_node(unsigned node, struct node_survey *survey)
{
    const struct topology *topology = topology_get();

    memset(survey, 0, sizeof *survey);
    if (!nodemask_has(&topology->online, node))
        return false;
    survey->node = node;
    survey->usable = nodemask_has(&topology->with_memory, node);
    read_cpus(survey);
    survey->size = topology->memory[node];
    survey->unused = sysfs_meminfo(node, "MemFree:");
    survey->numbers = attributes_get()->of[node];
    survey->bandwidth = attributes_bandwidth(&survey->numbers);
    survey->latency = attributes_latency(&survey->numbers);
    survey->tier = tiers_of(node);
    find_type(survey);
    return true;
}

const char *memory_type_name(enum memory_type type)
{
    static const char *const names[] = {
        [MEMORY_NONE] = "no memory",
        [MEMORY_ORDINARY] = "ordinary",
        [MEMORY_HBW] = "high-bandwidth",
        [MEMORY_PERSISTENT] = "persistent",
        [MEMORY_CXL] = "CXL",
        [MEMORY_RESERVED] = "specific-purpose",
        [MEMORY_DAX] = "DAX",
        [MEMORY_ONLY] = "memory-only",
    };

    return names[type];
}

/* --- kinds --------------------------------------------------------------------------------------
 */

void survey_kind(const struct page_kind *kind, struct kind_survey *survey)
{
    struct node_answer answer;

    memset(survey, 0, sizeof *survey);
    survey->name = kind->name;
    survey->error = page_kind_check(kind, survey->why, sizeof survey->why);
    selector_answer(kind->selector, kind->given, os_current_node(), &answer);
    survey->source = answer.source;
    survey->local = selector_is_local(kind->selector);
    survey->policy = page_kind_policy_name(kind);
    survey->page_size = kind->page_size ? kind->page_size : os_page_size();
    survey->capacity = page_kind_capacity(kind);
}

int survey_kind_nodes(const struct page_kind *kind, unsigned cpu_node, struct nodemask *nodes,
                      char *why, size_t size)
{
    struct node_answer answer;
    struct os_policy policy;
    int error = page_kind_policy(kind, cpu_node, &answer, &policy);

    snprintf(why, size, "%s", answer.why);
    memset(nodes, 0, sizeof *nodes);
    if (!error)
        *nodes = policy.mode < 0 ? topology_get()->with_memory : policy.nodes;
    return error;
}

bool survey_kind_group(const struct page_kind *kind, struct nodemask *left,
                       struct kind_group *group)
{
    int first = nodemask_next(left, 0);
    struct nodemask others;
    char why[160];

    memset(group, 0, sizeof *group);
    if (first < 0)
        return false;
    group->error = survey_kind_nodes(kind, (unsigned)first, &group->nodes, why, sizeof why);
    nodemask_for_each (node, left) {
        if (survey_kind_nodes(kind, (unsigned)node, &others, why, sizeof why) == group->error &&
            nodemask_equal(&group->nodes, &others))
            nodemask_add(&group->cpu_nodes, (unsigned)node);
    }
    for (size_t i = 0; i < NODEMASK_WORDS; i++)
        left->bits[i] &= ~group->cpu_nodes.bits[i];
    return true;
}

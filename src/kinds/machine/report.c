/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see report.h. */
#include "kinds/machine/report.h"

#include <stdio.h>
#include <string.h>

#include "kinds/machine/dax.h"
#include "kinds/machine/tiers.h"
#include "kinds/machine/topology.h"
#include "kinds/system/sysfs.h"

/* --- nodes ------------------------------------------------------------------------------------ */

static void read_cpus(struct node_report *report)
{
    if (sysfs_read(report->cpus, sizeof report->cpus, SYSFS_NODES "/node%u/cpulist", report->node) <
        0)
        report->cpus[0] = '\0';
    report->cpus[strcspn(report->cpus, "\n")] = '\0';
}

/* Whether a node is one of a selector's, and how that is known. */
static bool is_one_of(enum node_selector selector, unsigned node, enum info_source *source)
{
    struct node_answer answer;

    selector_answer(selector, NULL, 0, &answer);
    *source = answer.source;
    return !answer.error && nodemask_has(&answer.nodes, node);
}

static void find_type(struct node_report *report)
{
    static const enum memory_type type_of[] = {[DAX_UNKNOWN] = MEMORY_DAX,
                                               [DAX_PERSISTENT] = MEMORY_PERSISTENT,
                                               [DAX_CXL] = MEMORY_CXL,
                                               [DAX_RESERVED] = MEMORY_RESERVED};
    const struct topology *topology = topology_get();
    const struct dax_bus *bus = dax_bus_get();
    const struct dax_device *device = bus ? &bus->first[report->node] : NULL;
    enum info_source hbw_source, dax_source;

    report->hbw = is_one_of(SELECT_HBW_ALL, report->node, &hbw_source);
    report->dax = is_one_of(SELECT_DAX_ALL, report->node, &dax_source);
    if (device)
        memcpy(report->device, device->name, sizeof report->device);
    report->source = INFO_SOURCE_SYSFS;
    if (!nodemask_has(&topology->populated, report->node)) {
        report->type = MEMORY_NONE;
    } else if (nodemask_has(&topology->gpu, report->node)) {
        report->type = MEMORY_GPU;
        report->source = INFO_SOURCE_GPU_DRIVER;
    } else if (report->hbw) {
        report->type = MEMORY_HBW;
        report->source = hbw_source;
    } else if (device && device->name[0]) {
        report->type = type_of[device->sort];
        report->source = INFO_SOURCE_DAX_BUS;
    } else if (report->dax) {
        report->type = MEMORY_DAX;
        report->source = dax_source;
    } else if (nodemask_has(&topology->with_cpu, report->node)) {
        report->type = MEMORY_ORDINARY;
        if (topology->cpus_unknown)
            report->source = INFO_SOURCE_NONE;
    } else {
        report->type = MEMORY_ONLY;
        report->source = INFO_SOURCE_NONE;
    }
}

bool report_node(unsigned node, struct node_report *report)
{
    const struct topology *topology = topology_get();

    memset(report, 0, sizeof *report);
    if (!nodemask_has(&topology->online, node))
        return false;
    report->node = node;
    report->usable = nodemask_has(&topology->with_memory, node);
    read_cpus(report);
    report->size = topology->memory[node];
    (void)sysfs_meminfo(node, "MemFree:", &report->unused);
    report->numbers = attributes_get()->of[node];
    report->bandwidth = attributes_bandwidth(&report->numbers);
    report->latency = attributes_latency(&report->numbers);
    report->tier = tiers_of(node);
    find_type(report);
    return true;
}

const char *memory_type_name(enum memory_type type)
{
    static const char *const names[] = {
        [MEMORY_NONE] = "no memory",
        [MEMORY_ORDINARY] = "ordinary",
        [MEMORY_GPU] = "GPU",
        [MEMORY_HBW] = "high-bandwidth",
        [MEMORY_PERSISTENT] = "persistent",
        [MEMORY_CXL] = "CXL",
        [MEMORY_RESERVED] = "specific-purpose",
        [MEMORY_DAX] = "DAX",
        [MEMORY_ONLY] = "memory-only",
    };

    return names[type];
}

/* --- kinds ------------------------------------------------------------------------------------ */

void report_kind(const struct page_kind *kind, struct kind_report *report)
{
    struct node_answer answer;

    memset(report, 0, sizeof *report);
    report->name = kind->name;
    report->error = page_kind_check(kind, report->why, sizeof report->why);
    selector_answer(kind->selector, kind->given, os_current_node(), &answer);
    report->source = answer.source;
    report->local = selector_is_local(kind->selector);
    report->policy = page_kind_policy_name(kind);
    report->page_size = kind->page_size ? kind->page_size : os_page_size();
    report->capacity = page_kind_capacity(kind);
}

int report_kind_nodes(const struct page_kind *kind, unsigned cpu_node, struct nodemask *nodes,
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

/* The group with these nodes, new ones behind all others. */
static struct kind_cpus *find_group(struct kind_cpus *groups, size_t count,
                                    const struct nodemask *nodes, int error)
{
    size_t i = 0;

    while (i < count && (groups[i].error != error || !nodemask_equal(&groups[i].nodes, nodes)))
        i++;
    return &groups[i];
}

size_t report_kind_cpus(const struct page_kind *kind, struct kind_cpus groups[NODEMASK_NODES])
{
    const struct nodemask *with_cpu = &topology_get()->with_cpu;
    bool local = selector_is_local(kind->selector);
    size_t count = 0;

    nodemask_for_each (node, with_cpu) {
        struct kind_cpus *group;
        struct nodemask nodes;
        char why[NODE_ANSWER_WHY];
        int error = report_kind_nodes(kind, (unsigned)node, &nodes, why, sizeof why);

        group = find_group(groups, count, &nodes, error);
        if (group == &groups[count]) {
            *group = (struct kind_cpus){.nodes = nodes, .error = error};
            count++;
        }
        nodemask_add(&group->cpu_nodes, (unsigned)node);
        if (!local) { /* it is the same for all */
            group->cpu_nodes = *with_cpu;
            break;
        }
    }
    return count;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see hbw.h. */
#include "kinds/machine/hbw.h"

#include <memkind.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kinds/machine/dax.h"
#include "kinds/system/callbacks.h"

static void read_threshold(struct hbw_facts *facts)
{
    static const char name[] = "MEMKIND_HBW_THRESHOLD";
    const char *value = callbacks->environment(name);

    if (!value)
        return;
    if (!*value || value[strspn(value, "0123456789")] != '\0') {
        callbacks->reject(name, "a whole number of MB/s");
        facts->threshold_wrong = true;
        return;
    }
    facts->threshold_set = true;
    facts->threshold = strtoul(value, NULL, 10); /* ULONG_MAX where it is too large: no node */
}

static void find_candidates(struct hbw_facts *facts)
{
    const struct dax_bus *bus = dax_bus_get();

    facts->never = facts->topology->gpu;
    facts->memory_only = topology_memory_only(facts->topology);
    if (bus) {
        nodemask_or(&facts->never, &bus->of_sort[DAX_CXL]);
        nodemask_or(&facts->never, &bus->of_sort[DAX_PERSISTENT]);
        facts->candidates = bus->of_sort[DAX_RESERVED];
        nodemask_and(&facts->candidates, &facts->topology->populated);
    }
    nodemask_or(&facts->candidates, &facts->memory_only);
    nodemask_remove(&facts->candidates, &facts->never);
    nodemask_remove(&facts->memory_only, &facts->never);
}

static bool administrators_choice(const struct hbw_facts *facts, struct node_answer *answer)
{
    (void)facts;
    return node_answer_environment(answer, "MEMKIND_HBW_NODES",
                                   MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE);
}

/* No step has an answer. One of them may have said why. */
static bool nobody_knows(const struct hbw_facts *facts, struct node_answer *answer)
{
    char nodes[48];

    if (facts->threshold_wrong)
        node_answer_refuse(answer, MEMKIND_ERROR_ENVIRON,
                           "MEMKIND_HBW_THRESHOLD is not a whole number of MB/s");
    if (*answer->why)
        return true;
    nodemask_format(&facts->candidates, nodes, sizeof nodes);
    if (facts->topology->cpus_unknown)
        snprintf(answer->why, sizeof answer->why,
                 "the kernel does not tell which nodes have CPUs: MEMKIND_HBW_NODES can name "
                 "those of HBM");
    else if (!nodemask_empty(&facts->candidates))
        snprintf(answer->why, sizeof answer->why,
                 "no bandwidth is known of memory-only nodes %s: MEMKIND_HBW_NODES can name those "
                 "of HBM",
                 nodes);
    else if (!nodemask_empty(&facts->never))
        snprintf(answer->why, sizeof answer->why,
                 "memory without CPUs is that of CXL, persistent or GPU devices");
    else
        snprintf(answer->why, sizeof answer->why,
                 "all memory is on nodes with CPUs: there is no other to be faster");
    return true;
}

/* The last step of each always has an answer. */
static hbw_step *const all_steps[] = {
    administrators_choice,    hbw_above_threshold, hbw_nothing_but_hbm,
    hbw_faster_than_ordinary, hbw_hbm_beside_cpu,  nobody_knows,
};
static hbw_step *const steps_of_numbers[] = {
    hbw_above_threshold,
    hbw_faster_than_ordinary,
    nobody_knows,
};

static void take_steps(hbw_step *const steps[], size_t count, const struct attributes *attributes,
                       struct node_answer *answer)
{
    struct hbw_facts facts = {.topology = topology_get(), .attributes = attributes};
    bool some;

    read_threshold(&facts);
    cpu_identify(&facts.cpu);
    facts.midr = cpu_midr();
    find_candidates(&facts);
    for (size_t i = 0; i < count && !steps[i](&facts, answer); i++)
        ;
    if (answer->error)
        return;
    some = !nodemask_empty(&answer->nodes);
    nodemask_and(&answer->nodes, &facts.topology->with_memory);
    if (!nodemask_empty(&answer->nodes))
        return;
    answer->error = MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE;
    if (some) /* a cpuset without them */
        snprintf(answer->why, sizeof answer->why,
                 "none of the high-bandwidth nodes has memory for this process");
}

void hbw_find(struct node_answer *answer)
{
    take_steps(all_steps, sizeof all_steps / sizeof all_steps[0], attributes_get(), answer);
}

void hbw_from_numbers(const struct attributes *attributes, struct node_answer *answer)
{
    take_steps(steps_of_numbers, sizeof steps_of_numbers / sizeof steps_of_numbers[0], attributes,
               answer);
}

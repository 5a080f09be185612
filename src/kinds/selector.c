/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see selector.h. */
#include "kinds/selector.h"

#include <memkind.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "kinds/dax.h"
#include "kinds/host.h"
#include "kinds/topology.h"

static void refuse(struct node_answer *answer, int error, const char *why)
{
    memset(&answer->nodes, 0, sizeof answer->nodes);
    answer->error = error;
    snprintf(answer->why, sizeof answer->why, "%s", why);
}

/* --- node lists given by the administrator -----------------------------------------------------
 */

/* Answers from environment variable `name` and returns true, if it is set. */
static bool answer_from_environment(const char *name, struct node_answer *answer)
{
    const struct topology *topology = topology_get();
    const char *value = host->environment(name);
    struct nodemask usable;

    if (!value)
        return false;
    if (!nodemask_parse_user(value, &topology->online, &topology->allowed, &answer->nodes)) {
        host->reject(name, "a list of existing nodes as numactl takes it, like 0,2-3");
        refuse(answer, MEMKIND_ERROR_ENVIRON, name);
        snprintf(answer->why, sizeof answer->why, "%s is not a list of existing nodes", name);
        return true;
    }
    usable = answer->nodes;
    nodemask_and(&usable, &topology->with_memory);
    if (nodemask_empty(&usable)) {
        refuse(answer, MEMKIND_ERROR_UNAVAILABLE, "");
        snprintf(answer->why, sizeof answer->why,
                 "none of the nodes in %s has memory for this process", name);
        return true;
    }
    answer->nodes = usable;
    snprintf(answer->why, sizeof answer->why, "%s", name);
    return true;
}

/* MB/s, a whole number: unset is fine, anything else is nobody's threshold. */
static bool threshold_is_usable(void)
{
    const char *value = host->environment("MEMKIND_HBW_THRESHOLD");

    if (!value || (*value && value[strspn(value, "0123456789")] == '\0'))
        return true;
    host->reject("MEMKIND_HBW_THRESHOLD", "a whole number of MB/s");
    return false;
}

static void find_hbw(struct node_answer *answer)
{
    if (!threshold_is_usable()) {
        refuse(answer, MEMKIND_ERROR_ENVIRON,
               "MEMKIND_HBW_THRESHOLD is not a whole number of MB/s");
        return;
    }
    if (answer_from_environment("MEMKIND_HBW_NODES", answer)) {
        if (answer->error == MEMKIND_ERROR_UNAVAILABLE)
            answer->error = MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE;
        return;
    }
    refuse(answer, MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE,
           "MEMKIND_HBW_NODES is not set and this version does not measure bandwidth yet");
}

static void find_dax(struct node_answer *answer)
{
    const char *why;

    if (answer_from_environment("MEMKIND_DAX_KMEM_NODES", answer))
        return;
    why = dax_nodes(&answer->nodes);
    nodemask_and(&answer->nodes, &topology_get()->with_memory);
    if (why || nodemask_empty(&answer->nodes)) {
        refuse(answer, MEMKIND_ERROR_UNAVAILABLE,
               why ? why : "libdaxctl knows no device in system-ram mode");
        return;
    }
    snprintf(answer->why, sizeof answer->why, "libdaxctl");
}

/* --- answers found once -------------------------------------------------------------------------
 */

struct kept_answer {
    void (*find)(struct node_answer *answer);
    const char *subject;
    atomic_int state; /* 0 unknown, 1 somebody writes, 2 readable */
    struct node_answer answer;
};

static struct kept_answer hbw = {.find = find_hbw, .subject = "high-bandwidth nodes"};
static struct kept_answer dax = {.find = find_dax, .subject = "DAX nodes"};

static void answer_kept(struct kept_answer *kept, struct node_answer *answer)
{
    int unknown = 0;
    char nodes[128];

    if (atomic_load_explicit(&kept->state, memory_order_acquire) == 2) {
        *answer = kept->answer;
        return;
    }
    kept->find(answer);
    if (!atomic_compare_exchange_strong(&kept->state, &unknown, 1))
        return;
    kept->answer = *answer;
    atomic_store_explicit(&kept->state, 2, memory_order_release);
    nodemask_format(&answer->nodes, nodes, sizeof nodes);
    host->log("%s: %s (%s)", kept->subject, nodes, answer->why);
}

/* --- choices ------------------------------------------------------------------------------------
 */

/* Keeps the nodes at the shortest distance from `cpu_node`; unknown distances are all equal. */
static void keep_nearest(struct nodemask *nodes, unsigned cpu_node)
{
    const struct topology *topology = topology_get();
    struct nodemask nearest = {{0}};
    unsigned best = UINT8_MAX;

    nodemask_for_each (node, nodes) {
        unsigned distance = topology->distance[cpu_node][node];

        if (distance > best)
            continue;
        if (distance < best)
            memset(&nearest, 0, sizeof nearest);
        best = distance;
        nodemask_add(&nearest, (unsigned)node);
    }
    *nodes = nearest;
}

static void keep_largest(struct nodemask *nodes)
{
    const struct topology *topology = topology_get();
    struct nodemask largest = {{0}};
    uint64_t best = 0;

    nodemask_for_each (node, nodes) {
        if (topology->memory[node] < best)
            continue;
        if (topology->memory[node] > best)
            memset(&largest, 0, sizeof largest);
        best = topology->memory[node];
        nodemask_add(&largest, (unsigned)node);
    }
    *nodes = largest;
}

int selector_parse(const char *list, struct nodemask *nodes)
{
    const struct topology *topology = topology_get();

    if (!nodemask_parse_user(list, &topology->online, &topology->allowed, nodes))
        return MEMKIND_ERROR_INVALID;
    return nodemask_subset(nodes, &topology->with_memory) ? 0 : MEMKIND_ERROR_UNAVAILABLE;
}

void selector_answer(enum node_selector selector, const struct nodemask *given, unsigned cpu_node,
                     struct node_answer *answer)
{
    const struct topology *topology = topology_get();

    memset(answer, 0, sizeof *answer);
    snprintf(answer->why, sizeof answer->why, "sysfs");
    switch (selector) {
    case SELECT_PROCESS:
        snprintf(answer->why, sizeof answer->why, "the process's own policy");
        break;
    case SELECT_CPU_NODES:
        answer->nodes = topology->with_cpu;
        nodemask_and(&answer->nodes, &topology->with_memory);
        if (nodemask_empty(&answer->nodes))
            refuse(answer, MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE,
                   "no node with CPUs has memory for this process");
        break;
    case SELECT_ALL:
        answer->nodes = topology->with_memory;
        break;
    case SELECT_HBW_NEAREST:
    case SELECT_HBW_ALL:
        answer_kept(&hbw, answer);
        if (selector == SELECT_HBW_NEAREST && !answer->error)
            keep_nearest(&answer->nodes, cpu_node);
        break;
    case SELECT_DAX_NEAREST:
    case SELECT_DAX_ALL:
        answer_kept(&dax, answer);
        if (selector == SELECT_DAX_NEAREST && !answer->error)
            keep_nearest(&answer->nodes, cpu_node);
        break;
    case SELECT_LARGEST:
        answer->nodes = topology->with_memory;
        keep_largest(&answer->nodes);
        break;
    case SELECT_LARGEST_LOCAL:
    case SELECT_LATENCY_LOCAL:
    case SELECT_BANDWIDTH_LOCAL:
        refuse(answer, MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE,
               "this version does not compare local nodes yet");
        break;
    case SELECT_GIVEN:
    case SELECT_GIVEN_NEAREST:
        answer->nodes = *given;
        if (selector == SELECT_GIVEN_NEAREST)
            keep_nearest(&answer->nodes, cpu_node);
        snprintf(answer->why, sizeof answer->why, "the program's choice");
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

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_selector: which nodes a kind means, with what policy, capacity and how many locality
 * domains, on machines that are not here: memory-only nodes near one socket or another, equally
 * near ones, nodes without memory, cpusets.
 *
 * The modules that decide are compiled into this program with a topology and a calling CPU of its
 * own. (The linker takes them from here and not from the static library.)
 */
#include "support.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <string.h>

#include "kinds/machine/attributes.h"
#include "kinds/system/callbacks.h"
#include "kinds/system/os.h"
#include "kinds/machine/topology.h"

static const struct topology *fake_topology(void);
static const struct attributes *fake_attributes(void);
static unsigned fake_current_node(void);
static int fake_bind(void *address, size_t size, const struct os_policy *policy);

#define topology_get fake_topology
#define attributes_get fake_attributes
#define os_current_node fake_current_node
#define os_bind fake_bind
/* NOLINTBEGIN(bugprone-suspicious-include) */
#include "kinds/machine/node_answer.c"
#include "kinds/machine/dax.c"
#include "kinds/machine/hbw.c"
#include "kinds/machine/selector.c"
#include "kinds/machine/page_kind.c"
#include "kinds/pages/pool.c"
/* NOLINTEND(bugprone-suspicious-include) */
#undef topology_get
#undef attributes_get
#undef os_current_node
#undef os_bind

/* --- the machine ------------------------------------------------------------------------------ */

#define NODES 6
#define FAR 255

struct machine {
    const char *online, *cpus, *memory, *allowed;
    size_t gigabytes[NODES];
    uint8_t distance[NODES][NODES];
};

/* Two sockets with memory, and a memory-only node near each. */
static const struct machine two_near = {
    "0-3", "0-1",          "0-3",
    "0-3", {32, 32, 8, 8}, {{10, 21, 17, 28}, {21, 10, 28, 17}, {17, 28, 10, 28}, {28, 17, 28, 10}},
};

/* The same, but both memory-only nodes are equally near to both sockets. */
static const struct machine equally_near = {
    "0-3", "0-1",          "0-3",
    "0-3", {32, 32, 8, 8}, {{10, 21, 17, 17}, {21, 10, 17, 17}, {17, 17, 10, 28}, {17, 17, 28, 10}},
};

/* The firmware tells no distances. */
static const struct machine no_distances = {
    "0-2", "0-1", "0-2", "0-2", {32, 32, 8}, {{10, FAR, FAR}, {FAR, 10, FAR}, {FAR, FAR, 10}},
};

/* Node 1 has CPUs and no memory, node 3 memory that this process may not use, node 4 is offline. */
static const struct machine holes = {
    "0-3,5",
    "0-2",
    "0,2,5",
    "0,2,5",
    {32, 0, 16, 0, 0, 32},
    {{10, 20, 30, 40, 0, 50},
     {20, 10, 20, 30, 0, 40},
     {30, 20, 10, 20, 0, 30},
     {40, 30, 20, 10, 0, 20},
     {0},
     {50, 40, 30, 20, 0, 10}},
};

static struct topology machine;
static struct attributes attributes;
static unsigned current_node;

static const struct topology *fake_topology(void)
{
    return &machine;
}

static const struct attributes *fake_attributes(void)
{
    return &attributes;
}

static unsigned fake_current_node(void)
{
    return current_node;
}

/* A kernel that knows MPOL_PREFERRED_MANY or not, and remembers what it was asked last. */
#define PREFERRED_MANY 5

static bool old_kernel;
static struct os_policy bound;

static int fake_bind(void *address, size_t size, const struct os_policy *policy)
{
    (void)address, (void)size;
    if (old_kernel && policy->mode == PREFERRED_MANY)
        return EINVAL;
    bound = *policy;
    return 0;
}

static void be(const struct machine *fake)
{
    memset(&machine, 0, sizeof machine);
    cr_assert(nodemask_parse(fake->online, &machine.online));
    cr_assert(nodemask_parse(fake->cpus, &machine.with_cpu));
    cr_assert(nodemask_parse(fake->memory, &machine.populated));
    cr_assert(nodemask_parse(fake->allowed, &machine.allowed));
    machine.with_memory = machine.populated;
    nodemask_and(&machine.with_memory, &machine.allowed);
    machine.host_memory = machine.with_memory;
    memset(&attributes, 0, sizeof attributes);
    for (int node = 0; node < NODES; node++) {
        machine.memory[node] = fake->gigabytes[node] * GIB;
        memcpy(machine.distance[node], fake->distance[node], NODES);
    }
}

/* --- its environment -------------------------------------------------------------------------- */

static const char *hbw_nodes, *dax_nodes_value;
static int rejections;

static const char *environment(const char *name)
{
    if (strcmp(name, "MEMKIND_HBW_NODES") == 0)
        return hbw_nodes;
    return strcmp(name, "MEMKIND_DAX_KMEM_NODES") == 0 ? dax_nodes_value : NULL;
}

static void reject(const char *name, const char *why)
{
    (void)name, (void)why;
    rejections++;
}

static __attribute__((format(printf, 1, 2))) void say(const char *format, ...)
{
    (void)format;
}

static void nothing_kept(void)
{
}

static void begin(void)
{
    static const struct callbacks services = {
        .environment = environment, .reject = reject, .log = say, .changed = nothing_kept};

    test_bare();
    callbacks_set(&services);
}

/* What was found is kept: on each machine the library has to find it anew. */
static void forget(void)
{
    cr_assert_eq(facts_refresh(), 0);
}

TestSuite(selector, .init = begin);

/* --- nodes ------------------------------------------------------------------------------------ */

/* Nodes as text, or the error as a number. */
static const char *nodes_of(enum node_selector selector, unsigned cpu_node)
{
    static char text[64];
    struct node_answer answer;

    selector_answer(selector, NULL, cpu_node, &answer);
    if (answer.error) {
        cr_assert(nodemask_empty(&answer.nodes));
        cr_assert_neq(answer.why[0], '\0', "no reason");
        snprintf(text, sizeof text, "%d", answer.error);
    } else
        nodemask_format(&answer.nodes, text, sizeof text);
    return text;
}

#define NOT_AVAILABLE "-20" /* MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE */
#define UNAVAILABLE "-1"
#define ENVIRON "-12"

static const struct {
    const struct machine *machine;
    const char *variable; /* both variables */
    enum node_selector selector;
    unsigned cpu_node;
    const char *nodes;
} choices[] = {
    {&two_near, NULL, SELECT_PROCESS, 0, "-"},
    {&two_near, NULL, SELECT_CPU_NODES, 0, "0-1"},
    {&two_near, NULL, SELECT_ALL, 1, "0-3"},
    {&two_near, "2,3", SELECT_HBW_NEAREST, 0, "2"},
    {&two_near, "2,3", SELECT_HBW_NEAREST, 1, "3"},
    {&two_near, "2,3", SELECT_HBW_ALL, 1, "2-3"},
    {&two_near, "3", SELECT_HBW_NEAREST, 0, "3"},
    {&two_near, "0-3", SELECT_HBW_NEAREST, 0, "0"},
    {&two_near, "all", SELECT_HBW_NEAREST, 1, "1"},
    {&two_near, "!0-1", SELECT_HBW_ALL, 1, "2-3"},
    {&two_near, "2-3", SELECT_DAX_NEAREST, 0, "2"},
    {&two_near, "2-3", SELECT_DAX_NEAREST, 1, "3"},
    {&two_near, "2-3", SELECT_DAX_ALL, 0, "2-3"},
    {&two_near, NULL, SELECT_LARGEST, 0, "0-1"},
    {&two_near, NULL, SELECT_HBW_ALL, 0, NOT_AVAILABLE},
    {&two_near, NULL, SELECT_HBW_NEAREST, 0, NOT_AVAILABLE},
    {&two_near, "4", SELECT_HBW_ALL, 0, ENVIRON},
    {&two_near, "2,4", SELECT_HBW_NEAREST, 0, ENVIRON},
    {&two_near, "", SELECT_DAX_ALL, 0, ENVIRON},
    {&two_near, "x", SELECT_DAX_NEAREST, 0, ENVIRON},
    {&equally_near, "2-3", SELECT_HBW_NEAREST, 0, "2-3"},
    {&equally_near, "2-3", SELECT_HBW_NEAREST, 1, "2-3"},
    {&equally_near, "2-3", SELECT_DAX_NEAREST, 1, "2-3"},
    {&no_distances, "1-2", SELECT_HBW_NEAREST, 0, "1-2"},
    {&no_distances, "1-2", SELECT_HBW_NEAREST, 1, "1"},
    {&holes, NULL, SELECT_CPU_NODES, 0, "0,2"},
    {&holes, NULL, SELECT_ALL, 0, "0,2,5"},
    {&holes, NULL, SELECT_LARGEST, 0, "0,5"},
    {&holes, "2,5", SELECT_HBW_NEAREST, 1, "2"},
    {&holes, "3,5", SELECT_HBW_NEAREST, 2, "5"},
    {&holes, "3,5", SELECT_HBW_ALL, 2, "5"},
    {&holes, "3", SELECT_HBW_ALL, 0, NOT_AVAILABLE},
    {&holes, "1", SELECT_HBW_NEAREST, 0, NOT_AVAILABLE},
    {&holes, "3", SELECT_DAX_ALL, 0, UNAVAILABLE},
    {&holes, "4", SELECT_DAX_ALL, 0, ENVIRON},
    {&holes, "+2", SELECT_HBW_ALL, 0, "5"},
    {&holes, "all", SELECT_HBW_ALL, 0, "0,2,5"},
};

Test(selector, nodes_by_machine_and_cpu)
{
    for (size_t i = 0; i < LENGTH(choices); i++) {
        const char *nodes;

        be(choices[i].machine);
        hbw_nodes = dax_nodes_value = choices[i].variable;
        forget();
        for (int again = 0; again < 2; again++) {
            nodes = nodes_of(choices[i].selector, choices[i].cpu_node);
            cr_assert_str_eq(nodes, choices[i].nodes, "row %zu: %s, expected %s", i, nodes,
                             choices[i].nodes);
        }
    }
}

/* A wrong list is complained about and stays wrong; a right one is read once. */
Test(selector, lists_are_read_once)
{
    be(&two_near);
    hbw_nodes = "9";
    for (int i = 0; i < 3; i++)
        cr_assert_str_eq(nodes_of(SELECT_HBW_ALL, 0), ENVIRON);
    cr_assert_eq(rejections, 1);
    hbw_nodes = "2";
    cr_assert_str_eq(nodes_of(SELECT_HBW_ALL, 0), ENVIRON);
    dax_nodes_value = "3";
    cr_assert_str_eq(nodes_of(SELECT_DAX_ALL, 0), "3");
    dax_nodes_value = "2";
    cr_assert_str_eq(nodes_of(SELECT_DAX_ALL, 0), "3");
}

/* Then ordinary memory is what is nothing else, and never what the machine has on other nodes. */
Test(selector, no_cpu_node_has_memory)
{
    be(&holes);
    cr_assert(nodemask_parse("1", &machine.with_cpu));
    cr_assert_str_eq(nodes_of(SELECT_CPU_NODES, 0), "0,2,5");
    hbw_nodes = "2";
    dax_nodes_value = "5";
    forget();
    cr_assert_str_eq(nodes_of(SELECT_CPU_NODES, 0), "0");
    hbw_nodes = "0,2";
    forget();
    cr_assert_str_eq(nodes_of(SELECT_CPU_NODES, 0), NOT_AVAILABLE);
}

/* CPUs and memory on the same nodes, but not on those that the process may use. */
Test(selector, no_cpu_node_in_the_cpuset_has_memory)
{
    be(&two_near);
    cr_assert(nodemask_parse("2-3", &machine.with_memory));
    machine.host_memory = machine.with_memory;
    cr_assert_str_eq(nodes_of(SELECT_CPU_NODES, 0), NOT_AVAILABLE);
}

/* --- policy ----------------------------------------------------------------------------------- */

static const struct {
    const struct machine *machine;
    int partition;
    unsigned cpu_node;
    int mode;
    const char *nodes;
} policies[] = {
    {&two_near, MEMKIND_PARTITION_DEFAULT, 0, -1, "-"},
    {&two_near, MEMKIND_PARTITION_HUGETLB, 0, -1, "-"},
    {&two_near, MEMKIND_PARTITION_REGULAR, 0, MPOL_BIND, "0-1"},
    {&two_near, MEMKIND_PARTITION_INTERLEAVE, 0, MPOL_INTERLEAVE, "0-3"},
    {&two_near, MEMKIND_PARTITION_HBW, 0, MPOL_BIND, "2"},
    {&two_near, MEMKIND_PARTITION_HBW, 1, MPOL_BIND, "3"},
    {&two_near, MEMKIND_PARTITION_HBW_ALL, 1, MPOL_BIND, "2-3"},
    {&two_near, MEMKIND_PARTITION_HBW_PREFERRED, 1, MPOL_PREFERRED, "3"},
    {&two_near, MEMKIND_PARTITION_HBW_INTERLEAVE, 1, MPOL_INTERLEAVE, "2-3"},
    {&two_near, MEMKIND_PARTITION_DAX_KMEM_PREFERRED, 0, MPOL_PREFERRED, "2"},
    {&two_near, MEMKIND_PARTITION_HIGHEST_CAPACITY, 0, MPOL_BIND, "0-1"},
    {&two_near, MEMKIND_PARTITION_HIGHEST_CAPACITY_PREFERRED, 0, PREFERRED_MANY, "0-1"},
    {&equally_near, MEMKIND_PARTITION_HBW, 0, MPOL_BIND, "2-3"},
    {&equally_near, MEMKIND_PARTITION_HBW_PREFERRED, 0, PREFERRED_MANY, "2-3"},
    {&equally_near, MEMKIND_PARTITION_HBW_PREFERRED_HUGETLB, 1, PREFERRED_MANY, "2-3"},
    {&equally_near, MEMKIND_PARTITION_DAX_KMEM_PREFERRED, 0, PREFERRED_MANY, "2-3"},
};

/* Several equally good nodes are all used: no preferred kind fails because it cannot choose. */
Test(selector, policy_of_each_kind)
{
    hbw_nodes = dax_nodes_value = "2-3";
    for (size_t i = 0; i < LENGTH(policies); i++) {
        struct node_answer answer;
        struct os_policy policy;
        char text[64];

        be(policies[i].machine);
        forget();
        cr_assert_eq(page_kind_policy(&page_kind_static[policies[i].partition],
                                      policies[i].cpu_node, &answer, &policy),
                     0);
        nodemask_format(&policy.nodes, text, sizeof text);
        cr_assert_eq(policy.mode, policies[i].mode, "row %zu: mode %d", i, policy.mode);
        cr_assert_str_eq(text, policies[i].nodes, "row %zu: nodes %s", i, text);
    }
}

/* What an older kernel refuses is tried with the lowest-numbered node. */
Test(selector, preferred_falls_back_to_one_node)
{
    struct node_answer answer;
    struct os_policy policy;
    char text[64];

    be(&equally_near);
    hbw_nodes = "2-3";
    cr_assert_eq(
        page_kind_policy(&page_kind_static[MEMKIND_PARTITION_HBW_PREFERRED], 0, &answer, &policy),
        0);
    for (int old = 0; old < 2; old++) {
        old_kernel = old;
        cr_assert_eq(page_kind_bind(NULL, 0, &policy), 0);
        nodemask_format(&bound.nodes, text, sizeof text);
        cr_assert_eq(bound.mode, old ? MPOL_PREFERRED : PREFERRED_MANY);
        cr_assert_str_eq(text, old ? "2" : "2-3");
    }
}

/* --- capacity and locality domains ------------------------------------------------------------ */

static const struct {
    const struct machine *machine;
    const char *variable;
    int partition;
    unsigned cpu_node;
    long gigabytes; /* -1: not available */
    unsigned domains;
} capacities[] = {
    {&two_near, "2-3", MEMKIND_PARTITION_DEFAULT, 0, 80, 1},
    {&two_near, "2-3", MEMKIND_PARTITION_REGULAR, 0, 64, 1},
    {&two_near, "2-3", MEMKIND_PARTITION_INTERLEAVE, 0, 80, 1},
    {&two_near, "2-3", MEMKIND_PARTITION_HBW, 0, 8, 2},
    {&two_near, "2-3", MEMKIND_PARTITION_HBW_ALL, 0, 16, 1},
    {&two_near, "2-3", MEMKIND_PARTITION_HBW_PREFERRED, 0, 80, 2},
    {&two_near, "2-3", MEMKIND_PARTITION_HBW_INTERLEAVE, 0, 16, 1},
    {&two_near, "0,3", MEMKIND_PARTITION_HBW, 0, 32, 2},
    {&two_near, "0,3", MEMKIND_PARTITION_HBW, 1, 8, 2},
    {&two_near, "2", MEMKIND_PARTITION_HBW, 0, 8, 1},
    {&two_near, NULL, MEMKIND_PARTITION_HBW, 0, -1, 1},
    {&two_near, "2-3", MEMKIND_PARTITION_DAX_KMEM, 1, 8, 2},
    {&two_near, NULL, MEMKIND_PARTITION_HIGHEST_CAPACITY, 0, 64, 1},
    {&two_near, NULL, MEMKIND_PARTITION_HIGHEST_CAPACITY_PREFERRED, 0, 80, 1},
    {&equally_near, "2-3", MEMKIND_PARTITION_HBW, 1, 16, 1},
    {&holes, "2,5", MEMKIND_PARTITION_HBW, 0, 16, 1},
    {&holes, "0,2", MEMKIND_PARTITION_HBW, 2, 16, 3},
    {&holes, "0,2", MEMKIND_PARTITION_HBW_ALL, 2, 48, 1},
};

Test(selector, capacity_and_domains)
{
    for (size_t i = 0; i < LENGTH(capacities); i++) {
        const struct page_kind *kind = &page_kind_static[capacities[i].partition];
        long expected = capacities[i].gigabytes < 0 ? -1 : capacities[i].gigabytes * (long)GIB;

        be(capacities[i].machine);
        hbw_nodes = dax_nodes_value = capacities[i].variable;
        forget();
        current_node = capacities[i].cpu_node;
        cr_expect_eq(page_kind_capacity(kind), expected, "row %zu: capacity %zd", i,
                     page_kind_capacity(kind));
        cr_expect_eq(page_kind_domains(kind), capacities[i].domains, "row %zu: %u domains", i,
                     page_kind_domains(kind));
    }
}

/* Each node with CPUs is a domain of its own; a CPU on any other node falls back to the first. */
static void open_pool(struct page_pool *pool, int partition)
{
    struct page_setup setup = pool_setup(&page_kind_static[partition]);

    cr_assert_eq(pool_open(pool, &setup), 0);
}

Test(selector, domain_of_the_calling_cpu)
{
    struct page_pool pool;
    static const unsigned domains[NODES] = {0, 1, 2, 0, 0, 0};

    be(&holes);
    hbw_nodes = "0,2";
    open_pool(&pool, MEMKIND_PARTITION_HBW);
    cr_assert_eq(pool.domains, 3);
    for (current_node = 0; current_node < NODES; current_node++)
        cr_assert_eq(pool_domain(&pool), domains[current_node], "node %u: domain %u", current_node,
                     pool_domain(&pool));
    for (unsigned domain = 0; domain < pool.domains; domain++)
        cr_assert_eq(domain_node(&pool, domain), domain);
    open_pool(&pool, MEMKIND_PARTITION_HBW_ALL);
    cr_assert_eq(pool.domains, 1);
    for (current_node = 0; current_node < NODES; current_node++)
        cr_assert_eq(pool_domain(&pool), 0);
}

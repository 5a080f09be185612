/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see page_kind.h. */
#include "kinds/machine/page_kind.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <string.h>

#include "kinds/machine/hugepages.h"
#include "kinds/machine/topology.h"
#include "kinds/system/callbacks.h"
#include "kinds/system/leftover.h"

/* Numbers are the kernel's ABI; older headers have no names for them. */
#define MPOL_PREFERRED_MANY_NUMBER 5      /* since Linux 5.15 */
#define MPOL_WEIGHTED_INTERLEAVE_NUMBER 6 /* since Linux 6.9 */
#define PAGE_BITS_1G 30                   /* logarithm of the page size, as in memkind_bits_t */

#define ROW(NAME, SELECTOR, POLICY, PAGES)                        \
    [MEMKIND_PARTITION_##NAME] = {.name = "MEMKIND_" #NAME,       \
                                  .selector = SELECT_##SELECTOR,  \
                                  .policy = PAGE_POLICY_##POLICY, \
                                  .page_size = (PAGES)}

/* A table is read in columns. */
/* clang-format off */
const struct page_kind page_kind_static[MEMKIND_NUM_BASE_KIND] = {
    ROW(DEFAULT,                            PROCESS,        PROCESS,    0),
    ROW(REGULAR,                            CPU_NODES,      BIND,       0),
    ROW(INTERLEAVE,                         ALL,            INTERLEAVE, 0),
    ROW(HUGETLB,                            PROCESS,        PROCESS,    PAGE_SIZE_2M),
    ROW(GBTLB,                              PROCESS,        PROCESS,    PAGE_SIZE_1G),
    ROW(HBW,                                HBW_NEAREST,    BIND,       0),
    ROW(HBW_HUGETLB,                        HBW_NEAREST,    BIND,       PAGE_SIZE_2M),
    ROW(HBW_GBTLB,                          HBW_NEAREST,    BIND,       PAGE_SIZE_1G),
    ROW(HBW_ALL,                            HBW_ALL,        BIND,       0),
    ROW(HBW_ALL_HUGETLB,                    HBW_ALL,        BIND,       PAGE_SIZE_2M),
    ROW(HBW_PREFERRED,                      HBW_NEAREST,    PREFERRED,  0),
    ROW(HBW_PREFERRED_HUGETLB,              HBW_NEAREST,    PREFERRED,  PAGE_SIZE_2M),
    ROW(HBW_PREFERRED_GBTLB,                HBW_NEAREST,    PREFERRED,  PAGE_SIZE_1G),
    ROW(HBW_INTERLEAVE,                     HBW_ALL,        INTERLEAVE, 0),
    ROW(DAX_KMEM,                           DAX_NEAREST,    BIND,       0),
    ROW(DAX_KMEM_ALL,                       DAX_ALL,        BIND,       0),
    ROW(DAX_KMEM_PREFERRED,                 DAX_NEAREST,    PREFERRED,  0),
    ROW(DAX_KMEM_INTERLEAVE,                DAX_ALL,        INTERLEAVE, 0),
    ROW(HIGHEST_CAPACITY,                   LARGEST,        BIND,       0),
    ROW(HIGHEST_CAPACITY_PREFERRED,         LARGEST,        PREFERRED,  0),
    ROW(HIGHEST_CAPACITY_LOCAL,             LARGEST_LOCAL,  BIND,       0),
    ROW(HIGHEST_CAPACITY_LOCAL_PREFERRED,   LARGEST_LOCAL,  PREFERRED,  0),
    ROW(LOWEST_LATENCY_LOCAL,               LATENCY_LOCAL,  BIND,       0),
    ROW(LOWEST_LATENCY_LOCAL_PREFERRED,     LATENCY_LOCAL,  PREFERRED,  0),
    ROW(HIGHEST_BANDWIDTH_LOCAL,            BANDWIDTH_LOCAL, BIND,       0),
    ROW(HIGHEST_BANDWIDTH_LOCAL_PREFERRED,  BANDWIDTH_LOCAL, PREFERRED,  0),
};

#define DEFAULT_TYPE MEMKIND_MEMTYPE_DEFAULT
#define HBW_TYPE MEMKIND_MEMTYPE_HIGH_BANDWIDTH

/* What memkind_create_kind() accepts, and which static kinds that means. */
static const struct {
    unsigned memtype;
    memkind_policy_t policy;
    int base, of_2m; /* MEMKIND_PARTITION_* for base pages and for 2 MiB pages; -1: not accepted */
} created[] = {
#define CREATED(MEMTYPE, POLICY, BASE, OF_2M) {MEMTYPE, MEMKIND_POLICY_##POLICY, MEMKIND_PARTITION_##BASE, OF_2M}
    CREATED(DEFAULT_TYPE,            PREFERRED_LOCAL, DEFAULT,        MEMKIND_PARTITION_HUGETLB),
    CREATED(HBW_TYPE,                BIND_LOCAL,      HBW,            MEMKIND_PARTITION_HBW_HUGETLB),
    CREATED(HBW_TYPE,                BIND_ALL,        HBW_ALL,        MEMKIND_PARTITION_HBW_ALL_HUGETLB),
    CREATED(HBW_TYPE,                PREFERRED_LOCAL, HBW_PREFERRED,  MEMKIND_PARTITION_HBW_PREFERRED_HUGETLB),
    CREATED(HBW_TYPE,                INTERLEAVE_ALL,  HBW_INTERLEAVE, -1),
    CREATED(DEFAULT_TYPE | HBW_TYPE, INTERLEAVE_ALL,  INTERLEAVE,     -1),
};

/* What memkind_create_nodes() accepts. A row's nodes are the pool's. */
static const struct {
    memkind_policy_t policy;
    unsigned bits;
    struct page_kind row;
} of_nodes[] = {
#define OF_NODES(POLICY, BITS, SELECTOR, PAGE_POLICY, PAGES)                                    \
    {MEMKIND_POLICY_##POLICY, BITS,                                                             \
     {.name = "nodes:" #POLICY, .selector = SELECT_##SELECTOR,                                  \
      .policy = PAGE_POLICY_##PAGE_POLICY, .page_size = (PAGES)}}
    OF_NODES(BIND_ALL,                0,                          GIVEN,         BIND,       0),
    OF_NODES(BIND_ALL,                MEMKIND_MASK_PAGE_SIZE_2MB, GIVEN,         BIND,       PAGE_SIZE_2M),
    OF_NODES(BIND_ALL,                PAGE_BITS_1G,               GIVEN,         BIND,       PAGE_SIZE_1G),
    OF_NODES(BIND_LOCAL,              0,                          GIVEN_NEAREST, BIND,       0),
    OF_NODES(BIND_LOCAL,              MEMKIND_MASK_PAGE_SIZE_2MB, GIVEN_NEAREST, BIND,       PAGE_SIZE_2M),
    OF_NODES(BIND_LOCAL,              PAGE_BITS_1G,               GIVEN_NEAREST, BIND,       PAGE_SIZE_1G),
    OF_NODES(PREFERRED_LOCAL,         0,                          GIVEN,         PREFERRED,  0),
    OF_NODES(PREFERRED_LOCAL,         MEMKIND_MASK_PAGE_SIZE_2MB, GIVEN,         PREFERRED,  PAGE_SIZE_2M),
    OF_NODES(PREFERRED_LOCAL,         PAGE_BITS_1G,               GIVEN,         PREFERRED,  PAGE_SIZE_1G),
    OF_NODES(INTERLEAVE_ALL,          0,                          GIVEN,         INTERLEAVE, 0),
    OF_NODES(WEIGHTED_INTERLEAVE_ALL, 0,                          GIVEN,         WEIGHTED,   0),
};
/* clang-format on */

#define ROW_ELSEWHERE(NAME)                                                     \
    {                                                                           \
        .name = NAME, .selector = SELECT_PROCESS, .policy = PAGE_POLICY_PROCESS \
    }

const struct page_kind page_kind_file = ROW_ELSEWHERE("pmem");
const struct page_kind page_kind_fixed = ROW_ELSEWHERE("fixed");
const struct page_kind page_kind_custom = ROW_ELSEWHERE("custom");

const struct page_kind *page_kind_of_nodes(memkind_policy_t policy, memkind_bits_t flags)
{
    for (size_t i = 0; i < sizeof of_nodes / sizeof of_nodes[0]; i++)
        if (of_nodes[i].policy == policy && of_nodes[i].bits == (unsigned)flags)
            return &of_nodes[i].row;
    return NULL;
}

int page_kind_created(memkind_memtype_t memtype, memkind_policy_t policy, memkind_bits_t flags)
{
    for (size_t i = 0; i < sizeof created / sizeof created[0]; i++) {
        if (created[i].memtype != (unsigned)memtype || created[i].policy != policy)
            continue;
        if ((unsigned)flags == 0)
            return created[i].base;
        if (flags == MEMKIND_MASK_PAGE_SIZE_2MB)
            return created[i].of_2m;
    }
    return -1;
}

int page_kind_policy(const struct page_kind *kind, unsigned cpu_node, struct node_answer *answer,
                     struct os_policy *policy)
{
    static const int mode[] = {
        [PAGE_POLICY_PROCESS] = -1,
        [PAGE_POLICY_BIND] = MPOL_BIND,
        [PAGE_POLICY_PREFERRED] = MPOL_PREFERRED,
        [PAGE_POLICY_INTERLEAVE] = MPOL_INTERLEAVE,
        [PAGE_POLICY_WEIGHTED] = MPOL_WEIGHTED_INTERLEAVE_NUMBER,
    };

    memset(policy, 0, sizeof *policy);
    policy->mode = -1;
    selector_answer(kind->selector, kind->given, cpu_node, answer);
    if (answer->error)
        return answer->error;
    policy->mode = mode[kind->policy];
    policy->nodes = answer->nodes;
    if (kind->policy == PAGE_POLICY_PREFERRED && nodemask_count(&policy->nodes) > 1)
        policy->mode = MPOL_PREFERRED_MANY_NUMBER;
    return 0;
}

/* The nodes whose memory the kind can end up with: a preference can fall back on any node. */
static struct nodemask reachable_nodes(const struct page_kind *kind, const struct os_policy *policy)
{
    if (policy->mode < 0 || kind->policy == PAGE_POLICY_PREFERRED)
        return topology_get()->with_memory;
    return policy->nodes;
}

/* The lowest-numbered node that can be preferred: some may be gone. */
static int prefer_one(void *address, size_t size, const struct nodemask *nodes)
{
    int error = EINVAL;

    callbacks->log("the kernel has no MPOL_PREFERRED_MANY: the lowest-numbered node is preferred");
    nodemask_for_each (node, nodes) {
        struct os_policy one = {.mode = MPOL_PREFERRED};

        nodemask_add(&one.nodes, (unsigned)node);
        error = os_bind(address, size, &one);
        if (error != EINVAL)
            break;
    }
    return error;
}

static int bind_as_known(void *address, size_t size, const struct os_policy *policy)
{
    struct os_policy equal = {.mode = MPOL_INTERLEAVE, .nodes = policy->nodes};
    int error = os_bind(address, size, policy);

    if (error != EINVAL && error != ENOSYS)
        return error;
    if (policy->mode == MPOL_PREFERRED_MANY_NUMBER)
        return prefer_one(address, size, &policy->nodes);
    if (policy->mode != MPOL_WEIGHTED_INTERLEAVE_NUMBER)
        return error;
    callbacks->log("the kernel has no MPOL_WEIGHTED_INTERLEAVE: all nodes count the same");
    return os_bind(address, size, &equal);
}

int page_kind_bind(void *address, size_t size, const struct os_policy *policy)
{
    int error = bind_as_known(address, size, policy);
    bool prefers = policy->mode == MPOL_PREFERRED || policy->mode == MPOL_PREFERRED_MANY_NUMBER;

    if (!prefers || (error != EPERM && error != EACCES && error != ENOSYS))
        return error;
    callbacks->log("the kernel refuses mbind (%s): no nodes are preferred", strerrordesc_np(error));
    return 0;
}

bool page_kind_interleaves(const struct os_policy *policy)
{
    return policy->mode == MPOL_INTERLEAVE || policy->mode == MPOL_WEIGHTED_INTERLEAVE_NUMBER;
}

/* In words, why mbind fails with `error`; the code for it. */
static int explain_refusal(int error, const struct os_policy *policy, char *why, size_t size)
{
    struct nodemask left = policy->nodes;
    char nodes[64];

    if (error == EINVAL) {
        topology_still_usable(&left);
        if (nodemask_empty(&left)) {
            nodemask_format(&policy->nodes, nodes, sizeof nodes);
            snprintf(why, size, "nodes %s have no memory for this process any more", nodes);
            return MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE;
        }
    }
    snprintf(why, size, "the kernel refuses mbind: %s%s", strerrordesc_np(error),
             error == EPERM ? " (a container's seccomp filter does that)" : "");
    return MEMKIND_ERROR_MBIND;
}

/* Tries the policy on a page: a container may forbid mbind, and a kind must not be unplaced. */
static int try_policy(const struct os_policy *policy, char *why, size_t size)
{
    void *page = os_map(os_page_size(), os_page_size());
    int error;

    if (!page) {
        snprintf(why, size, "not even one page can be mapped");
        return MEMKIND_ERROR_MMAP;
    }
    error = page_kind_bind(page, os_page_size(), policy);
    leftover_unmap(page, os_page_size());
    return error ? explain_refusal(error, policy, why, size) : 0;
}

int page_kind_check(const struct page_kind *kind, char *why, size_t size)
{
    struct node_answer answer;
    struct os_policy policy;
    struct hugepages_pool pool;
    struct nodemask nodes;
    int error = 0;

    if (page_kind_policy(kind, os_current_node(), &answer, &policy)) {
        snprintf(why, size, "%s", answer.why);
        return answer.error;
    }
    snprintf(why, size, "%s", answer.why);
    if (policy.mode >= 0)
        error = try_policy(&policy, why, size);
    if (error || !kind->page_size)
        return error;
    nodes = reachable_nodes(kind, &policy);
    hugepages_read(&nodes, kind->page_size, &pool);
    if (pool.total + pool.overcommit == 0) {
        char list[64];

        nodemask_format(&nodes, list, sizeof list);
        snprintf(why, size, "no %zu MiB pages reserved on nodes %s", kind->page_size >> 20, list);
        return MEMKIND_ERROR_HUGETLB;
    }
    return 0;
}

ssize_t page_kind_capacity(const struct page_kind *kind)
{
    const struct topology *topology = topology_get();
    struct node_answer answer;
    struct os_policy policy;
    struct hugepages_pool pool;
    struct nodemask nodes;
    size_t capacity = 0;
    char why[NODE_ANSWER_WHY];

    if (page_kind_check(kind, why, sizeof why) ||
        page_kind_policy(kind, os_current_node(), &answer, &policy))
        return -1;
    nodes = reachable_nodes(kind, &policy);
    if (kind->page_size) {
        hugepages_read(&nodes, kind->page_size, &pool);
        return (ssize_t)((pool.total + pool.overcommit) * kind->page_size);
    }
    nodemask_for_each (node, &nodes)
        capacity += topology->memory[node];
    return (ssize_t)capacity;
}

unsigned page_kind_domains(const struct page_kind *kind)
{
    const struct nodemask *with_cpu;
    struct node_answer first, other;
    int lowest;

    if (!selector_is_local(kind->selector))
        return 1; /* and the machine's nodes are not asked for: most programs need no others */
    with_cpu = &topology_get()->with_cpu;
    lowest = nodemask_next(with_cpu, 0);
    if (lowest < 0)
        return 1;
    selector_answer(kind->selector, kind->given, (unsigned)lowest, &first);
    nodemask_for_each (node, with_cpu) {
        selector_answer(kind->selector, kind->given, (unsigned)node, &other);
        if (!nodemask_equal(&first.nodes, &other.nodes))
            return nodemask_count(with_cpu);
    }
    return 1;
}

const char *page_kind_policy_name(const struct page_kind *kind)
{
    static const char *const names[] = {"process", "bind", "preferred", "interleave",
                                        "weighted interleave"};

    return names[kind->policy];
}

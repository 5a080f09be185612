/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_policy: what becomes of the newer memory policies on a kernel that does not know them, by
 * the word of the kernel that runs. A seccomp filter makes it older: it refuses mbind(2) with these
 * modes, by EINVAL as kernels do or by ENOSYS as filters of containers do. Static library.
 */
#include "support.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "kinds/system/os.h"
#include "kinds/machine/page_kind.h"
#include "kinds/machine/topology.h"

#define PREFERRED_MANY 5      /* MPOL_PREFERRED_MANY, Linux 5.15 */
#define WEIGHTED_INTERLEAVE 6 /* MPOL_WEIGHTED_INTERLEAVE, Linux 6.9 */
#define MODE 2                /* mbind's argument */

TestSuite(policy, .init = test_bare, .timeout = 60);

struct seen {
    int refusal; /* errno of the modes from `least` on; 0: all are allowed */
    uint64_t least;
    int error;
    int mode;
    bool nodes; /* the policy has exactly the nodes that it should have */
};

static const int refusals[] = {0, EINVAL, ENOSYS};

static void become_old(const struct seen *seen)
{
    if (seen->refusal)
        test_refuse(SYS_mbind, seen->refusal, MODE, seen->least);
}

static bool same_nodes(const struct test_mask *mask, const struct nodemask *nodes)
{
    return memcmp(mask->bits, nodes->bits, sizeof mask->bits) == 0;
}

/* --- MPOL_PREFERRED_MANY ---------------------------------------------------------------------- */

static void prefer_all_nodes(void *argument)
{
    struct seen *seen = argument;
    struct os_policy policy = {.mode = PREFERRED_MANY};
    struct nodemask expected = {{0}};
    struct test_mask nodes;
    char *page = os_map(os_page_size(), os_page_size());

    policy.nodes = topology_get()->with_memory;
    become_old(seen);
    seen->error = page_kind_bind(page, os_page_size(), &policy);
    *page = 1;
    seen->mode = test_policy(page, &nodes);
    if (seen->mode == PREFERRED_MANY)
        expected = policy.nodes;
    else
        nodemask_add(&expected, (unsigned)nodemask_next(&policy.nodes, 0));
    seen->nodes = same_nodes(&nodes, &expected);
}

Test(policy, preferred_many_falls_back_to_the_first_node)
{
    struct seen *seen = test_shared(sizeof *seen);
    struct test_child child;

    for (size_t i = 0; i < LENGTH(refusals); i++) {
        *seen = (struct seen){.refusal = refusals[i], .least = PREFERRED_MANY};
        test_run_well(&child, prefer_all_nodes, seen, NULL);
        cr_assert_eq(seen->error, 0);
        cr_assert(seen->mode == MPOL_PREFERRED || (!refusals[i] && seen->mode == PREFERRED_MANY),
                  "errno %d: mode %d", refusals[i], seen->mode);
        cr_assert(seen->nodes, "errno %d: other nodes", refusals[i]);
    }
}

/* --- MPOL_WEIGHTED_INTERLEAVE ----------------------------------------------------------------- */

static void interleave_by_weight(void *argument)
{
    struct seen *seen = argument;
    struct nodemask all = topology_get()->with_memory;
    struct test_mask nodes;
    memkind_t kind;
    char list[4096], *block;

    nodemask_format(&all, list, sizeof list);
    become_old(seen);
    seen->error = memkind_create_nodes(list, MEMKIND_POLICY_WEIGHTED_INTERLEAVE_ALL,
                                       (memkind_bits_t)0, &kind);
    if (seen->error)
        return;
    block = memkind_malloc(kind, 100000);
    seen->error = block ? 0 : ENOMEM;
    if (!block)
        return;
    seen->mode = test_policy(block, &nodes);
    seen->nodes = same_nodes(&nodes, &all);
    memkind_free(kind, block);
    seen->error = memkind_destroy_kind(kind);
}

Test(policy, weighted_interleave_falls_back_to_equal_weights)
{
    struct seen *seen = test_shared(sizeof *seen);
    struct test_child child;

    for (size_t i = 0; i < LENGTH(refusals); i++) {
        *seen = (struct seen){.refusal = refusals[i], .least = WEIGHTED_INTERLEAVE};
        test_run_well(&child, interleave_by_weight, seen, NULL);
        cr_assert_eq(seen->error, 0, "errno %d: error %d", refusals[i], seen->error);
        cr_assert(seen->mode == MPOL_INTERLEAVE ||
                      (!refusals[i] && seen->mode == WEIGHTED_INTERLEAVE),
                  "errno %d: mode %d", refusals[i], seen->mode);
        cr_assert(seen->nodes, "errno %d: other nodes", refusals[i]);
    }
}

/* --- both at once: a container that forbids mbind --------------------------------------------- */

Test(policy, a_refusal_of_all_modes_is_an_error)
{
    struct seen *seen = test_shared(sizeof *seen);
    struct test_child child;

    for (size_t i = 1; i < LENGTH(refusals); i++) {
        *seen = (struct seen){.refusal = refusals[i], .least = 0};
        test_run_well(&child, interleave_by_weight, seen, NULL);
        cr_assert_eq(seen->error, MEMKIND_ERROR_MBIND, "errno %d: error %d", refusals[i],
                     seen->error);
    }
}

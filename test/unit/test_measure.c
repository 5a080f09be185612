/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_measure: what memkind-info --measure concludes from figures, by the library's own rule, on a
 * machine whose firmware tells none: two nodes with CPUs and a memory-only one near each.
 */
#include <criterion/criterion.h>
#include <memkind.h>
#include <string.h>

#include "../tools/measure.h"
#include "kinds/machine/hbw.h"
#include "kinds/system/callbacks.h"
#include "machine.h"

#define MACHINE "measured"

static struct measured_pair pairs[8];
static const struct measured measured = {.pairs = pairs, .count = 8};

/* Figures of the near and the far CPUs, for each node. */
static void be_measured(const unsigned bandwidth[4][2])
{
    cr_assert(machine_be(MACHINE));
    memkind_check_available(MEMKIND_DEFAULT);
    for (unsigned i = 0; i < 8; i++) {
        unsigned node = i / 2, cpu_node = i % 2;

        pairs[i] = (struct measured_pair){.cpu_node = cpu_node,
                                          .node = node,
                                          .bandwidth = bandwidth[node][node % 2 != cpu_node],
                                          .latency = 100,
                                          .size = 1 << 20};
    }
}

static void expect_nodes(const char *list)
{
    struct node_answer answer;
    struct nodemask nodes = {{0}};

    measure_conclude(&measured, &answer);
    cr_assert(nodemask_parse(list, &nodes));
    cr_expect(nodemask_equal(&answer.nodes, &nodes), "not %s: %s", list, answer.why);
    cr_expect_eq(answer.error, *list ? 0 : MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE);
    cr_expect(answer.error || answer.source == INFO_SOURCE_MEASURED);
    cr_expect_neq(*answer.why, '\0');
}

Test(measure, more_than_twice)
{
    be_measured((const unsigned[4][2]){{90000, 40000}, {90000, 40000}, {180001, 9}, {180001, 9}});
    expect_nodes("2-3");
}

Test(measure, just_twice_is_not_more)
{
    be_measured((const unsigned[4][2]){{90000, 40000}, {90000, 40000}, {180000, 9}, {180001, 9}});
    expect_nodes("3");
}

Test(measure, a_stack_of_hbm)
{
    be_measured((const unsigned[4][2]){{130000, 40000}, {140000, 40000}, {204800, 9}, {204800, 9}});
    expect_nodes("2");
}

/* Slow memory, and what far CPUs see, make nothing high. */
Test(measure, none)
{
    be_measured((const unsigned[4][2]){{90000, 40000}, {90000, 40000}, {30000, 9}, {9, 300000}});
    expect_nodes("");
}

Test(measure, nothing_follows_from_a_part)
{
    be_measured((const unsigned[4][2]){{90000, 40000}, {90000, 40000}, {300000, 0}, {300000, 9}});
    expect_nodes("");
}

/* The administrator's threshold counts, his list of nodes is not what was measured. */
Test(measure, variables)
{
    setenv("MEMKIND_HBW_NODES", "1", 1);
    setenv("MEMKIND_HBW_THRESHOLD", "95000", 1);
    be_measured((const unsigned[4][2]){{90000, 40000}, {96000, 40000}, {30000, 9}, {95000, 9}});
    expect_nodes("1,3");
}

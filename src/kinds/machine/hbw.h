/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * hbw: which nodes have high bandwidth, and how that is known.
 *
 * Detection takes steps, and the first step that has an answer decides (all_steps in hbw.c):
 *
 *   1. the administrator names nodes: MEMKIND_HBW_NODES;
 *   2. the administrator names a bandwidth: MEMKIND_HBW_THRESHOLD, and all nodes that have it;
 *   3. the CPU is one whose memory is all HBM, where no number can tell;
 *   4. numbers of the firmware: more than twice the ordinary memory beside it, or at least 204800
 *      MB/s (a stack of HBM2e) and one and a half times it;
 *   5. the CPU is one whose memory-only nodes are HBM.
 *
 * Nobody guesses: a node without CPUs may be slow just as well. A threshold that is no number is an
 * error where steps 1, 3 and 5 have no answer: then it matters. Threads: any; nothing allocates or
 * locks. selector.c asks, and facts.c keeps the answer.
 */
#pragma once

#include "kinds/machine/attributes.h"
#include "kinds/machine/cpu.h"
#include "kinds/machine/node_answer.h"
#include "kinds/machine/topology.h"

/* The caller gives a zeroed answer. */
void hbw_find(struct node_answer *answer);

/* What the steps that compare numbers say of these instead of the firmware's: for a tool that has
 * measured them. The caller gives a zeroed answer. */
void hbw_from_numbers(const struct attributes *attributes, struct node_answer *answer);

/* --- the steps, in hbw_numbers.c and hbw_identity.c --- */

struct hbw_facts {
    const struct topology *topology;
    const struct attributes *attributes;
    struct cpu_model cpu;
    uint64_t midr;
    bool threshold_set, threshold_wrong;
    unsigned long threshold;     /* MB/s */
    struct nodemask memory_only; /* nodes without CPUs that might be HBM */
    struct nodemask candidates;  /* these, and reserved memory on nodes with CPUs */
    struct nodemask never;       /* CXL and persistent memory, GPUs' */
};

/* False: it has no answer, and may have left in `answer->why` what it misses. True: these nodes,
 * or none and why. */
typedef bool hbw_step(const struct hbw_facts *facts, struct node_answer *answer);

hbw_step hbw_above_threshold, hbw_faster_than_ordinary; /* hbw_numbers.c */
hbw_step hbw_nothing_but_hbm, hbw_hbm_beside_cpu;       /* hbw_identity.c */

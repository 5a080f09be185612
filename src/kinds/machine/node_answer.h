/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * node_answer: what a question for nodes is answered with, by every module that decides on nodes.
 *
 * hbw.c and dax.c fill one in for the machine, selector.c for a kind. All of them let the
 * administrator name nodes in an environment variable, and all of them refuse with a reason in
 * words. Threads: any; nothing allocates or locks.
 */
#pragma once

#include <stdbool.h>

#include "kinds/machine/info_source.h"
#include "kinds/system/nodemask.h"

#define NODE_ANSWER_WHY 160 /* bytes of a reason in words */

/* A question's answer: nodes, or an error with its reason. */
struct node_answer {
    int error; /* 0 or MEMKIND_ERROR_* */
    struct nodemask nodes;
    enum info_source source;
    char why[NODE_ANSWER_WHY]; /* where the answer comes from, or why there is none */
};

/* Makes it an answer without nodes: an error and the reason. The source stays. */
void node_answer_refuse(struct node_answer *answer, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Answers from the environment variable `name` and returns true, if it is set. The error is
 * MEMKIND_ERROR_ENVIRON where it is no list of existing nodes, `without_memory` where none of its
 * nodes has memory for this process. */
bool node_answer_environment(struct node_answer *answer, const char *name, int without_memory);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * hbw: which nodes have high bandwidth, and how that is known.
 *
 * Detection takes steps, and the first step that has an answer decides: the administrator
 * (MEMKIND_HBW_NODES); numbers of the firmware, against MEMKIND_HBW_THRESHOLD or against the
 * ordinary memory seen from the same CPUs; the CPU's model. Nobody guesses: a node without CPUs may
 * be slow just as well. A threshold that is no number is an error, whatever the steps say.
 *
 * Threads: any; nothing allocates or locks. selector.c asks and keeps the answer.
 */
#pragma once

#include "kinds/machine/node_answer.h"

/* The caller gives a zeroed answer. */
void hbw_find(struct node_answer *answer);

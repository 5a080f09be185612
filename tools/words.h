/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * words: numbers and sets as people read them, the same in every tool.
 *
 * Results are values, so that several fit into one call of printf. Any thread.
 */
#pragma once

#include <stdint.h>

#include "kinds/system/nodemask.h"

struct text {
    char text[16384]; /* room for 1,024 nodes, each with another: "1000: 1001, " */
};

/* "17 GiB"; two digits below ten. */
struct text bytes_text(uint64_t bytes);

/* "0,2-3", "-" for none. */
struct text list_text(const struct nodemask *nodes);

/* "node 0", "nodes 0,2-3" */
struct text nodes_text(const struct nodemask *nodes);

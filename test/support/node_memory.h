/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* node_memory: memory of a NUMA node that comes online and goes, as root and where it can. */
#pragma once

#include <stdbool.h>

/* All memory of the node becomes "online_movable" or "offline". False: some of it did not, since a
 * page is busy say; the rest may have. */
bool node_memory_set(int node, const char *state);

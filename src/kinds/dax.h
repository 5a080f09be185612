/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * dax: nodes made of DAX devices (persistent memory, CXL, soft-reserved memory) in system-ram mode.
 *
 * libdaxctl knows them. It is loaded when a DAX_KMEM kind is first asked for and not before: with
 * its own dependencies it would add 1.5 ms to the start of every program. It allocates and loads
 * modules' data while it runs, so it is called with no lock held.
 */
#pragma once

#include "kinds/nodemask.h"

/* Adds the nodes of enabled system-ram devices. Returns NULL, or in words why nobody could tell. */
const char *dax_nodes(struct nodemask *nodes);

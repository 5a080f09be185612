/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * dax: nodes made of DAX devices (persistent memory, CXL, soft-reserved memory) in system-ram mode.
 *
 * libdaxctl knows them. It is loaded when a DAX_KMEM kind is first asked for and not before: with
 * its own dependencies it would add 1.5 ms to the start of every program. It allocates and loads
 * modules' data while it runs, so it is called with no lock held. Where it cannot be had, the same
 * is read from /sys/bus/dax, as libdaxctl does: devices that the driver kmem holds. What libdaxctl
 * does not tell, the sort of device, is read there, too.
 *
 * Threads: any. selector.c asks for the nodes and keeps the answer.
 */
#pragma once

#include <stdbool.h>

#include "kinds/machine/node_answer.h"
#include "kinds/system/nodemask.h"

/* The nodes of the DAX_KMEM kinds: the administrator's (MEMKIND_DAX_KMEM_NODES), libdaxctl's, or
 * those of the bus. The caller gives a zeroed answer. */
void dax_find(struct node_answer *answer);

/* libdaxctl's word (dax_library.c): adds the nodes of enabled system-ram devices. Returns NULL, or
 * in words why nobody could tell. */
const char *dax_library_nodes(struct nodemask *nodes);

enum dax_sort { DAX_UNKNOWN, DAX_PERSISTENT, DAX_CXL, DAX_RESERVED, DAX_SORTS };

/* What the bus says (dax_bus.c): nodes made of devices that are system RAM. */
struct dax_bus {
    bool exists;                        /* the kernel has such a bus */
    struct nodemask nodes;              /* all of them */
    struct nodemask of_sort[DAX_SORTS]; /* a node may be made of several sorts */
    struct dax_device {
        char name[32];
        enum dax_sort sort;
    } first[NODEMASK_NODES]; /* of a node's devices, the first by name */
};

/* A fact: facts.h. NULL: it cannot be kept. */
const struct dax_bus *dax_bus_get(void);

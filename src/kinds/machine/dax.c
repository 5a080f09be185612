/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see dax.h. This is the choice; dax_library.c and dax_bus.c know the facts.
 */
#include "kinds/machine/dax.h"

#include <memkind.h>
#include <stdio.h>

#include "kinds/machine/facts.h"
#include "kinds/machine/topology.h"
#include "kinds/system/callbacks.h"

/* libdaxctl first; it only knows the machine that runs. */
void dax_find(struct node_answer *answer)
{
    const struct dax_bus *bus;
    const char *why;
    bool some;

    if (node_answer_environment(answer, "MEMKIND_DAX_KMEM_NODES", MEMKIND_ERROR_UNAVAILABLE))
        return;
    answer->source = INFO_SOURCE_LIBDAXCTL;
    why = facts_may_allocate() ? dax_library_nodes(&answer->nodes)
                               : "libdaxctl is not asked inside an allocation";
    bus = why ? dax_bus_get() : NULL;
    if (bus && bus->exists) {
        answer->nodes = bus->nodes;
        answer->source = INFO_SOURCE_DAX_BUS;
        callbacks->log("%s: bus/dax is read instead", why);
        why = NULL;
    }
    some = !nodemask_empty(&answer->nodes);
    nodemask_and(&answer->nodes, &topology_get()->with_memory);
    if (!nodemask_empty(&answer->nodes)) {
        snprintf(answer->why, sizeof answer->why, "%s", info_source_name(answer->source));
        return;
    }
    if (why)
        node_answer_refuse(answer, MEMKIND_ERROR_UNAVAILABLE,
                           "%s, and there is no bus/dax in sysfs", why);
    else
        node_answer_refuse(
            answer, MEMKIND_ERROR_UNAVAILABLE, "%s knows no device in system-ram mode%s",
            info_source_name(answer->source), some ? " with memory for this process" : "");
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * Why: see dax.h. What sysfs tells of DAX devices: bus/dax/devices/daxR.D has a target_node and,
 * when it is system RAM, a link "driver" to kmem. Where the device stands in the tree of devices
 * says of what sort it is. Any thread; nothing allocates or locks.
 */
#include "kinds/machine/dax.h"

#include <stdio.h>
#include <string.h>

#include "kinds/machine/facts.h"
#include "kinds/system/callbacks.h"
#include "kinds/system/sysfs.h"

#define DEVICES "bus/dax/devices"
#define PATH_SIZE 512

/* Node of a device that is system RAM; -1: it is none. */
static int node_of(const char *name)
{
    static const char driver[] = "/kmem";
    char target[PATH_SIZE];
    struct nodemask node;
    size_t length;

    if (!sysfs_link(target, sizeof target, DEVICES "/%s/driver", name))
        return -1;
    length = strlen(target);
    if (length < sizeof driver || strcmp(target + length - (sizeof driver - 1), driver) != 0)
        return -1;
    /* "-1" and garbage are no node. */
    if (!sysfs_list(&node, DEVICES "/%s/target_node", name) || nodemask_count(&node) != 1)
        return -1;
    return nodemask_next(&node, 0);
}

static enum dax_sort sort_of(const char *name)
{
    char target[PATH_SIZE];

    if (!sysfs_link(target, sizeof target, DEVICES "/%s", name))
        return DAX_UNKNOWN;
    if (strstr(target, "/ndbus"))
        return DAX_PERSISTENT;
    if (strstr(target, "/ACPI0017:") || strstr(target, "/cxl"))
        return DAX_CXL;
    return strstr(target, "/hmem") ? DAX_RESERVED : DAX_UNKNOWN;
}

static void add_device(void *context, const char *name)
{
    struct dax_bus *bus = context;
    struct dax_device *first;
    enum dax_sort sort;
    int node = node_of(name);

    if (node < 0 || strlen(name) >= sizeof first->name)
        return;
    sort = sort_of(name);
    nodemask_add(&bus->nodes, (unsigned)node);
    nodemask_add(&bus->of_sort[sort], (unsigned)node);
    first = &bus->first[node];
    if (first->name[0] && strcmp(name, first->name) > 0)
        return;
    snprintf(first->name, sizeof first->name, "%s", name);
    first->sort = sort;
}

static void find(void *value)
{
    struct dax_bus *bus = value;

    bus->exists = sysfs_names(add_device, bus, DEVICES);
}

static void tell(const void *value)
{
    const struct dax_bus *bus = value;

    nodemask_for_each (node, &bus->nodes)
        callbacks->log("DAX device %s is system RAM on node %d", bus->first[node].name, node);
}

const struct fact_rule dax_bus_rule = {sizeof(struct dax_bus), find, tell, NULL};

const struct dax_bus *dax_bus_get(void)
{
    return facts_get(FACT_DAX_BUS);
}

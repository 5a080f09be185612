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

static void add_node(void *context, const char *name)
{
    int node = node_of(name);

    if (node < 0)
        return;
    callbacks->log("DAX device %s is system RAM on node %d", name, node);
    nodemask_add(context, (unsigned)node);
}

bool dax_bus_nodes(struct nodemask *nodes)
{
    return sysfs_names(add_node, nodes, DEVICES);
}

struct search {
    int node;
    struct dax_device *device;
};

static void look(void *context, const char *name)
{
    const struct search *search = context;
    struct dax_device *device = search->device;

    if (strlen(name) >= sizeof device->name || node_of(name) != search->node)
        return;
    if (!device->name[0] || strcmp(name, device->name) < 0)
        snprintf(device->name, sizeof device->name, "%s", name);
}

bool dax_bus_device(unsigned node, struct dax_device *device)
{
    struct search search = {(int)node, device};

    memset(device, 0, sizeof *device);
    sysfs_names(look, &search, DEVICES);
    if (!device->name[0])
        return false;
    device->sort = sort_of(device->name);
    return true;
}

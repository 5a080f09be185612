/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * Why: see dax.h. What libdaxctl tells of DAX devices. The declarations come from
 * <daxctl/libdaxctl.h>; each function is looked up by name, so a library that lacks one is a reason
 * in words and not a failed start.
 */
#include "kinds/machine/dax.h"

#include <daxctl/libdaxctl.h>
#include <dlfcn.h>

#include "kinds/system/callbacks.h"

/* The loop over regions and devices, as libdaxctl's own foreach macros do it. */
struct daxctl {
    __typeof__(daxctl_new) *new_context;
    __typeof__(daxctl_unref) *unref;
    __typeof__(daxctl_region_get_first) *first_region;
    __typeof__(daxctl_region_get_next) *next_region;
    __typeof__(daxctl_dev_get_first) *first_device;
    __typeof__(daxctl_dev_get_next) *next_device;
    __typeof__(daxctl_dev_get_memory) *memory;
    __typeof__(daxctl_dev_get_target_node) *target_node;
    __typeof__(daxctl_dev_get_devname) *name;
    __typeof__(daxctl_dev_is_enabled) *enabled;
};

static bool resolve(void *library, struct daxctl *daxctl)
{
    const struct {
        const char *name;
        void *slot;
    } symbols[] = {
        {"daxctl_new", &daxctl->new_context},
        {"daxctl_unref", &daxctl->unref},
        {"daxctl_region_get_first", &daxctl->first_region},
        {"daxctl_region_get_next", &daxctl->next_region},
        {"daxctl_dev_get_first", &daxctl->first_device},
        {"daxctl_dev_get_next", &daxctl->next_device},
        {"daxctl_dev_get_memory", &daxctl->memory},
        {"daxctl_dev_get_target_node", &daxctl->target_node},
        {"daxctl_dev_get_devname", &daxctl->name},
        {"daxctl_dev_is_enabled", &daxctl->enabled},
    };

    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        void *address = dlsym(library, symbols[i].name);

        if (!address)
            return false;
        *(void **)symbols[i].slot = address;
    }
    return true;
}

static void collect(const struct daxctl *daxctl, struct daxctl_ctx *context, struct nodemask *nodes)
{
    struct daxctl_region *region;
    struct daxctl_dev *device;

    for (region = daxctl->first_region(context); region; region = daxctl->next_region(region)) {
        for (device = daxctl->first_device(region); device; device = daxctl->next_device(device)) {
            int node = daxctl->target_node(device);

            /* In system-ram mode a device has a memory object; in devdax mode it has none. */
            if (!daxctl->memory(device) || !daxctl->enabled(device) || node < 0 ||
                node >= NODEMASK_NODES)
                continue;
            callbacks->log("DAX device %s is system RAM on node %d", daxctl->name(device), node);
            nodemask_add(nodes, (unsigned)node);
        }
    }
}

const char *dax_library_nodes(struct nodemask *nodes)
{
    struct daxctl daxctl;
    struct daxctl_ctx *context;
    void *library = dlopen("libdaxctl.so.1", RTLD_NOW | RTLD_LOCAL);

    if (!library)
        return "libdaxctl.so.1 cannot be loaded";
    if (!resolve(library, &daxctl)) {
        dlclose(library);
        return "libdaxctl.so.1 lacks a function";
    }
    if (daxctl.new_context(&context)) {
        dlclose(library);
        return "libdaxctl cannot make a context";
    }
    collect(&daxctl, context, nodes);
    daxctl.unref(context);
    dlclose(library);
    return NULL;
}

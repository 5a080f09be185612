/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see machine.h. */
#include "machine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kinds/machine/dax.h"
#include "kinds/system/sysfs.h"
#include "kinds/machine/topology.h"

struct machine machine = {.refused_mode = -1};
_Thread_local int machine_node = -1;
_Thread_local struct os_policy machine_bound;

/* The linker's names for the functions below and for those they replace. */
/* NOLINTBEGIN(bugprone-reserved-identifier) */
unsigned __wrap_os_current_node(void);
int __wrap_os_allowed_nodes(struct nodemask *nodes);
int __wrap_os_bind(void *address, size_t size, const struct os_policy *policy);
void __wrap_cpu_identify(struct cpu_model *cpu);
const char *__wrap_dax_library_nodes(struct nodemask *nodes);
ssize_t __wrap_os_read_file(const char *path, char *text, size_t size);
ssize_t __real_os_read_file(const char *path, char *text, size_t size);
typedef void visit_name(void *context, const char *name);
int __wrap_os_read_folder(const char *path, visit_name *visit, void *context);
int __real_os_read_folder(const char *path, visit_name *visit, void *context);

unsigned __wrap_os_current_node(void)
{
    int node = machine_node < 0 ? nodemask_next(&topology_get()->with_cpu, 0) : machine_node;

    return node < 0 ? 0 : (unsigned)node;
}

int __wrap_os_allowed_nodes(struct nodemask *nodes)
{
    memset(nodes, *machine.allowed ? 0 : 0xff, sizeof *nodes);
    return *machine.allowed && !nodemask_parse(machine.allowed, nodes) ? EINVAL : 0;
}

int __wrap_os_bind(void *address, size_t size, const struct os_policy *policy)
{
    (void)address, (void)size;
    if (machine.refusal && (machine.refused_mode < 0 || machine.refused_mode == policy->mode))
        return machine.refusal;
    machine_bound = *policy;
    return 0;
}

void __wrap_cpu_identify(struct cpu_model *cpu)
{
    *cpu = machine.cpu;
}

/* libdaxctl only knows the running machine. */
const char *__wrap_dax_library_nodes(struct nodemask *nodes)
{
    (void)nodes;
    return "libdaxctl is not asked";
}

ssize_t __wrap_os_read_file(const char *path, char *text, size_t size)
{
    machine.opened++;
    return __real_os_read_file(path, text, size);
}

int __wrap_os_read_folder(const char *path, visit_name *visit, void *context)
{
    machine.opened++;
    return __real_os_read_folder(path, visit, context);
}
/* NOLINTEND(bugprone-reserved-identifier) */

const char *machine_variable(const char *name)
{
    for (size_t i = 0; i < machine.variable_count; i++)
        if (strcmp(machine.variables[i].name, name) == 0)
            return machine.variables[i].value;
    return NULL;
}

static bool set(const char *name, const char *value)
{
    struct variable *variable = &machine.variables[machine.variable_count++];

    snprintf(variable->name, sizeof variable->name, "%s", name);
    snprintf(variable->value, sizeof variable->value, "%s", value);
    return machine.variable_count < sizeof machine.variables / sizeof machine.variables[0];
}

bool machine_be(const char *name)
{
    char path[320], line[256], first[64], second[64];
    bool well = true;
    FILE *settings;

    snprintf(path, sizeof path, "%s/%s/settings", MEMKIND_TEST_MACHINES, name);
    settings = fopen(path, "re");
    while (settings && fgets(line, sizeof line, settings)) {
        if (sscanf(line, "cpu %12s %u %u", machine.cpu.vendor, &machine.cpu.family,
                   &machine.cpu.model) == 3 ||
            sscanf(line, "brand %48[^\n]", machine.cpu.brand) == 1 ||
            sscanf(line, "allowed %63s", machine.allowed) == 1)
            continue;
        well = well && sscanf(line, "set %63s %63s", first, second) == 2 && set(first, second);
    }
    if (!settings || fclose(settings))
        return false;
    snprintf(machine.tree, sizeof machine.tree, "%s/%s/sys", MEMKIND_TEST_MACHINES, name);
    sysfs_root = machine.tree;
    return well;
}

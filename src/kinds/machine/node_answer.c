/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see node_answer.h. */
#include "kinds/machine/node_answer.h"

#include <memkind.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kinds/machine/topology.h"
#include "kinds/system/callbacks.h"

void node_answer_refuse(struct node_answer *answer, int error, const char *format, ...)
{
    va_list arguments;

    memset(&answer->nodes, 0, sizeof answer->nodes);
    answer->error = error;
    va_start(arguments, format);
    vsnprintf(answer->why, sizeof answer->why, format, arguments);
    va_end(arguments);
}

bool node_answer_environment(struct node_answer *answer, const char *name, int without_memory)
{
    const struct topology *topology = topology_get();
    const char *value = callbacks->environment(name);
    struct nodemask usable;
    char accepted[160], nodes[96];

    if (!value)
        return false;
    answer->source = INFO_SOURCE_ENVIRONMENT;
    if (!nodemask_parse_user(value, &topology->online, &topology->allowed, &answer->nodes)) {
        nodemask_format(&topology->online, nodes, sizeof nodes);
        snprintf(accepted, sizeof accepted,
                 "a list of existing nodes as numactl takes it, of these: %s", nodes);
        callbacks->reject(name, accepted);
        node_answer_refuse(answer, MEMKIND_ERROR_ENVIRON, "%s is not a list of existing nodes",
                           name);
        return true;
    }
    usable = answer->nodes;
    nodemask_and(&usable, &topology->with_memory);
    if (nodemask_empty(&usable)) {
        node_answer_refuse(answer, without_memory,
                           "none of the nodes in %s has memory for this process", name);
        return true;
    }
    answer->nodes = usable;
    snprintf(answer->why, sizeof answer->why, "%s", name);
    return true;
}

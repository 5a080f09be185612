/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see tiers.h. */
#include "kinds/machine/tiers.h"

#include <stdlib.h>
#include <string.h>

#include "kinds/system/sysfs.h"

#define TIERS "devices/virtual/memory_tiering"

struct search {
    unsigned node;
    int tier;
};

static void look(void *context, const char *name)
{
    static const char prefix[] = "memory_tier";
    struct search *search = context;
    struct nodemask nodes;
    char *end;
    long tier;

    if (strncmp(name, prefix, sizeof prefix - 1) != 0)
        return;
    tier = strtol(name + sizeof prefix - 1, &end, 10);
    if (end != name + sizeof prefix - 1 && *end == '\0' && tier >= 0 && tier <= 10000 &&
        sysfs_list(&nodes, TIERS "/%s/nodelist", name) && nodemask_has(&nodes, search->node))
        search->tier = (int)tier;
}

int tiers_of(unsigned node)
{
    struct search search = {.node = node, .tier = -1};

    sysfs_names(look, &search, TIERS);
    return search.tier;
}

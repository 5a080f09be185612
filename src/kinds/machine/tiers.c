/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see tiers.h. */
#include "kinds/machine/tiers.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kinds/machine/facts.h"
#include "kinds/system/nodemask.h"
#include "kinds/system/sysfs.h"

#define TIERS "devices/virtual/memory_tiering"

struct tiers {
    int16_t of[NODEMASK_NODES]; /* plus 1; 0: unknown */
};

static void add_tier(void *context, const char *name)
{
    static const char prefix[] = "memory_tier";
    struct tiers *tiers = context;
    struct nodemask nodes;
    char *end;
    long tier;

    if (strncmp(name, prefix, sizeof prefix - 1) != 0)
        return;
    tier = strtol(name + sizeof prefix - 1, &end, 10);
    if (end == name + sizeof prefix - 1 || *end != '\0' || tier < 0 || tier > 10000 ||
        !sysfs_list(&nodes, TIERS "/%s/nodelist", name))
        return;
    nodemask_for_each (node, &nodes)
        tiers->of[node] = (int16_t)(tier + 1);
}

static void find(void *value)
{
    sysfs_names(add_tier, value, TIERS);
}

static void tell(const void *value)
{
    (void)value; /* nothing is decided by it */
}

const struct fact_rule tiers_rule = {sizeof(struct tiers), find, tell, NULL};

int tiers_of(unsigned node)
{
    const struct tiers *tiers = facts_get(FACT_TIERS);

    return tiers ? tiers->of[node] - 1 : -1;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see arguments.h. */
#include "arguments.h"

#include <string.h>
#include <strings.h>

#include "kinds/machine/page_kind.h"

int argument_kind(const char *name)
{
    static const char prefix[] = "MEMKIND_";
    size_t skipped = strncasecmp(name, prefix, strlen(prefix)) == 0 ? strlen(prefix) : 0;

    for (int kind = 0; kind < MEMKIND_NUM_BASE_KIND; kind++)
        if (strcasecmp(page_kind_static[kind].name + strlen(prefix), name + skipped) == 0)
            return kind;
    return -1;
}

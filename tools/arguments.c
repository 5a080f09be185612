/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see arguments.h. */
#include "arguments.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
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

size_t argument_size(const char *text)
{
    static const char units[] = "KMGT";
    unsigned long long number;
    unsigned shift = 0;
    const char *unit;
    char *end;

    errno = 0;
    number = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || errno)
        return 0;
    unit = *end ? strchr(units, *end & ~0x20) : NULL;
    if (unit) {
        shift = 10 * (unsigned)(unit - units + 1);
        end += strcasecmp(end + 1, "iB") == 0 ? 3 : 1;
    }
    if (*end || number > (unsigned long long)PTRDIFF_MAX >> shift)
        return 0;
    return (size_t)number << shift;
}

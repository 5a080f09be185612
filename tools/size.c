/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see size.h. */
#include "size.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

/* How often the unit multiplies by 1024. -1: there is no such unit. */
static int power_of(const char *unit)
{
    static const char units[] = "kKmMgGtT";

    if (!*unit)
        return 0;
    for (int i = 0; units[i]; i++)
        if (*unit == units[i])
            return !unit[1] || strcasecmp(unit + 1, "iB") == 0 ? i / 2 + 1 : -1;
    return -1;
}

size_t size_parse(const char *text)
{
    unsigned long long number;
    char *end;
    int power;

    errno = 0;
    number = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || errno)
        return 0;
    power = power_of(end);
    if (power < 0 || number > (unsigned long long)PTRDIFF_MAX >> (10 * power))
        return 0;
    return (size_t)number << (10 * power);
}

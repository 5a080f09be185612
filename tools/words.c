/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see words.h. */
#include "words.h"

#include <stdio.h>

struct text bytes_text(uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = (double)bytes;
    struct text made;
    size_t unit = 0;

    for (; value >= 1024 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        value /= 1024;
    snprintf(made.text, sizeof made.text, "%.*f %s", value < 10 && value > (int)value, value,
             units[unit]);
    return made;
}

struct text list_text(const struct nodemask *nodes)
{
    struct text made;

    nodemask_format(nodes, made.text, sizeof made.text);
    return made;
}

struct text nodes_text(const struct nodemask *nodes)
{
    struct text made;

    snprintf(made.text, sizeof made.text, "node%s %.240s", nodemask_count(nodes) == 1 ? "" : "s",
             list_text(nodes).text);
    return made;
}

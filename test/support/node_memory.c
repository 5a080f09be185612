/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why: see node_memory.h. */
#include "node_memory.h"

#include <glob.h>
#include <stdio.h>

#define TRIES 10 /* a page may be busy for a moment */

static bool put(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    bool well = file && fputs(text, file) >= 0;

    return file && fclose(file) == 0 && well;
}

bool node_memory_set(int node, const char *state)
{
    char pattern[96];
    glob_t blocks;
    bool well;

    snprintf(pattern, sizeof pattern, "/sys/devices/system/node/node%d/memory*/state", node);
    well = glob(pattern, 0, NULL, &blocks) == 0;
    for (size_t i = 0; well && i < blocks.gl_pathc; i++)
        for (int tries = 0; !put(blocks.gl_pathv[i], state) && well; tries++)
            well = tries < TRIES;
    globfree(&blocks);
    return well;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see hugepages.h. */
#include "kinds/hugepages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kinds/os.h"

static size_t read_count(const char *directory, size_t page_size, const char *file)
{
    char path[160], text[64];

    snprintf(path, sizeof path, "%s/hugepages-%zukB/%s", directory, page_size >> 10, file);
    return os_read_file(path, text, sizeof text) > 0 ? strtoull(text, NULL, 10) : 0;
}

void hugepages_read(const struct nodemask *nodes, size_t page_size, struct hugepages_pool *pool)
{
    memset(pool, 0, sizeof *pool);
    nodemask_for_each (node, nodes) {
        char directory[80];

        snprintf(directory, sizeof directory, "/sys/devices/system/node/node%d/hugepages", node);
        pool->total += read_count(directory, page_size, "nr_hugepages") -
                       read_count(directory, page_size, "surplus_hugepages");
        pool->free += read_count(directory, page_size, "free_hugepages");
    }
    pool->overcommit = read_count("/sys/kernel/mm/hugepages", page_size, "nr_overcommit_hugepages");
}

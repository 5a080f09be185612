/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see hugepages.h. */
#include "kinds/machine/hugepages.h"

#include <stdio.h>
#include <string.h>

#include "kinds/system/sysfs.h"

static size_t read_count(const char *directory, size_t page_size, const char *file)
{
    return sysfs_number("%s/hugepages-%zukB/%s", directory, page_size >> 10, file);
}

void hugepages_read(const struct nodemask *nodes, size_t page_size, struct hugepages_pool *pool)
{
    memset(pool, 0, sizeof *pool);
    nodemask_for_each (node, nodes) {
        char directory[80];

        snprintf(directory, sizeof directory, SYSFS_NODES "/node%d/hugepages", node);
        pool->total += read_count(directory, page_size, "nr_hugepages") -
                       read_count(directory, page_size, "surplus_hugepages");
        pool->free += read_count(directory, page_size, "free_hugepages");
    }
    pool->overcommit = read_count("kernel/mm/hugepages", page_size, "nr_overcommit_hugepages");
}

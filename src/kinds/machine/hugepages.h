/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * hugepages: how many huge pages of a size the administrator reserved on a set of nodes.
 *
 * Read afresh at every question from /sys/devices/system/node/nodeN/hugepages (the kernel's
 * Documentation/admin-guide/mm/hugetlbpage.rst): the pools change while programs run. Any thread.
 */
#pragma once

#include <stddef.h>

#include "kinds/system/nodemask.h"

struct hugepages_pool {
    size_t total;      /* pages in the pool, without those of overcommit */
    size_t free;       /* of these, not in use */
    size_t overcommit; /* pages the kernel may add on demand (nr_overcommit_hugepages), whole
                          machine */
};

void hugepages_read(const struct nodemask *nodes, size_t page_size, struct hugepages_pool *pool);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * node_list: what memkind-hbw-nodes and memkind-auto-dax-kmem-nodes have in common.
 *
 * Scripts put their output behind numactl's --membind. Options, streams and exit statuses are those
 * of libmemkind 1.14.0, also where they are odd: a wrong option is reported on the standard output,
 * and where there are no nodes only the exit status says so. One thread.
 */
#pragma once

#include "kinds/machine/selector.h"

struct node_list {
    const char *name; /* of the tool */
    const char *help;
    enum node_selector selector;
    int help_status; /* exit statuses */
    int none_status;
};

/* What main() does. */
int node_list_main(const struct node_list *tool, int argc, char *argv[]);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* memkind-auto-dax-kmem-nodes: nodes of DAX devices, for scripts. Why and how: see node_list.h. */
#include "node_list.h"

int main(int argc, char *argv[])
{
    static const struct node_list tool = {
        .name = "memkind-auto-dax-kmem-nodes",
        .help =
            "usage: memkind-auto-dax-kmem-nodes [-h | --help]\n"
            "\n"
            "Prints the numbers of the nodes made of DAX devices, with commas between them, as\n"
            "numactl --membind takes them. memkind-info says why there are none.\n"
            "\n"
            "Exit status: 0 the nodes are printed, 2 wrong option, 3 there are none. 1 is the\n"
            "answer of a library that cannot look for them; this one always can.\n",
        .selector = SELECT_DAX_ALL,
        .help_status = 0,
        .none_status = 3,
    };

    return node_list_main(&tool, argc, argv);
}

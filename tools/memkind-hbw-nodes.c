/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* memkind-hbw-nodes: the high-bandwidth nodes, for scripts. Why and how: see node_list.h. */
#include "node_list.h"

int main(int argc, char *argv[])
{
    static const struct node_list tool = {
        .name = "memkind-hbw-nodes",
        .help = "usage: memkind-hbw-nodes [-h | --help]\n"
                "\n"
                "Prints the numbers of the high-bandwidth nodes, with commas between them, as\n"
                "numactl --membind takes them. memkind-info says why there are none.\n"
                "\n"
                "Exit status: 0 the nodes are printed, 1 there are none, 2 wrong option or help.\n",
        .selector = SELECT_HBW_ALL,
        .help_status = 2,
        .none_status = 1,
    };

    return node_list_main(&tool, argc, argv);
}

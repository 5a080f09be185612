/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see node_list.h. */
#include "node_list.h"

#include <memkind.h>
#include <stdio.h>
#include <string.h>

#define MISUSED 2

/* Each node by its number, without ranges. */
static void print(const struct nodemask *nodes)
{
    const char *separator = "";

    nodemask_for_each (node, nodes) {
        printf("%s%d", separator, node);
        separator = ",";
    }
    putchar('\n');
}

int node_list_main(const struct node_list *tool, int argc, char *argv[])
{
    struct node_answer answer;

    if (argc == 2 && (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)) {
        fputs(tool->help, stdout);
        return tool->help_status;
    }
    if (argc > 1) {
        printf("%s: %s is no option here; see %s --help\n", tool->name, argv[1], tool->name);
        return MISUSED;
    }
    (void)memkind_check_available(MEMKIND_DEFAULT); /* the library's first use: see report.h */
    selector_answer(tool->selector, NULL, 0, &answer);
    if (answer.error)
        return tool->none_status;
    print(&answer.nodes);
    return fflush(stdout) ? tool->none_status : 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * nodes_kind: a kind on NUMA nodes of one's own choice.
 *
 *     nodes_kind [NODES]    a list as numactl takes it: 0, 0,2-3, !1; node 0 if not given
 *
 * The kernel then says on which nodes the pages of a block really are.
 */
#include <memkind.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "placement.h"

#define SIZE ((size_t)1 << 20)

int main(int argc, char **argv)
{
    const char *nodes = argc > 1 ? argv[1] : "0";
    struct placement placement = {0};
    memkind_t kind;
    void *block;
    int error;

    error = memkind_create_nodes(nodes, MEMKIND_POLICY_BIND_ALL, (memkind_bits_t)0, &kind);
    if (error)
        return explain("memkind_create_nodes", error);
    block = memkind_malloc(kind, SIZE);
    if (!block) {
        perror("memkind_malloc");
        return EXIT_FAILURE;
    }
    memset(block, 1, SIZE); /* the kernel finds a page when it is first written */

    printf("a block of %zu KiB, bound to nodes %s:\n", SIZE >> 10, nodes);
    placement_add(&placement, block, SIZE);
    error = placement_ask(&placement);
    if (error)
        printf("the kernel does not say where it is: %s\n", strerror(error));
    else
        placement_print(&placement, stdout);
    placement_release(&placement);

    memkind_free(kind, block);
    error = memkind_destroy_kind(kind);
    return error ? explain("memkind_destroy_kind", error) : EXIT_SUCCESS;
}

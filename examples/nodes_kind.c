/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * nodes_kind: a kind on NUMA nodes of one's own choice.
 *
 *     nodes_kind [NODES]    a list as numactl takes it: 0, 0,2-3, !1; node 0 if not given
 *
 * The kernel then says on which nodes the pages of a block really are.
 */
#define _GNU_SOURCE /* syscall */
#include <memkind.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "explain.h"

#define SIZE ((size_t)1 << 20)
#define PAGES_MOST 256 /* pages are of 4 KiB or more */
#define NODES_MOST 1024

/* move_pages(2) without target nodes moves nothing: it says where the pages are. */
static void print_nodes(char *block)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), count = SIZE / page, on[NODES_MOST] = {0};
    int node[PAGES_MOST];
    void *pages[PAGES_MOST];

    for (size_t i = 0; i < count; i++)
        pages[i] = block + i * page;
    if (syscall(SYS_move_pages, 0, count, pages, NULL, node, 0)) {
        printf("the kernel does not say where it is: %s\n", strerror(errno));
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (node[i] >= 0 && node[i] < NODES_MOST)
            on[node[i]]++;
    for (int i = 0; i < NODES_MOST; i++)
        if (on[i])
            printf("node %d: %zu pages\n", i, on[i]);
}

int main(int argc, char **argv)
{
    const char *nodes = argc > 1 ? argv[1] : "0";
    memkind_t kind;
    void *block;
    int error;

    error = memkind_create_nodes(nodes, MEMKIND_POLICY_BIND_ALL, (memkind_bits_t)0, &kind);
    if (error)
        return explain("memkind_create_nodes", error);
    error = memkind_posix_memalign(kind, &block, SIZE, SIZE);
    if (error) {
        fprintf(stderr, "memkind_posix_memalign: %s\n", strerror(error));
        return EXIT_FAILURE;
    }
    memset(block, 1, SIZE); /* the kernel finds a page when it is first written */
    printf("a block of %zu KiB, bound to nodes %s:\n", SIZE >> 10, nodes);
    print_nodes(block);

    memkind_free(kind, block);
    error = memkind_destroy_kind(kind);
    return error ? explain("memkind_destroy_kind", error) : EXIT_SUCCESS;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * fixed: a kind inside memory that the program has already, here a static array.
 *
 * The library cuts it into blocks and touches nothing outside it. The array could as well be a
 * mapping of a device, shared memory, or memory that is locked or placed in a way of one's own.
 */
#include <memkind.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"

#define BLOCK_SIZE ((size_t)64 << 10)

static char area[64 << 20];

/* A block is a link of a list, and the list is as long as the area allows. */
struct block {
    struct block *next;
    char rest[BLOCK_SIZE - sizeof(struct block *)];
};

int main(void)
{
    struct block *list = NULL, *block;
    size_t count = 0, outside = 0;
    memkind_t kind;
    int error;

    error = memkind_create_fixed(area, sizeof area, &kind);
    if (error)
        return explain("memkind_create_fixed", error);
    while ((block = memkind_malloc(kind, sizeof *block))) {
        memset(block->rest, 1, sizeof block->rest);
        block->next = list;
        list = block;
        count++;
        outside += (char *)block < area || (char *)(block + 1) > area + sizeof area;
    }
    printf("%zu blocks of %zu KiB in %zu MiB (%zu %%), then: %s\n", count, BLOCK_SIZE >> 10,
           sizeof area >> 20, 100 * count * BLOCK_SIZE / sizeof area, strerror(errno));
    printf("outside the area: %zu\n", outside);

    error = memkind_destroy_kind(kind); /* with all blocks: the area is the program's again */
    return error ? explain("memkind_destroy_kind", error) : EXIT_SUCCESS;
}

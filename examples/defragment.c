/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * defragment: makes a heap smaller whose pages are nearly empty.
 *
 * Of many blocks, only every tenth stays. The others leave holes, and no page is free as a whole.
 * memkind_defrag_reallocate() moves a block to a fuller page where that helps to empty its own. The
 * program then has to use the new address. The heap manager TBB moves none.
 */
#include <memkind.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"

#define BLOCKS 100000
#define BLOCK_SIZE 100
#define KEPT 10 /* one in so many */

static void *blocks[BLOCKS];

/* KiB of pages that hold at least one block. */
static size_t pages_in_use(memkind_t kind)
{
    size_t bytes = 0;

    memkind_update_cached_stats();
    memkind_get_stat(kind, MEMKIND_STAT_TYPE_ACTIVE, &bytes);
    return bytes >> 10;
}

static int allocate(memkind_t kind)
{
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = memkind_malloc(kind, BLOCK_SIZE);
        if (!blocks[i]) {
            perror("memkind_malloc");
            return EXIT_FAILURE;
        }
        memset(blocks[i], i % 100, BLOCK_SIZE);
    }
    for (int i = 0; i < BLOCKS; i++)
        if (i % KEPT)
            memkind_free(kind, blocks[i]);
    return EXIT_SUCCESS;
}

/* Returns how many blocks were moved. */
static size_t move(memkind_t kind)
{
    size_t moved = 0;

    for (int i = 0; i < BLOCKS; i += KEPT) {
        void *there = memkind_defrag_reallocate(kind, blocks[i]);

        if (there) { /* else the block is where it was */
            blocks[i] = there;
            moved++;
        }
    }
    return moved;
}

/* How many blocks have their content. */
static size_t intact(void)
{
    size_t count = 0;

    for (int i = 0; i < BLOCKS; i += KEPT)
        count +=
            ((char *)blocks[i])[0] == i % 100 && ((char *)blocks[i])[BLOCK_SIZE - 1] == i % 100;
    return count;
}

int main(void)
{
    size_t before, after, moved;
    memkind_t kind;
    int error;

    error = memkind_create_nodes("all", MEMKIND_POLICY_PREFERRED_LOCAL, (memkind_bits_t)0, &kind);
    if (error)
        return explain("memkind_create_nodes", error);
    if (allocate(kind))
        return EXIT_FAILURE;
    before = pages_in_use(kind);
    moved = move(kind);
    after = pages_in_use(kind);
    printf("%d blocks left of %d: %s moved\n", BLOCKS / KEPT, BLOCKS, moved ? "most" : "none");
    printf("pages in use, before and after: %zu KiB, %zu KiB, less than half: %s\n", before, after,
           2 * after < before ? "yes" : "no");
    printf("with the right content: %zu\n", intact());
    error = memkind_destroy_kind(kind);
    return error ? explain("memkind_destroy_kind", error) : EXIT_SUCCESS;
}

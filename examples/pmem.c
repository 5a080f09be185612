/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * pmem: a kind whose memory is a file, up to a limit.
 *
 *     pmem [DIRECTORY]    where the file is made; /tmp if not given
 *
 * On a file system that is mounted with DAX, the blocks are on the device itself. Elsewhere they
 * are in the page cache, and the kernel can write them out: heap memory that is not the machine's.
 */
#include <memkind.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"

#define MIB ((size_t)1 << 20)
#define LIMIT (64 * MIB)

/* Blocks of 1 MiB, until there are no more. */
static size_t fill(memkind_t kind, void **blocks, size_t most)
{
    size_t count = 0;

    while (count < most && (blocks[count] = memkind_malloc(kind, MIB)))
        memset(blocks[count++], 1, MIB);
    return count;
}

int main(int argc, char **argv)
{
    const char *directory = argc > 1 ? argv[1] : "/tmp";
    void *blocks[LIMIT / MIB + 1];
    size_t count;
    memkind_t kind;
    int error;

    printf("DAX: %s\n", memkind_check_dax_path(directory) ? "no" : "yes");
    error = memkind_create_pmem(directory, LIMIT, &kind);
    if (error)
        return explain("memkind_create_pmem", error);

    count = fill(kind, blocks, sizeof blocks / sizeof blocks[0]);
    printf("%zu blocks of 1 MiB in a file of at most %zu MiB, then: %s\n", count, LIMIT / MIB,
           strerror(errno));
    for (size_t i = 0; i < count; i++)
        memkind_free(kind, blocks[i]);
    printf("freed, and allocated again: %zu of %zu\n", fill(kind, blocks, count), count);

    error = memkind_destroy_kind(kind); /* with all blocks, and the file */
    return error ? explain("memkind_destroy_kind", error) : EXIT_SUCCESS;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * statistics: how much of a kind is in use.
 *
 * Threads count for themselves, and memkind_update_cached_stats() adds up: a program calls it now
 * and then, and reads figures from it. The report of memkind_stats_print() is for people, or for
 * programs as JSON.
 */
#include <memkind.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"

#define BLOCKS 1000
#define BLOCK_SIZE 1024

/* The figure in KiB, or -1. */
static long figure(memkind_t kind, memkind_stat_type type)
{
    size_t bytes;

    return memkind_get_stat(kind, type, &bytes) ? -1 : (long)(bytes >> 10);
}

static void print(memkind_t kind, const char *when)
{
    memkind_update_cached_stats();
    printf("%s: %ld KiB in blocks, %ld KiB in pages with blocks, at most %ld KiB in memory\n", when,
           figure(kind, MEMKIND_STAT_TYPE_ALLOCATED), figure(kind, MEMKIND_STAT_TYPE_ACTIVE),
           figure(kind, MEMKIND_STAT_TYPE_RESIDENT));
}

static void measure(void *length, const char *text)
{
    *(size_t *)length += strlen(text);
}

int main(void)
{
    void *blocks[BLOCKS];
    size_t length = 0;
    memkind_t kind;
    int error;

    error = memkind_create_nodes("all", MEMKIND_POLICY_PREFERRED_LOCAL, (memkind_bits_t)0, &kind);
    if (error)
        return explain("memkind_create_nodes", error);
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = memkind_malloc(kind, BLOCK_SIZE);
        if (!blocks[i]) {
            perror("memkind_malloc");
            return EXIT_FAILURE;
        }
        memset(blocks[i], 1, BLOCK_SIZE);
    }
    print(kind, "allocated");
    for (int i = 0; i < BLOCKS; i++)
        memkind_free(kind, blocks[i]);
    print(kind, "freed");

    error = memkind_stats_print(measure, &length, MEMKIND_STAT_PRINT_JSON_FORMAT);
    if (error)
        return explain("memkind_stats_print", error);
    printf("the report of all kinds, as JSON: %zu bytes\n", length);
    error = memkind_destroy_kind(kind);
    return error ? explain("memkind_destroy_kind", error) : EXIT_SUCCESS;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * placement: where blocks of memory really are.
 *
 * The answer is the kernel's and not the library's, so that it can serve as a proof: move_pages(2)
 * names the node of each page, /proc/self/smaps the page size of each mapping. The notes about the
 * blocks come from malloc(3), so that taking them does not change what they are about.
 *
 * One thread at a time may work on a struct placement.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A page that holds at least a part of a block. */
struct placement_page {
    uintptr_t address; /* of its first byte */
    size_t size;       /* in bytes; 0: not mapped */
    int node;          /* or a negative errno: -ENOENT for a page that is not in memory */
};

/* Starts as {0}. */
struct placement {
    struct placement_page *pages; /* after placement_ask(): by node, then by size */
    size_t count;
    size_t room;
    size_t transparent; /* bytes of transparent huge pages in the mappings that hold the blocks */
    int error;          /* the first errno that got in the way of a note */
};

/* Notes the pages of a block. What goes wrong is kept for placement_ask(). */
void placement_add(struct placement *placement, const void *block, size_t size);

/* Asks the kernel about the pages noted. 0 or an errno: ENOMEM when there was no memory for a note,
 * else what the kernel answered. */
int placement_ask(struct placement *placement);

/* Writes the answer, a line like "node 0: 123 pages of 4 kB" for each node and page size. */
void placement_print(const struct placement *placement, FILE *stream);

/* Frees the notes. */
void placement_release(struct placement *placement);

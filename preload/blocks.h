/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * blocks: the sampled blocks, found by their addresses.
 *
 * Of those that are gone, the last ones that were large or lived long are kept, so that accesses to
 * memory which were recorded meanwhile can be told to whom they went.
 *
 * Threads: one at a time; sample.c has the lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOCKS_MOST ((size_t)48 << 10)
#define BLOCKS_SLOTS ((size_t)64 << 10)
#define BLOCKS_PAST ((size_t)32 << 10)
#define BLOCKS_LARGE ((size_t)16 << 10)  /* bytes: others are kept if they lived long */
#define BLOCKS_LONG ((uint64_t)10000000) /* ns */

struct block {
    uintptr_t address; /* 0: an empty slot */
    size_t size;
    uint64_t born, died; /* in ns; 0: it is there */
    double weight;
    double accesses;
    uint32_t site;
};

struct blocks {
    size_t count;
    struct block slot[BLOCKS_SLOTS];
    size_t past_count; /* of those to be kept; only the last BLOCKS_PAST are kept */
    struct block past[BLOCKS_PAST];
};

/* False: there are too many. The address is not in the table. */
bool blocks_add(struct blocks *blocks, const struct block *block);

/* NULL: it is not there. */
struct block *blocks_find(struct blocks *blocks, uintptr_t address);

/* Takes the block out. False: it is not there. */
bool blocks_take(struct blocks *blocks, uintptr_t address, struct block *taken);

/* For blocks_take()'s. */
void blocks_keep(struct blocks *blocks, const struct block *gone);

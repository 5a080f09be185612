/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see blocks.h. Open addressing with linear probing. */
#include "blocks.h"

static size_t home(uintptr_t address)
{
    return (size_t)(address * 0x9e3779b97f4a7c15u >> 40) % BLOCKS_SLOTS;
}

bool blocks_add(struct blocks *blocks, const struct block *block)
{
    size_t slot = home(block->address);

    if (blocks->count == BLOCKS_MOST)
        return false;
    while (blocks->slot[slot].address)
        slot = (slot + 1) % BLOCKS_SLOTS;
    blocks->slot[slot] = *block;
    blocks->count++;
    return true;
}

/* What lies behind a slot that becomes empty, and would not be found any more, moves into it. */
static void close_gap(struct blocks *blocks, size_t gap)
{
    for (size_t slot = (gap + 1) % BLOCKS_SLOTS; blocks->slot[slot].address;
         slot = (slot + 1) % BLOCKS_SLOTS) {
        size_t wanted = home(blocks->slot[slot].address);

        if ((slot - wanted) % BLOCKS_SLOTS >= (slot - gap) % BLOCKS_SLOTS) {
            blocks->slot[gap] = blocks->slot[slot];
            gap = slot;
        }
    }
    blocks->slot[gap].address = 0;
}

struct block *blocks_find(struct blocks *blocks, uintptr_t address)
{
    size_t slot = home(address);

    while (blocks->slot[slot].address != address) {
        if (!blocks->slot[slot].address)
            return NULL;
        slot = (slot + 1) % BLOCKS_SLOTS;
    }
    return &blocks->slot[slot];
}

bool blocks_take(struct blocks *blocks, uintptr_t address, struct block *taken)
{
    struct block *found = blocks_find(blocks, address);

    if (!found)
        return false;
    *taken = *found;
    close_gap(blocks, (size_t)(found - blocks->slot));
    blocks->count--;
    return true;
}

void blocks_keep(struct blocks *blocks, const struct block *gone)
{
    if (gone->size >= BLOCKS_LARGE || gone->died - gone->born >= BLOCKS_LONG)
        blocks->past[blocks->past_count++ % BLOCKS_PAST] = *gone;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * block_table: what level 2 knows of every block, by its address: outside of the blocks, where no
 * overflow reaches it.
 *
 * A freed block stays for a while. First it is held: the heap manager does not get its memory back,
 * so that whoever writes there meets nobody else's data. Then it is gone, and remembered until the
 * address is a block again, or others are more recent.
 *
 * Threads: the caller holds a lock for all of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "check/report.h"

enum block_state {
    BLOCK_LIVE,
    BLOCK_HELD, /* freed */
    BLOCK_GONE,
};

struct block {
    LIST_ENTRY(block) entry;   /* in a bucket */
    TAILQ_ENTRY(block) waiter; /* held, or gone: among those, oldest first */
    struct block_facts facts;
    enum block_state state;
    unsigned process; /* that allocated it: block_table_process() */
    void *outer;      /* what the heap manager gave */
    size_t room;      /* bytes of that, red zones included */
    size_t taken;     /* bytes that the heap manager counts */
};

/* A record with any content. NULL: no memory. */
struct block *block_table_new(void);

/* Adds a live block; one of that address that is gone is forgotten. False: no memory, the record is
 * given back. */
bool block_table_add(struct block *block);

/* NULL: no block begins there. */
struct block *block_table_find(const void *address);

/* The block that the address lies in, or in the red zones of; it looks at all of them. */
struct block *block_table_search(const void *address);

void block_table_visit(void (*visit)(void *context, struct block *block), void *context);

/* A live block is freed, and held. */
void block_table_hold(struct block *block);
/* Bytes that are held in all. */
size_t block_table_held(void);
/* The oldest that is held; heap NULL: of whatever heap. NULL: none is. */
struct block *block_table_oldest(const struct heap *heap);
/* It is held no longer. */
void block_table_gone(struct block *block);

/* The heap's end: none of its blocks is known any longer. */
void block_table_forget(const struct heap *heap);

/* A number for this process: the child of a fork(2) has another. */
unsigned block_table_process(void);
void block_table_forked(void);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see block_table.h. */
#include "check/block_table.h"

#include <stdint.h>

#include "kinds/system/object_pool.h"
#include "kinds/system/os.h"

#define BUCKETS_LEAST ((size_t)1 << 12)
#define GONE_MOST 4096 /* blocks that are remembered */

LIST_HEAD(bucket, block);
TAILQ_HEAD(waiters, block);

static struct object_pool records = {.size = sizeof(struct block)};
static struct bucket *buckets; /* as many as a power of two; zeroed memory is empty lists */
static size_t bucket_count, block_count;
static struct waiters held = TAILQ_HEAD_INITIALIZER(held), gone = TAILQ_HEAD_INITIALIZER(gone);
static size_t held_bytes, gone_count;
static unsigned process;

static struct bucket *bucket_of(const void *address)
{
    return &buckets[((uintptr_t)address * 0x9e3779b97f4a7c15u >> 20) & (bucket_count - 1)];
}

/* Without memory for more buckets, those there are do. */
static void grow(void)
{
    size_t count = bucket_count ? 2 * bucket_count : BUCKETS_LEAST, old_count = bucket_count;
    struct bucket *made = os_map(count * sizeof *made, os_page_size()), *old = buckets;

    if (!made)
        return;
    buckets = made;
    bucket_count = count;
    for (size_t i = 0; i < old_count; i++) {
        struct block *block;

        while ((block = LIST_FIRST(&old[i])) != NULL) {
            LIST_REMOVE(block, entry);
            LIST_INSERT_HEAD(bucket_of(block->facts.address), block, entry);
        }
    }
    if (old)
        os_unmap(old, old_count * sizeof *old);
}

struct block *block_table_new(void)
{
    return object_pool_get(&records);
}

static void drop(struct block *block)
{
    if (block->state == BLOCK_HELD) {
        TAILQ_REMOVE(&held, block, waiter);
        held_bytes -= block->taken;
    } else if (block->state == BLOCK_GONE) {
        TAILQ_REMOVE(&gone, block, waiter);
        gone_count--;
    }
    LIST_REMOVE(block, entry);
    block_count--;
    object_pool_put(&records, block);
}

bool block_table_add(struct block *block)
{
    struct block *earlier;

    if (block_count >= bucket_count)
        grow();
    if (!buckets) {
        object_pool_put(&records, block);
        return false;
    }
    earlier = block_table_find(block->facts.address);
    if (earlier)
        drop(earlier);
    block->state = BLOCK_LIVE;
    block->process = process;
    LIST_INSERT_HEAD(bucket_of(block->facts.address), block, entry);
    block_count++;
    return true;
}

struct block *block_table_find(const void *address)
{
    struct block *block = NULL;

    if (buckets)
        LIST_FOREACH (block, bucket_of(address), entry)
            if (block->facts.address == address)
                break;
    return block;
}

struct found {
    const char *address;
    struct block *block;
};

/* A live block is preferred to one that was at the same place before. */
static void search(void *context, struct block *block)
{
    struct found *found = context;
    const char *outer = block->outer;

    if (found->address >= outer && found->address < outer + block->room &&
        !(found->block && found->block->state == BLOCK_LIVE))
        found->block = block;
}

struct block *block_table_search(const void *address)
{
    struct found found = {address, NULL};

    block_table_visit(search, &found);
    return found.block;
}

/* visit() may drop the block. */
void block_table_visit(void (*visit)(void *context, struct block *block), void *context)
{
    for (size_t i = 0; i < bucket_count; i++) {
        struct block *next;

        for (struct block *block = LIST_FIRST(&buckets[i]); block; block = next) {
            next = LIST_NEXT(block, entry);
            visit(context, block);
        }
    }
}

/* --- freed blocks ----------------------------------------------------------------------------- */

void block_table_hold(struct block *block)
{
    block->state = BLOCK_HELD;
    TAILQ_INSERT_TAIL(&held, block, waiter);
    held_bytes += block->taken;
}

size_t block_table_held(void)
{
    return held_bytes;
}

struct block *block_table_oldest(const struct heap *heap)
{
    struct block *block;

    TAILQ_FOREACH(block, &held, waiter)
    if (!heap || block->facts.heap == heap)
        break;
    return block;
}

void block_table_gone(struct block *block)
{
    TAILQ_REMOVE(&held, block, waiter);
    held_bytes -= block->taken;
    block->state = BLOCK_GONE;
    TAILQ_INSERT_TAIL(&gone, block, waiter);
    if (++gone_count > GONE_MOST)
        drop(TAILQ_FIRST(&gone));
}

static void forget(void *context, struct block *block)
{
    if (block->facts.heap == context)
        drop(block);
}

void block_table_forget(const struct heap *heap)
{
    block_table_visit(forget, (void *)heap);
}

unsigned block_table_process(void)
{
    return process;
}

void block_table_forked(void)
{
    process++;
}

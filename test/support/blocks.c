/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see blocks.h. */
#include "blocks.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#define MOST_BLOCKS ((size_t)1 << 20)

struct blocks blocks_of(memkind_t kind, size_t least, size_t most)
{
    struct blocks blocks = {.kind = kind, .least = least, .most = most, .seed = 88172645463325252};

    /* Mappings, which end with the test. */
    blocks.block = test_shared(MOST_BLOCKS * sizeof(void *));
    blocks.size = test_shared(MOST_BLOCKS * sizeof(size_t));
    return blocks;
}

bool blocks_add(struct blocks *blocks)
{
    size_t size = blocks->least + test_random(&blocks->seed) % (blocks->most - blocks->least + 1);
    void *block = blocks->count < MOST_BLOCKS ? memkind_malloc(blocks->kind, size) : NULL;

    if (!block)
        return false;
    memset(block, (int)size, size);
    blocks->block[blocks->count] = block;
    blocks->size[blocks->count++] = size;
    blocks->bytes += size;
    return true;
}

void blocks_fill(struct blocks *blocks)
{
    errno = TEST_ERRNO;
    while (blocks_add(blocks))
        cr_assert_eq(errno, TEST_ERRNO);
    cr_assert_eq(errno, ENOMEM);
}

static void drop(struct blocks *blocks, size_t at)
{
    unsigned char *block = blocks->block[at];
    size_t size = blocks->size[at];

    cr_assert(block[0] == (unsigned char)size && block[size - 1] == (unsigned char)size);
    memkind_free(blocks->kind, block);
    blocks->bytes -= size;
    blocks->block[at] = blocks->block[--blocks->count];
    blocks->size[at] = blocks->size[blocks->count];
}

void blocks_drop_some(struct blocks *blocks, size_t count)
{
    while (count-- && blocks->count)
        drop(blocks, test_random(&blocks->seed) % blocks->count);
}

struct pair {
    struct blocks blocks;
    size_t step; /* frees every block, or every other */
    pthread_barrier_t barrier;
};

/* Takes everything, frees, and lives on with its cache and its arena. */
static void *take_and_free(void *argument)
{
    struct pair *pair = argument;

    blocks_fill(&pair->blocks);
    for (size_t i = 0; i < pair->blocks.count; i += pair->step)
        memkind_free(pair->blocks.kind, pair->blocks.block[i]);
    pthread_barrier_wait(&pair->barrier);
    pthread_barrier_wait(&pair->barrier);
    return NULL;
}

size_t blocks_share(memkind_t kind, size_t theirs, size_t step, size_t mine)
{
    struct pair pair = {.blocks = blocks_of(kind, theirs, theirs), .step = step};
    struct blocks blocks = blocks_of(kind, mine, mine);
    pthread_t thread;
    size_t freed;

    cr_assert(
        blocks_add(&blocks)); /* this thread has an arena, and the other gets one of its own */
    pthread_barrier_init(&pair.barrier, NULL, 2);
    cr_assert_eq(pthread_create(&thread, NULL, take_and_free, &pair), 0);
    pthread_barrier_wait(&pair.barrier);
    freed = (pair.blocks.count + step - 1) / step * theirs;
    blocks.bytes = 0;
    blocks_fill(&blocks);
    pthread_barrier_wait(&pair.barrier);
    pthread_join(thread, NULL);
    return blocks.bytes * 100 / freed;
}

void blocks_use_dirty(memkind_t kind)
{
    static const size_t sizes[] = {8, 100, 4096, 20000, 40000, 300 * KIB, MIB, 3 * MIB + 5};
    static void *blocks[1 << 16];
    uint64_t seed = 99;

    for (int turn = 0; turn < (TEST_THREAD_SANITIZED ? 8 : 20); turn++) {
        size_t count = 0;

        while (count < LENGTH(blocks)) {
            size_t size = sizes[test_random(&seed) % LENGTH(sizes)];
            char *block = memkind_calloc(kind, 1, size);

            if (!block)
                break;
            cr_assert(test_is_zero(block, size), "calloc of %zu bytes, turn %d", size, turn);
            memset(block, 0xa5, memkind_malloc_usable_size(kind, block));
            blocks[count++] = block;
        }
        cr_assert_gt(count, 0);
        /* The largest of all, which the pool has no step for. */
        while (count)
            memkind_free(kind, blocks[--count]);
        if (turn % 4 == 0) {
            char *block = memkind_calloc(kind, 1, 11 * MIB);

            cr_assert(block && test_is_zero(block, 11 * MIB));
            memset(block, 0xa5, 11 * MIB);
            memkind_free(kind, block);
        }
        if (turn % 4 == 1)
            test_decay(kind);
    }
}

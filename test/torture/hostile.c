/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * hostile: a custom kind whose functions do what they must not: regions that are not aligned, not
 * mapped, beyond the address space, or given already; none at all; pages that are not given back;
 * calls of the library. What it has of blocks must be as those of any kind.
 *
 * The kind lives and dies within one operation. Its functions may be called by any thread that
 * gives back what is unused; and in the child of a fork, where nobody waits for a lock.
 */
#include "torture.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define SLOT (2 * MIB)
#define SLOTS 16
#define BLOCKS 24

struct hostile {
    char *area; /* aligned to a slot */
    memkind_t kind;
    uint64_t random;
    atomic_uint calls;
    pthread_mutex_t lock;
    size_t sizes[SLOTS]; /* of the region that begins there */
    bool used[SLOTS];
};

/* --- its functions ---------------------------------------------------------------------------- */

static uint64_t next(struct hostile *hostile)
{
    return mix(hostile->random, atomic_fetch_add(&hostile->calls, 1));
}

static bool is_free(const struct hostile *hostile, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++)
        if (i >= SLOTS || hostile->used[i])
            return false;
    return true;
}

static void *give_region(struct hostile *hostile, size_t size, size_t alignment)
{
    size_t count = size / SLOT;
    char *region = NULL;

    if (pthread_mutex_trylock(&hostile->lock))
        return NULL;
    for (size_t i = 0; i + count <= SLOTS && !region; i++) {
        if (!is_free(hostile, i, count) || (uintptr_t)(hostile->area + i * SLOT) % alignment)
            continue;
        region = hostile->area + i * SLOT;
        hostile->sizes[i] = size;
        memset(&hostile->used[i], true, count);
    }
    pthread_mutex_unlock(&hostile->lock);
    return region;
}

/* Each answer is allowed, as long as there is one. */
static void use_library(struct hostile *hostile)
{
    char *block = memkind_malloc(hostile->random % 2 ? hostile->kind : MEMKIND_DEFAULT, 100);
    size_t value;

    if (block) {
        memset(block, 1, 100);
        memkind_free(NULL, block);
    }
    (void)memkind_detect_kind(hostile->area);
    (void)memkind_trim(hostile->kind);
    (void)memkind_get_stat(hostile->kind, MEMKIND_STAT_TYPE_ACTIVE, &value);
    MUST(hostile->kind == NULL || memkind_destroy_kind(hostile->kind) != MEMKIND_SUCCESS,
         "hostile: a kind is destroyed inside its own function");
}

static void *hostile_map(void *context, size_t size, size_t alignment)
{
    struct hostile *hostile = context;

    switch (next(hostile) % 16) {
    case 0:
        return NULL;
    case 1:
        return hostile->area + 4096;
    case 2:
        return (void *)(0 - alignment);
    case 3:
        return (void *)((uintptr_t)1 << 46); /* where Linux maps nothing by itself */
    case 4:
        /* Also if it is in use. */
        return is_free(hostile, 0, size / SLOT) ? give_region(hostile, size, alignment)
                                                : hostile->area;
    case 5:
        use_library(hostile);
        break;
    default:
        break;
    }
    return give_region(hostile, size, alignment);
}

static void hostile_unmap(void *context, void *address, size_t size)
{
    struct hostile *hostile = context;
    size_t offset = (size_t)((char *)address - hostile->area), first = offset / SLOT;

    if (next(hostile) % 8 == 0)
        use_library(hostile);
    if ((char *)address < hostile->area || first >= SLOTS || offset % SLOT)
        return; /* what was refused */
    if (pthread_mutex_trylock(&hostile->lock))
        return;
    if (hostile->sizes[first] == size) {
        hostile->sizes[first] = 0;
        memset(&hostile->used[first], false, size / SLOT);
        memset(address, 0xee, 4096);
    }
    pthread_mutex_unlock(&hostile->lock);
}

static int hostile_purge(void *context, void *address, size_t size)
{
    return next(context) % 2 ? -1 : madvise(address, size, MADV_DONTNEED);
}

/* --- its blocks ------------------------------------------------------------------------------- */

struct hostile_block {
    unsigned char *at;
    size_t size;
};

static void check(const struct hostile *hostile, const struct hostile_block *block, unsigned value)
{
    MUST(memkind_detect_kind(block->at) == hostile->kind, "hostile: another kind of %p",
         (void *)block->at);
    for (size_t i = 0; i < block->size; i += i + 64 < block->size ? 64 : 1)
        MUST(block->at[i] == value, "hostile: %zu bytes at %p have changed at %zu", block->size,
             (void *)block->at, i);
}

static void use_blocks(struct worker *worker, const struct hostile *hostile)
{
    struct hostile_block blocks[BLOCKS] = {{NULL, 0}};

    for (unsigned i = 0; i < 3 * BLOCKS; i++) {
        struct hostile_block *block = &blocks[i % BLOCKS];

        if (block->at) {
            check(hostile, block, i % BLOCKS);
            memkind_free(i % 2 ? hostile->kind : NULL, block->at);
        }
        block->size = draw_size(worker);
        errno = 0;
        block->at = memkind_malloc(hostile->kind, block->size);
        MUST(block->at || errno == ENOMEM, "hostile: errno %d", errno);
        if (block->at)
            memset(block->at, (int)(i % BLOCKS), block->size);
    }
    for (unsigned i = 0; i < BLOCKS; i++)
        if (blocks[i].at)
            check(hostile, &blocks[i], i);
}

/* In a mapping of its own, which a child of fork has, too. */
static struct hostile *hostile_new(void)
{
    size_t size = SLOT + SLOTS * SLOT;
    char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct hostile *hostile = (void *)map;

    if (map == MAP_FAILED)
        return NULL;
    hostile->area = map + sizeof *hostile;
    hostile->area += -(uintptr_t)hostile->area & (SLOT - 1);
    pthread_mutex_init(&hostile->lock, NULL);
    return hostile;
}

void call_hostile(struct worker *worker)
{
    static const struct recipe recipe = {.name = "hostile", .sort = RECIPE_CUSTOM};
    struct memkind_page_ops ops = {hostile_map, hostile_unmap,
                                   draw(worker, 2) ? hostile_purge : NULL};
    struct subject subject = {.alive = true, .made.recipe = &recipe};
    unsigned long mark = weather_mark();
    struct hostile *hostile = hostile_new();
    int code;

    if (!hostile)
        return;
    hostile->random = draw(worker, UINT64_MAX);
    code = memkind_create_custom(&ops, hostile, &hostile->kind);
    MUST(!code || weather_allows(mark, false), "hostile: create, code %d", code);
    if (!code) {
        use_blocks(worker, hostile);
        subject.made.kind = hostile->kind;
        if (!subject_destroy(worker, &subject))
            return; /* in a child, where the kind stays */
    }
    munmap(hostile, SLOT + SLOTS * SLOT);
}

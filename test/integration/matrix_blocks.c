/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Operations on blocks: allocation, content, alignment. See matrix.h. */
#include "matrix.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define UNTOUCHED ((void *)0x5a50)

/* --- in common -------------------------------------------------------------------------------- */

struct block *blocks_new(struct cell *cell, size_t count)
{
    void *memory = mmap(NULL, count * sizeof(struct block), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    NEED(memory != MAP_FAILED, "mmap: %s", strerror(errno));
    return memory;
}

void block_set(struct cell *cell, struct block *block, void *at, size_t size, uint64_t seed)
{
    NEED(at, "no block of %zu bytes", size);
    NEED(recipe_covers(&cell->made, at) && recipe_covers(&cell->made, (char *)at + size - 1),
         "%p, %zu bytes: not in the kind's memory", at, size);
    test_fill(at, size, seed);
    *block = (struct block){at, size, seed};
}

void block_end(struct cell *cell, struct block *block, bool null_kind)
{
    if (!block->at)
        return;
    NEED(test_holds(block->at, block->size, block->seed), "a block of %zu bytes was overwritten",
         block->size);
    memkind_free(null_kind ? NULL : cell->kind, block->at);
    block->at = NULL;
}

static void *by_malloc(memkind_t kind, size_t size)
{
    return memkind_malloc(kind, size);
}

static void *by_calloc(memkind_t kind, size_t size)
{
    return memkind_calloc(kind, 1, size);
}

static void *by_realloc(memkind_t kind, size_t size)
{
    return memkind_realloc(kind, NULL, size);
}

static void *by_memalign(memkind_t kind, size_t size)
{
    void *block = UNTOUCHED;
    int before = errno;
    int result = memkind_posix_memalign(kind, &block, 64, size);

    if (errno != before)
        return UNTOUCHED; /* fails whatever is expected */
    if (result)
        errno = block == UNTOUCHED ? result : 0;
    return result ? NULL : block;
}

const struct way matrix_ways[] = {
    {"malloc", by_malloc},
    {"calloc", by_calloc},
    {"realloc(NULL)", by_realloc},
    {"posix_memalign", by_memalign},
};
const size_t matrix_way_count = LENGTH(matrix_ways);

#define WAYS LENGTH(matrix_ways)

static const size_t sizes[] = {
    1,        2,      8,       16,   17,      48,      64,          100,     128,
    1000,     1024,   2000,    4096, 8129,    14336,   14337,       32768,   32769,
    64 * KIB, 100000, MIB - 1, MIB,  2 * MIB, 3000000, 4 * MIB + 1, 8 * MIB, 8 * MIB + 1,
};

/* --- allocation ------------------------------------------------------------------------------- */

static void op_malloc(struct cell *cell)
{
    struct block *blocks = blocks_new(cell, 3 * LENGTH(sizes));

    for (size_t i = 0; i < 3 * LENGTH(sizes); i++) {
        size_t size = sizes[i / 3], alignment = 1;
        void *at;

        errno = TEST_ERRNO;
        at = memkind_malloc(cell->kind, size);
        NEED(errno == TEST_ERRNO, "malloc(%zu) set errno %d", size, errno);
        while (alignment < _Alignof(max_align_t) && 2 * alignment <= size)
            alignment *= 2;
        NEED((uintptr_t)at % alignment == 0, "malloc(%zu) is %p", size, at);
        block_set(cell, &blocks[i], at, size, i);
    }
    for (size_t i = 0; i < 3 * LENGTH(sizes); i++)
        block_end(cell, &blocks[i], i % 2);
}

/* Many blocks at once, freed in another order, and again. */
#define MANY 8192

static void op_many_blocks(struct cell *cell)
{
    struct block *blocks = blocks_new(cell, MANY);
    uint64_t random = 99;

    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < MANY; i++) {
            size_t size = 16 + test_random(&random) % 1008;

            block_set(cell, &blocks[i], memkind_malloc(cell->kind, size), size, random);
        }
        for (size_t i = 0; i < MANY; i++)
            block_end(cell, &blocks[i * 5 % MANY], i % 3 == 0);
    }
}

/* To 64 MiB, two at a time, pages written. */
static void op_large_blocks(struct cell *cell)
{
    struct block blocks[2] = {{0}};
    size_t turn = 0;

    for (size_t size = 9 * MIB + 5; size <= 64 * MIB; size = size * 3 / 2, turn++) {
        block_end(cell, &blocks[turn % 2], turn % 3 == 0);
        block_set(cell, &blocks[turn % 2], memkind_malloc(cell->kind, size), size, turn);
    }
    block_end(cell, &blocks[turn % 2], false);
    block_set(cell, &blocks[turn % 2], memkind_malloc(cell->kind, 64 * MIB), 64 * MIB, 1);
    block_end(cell, &blocks[0], false);
    block_end(cell, &blocks[1], true);
}

static void op_calloc(struct cell *cell)
{
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        void *dirty[4], *blocks[4];

        for (size_t j = 0; j < LENGTH(dirty); j++) {
            dirty[j] = memkind_calloc(cell->kind, sizes[i], 1);
            NEED(dirty[j] && test_is_zero(dirty[j], sizes[i]), "fresh: calloc(%zu, 1)", sizes[i]);
            memset(dirty[j], 0xff, memkind_malloc_usable_size(cell->kind, dirty[j]));
        }
        for (size_t j = 0; j < LENGTH(dirty); j++)
            memkind_free(cell->kind, dirty[j]);
        for (size_t j = 0; j < LENGTH(blocks); j++) {
            errno = TEST_ERRNO;
            blocks[j] = memkind_calloc(cell->kind, 1, sizes[i]);
            NEED(errno == TEST_ERRNO, "calloc(1, %zu) set errno %d", sizes[i], errno);
            NEED(blocks[j] && test_is_zero(blocks[j], sizes[i]), "reused: calloc(1, %zu)",
                 sizes[i]);
        }
        for (size_t j = 0; j < LENGTH(blocks); j++)
            memkind_free(NULL, blocks[j]);
    }
}

static void op_calloc_purged(struct cell *cell)
{
    static const size_t purged[] = {100, 14337, 40000, MIB, 5 * MIB};
    void *blocks[8];

    for (size_t i = 0; i < LENGTH(purged); i++) {
        for (size_t j = 0; j < LENGTH(blocks); j++) {
            blocks[j] = memkind_malloc(cell->kind, purged[i]);
            NEED(blocks[j], "malloc(%zu)", purged[i]);
            memset(blocks[j], 0xff, purged[i]);
        }
        for (size_t j = 0; j < LENGTH(blocks); j++)
            memkind_free(cell->kind, blocks[j]);
        test_decay(cell->kind);
        for (size_t j = 0; j < LENGTH(blocks); j++) {
            blocks[j] = memkind_calloc(cell->kind, purged[i], 1);
            NEED(blocks[j] && test_is_zero(blocks[j], purged[i]), "calloc(%zu, 1)", purged[i]);
        }
        for (size_t j = 0; j < LENGTH(blocks); j++)
            memkind_free(cell->kind, blocks[j]);
    }
}

/* --- realloc ---------------------------------------------------------------------------------- */

static const size_t steps[] = {
    1,     8,   9,       100,     1000,    4096,        4097,     14337,    32769,
    65537, MIB, MIB + 1, 3 * MIB, 8 * MIB, 8 * MIB + 1, 12 * MIB, 30 * MIB,
};

static void realloc_steps(struct cell *cell, bool grow)
{
    size_t last = LENGTH(steps) - 1, old_size = steps[grow ? 0 : last];
    char *block = memkind_malloc(cell->kind, old_size);

    NEED(block, "malloc(%zu)", old_size);
    test_fill(block, old_size, 7);
    for (size_t i = 1; i <= last; i++) {
        size_t size = steps[grow ? i : last - i];

        errno = TEST_ERRNO;
        block = memkind_realloc(i % 2 ? cell->kind : NULL, block, size);
        NEED(block, "%zu to %zu bytes", old_size, size);
        NEED(errno == TEST_ERRNO, "%zu to %zu bytes set errno %d", old_size, size, errno);
        NEED(test_holds(block, grow ? old_size : size, 7), "%zu to %zu: content lost", old_size,
             size);
        NEED(memkind_detect_kind(block) == cell->kind, "it left its kind");
        NEED(memkind_malloc_usable_size(NULL, block) >= size, "too small for %zu bytes", size);
        test_fill(block, size, 7);
        old_size = size;
    }
    memkind_free(cell->kind, block);
}

static void op_realloc_grow(struct cell *cell)
{
    realloc_steps(cell, true);
}

static void op_realloc_shrink(struct cell *cell)
{
    realloc_steps(cell, false);
}

/* There is no reason to move a block that is large enough already. */
static void op_realloc_in_place(struct cell *cell)
{
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        char *block = memkind_malloc(cell->kind, sizes[i]);
        size_t usable = memkind_malloc_usable_size(cell->kind, block);

        NEED(block, "malloc(%zu)", sizes[i]);
        test_fill(block, sizes[i], i);
        NEED(memkind_realloc(cell->kind, block, usable) == block, "moved: %zu to %zu bytes",
             sizes[i], usable);
        NEED(memkind_realloc(NULL, block, sizes[i]) == block, "moved: %zu to %zu bytes", usable,
             sizes[i]);
        NEED(test_holds(block, sizes[i], i), "content lost");
        memkind_free(cell->kind, block);
    }
}

static void op_realloc_null(struct cell *cell)
{
    struct block block;

    for (size_t i = 0; i < LENGTH(sizes); i++) {
        block_set(cell, &block, memkind_realloc(cell->kind, NULL, sizes[i]), sizes[i], i);
        NEED(memkind_detect_kind(block.at) == cell->kind, "not of this kind");
        block_end(cell, &block, i % 2);
    }
    errno = TEST_ERRNO;
    NEED(!memkind_realloc(NULL, NULL, 100) && errno == EINVAL, "realloc(NULL kind): errno %d",
         errno);
    errno = TEST_ERRNO;
    NEED(!memkind_realloc(NULL, NULL, 0) && errno == EINVAL, "realloc(NULL kind, 0): errno %d",
         errno);
}

/* Freed: what the kind holds is what it held before. */
static void op_realloc_zero(struct cell *cell)
{
    size_t before = cell_stat(cell, cell->kind, MEMKIND_STAT_TYPE_ALLOCATED), after;

    for (int form = 0; form < 12; form++) {
        void *block = memkind_malloc(cell->kind, 4 * MIB);

        memkind_set_allow_zero_allocs(cell->kind, form & 2);
        errno = TEST_ERRNO;
        NEED(block && !memkind_realloc(form & 1 ? NULL : cell->kind, block, 0), "not NULL");
        NEED(errno == TEST_ERRNO, "errno %d", errno);
    }
    memkind_set_allow_zero_allocs(cell->kind, false);
    after = cell_stat(cell, cell->kind, MEMKIND_STAT_TYPE_ALLOCATED);
    NEED(after < before + MIB, "not freed: %zu bytes before, %zu after", before, after);
}

static void op_realloc_fails(struct cell *cell)
{
    static const size_t too_large[] = {SIZE_MAX, SIZE_MAX / 2 + 1, SIZE_MAX / 2 - 4096,
                                       (size_t)7 << 60, (size_t)1 << 57};

    for (size_t i = 0; i < LENGTH(sizes); i++) {
        struct block block;

        block_set(cell, &block, memkind_malloc(cell->kind, sizes[i]), sizes[i], i);
        for (size_t j = 0; j < 2 * LENGTH(too_large); j++) {
            errno = TEST_ERRNO;
            NEED(!memkind_realloc(j % 2 ? NULL : cell->kind, block.at, too_large[j / 2]),
                 "%zu to %zx bytes", sizes[i], too_large[j / 2]);
            NEED(errno == ENOMEM, "%zu to %zx bytes: errno %d", sizes[i], too_large[j / 2], errno);
        }
        NEED(memkind_detect_kind(block.at) == cell->kind, "the block is gone");
        block_end(cell, &block, false);
    }
}

/* --- alignment -------------------------------------------------------------------------------- */

static void aligned(struct cell *cell, struct block *block, size_t alignment, size_t size)
{
    void *at = UNTOUCHED;
    int result;

    block_end(cell, block, alignment % 3 == 0);
    errno = TEST_ERRNO;
    result = memkind_posix_memalign(cell->kind, &at, alignment, size);
    NEED(errno == TEST_ERRNO, "alignment %zu, %zu bytes: errno %d", alignment, size, errno);
    /* What fits into a small kind, or a pool of huge pages, depends on where its memory begins. */
    if (result == ENOMEM && (cell->recipe->limit || cell->recipe->page_size) &&
        alignment > 16 * MIB) {
        NEED(at == UNTOUCHED, "*memptr was changed");
        return;
    }
    NEED(!result, "alignment %zu, %zu bytes: %d", alignment, size, result);
    NEED((uintptr_t)at % alignment == 0, "alignment %zu, %zu bytes: %p", alignment, size, at);
    NEED(memkind_malloc_usable_size(cell->kind, at) >= size, "usable size");
    NEED(memkind_detect_kind(at) == cell->kind, "detect_kind");
    block_set(cell, block, at, size, alignment);
}

static void op_memalign(struct cell *cell)
{
    static const size_t some[] = {1, 9, 100, 4097, 16 * KIB, 40000, MIB + 1, 3 * MIB};
    struct block alive[8] = {{0}};
    size_t turn = 0;

    for (size_t alignment = sizeof(void *); alignment <= 8 * MIB; alignment *= 2)
        for (size_t i = 0; i < LENGTH(some); i++)
            aligned(cell, &alive[turn++ % LENGTH(alive)], alignment, some[i]);
    for (size_t i = 0; i < LENGTH(alive); i++)
        block_end(cell, &alive[i], false);
}

static void op_memalign_far(struct cell *cell)
{
    struct block alive[2] = {{0}};
    size_t turn = 0;

    for (size_t alignment = 16 * MIB; alignment <= GIB; alignment *= 2) {
        aligned(cell, &alive[turn++ % 2], alignment, 1);
        aligned(cell, &alive[turn++ % 2], alignment, 2 * MIB + 1);
    }
    block_end(cell, &alive[0], false);
    block_end(cell, &alive[1], true);
}

static void op_memalign_wrong(struct cell *cell)
{
    static const struct {
        size_t alignment, size;
        int result;
    } rows[] = {
        {0, 100, EINVAL},
        {1, 100, EINVAL},
        {4, 100, EINVAL},
        {24, 100, EINVAL},
        {4097, 100, EINVAL},
        {3 * MIB, 0, EINVAL},
        {SIZE_MAX, 1, EINVAL},
        {SIZE_MAX / 2, SIZE_MAX, EINVAL},
        {8, SIZE_MAX, ENOMEM},
        {4096, SIZE_MAX - 4095, ENOMEM},
        {4096, SIZE_MAX / 2, ENOMEM},
        {2 * MIB, SIZE_MAX - 2 * MIB, ENOMEM},
        {(size_t)1 << 47, 1, ENOMEM},
        {(size_t)1 << 62, (size_t)1 << 62, ENOMEM},
        {(size_t)1 << 63, 1, ENOMEM},
        {(size_t)1 << 63, (size_t)1 << 63, ENOMEM},
        {(size_t)1 << 63, SIZE_MAX, ENOMEM},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        void *block = UNTOUCHED;
        int result;

        errno = TEST_ERRNO;
        result = memkind_posix_memalign(cell->kind, &block, rows[i].alignment, rows[i].size);
        NEED(result == rows[i].result, "alignment %zx, %zx bytes: %d", rows[i].alignment,
             rows[i].size, result);
        NEED(block == UNTOUCHED && errno == TEST_ERRNO, "*memptr or errno was changed");
    }
}

/* --- free, usable size, kind of a block ------------------------------------------------------- */

/* What is freed serves again: a heap that forgets it would take 40 times what it needs. */
static void free_often(struct cell *cell, bool null_kind)
{
    size_t most = 0;

    for (size_t i = 0; i < LENGTH(sizes); i++) {
        for (int round = 0; round < 40; round++) {
            void *block = memkind_malloc(cell->kind, sizes[i]);

            NEED(block, "malloc(%zu), round %d", sizes[i], round);
            *(volatile char *)block = 1;
            errno = TEST_ERRNO;
            memkind_free(null_kind ? NULL : cell->kind, block);
            NEED(errno == TEST_ERRNO, "free set errno %d", errno);
        }
        if (sizes[i] < MIB)
            continue;
        most = cell_stat(cell, cell->kind, MEMKIND_STAT_TYPE_ALLOCATED);
        NEED(most < 4 * sizes[i], "%zu bytes allocated after 40 blocks of %zu were freed", most,
             sizes[i]);
    }
}

static void op_free(struct cell *cell)
{
    free_often(cell, false);
    errno = TEST_ERRNO;
    memkind_free(cell->kind, NULL);
    NEED(errno == TEST_ERRNO, "free(NULL) set errno %d", errno);
}

static void op_free_null_kind(struct cell *cell)
{
    free_often(cell, true);
    errno = TEST_ERRNO;
    memkind_free(NULL, NULL);
    NEED(errno == TEST_ERRNO, "free(NULL) set errno %d", errno);
}

static void op_usable_size(struct cell *cell)
{
    struct block *blocks = blocks_new(cell, 3 * LENGTH(sizes));

    for (size_t i = 0; i < 3 * LENGTH(sizes); i++) {
        void *at = memkind_malloc(cell->kind, sizes[i / 3]);
        size_t usable = memkind_malloc_usable_size(cell->kind, at);

        NEED(at && usable >= sizes[i / 3], "%zu of %zu bytes", usable, sizes[i / 3]);
        NEED(usable == memkind_malloc_usable_size(NULL, at), "another answer without the kind");
        block_set(cell, &blocks[i], at, usable, i); /* all of it */
    }
    for (size_t i = 0; i < 3 * LENGTH(sizes); i++)
        block_end(cell, &blocks[i], i % 2);
    NEED(memkind_malloc_usable_size(cell->kind, NULL) == 0, "of NULL");
    NEED(memkind_malloc_usable_size(NULL, NULL) == 0, "of NULL, without a kind");
}

/* Known as its own beside another kind's, and in pages of its own. */
static void op_detect_kind(struct cell *cell)
{
    memkind_t other =
        cell->recipe->variable == &MEMKIND_DEFAULT ? MEMKIND_REGULAR : MEMKIND_DEFAULT;
    void *blocks[2 * LENGTH(sizes)];

    for (size_t i = 0; i < LENGTH(blocks); i++) {
        blocks[i] = memkind_malloc(i % 2 ? other : cell->kind, sizes[i / 2]);
        NEED(blocks[i], "malloc(%zu)", sizes[i / 2]);
    }
    for (size_t i = 0; i < LENGTH(blocks); i++) {
        NEED(memkind_detect_kind(blocks[i]) == (i % 2 ? other : cell->kind),
             "of a block of %zu bytes", sizes[i / 2]);
        for (size_t j = !(i % 2); j < LENGTH(blocks); j += 2)
            NEED((uintptr_t)blocks[i] >> 12 != (uintptr_t)blocks[j] >> 12,
                 "two kinds share a page");
    }
    for (size_t i = 0; i < LENGTH(blocks); i++)
        memkind_free(NULL, blocks[i]);
    NEED(!memkind_detect_kind(NULL), "of NULL");
}

const struct operation matrix_block_operations[] = {
    {"malloc", " malloc ", op_malloc},
    {"malloc, many blocks", " malloc free ", op_many_blocks},
    {"malloc, to 64 MiB", " malloc free ", op_large_blocks},
    {"calloc", " calloc ", op_calloc},
    {"calloc of purged pages", " calloc ", op_calloc_purged},
    {"realloc, growing", " realloc ", op_realloc_grow},
    {"realloc, shrinking", " realloc ", op_realloc_shrink},
    {"realloc in place", " realloc ", op_realloc_in_place},
    {"realloc of NULL", " realloc ", op_realloc_null},
    {"realloc to 0", " realloc ", op_realloc_zero},
    {"realloc that fails", " realloc ", op_realloc_fails},
    {"posix_memalign to 8 MiB", " posix_memalign ", op_memalign},
    {"posix_memalign to 1 GiB", " posix_memalign ", op_memalign_far},
    {"posix_memalign, errors", " posix_memalign ", op_memalign_wrong},
    {"free", " free ", op_free},
    {"free, NULL kind", " free ", op_free_null_kind},
    {"malloc_usable_size", " malloc_usable_size ", op_usable_size},
    {"detect_kind", " detect_kind ", op_detect_kind},
};
const size_t matrix_block_operation_count = LENGTH(matrix_block_operations);

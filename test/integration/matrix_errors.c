/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Operations that are refused: sizes, products, kinds, pointers of others. See matrix.h. */
#include "matrix.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define WAYS matrix_way_count

static void refuse_pointer(struct cell *cell, void *pointer)
{
    NEED(!memkind_detect_kind(pointer), "detect_kind(%p)", pointer);
    NEED(memkind_malloc_usable_size(NULL, pointer) == 0, "usable_size(NULL, %p)", pointer);
    NEED(memkind_malloc_usable_size(cell->kind, pointer) == 0, "usable_size(%p)", pointer);
    memkind_free(NULL, pointer);
    memkind_free(cell->kind, pointer);
    NEED(!memkind_defrag_reallocate(NULL, pointer), "defrag_reallocate(%p)", pointer);
    for (int named = 0; named < 2; named++) {
        errno = TEST_ERRNO;
        NEED(!memkind_realloc(named ? cell->kind : NULL, pointer, 200), "realloc(%p)", pointer);
        NEED(errno == EINVAL, "realloc(%p): errno %d", pointer, errno);
    }
}

/* Addresses right behind the mapping that the block is in, and a GiB on. */
static void refuse_beside(struct cell *cell, const struct block *block)
{
    struct test_mapping mapping;

    if (!test_find_mapping(block->at, &mapping))
        return;
    for (int i = 0; i < 2; i++) {
        void *pointer = (char *)mapping.end + i * GIB;

        if (!memkind_detect_kind(pointer)) /* another region of a kind may come next */
            refuse_pointer(cell, pointer);
    }
}

/* The library never saw these. */
static void op_foreign_pointers(struct cell *cell)
{
    static long in_data[64];
    char on_stack[4096];
    char *on_heap = malloc(100000), *gap;
    struct block block;

    /* The kind has its memory before the gap is made: none will be mapped there. */
    block_set(cell, &block, memkind_malloc(cell->kind, 1000), 1000, 1);
    gap = mmap(NULL, 8 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(gap != MAP_FAILED, "mmap");
    munmap(gap, 8 * MIB);

    void *pointers[] = {
        on_stack,
        on_stack + 2048,
        in_data,
        in_data + 32,
        on_heap,
        on_heap + 4096,
        (void *)op_foreign_pointers,
        stderr,
        gap,
        gap + 4 * MIB,
        (void *)((uintptr_t)block.at | (uintptr_t)1 << 47), /* a block, but for a bit too many */
        (void *)((uintptr_t)block.at | (uintptr_t)1 << 48),
        (void *)((uintptr_t)block.at | (uintptr_t)1 << 56),
        (void *)((uintptr_t)block.at | (uintptr_t)1 << 63),
        (void *)(uintptr_t)1,
        (void *)(uintptr_t)8,
        (void *)(uintptr_t)4096,
        (void *)(uintptr_t)0x7fffffffe000,
        (void *)(uintptr_t)0x7ffffffff000,
        (void *)(uintptr_t)0x800000000000,
        (void *)(uintptr_t)0x1234567890abcdef,
        (void *)(uintptr_t)0xffff800000000000,
        (void *)(uintptr_t)0xffffffff81000000,
        (void *)(uintptr_t)0xffffffffff600000,
        (void *)(UINTPTR_MAX - 4095),
        (void *)UINTPTR_MAX,
    };

    memset(on_stack, 7, sizeof on_stack);
    memset(on_heap, 7, 100000);
    for (size_t i = 0; i < LENGTH(pointers); i++)
        refuse_pointer(cell, pointers[i]);
    refuse_beside(cell, &block);
    for (size_t i = 0; i < sizeof on_stack; i++)
        NEED(on_stack[i] == 7 && on_heap[i] == 7, "the caller's memory was changed");
    block_end(cell, &block, true);
    free(on_heap);
}

/* --- size 0, sizes too large, no kind --------------------------------------------------------- */

static void op_size_zero(struct cell *cell)
{
    for (size_t i = 0; i < WAYS; i++) {
        errno = TEST_ERRNO;
        NEED(!matrix_ways[i].alloc(cell->kind, 0), "%s: not NULL", matrix_ways[i].name);
        NEED(errno == TEST_ERRNO, "%s: errno %d", matrix_ways[i].name, errno);
    }
    NEED(!memkind_calloc(cell->kind, 0, SIZE_MAX) && !memkind_calloc(cell->kind, SIZE_MAX, 0),
         "calloc: not NULL");
    NEED(errno == TEST_ERRNO, "calloc: errno %d", errno);
}

static void op_size_zero_allowed(struct cell *cell)
{
    NEED(!memkind_set_allow_zero_allocs(cell->kind, true), "set_allow_zero_allocs");
    for (size_t i = 0; i < WAYS; i++) {
        void *one, *two;

        errno = TEST_ERRNO;
        one = matrix_ways[i].alloc(cell->kind, 0);
        two = matrix_ways[i].alloc(cell->kind, 0);
        NEED(one && two && one != two && errno == TEST_ERRNO, "%s: %p %p errno %d",
             matrix_ways[i].name, one, two, errno);
        NEED(memkind_detect_kind(one) == cell->kind, "%s: detect_kind", matrix_ways[i].name);
        memkind_free(cell->kind, one);
        memkind_free(NULL, two);
    }
    NEED(!memkind_set_allow_zero_allocs(cell->kind, false), "set_allow_zero_allocs");
    op_size_zero(cell);
}

static void op_size_too_large(struct cell *cell)
{
    static const size_t too_large[] = {
        SIZE_MAX,     SIZE_MAX - 15,   SIZE_MAX - 4095,       SIZE_MAX - 2 * MIB, SIZE_MAX / 2 + 1,
        SIZE_MAX / 2, (size_t)7 << 60, ((size_t)7 << 60) + 1, (size_t)1 << 57,
    };

    for (size_t i = 0; i < WAYS * LENGTH(too_large); i++) {
        const struct way *way = &matrix_ways[i % WAYS];

        errno = TEST_ERRNO;
        NEED(!way->alloc(cell->kind, too_large[i / WAYS]), "%s(%zx)", way->name,
             too_large[i / WAYS]);
        NEED(errno == ENOMEM, "%s(%zx): errno %d", way->name, too_large[i / WAYS], errno);
    }
    for (size_t i = 0; i < WAYS; i++) { /* and goes on */
        struct block block;

        block_set(cell, &block, matrix_ways[i].alloc(cell->kind, 1000), 1000, i);
        block_end(cell, &block, i % 2);
    }
}

static void op_product_too_large(struct cell *cell)
{
    static const size_t factors[][2] = {
        {SIZE_MAX, 2},
        {SIZE_MAX, SIZE_MAX},
        {SIZE_MAX / 2 + 2, 2},
        {SIZE_MAX / 16 + 2, 16},
        {(size_t)1 << 32, (size_t)1 << 32},
        {((size_t)1 << 32) + 1, ((size_t)1 << 32) + 1},
        {((size_t)1 << 60) + 1, 48},
        {SIZE_MAX / 4, 4},
    };

    for (size_t i = 0; i < 2 * LENGTH(factors); i++) {
        const size_t *pair = factors[i / 2];

        errno = TEST_ERRNO;
        NEED(!memkind_calloc(cell->kind, pair[i % 2], pair[!(i % 2)]), "calloc(%zx, %zx)",
             pair[i % 2], pair[!(i % 2)]);
        NEED(errno == ENOMEM, "calloc(%zx, %zx): errno %d", pair[i % 2], pair[!(i % 2)], errno);
    }
}

static void op_no_kind(struct cell *cell)
{
    for (int used = 0; used < 2; used++) {
        for (size_t i = 0; i < WAYS; i++) {
            errno = TEST_ERRNO;
            NEED(!matrix_ways[i].alloc(NULL, 100) && errno == EINVAL, "%s(NULL kind): errno %d",
                 matrix_ways[i].name, errno);
        }
        NEED(memkind_set_allow_zero_allocs(NULL, true) == MEMKIND_ERROR_INVALID,
             "set_allow_zero_allocs(NULL)");
        memkind_free(cell->kind, memkind_malloc(cell->kind, 1));
    }
}

const struct operation matrix_error_operations[] = {
    {"foreign pointers", " free realloc malloc_usable_size detect_kind ", op_foreign_pointers},
    {"size 0", " malloc calloc realloc posix_memalign ", op_size_zero},
    {"size 0 allowed", " set_allow_zero_allocs ", op_size_zero_allowed},
    {"size too large", " malloc calloc realloc posix_memalign ", op_size_too_large},
    {"calloc, product too large", " calloc ", op_product_too_large},
    {"NULL kind", " malloc calloc realloc posix_memalign ", op_no_kind},
};
const size_t matrix_error_operation_count = LENGTH(matrix_error_operations);

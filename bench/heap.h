/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * heap: where blocks come from: a kind of an opened libmemkind, malloc(3), or nothing at all; and
 * the calls that are measured. These are inlined into the patterns, so that the same machine code
 * surrounds the call whoever is measured: a branch that is always right, and a call through a
 * pointer.
 */
#ifndef MEMKIND_BENCH_HEAP_H
#define MEMKIND_BENCH_HEAP_H

#include <stdbool.h>
#include <stddef.h>

#include "report.h"

#define PAGE 4096
#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

/* Every call goes through a pointer, whoever is measured: what a call through a PLT costs. */
struct heap {
    const char *name;
    /* Functions with a kind; NULL: those without one are used. */
    void *(*kind_malloc)(void *kind, size_t size);
    void *(*kind_calloc)(void *kind, size_t count, size_t size);
    void *(*kind_realloc)(void *kind, void *block, size_t size);
    int (*kind_memalign)(void *kind, void **block, size_t alignment, size_t size);
    void (*kind_free)(void *kind, void *block);
    size_t (*kind_usable_size)(void *kind, void *block);
    void *(*kind_detect)(void *block);
    void *kind;
    /* Functions without a kind. */
    void *(*plain_malloc)(size_t size);
    void *(*plain_calloc)(size_t count, size_t size);
    void *(*plain_realloc)(void *block, size_t size);
    int (*plain_memalign)(void **block, size_t alignment, size_t size);
    void (*plain_free)(void *block);
    size_t (*plain_usable_size)(void *block);
};

/* What is to be opened. */
struct heap_choice {
    const char *library; /* path or name of a libmemkind; NULL: malloc(3) of the process */
    bool none;           /* blocks cost nothing: what the patterns themselves cost */
    const char *folder;  /* for the file of kind PMEM */
};

/* Opens the library, calls none of its functions. Ends the program if there is no such library. */
void heap_load(const struct heap_choice *choice);

/*
 * Opens heap `name`, in the process that is to use it. On failure the cell is skipped, and `note`
 * says why.
 */
bool heap_open(struct heap *heap, const char *name, char note[NOTE_SIZE]);

/* A file-backed kind with a limit, and its making and end for a kind of its own, of the memory of
 * all nodes: what malloc(3), and the original library in the second case, does not have. */
bool heap_open_limited(struct heap *heap, size_t limit, char note[NOTE_SIZE]);
bool heap_make(struct heap *heap, char note[NOTE_SIZE]);
bool heap_unmake(struct heap *heap, char note[NOTE_SIZE]);

/* The block is used, as far as the compiler can tell. */
static inline void *heap_checked(void *block)
{
    if (__builtin_expect(!block, 0))
        give_up("no memory");
    __asm__ volatile("" : : "r"(block) : "memory");
    return block;
}

static inline void *heap_malloc(const struct heap *heap, size_t size)
{
    return heap_checked(heap->kind_malloc ? heap->kind_malloc(heap->kind, size)
                                          : heap->plain_malloc(size));
}

static inline void *heap_calloc(const struct heap *heap, size_t count, size_t size)
{
    return heap_checked(heap->kind_malloc ? heap->kind_calloc(heap->kind, count, size)
                                          : heap->plain_calloc(count, size));
}

static inline void *heap_realloc(const struct heap *heap, void *block, size_t size)
{
    return heap_checked(heap->kind_malloc ? heap->kind_realloc(heap->kind, block, size)
                                          : heap->plain_realloc(block, size));
}

static inline void *heap_memalign(const struct heap *heap, size_t alignment, size_t size)
{
    void *block = NULL;

    if (heap->kind_malloc)
        (void)heap->kind_memalign(heap->kind, &block, alignment, size);
    else if (heap->plain_memalign(&block, alignment, size))
        block = NULL;
    return heap_checked(block);
}

static inline void heap_free(const struct heap *heap, void *block)
{
    if (heap->kind_malloc)
        heap->kind_free(heap->kind, block);
    else
        heap->plain_free(block);
}

/* The kind is not told, so the library finds it. */
static inline void heap_free_any(const struct heap *heap, void *block)
{
    if (heap->kind_malloc)
        heap->kind_free(NULL, block);
    else
        heap->plain_free(block);
}

static inline size_t heap_usable_size(const struct heap *heap, void *block)
{
    return heap->kind_malloc ? heap->kind_usable_size(heap->kind, block)
                             : heap->plain_usable_size(block);
}

#endif /* MEMKIND_BENCH_HEAP_H */

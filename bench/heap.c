/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * Opens what is measured. The library is opened and not linked, so that one program measures any
 * libmemkind, and malloc(3) with whatever is preloaded. A name is that of a static kind without
 * MEMKIND_, or one of the table `openers`.
 *
 * heap_load() runs once, in the first process; heap_open() in that of a cell.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "heap.h"

#include <dlfcn.h>
#include <malloc.h>
#include <memkind.h> /* for its constants: nothing is linked */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FIXED_SIZE ((size_t)1 << 30)
#define NOTHING_SIZE (16 * MIB)

static struct heap_choice chosen;
static void *library;

/* --- blocks that cost nothing ----------------------------------------------------------------- */

static char *nothing; /* the block that all are */

static void *nothing_malloc(size_t size)
{
    (void)size;
    return nothing;
}

static void *nothing_calloc(size_t count, size_t size)
{
    (void)count;
    (void)size;
    return nothing;
}

static void *nothing_realloc(void *block, size_t size)
{
    (void)size;
    return block;
}

static int nothing_memalign(void **block, size_t alignment, size_t size)
{
    (void)alignment;
    (void)size;
    *block = nothing;
    return 0;
}

static void nothing_free(void *block)
{
    (void)block;
}

static size_t nothing_usable_size(void *block)
{
    return block != NULL;
}

static const struct heap nothing_heap = {.plain_malloc = nothing_malloc,
                                         .plain_calloc = nothing_calloc,
                                         .plain_realloc = nothing_realloc,
                                         .plain_memalign = nothing_memalign,
                                         .plain_free = nothing_free,
                                         .plain_usable_size = nothing_usable_size};

/* --- malloc(3) -------------------------------------------------------------------------------- */

/* At run time these are of the library that is preloaded. */
static const struct heap process_heap = {.plain_malloc = malloc,
                                         .plain_calloc = calloc,
                                         .plain_realloc = realloc,
                                         .plain_memalign = posix_memalign,
                                         .plain_free = free,
                                         .plain_usable_size = malloc_usable_size};

/* --- a libmemkind ----------------------------------------------------------------------------- */

/* Sets a pointer to whatever has that name there; false: there is no such name. */
static bool find(const char *name, void *pointer, char note[NOTE_SIZE])
{
    void *address = dlsym(library, name);

    if (!address) {
        snprintf(note, NOTE_SIZE, "the library has no %s", name);
        return false;
    }
    memcpy(pointer, &address, sizeof address);
    return true;
}

static bool open_static(struct heap *heap, const char *name, char note[NOTE_SIZE])
{
    int (*check_available)(void *kind);
    char symbol[80];
    void **kind;

    snprintf(symbol, sizeof symbol, "MEMKIND_%s", name);
    if (!find(symbol, &kind, note) || !find("memkind_check_available", &check_available, note))
        return false;
    heap->kind = *kind;
    if (!check_available(heap->kind))
        return true;
    snprintf(note, NOTE_SIZE, "the kind is not available here");
    return false;
}

static bool create_pmem(struct heap *heap, size_t limit, char note[NOTE_SIZE])
{
    int (*create)(const char *folder, size_t size, void **kind);
    int error;

    if (!find("memkind_create_pmem", &create, note))
        return false;
    error = create(chosen.folder, limit, &heap->kind);
    if (error)
        snprintf(note, NOTE_SIZE, "memkind_create_pmem: error %d in %s", error, chosen.folder);
    return error == 0;
}

static bool open_pmem(struct heap *heap, const char *name, char note[NOTE_SIZE])
{
    (void)name;
    return create_pmem(heap, 0, note);
}

static bool open_fixed(struct heap *heap, const char *name, char note[NOTE_SIZE])
{
    int (*create)(void *area, size_t size, void **kind);
    void *area = mmap(NULL, FIXED_SIZE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    int error;

    (void)name;
    if (!find("memkind_create_fixed", &create, note))
        return false;
    if (area == MAP_FAILED) {
        snprintf(note, NOTE_SIZE, "no area of %zu MiB", FIXED_SIZE / MIB);
        return false;
    }
    error = create(area, FIXED_SIZE, &heap->kind);
    if (error)
        snprintf(note, NOTE_SIZE, "memkind_create_fixed: error %d", error);
    return error == 0;
}

/* The functions of hbwmalloc.h, which have no kind: ordinary memory where there is no other. */
static bool open_hbw(struct heap *heap, const char *name, char note[NOTE_SIZE])
{
    (void)name;
    heap->kind_malloc = NULL;
    return find("hbw_malloc", &heap->plain_malloc, note) &&
           find("hbw_calloc", &heap->plain_calloc, note) &&
           find("hbw_realloc", &heap->plain_realloc, note) &&
           find("hbw_posix_memalign", &heap->plain_memalign, note) &&
           find("hbw_free", &heap->plain_free, note) &&
           find("hbw_malloc_usable_size", &heap->plain_usable_size, note);
}

static const struct {
    const char *name;
    bool (*open)(struct heap *heap, const char *name, char note[NOTE_SIZE]);
} openers[] = {
    {"PMEM", open_pmem},
    {"FIXED", open_fixed},
    {"hbw_malloc", open_hbw},
};

static bool find_calls(struct heap *heap, char note[NOTE_SIZE])
{
    return find("memkind_malloc", &heap->kind_malloc, note) &&
           find("memkind_calloc", &heap->kind_calloc, note) &&
           find("memkind_realloc", &heap->kind_realloc, note) &&
           find("memkind_posix_memalign", &heap->kind_memalign, note) &&
           find("memkind_free", &heap->kind_free, note) &&
           find("memkind_malloc_usable_size", &heap->kind_usable_size, note) &&
           find("memkind_detect_kind", &heap->kind_detect, note);
}

static bool open_kind(struct heap *heap, const char *name, char note[NOTE_SIZE])
{
    if (!find_calls(heap, note))
        return false;
    for (size_t i = 0; i < sizeof openers / sizeof openers[0]; i++)
        if (strcmp(openers[i].name, name) == 0)
            return openers[i].open(heap, name, note);
    return open_static(heap, name, note);
}

/* --- interface -------------------------------------------------------------------------------- */

void heap_load(const struct heap_choice *choice)
{
    chosen = *choice;
    if (chosen.none) {
        nothing = mmap(NULL, NOTHING_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (nothing == MAP_FAILED) {
            perror("memkind-bench: mmap");
            exit(EXIT_FAILURE);
        }
    } else if (chosen.library) {
        library = dlopen(chosen.library, RTLD_NOW);
        if (!library) {
            fprintf(stderr, "memkind-bench: %s\n", dlerror());
            exit(EXIT_FAILURE);
        }
    }
}

bool heap_open(struct heap *heap, const char *name, char note[NOTE_SIZE])
{
    *heap = chosen.none ? nothing_heap : process_heap;
    heap->name = name;
    return !library || open_kind(heap, name, note);
}

/* Only a libmemkind has kinds. */
static bool begin_kind(struct heap *heap, const char *name, char note[NOTE_SIZE])
{
    *heap = (struct heap){.name = name};
    if (library)
        return find_calls(heap, note);
    snprintf(note, NOTE_SIZE, "there are no kinds");
    return false;
}

bool heap_open_limited(struct heap *heap, size_t limit, char note[NOTE_SIZE])
{
    return begin_kind(heap, "PMEM", note) && create_pmem(heap, limit, note);
}

bool heap_make(struct heap *heap, char note[NOTE_SIZE])
{
    int (*create)(const char *nodes, memkind_policy_t policy, memkind_bits_t flags, void **kind);
    int error;

    if (!begin_kind(heap, "own", note) || !find("memkind_create_nodes", &create, note))
        return false;
    error = create("all", MEMKIND_POLICY_PREFERRED_LOCAL, (memkind_bits_t)0, &heap->kind);
    if (error)
        snprintf(note, NOTE_SIZE, "memkind_create_nodes: error %d", error);
    return error == 0;
}

bool heap_unmake(struct heap *heap, char note[NOTE_SIZE])
{
    int (*destroy)(void *kind);
    int error;

    if (!find("memkind_destroy_kind", &destroy, note))
        return false;
    error = destroy(heap->kind);
    if (error)
        snprintf(note, NOTE_SIZE, "memkind_destroy_kind: error %d", error);
    return error == 0;
}

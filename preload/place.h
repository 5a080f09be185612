/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * place: which kind a block of the program comes from.
 *
 * malloc() and free() are jumps to the shortest way that the settings allow: a table of kinds by
 * size (library.h), or a way of the front's own (front.h). For all others, MEMKIND_DEFAULT serves
 * blocks up to a size, and that answer is inline. Where nothing is decided yet, where the program
 * is watched, and for all else, place_alloc() answers: it asks the front, counts for the report,
 * and samples for the profile.
 *
 * The first block of the process decides, once (front_begin()). Whoever comes meanwhile, which can
 * only be what the library itself calls, since no thread was started without a block, gets blocks
 * of MEMKIND_DEFAULT.
 *
 * Threads: any.
 */
#pragma once

#include <memkind.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "library.h"
#include "serve.h"

#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)
#define HIDDEN __attribute__((visibility("hidden")))

typedef void *(*place_malloc_function)(size_t size, const void *how, const void *caller);
typedef void (*place_free_function)(memkind_t kind, void *block);

/* What the inline part reads. */
struct place {
    atomic_size_t below;                   /* all blocks of less bytes are of `kind`; 0: none */
    _Atomic(memkind_t) kind;               /* MEMKIND_DEFAULT; written before `below` */
    _Atomic(place_malloc_function) malloc; /* what malloc() does; what it is to be given: */
    _Atomic(const void *) how;             /* written before it */
    _Atomic(place_free_function) free;     /* what free() does */
    _Atomic(memkind_t) only;               /* all blocks are of this kind; NULL: it is not so */
    bool resized;                          /* all blocks that change are to pass by here */
};
extern struct place place HIDDEN;

/* Whether place_kind() serves blocks of this size. */
static inline bool place_is_simple(size_t size)
{
    return size < atomic_load_explicit(&place.below, memory_order_relaxed);
}

static inline memkind_t place_kind(void)
{
    return atomic_load_explicit(&place.kind, memory_order_relaxed);
}

/* `alignment` is a power of two; 1 for none in particular. The caller is the address that the
 * program's call returns to. NULL with ENOMEM. */
void *place_alloc(size_t size, size_t alignment, enum filling filling, const void *caller);

/* As malloc(). */
static inline void *place_malloc(size_t size, const void *caller)
{
    return atomic_load_explicit(&place.malloc, memory_order_relaxed)(
        size, atomic_load_explicit(&place.how, memory_order_relaxed), caller);
}

/* As place_alloc(), what a table of kinds by size has at hand: NULL: that is to be asked. The
 * alignment is more than 16. */
static inline void *place_aligned(size_t alignment, size_t size)
{
    if (atomic_load_explicit(&place.malloc, memory_order_relaxed) != memkind_sizes_malloc)
        return NULL;
    return memkind_sizes_aligned(alignment, size,
                                 atomic_load_explicit(&place.how, memory_order_relaxed));
}

/* Another size for a block of this library: where its kind has no memory for it, or where the
 * program is watched. As realloc(3). */
void *place_move(void *block, size_t size, const void *caller);

/* The same for any block, size not being 0, where a profile is all that watches. NULL: ask
 * place_move(), or place_realloc_foreign() for a block of others. */
void *place_resize(void *block, size_t size);

/* As free(). A kind that is named saves a look at whose the block is. */
static inline void place_free(void *block)
{
    atomic_load_explicit(&place.free, memory_order_relaxed)(
        atomic_load_explicit(&place.only, memory_order_relaxed), block);
}

/* A block that is none of the library's. */
void *place_realloc_foreign(void *block, size_t size, const void *caller);
size_t place_size_foreign(void *block);

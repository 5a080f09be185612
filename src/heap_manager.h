/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * heap_manager: the interface between the API and whoever manages the heaps.
 *
 * A heap manager cuts a heap's pages into blocks. Each is one folder src/backend_NAME and one const
 * table, listed in src/frontend/managers.c; MEMKIND_HEAP_MANAGER selects one at first use. It
 * includes this header and kinds/, never the frontend and never another heap manager.
 *
 * What the frontend has done before it calls: size 0, NULL and overflow are dealt with, alignment
 * is a power of two and a multiple of sizeof(void *), the heap was made by heap_create(). What it
 * expects: 0 or a MEMKIND_ERROR_* code; pointers NULL with errno ENOMEM.
 *
 * Threads: every function from any thread at once, even while the thread is inside another call of
 * the library (a malloc interposer at work, see kinds/system/reserve.h), except heap_destroy(),
 * which nobody runs beside another use of that heap.
 */
#pragma once

#include <errno.h>
#include <memkind.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "kinds/pages/pool.h"
#include "kinds/system/orphans.h"

/* What the environment asks of heap managers. */
struct heap_settings {
    unsigned arenas_per_heap; /* upper bound; 0: the heap manager's own choice */
    bool hog_memory;          /* never give pages back */
    bool checked;             /* every call is to come through the table of functions */
    bool looks;               /* small blocks are looked at when they are freed, at some cost */
};

/* What a call returns where there is no memory. Out of line: what leads to a block stays short. */
static __attribute__((cold, noinline, unused)) void *heap_out_of_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

/* One kind as a heap manager sees it; lives as long as the kind. */
struct heap {
    struct page_pool pages; /* opened by the frontend */
    atomic_size_t slot;     /* the heap manager's: short way from a thread to its cache; read even
                             * before the kind is ready. An address is made of it: as wide as one */
    void *state;            /* the heap manager's own */
    struct orphans orphans; /* blocks that their threads could not free */
    void *check;            /* src/check's own */
};

#define HEAP_WHY 256 /* bytes of a reason in words */

/* A library that the dynamic loader has opened. */
struct heap_library {
    void *handle;       /* NULL: none */
    void *functions[8]; /* in the heap manager's own order */
};

struct heap_manager {
    const char *name; /* as MEMKIND_HEAP_MANAGER spells it */

    /* The start: load(), open(), start(). An error, with the reason in words: the default heap
     * manager is taken instead, after unload() where open() or start() failed.
     *
     * What is asked of the dynamic loader is asked in open(), without any lock of ours: a thread
     * that has the loader's (the constructors of a library, a malloc interposer below dlopen())
     * may be waiting for one. So open() runs on any number of threads at once, and start() gets
     * what one of them opened; close() gets the others'. The other functions run once. A heap
     * manager without a library has neither of the last four. */
    int (*load)(const struct heap_settings *settings, char why[HEAP_WHY]);
    int (*open)(struct heap_library *library, char why[HEAP_WHY]);
    void (*close)(struct heap_library *library);
    int (*start)(const struct heap_library *library, char why[HEAP_WHY]);
    void (*unload)(void);

    int (*heap_create)(struct heap *heap);
    /* Frees all the heap holds, but not the pages: the frontend closes the pool afterwards. An
     * error: the heap is as before. May wait for other threads, so no lock is held. A fork(2)
     * beside it finds all of the heap or nothing, and then state is NULL. */
    int (*heap_destroy)(struct heap *heap);

    /* How many allocations the calling thread may still have answered inline before one comes to
     * this table; it may be lowered. NULL, or a function that returns it: all come. */
    int *(*countdown)(void);
    void *(*malloc)(struct heap *heap, size_t size);
    void *(*calloc)(struct heap *heap, size_t size);
    void *(*aligned_alloc)(struct heap *heap, size_t alignment, size_t size);
    /* heap NULL: the block's own. A pointer of no heap: NULL with EINVAL. */
    void *(*realloc)(struct heap *heap, void *block, size_t size);
    /* heap NULL: the block's own. What is no block of a heap goes to reserve_free(). It leaves
     * errno alone. */
    void (*free)(struct heap *heap, void *block);
    bool tells_wrong_kinds; /* free() gets the heap of a kind that was never used, too */

    /* A shorter way to malloc() and free() where the settings ask for looks; NULL: there is none.
     */
    void *(*malloc_looking)(struct heap *heap, size_t size);
    void (*free_looking)(struct heap *heap, void *block);
    /* Whom free_looking() asks, and nobody before, about what it does not take for a small block of
     * the heap. True: that is dealt with. Written before the first block; NULL: nobody. */
    bool (**foreign)(void *block);

    /* O(1), no lock. 0 and NULL for a pointer of no heap. */
    size_t (*usable_size)(const void *block);
    struct heap *(*detect)(const void *block);

    /* Moves the block where that makes the heap denser; NULL: not worth it, and errno as before, or
     * never possible, and errno ENOTSUP. `block` may be NULL. */
    void *(*defrag)(void *block);

    int (*update_stats)(void);
    /* heap NULL: all heaps and the manager's own memory. */
    int (*stat)(struct heap *heap, memkind_stat_type type, size_t *value);
    /* `write` is never NULL. */
    int (*stats_print)(void (*write)(void *opaque, const char *text), void *opaque,
                       memkind_stat_print_opt options);
    /* Gives a step of what is due back, of all heaps: about a millisecond's work, of any thread.
     * True: there is more that can be done now. */
    bool (*give_back)(void);

    /* Gives back whatever a heap does not use, of its thread caches the calling thread's; NULL: all
     * heaps. Bytes; -1: it cannot be done now. */
    ssize_t (*trim)(struct heap *heap);

    /* Before fork(2) takes the registry's lock: waits for what may need that. NULL: for nothing. */
    void (*await_thread_exits)(void);
    /* Around fork(2); the page layer's locks are taken after prefork() and free again before the
     * other two. */
    void (*prefork)(void);
    void (*postfork_parent)(void);
    void (*postfork_child)(void);
};

extern const struct heap_manager heap_manager_jemalloc;
extern const struct heap_manager heap_manager_tbb;

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * jem: the heap manager JEMALLOC, seen from inside its own folder.
 *
 * Glossary
 *   arena   jemalloc's unit of independence: its own locks, slabs and extents.
 *   extent  a run of pages an arena manages; regions of the page layer are where they come from.
 *   arena set   the arenas of one heap in one locality domain. Blocks of a arena set are
 * interchangeable. slot    a arena set's small number: index into every thread's table of caches.
 *   cache   jemalloc's explicit thread cache of (thread, arena set). Blocks of one arena set only.
 *
 * This folder includes jemalloc's internal headers: the version is pinned, its functions that take
 * a cache itself have no limit of 4,094 ids, and its cache bins can be used inline (a block from
 * the cache is four instructions and no call).
 *
 * Files: manager.c the table, load, fork. arena_set.c arena sets and arenas. extent.c where arenas
 * get their pages, and give them back. thread.c threads and their caches. block.c allocation,
 * deallocation, lookup. stats.c numbers.
 *
 * Locks, outermost first: the lock of reclaims (extent.c), jem_lock (arena sets, arenas' thread
 * counts, the list of threads), a thread's own lock (its table of caches, against heap_destroy),
 * jemalloc's, the page layer's.
 */
#pragma once

#include "jemalloc/internal/jemalloc_preamble.h"

#include "jemalloc/internal/jemalloc_internal_includes.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "backend_jemalloc/fast.h"
#include "heap_manager.h"

#define JEM_SLOTS 4096   /* arena sets that can be: each needs one of jemalloc's 4,094 arenas */
#define JEM_SLOT_NONE 0u /* never has a cache: sends the fast path to the slow one */

struct jem_arena {
    struct jem_arena *next;
    arena_t *arena;
    unsigned index;
    unsigned threads; /* caches that fill from it */
};

struct jem_arena_set {
    extent_hooks_t hooks; /* first: jemalloc's hooks are called with its address */
    struct heap *heap;
    unsigned slot;
    unsigned domain;
    unsigned narenas;
    struct jem_arena *arenas;    /* never empty; grows in front, an arena's `next` never changes */
    bool frozen;                 /* shared with the parent of this process: see jem_heap */
    struct jem_arena_set *older; /* next frozen one */
    atomic_bool whole;           /* a region may be all unused, see extent.c */
};

/* heap->state */
struct jem_heap {
    struct heap *heap;
    LIST_ENTRY(jem_heap) entry;   /* in the list of all */
    struct jem_arena_set *frozen; /* of before a fork(2), in the child, where pages are shared */
    unsigned domains;
    struct jem_arena_set *_Atomic sets[]; /* by domain; NULL until a thread there needs one */
};

struct jem_cache; /* cache.c */

extern pthread_mutex_t jem_lock;
extern struct heap_settings jem_settings;
extern atomic_bool jem_ready; /* jemalloc has started */

/* Group of each arena, NULL for jemalloc's own arena 0. */
extern struct jem_arena_set *_Atomic jem_set_of_arena[MALLOCX_ARENA_LIMIT];

/* Starts jemalloc, unless it has been. An error may go away. Any thread. */
int jem_start(void);

/* --- memory for the manager itself, from jemalloc's arena 0 --- */
void *jem_internal_alloc(tsd_t *tsd, size_t size); /* zeroed, or NULL */
void jem_internal_free(tsd_t *tsd, void *block);

/* --- arena_set.c --- */
int jem_arena_set_heap_create(struct heap *heap);
int jem_arena_set_heap_destroy(struct heap *heap);
/* The arena set for the calling thread's CPU, made at its first need. NULL: out of memory. */
struct jem_arena_set *jem_arena_set_here(tsd_t *tsd, struct heap *heap);
/* The arena for one more cache. Called with jem_lock; never fails. */
struct jem_arena *jem_arena_set_take_arena(tsd_t *tsd, struct jem_arena_set *set);
/* One thread more or less fills its cache from the arena. Called with jem_lock. */
void jem_arena_set_count_thread(arena_t *arena, int change);
/* The arena set's arenas, for a walk without jem_lock. */
struct jem_arena *jem_arena_set_arenas(struct jem_arena_set *set);
/* In the child of a fork: no thread uses any arena, and what is shared is frozen. tsd may be NULL.
 */
void jem_arena_set_postfork_child(tsd_t *tsd);

/* --- extent.c --- */
extern extent_hooks_t jem_extent_forget; /* takes all, gives nothing, touches nothing */
void jem_extent_stock(tsd_t *tsd);       /* sees to it that arena 0 has pages */
void jem_extent_hooks(struct jem_arena_set *set);
void jem_extent_configure(struct jem_arena_set *set, arena_t *arena);
/* Takes what the arena set does not use to its pool: the calling thread's cache, all arenas' free
 * pages. False: there was nothing. */
bool jem_extent_reclaim(tsd_t *tsd, struct jem_arena_set *set, struct jem_cache *cache);
/* Whether the arena could have a block of this usable size without new pages. */
bool jem_extent_may_serve(tsd_t *tsd, arena_t *arena, size_t usize);
void jem_extent_prefork(void);
void jem_extent_postfork(void);

/* --- cache.c --- */
/* What a thread's table has where there is no cache: never has a block, nor room for one. */
extern struct jem_bins jem_cache_none;
void jem_cache_start(void); /* with jemalloc's */
/* A cache that is filled from the arena. NULL: out of memory. */
struct jem_cache *jem_cache_create(tsd_t *tsd, struct jem_arena_set *set, arena_t *arena);
/* Frees the cache's own memory; its blocks have been flushed, or stay where they are. */
void jem_cache_release(tsd_t *tsd, struct jem_cache *cache);
arena_t *jem_cache_arena(const struct jem_cache *cache);
/* Whether blocks of the size class are cached; cache may be NULL. */
bool jem_cache_serves(const struct jem_cache *cache, szind_t index);
/* For size classes that are served. A block, from the arena if need be; NULL: that has no memory,
 * or the class is a large one. */
void *jem_cache_alloc(tsd_t *tsd, struct jem_cache *cache, szind_t index);
void jem_cache_free(tsd_t *tsd, struct jem_cache *cache, szind_t index, void *block);
/* Gives blocks back to their arenas: those that were not needed since the last time, or all.
 * False: there were none. */
void jem_cache_collect(tsd_t *tsd, struct jem_cache *cache);
bool jem_cache_flush(tsd_t *tsd, struct jem_cache *cache);
/* Bytes that it has grown by; in the child of a fork, those of the caches that there still are. */
size_t jem_cache_growth(const struct jem_cache *cache);
void jem_cache_postfork_child(size_t growth);
/* Of blocks in it. Any thread. */
size_t jem_cache_bytes(const struct jem_cache *cache);

/* --- thread.c --- */
/* jem_thread_now (fast.h) is the calling thread's state: never NULL, but possibly one without room
 * for caches. */
/* Takes jemalloc's pthread key over: after its start, and anew in the child of a fork. */
int jem_thread_take_key(void);
/* jemalloc's data of the calling thread, made at the first call. NULL: out of memory. */
tsd_t *jem_tsd(void);
/* Makes the thread's state if it has none. False: the thread is inside this call already (see
 * kinds/system/reserve.h). Whoever goes on may still find no cache. */
bool jem_thread_enter(void);
/* The calling thread's cache of the arena set; NULL: use the arena directly. */
struct jem_cache *jem_thread_cache(tsd_t *tsd, struct jem_arena_set *set);
/* Takes away every thread's cache of a arena set that is about to be destroyed. Called with
 * jem_lock.
 */
void jem_thread_drop_caches(tsd_t *tsd, unsigned slot);
/* Looks for unused blocks: in the calling thread's next cache, if it is time to; in all of them. */
void jem_thread_collect_due(void);
void jem_thread_collect_all(void);
/* Bytes in all threads' caches, by slot; returns the sum. Called with jem_lock. */
size_t jem_thread_cached(size_t cached[JEM_SLOTS]);
/* In the child of a fork: the calling thread's cache of the slot goes, its blocks stay where they
 * are. */
void jem_thread_forget_cache(tsd_t *tsd, unsigned slot);
void jem_thread_postfork_child(void);

/* --- block.c --- */
void *jem_malloc(struct heap *heap, size_t size);
void *jem_calloc(struct heap *heap, size_t size);
void *jem_aligned_alloc(struct heap *heap, size_t alignment, size_t size);
void *jem_realloc(struct heap *heap, void *block, size_t size);
void jem_free(struct heap *heap, void *block);
size_t jem_usable_size(const void *block);
struct heap *jem_detect(const void *block);
void *jem_defrag(void *block);

/* --- stats.c --- */
int jem_update_stats(void);
int jem_stat(struct heap *heap, memkind_stat_type type, size_t *value);
int jem_stats_print(void (*write)(void *opaque, const char *text), void *opaque,
                    memkind_stat_print_opt options);
int jem_background_threads(bool on);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * arena_set: the arenas of one heap in one locality domain. Their blocks are interchangeable.
 *
 * A heap has one arena set per locality domain, and an arena set has arenas as its threads need
 * them: the machine's size costs nothing. jemalloc has 4,094 arenas for the whole process, so the
 * second and later arenas of a set, and the second and later sets of a heap, are only made while
 * few enough exist; above that, threads share an arena, and domains a set. So every heap finds its
 * first arena.
 *
 * Arenas are made with metadata kept out of the kind's memory and with the set's hooks. When their
 * heap ends they are emptied and used again; of those that are too many for that, only their
 * numbers are kept.
 *
 * Threads: arena sets and counts are guarded by jem_lock.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "backend_jemalloc/extent_hooks.h"
#include "backend_jemalloc/jemalloc_internals.h"
#include "heap_manager.h"

#define JEM_SLOTS 4096   /* arena sets that can be: each needs one of jemalloc's 4,094 arenas */
#define JEM_SLOT_NONE 0u /* never has a cache: sends the fast path to the slow one */

struct jem_arena {
    struct jem_arena *next;
    arena_t *arena;
    unsigned index;
    unsigned threads; /* caches that fill from it */
    /* Its figures when statistics were last updated; guarded by jem_lock. */
    size_t told[MEMKIND_STAT_TYPE_MAX_VALUE];
};

struct jem_arena_set {
    struct jem_extent_hooks hooks;
    struct heap *heap;
    unsigned slot; /* a small number: index into every thread's table of caches */
    unsigned narenas;
    size_t cached;               /* bytes in threads' caches, likewise */
    size_t kept;                 /* and free pages that the pool keeps */
    struct jem_arena *arenas;    /* never empty; grows in front, an arena's `next` never changes */
    bool frozen;                 /* shared with the parent of this process: see heap.h */
    struct jem_arena_set *older; /* next frozen one */
};

/* The arena set of each arena, NULL for jemalloc's own arena 0. */
extern struct jem_arena_set *_Atomic jem_set_of_arena[MALLOCX_ARENA_LIMIT];

/* Whether there may be an arena set for one more domain of a heap that has one. Called with
 * jem_lock. */
bool jem_arena_set_is_room(void);
/* An arena set with its first arena. NULL: out of memory or slots. Called with jem_lock. */
struct jem_arena_set *jem_arena_set_create(tsd_t *tsd, struct heap *heap, unsigned domain);

/* The end of a set, in four steps. Emptying takes as long as there are blocks, so it runs without a
 * lock; a fork(2) beside it loses the arenas of the set to the child. */
/* Its pages do not go back any more. Called with jem_lock. */
void jem_arena_set_stop_decay(tsd_t *tsd, struct jem_arena_set *set);
/* No address is in it, its slot is free. No thread has a cache of it. Called with jem_lock. */
void jem_arena_set_unlink(struct jem_arena_set *set);
/* Without jem_lock. */
void jem_arena_set_empty(tsd_t *tsd, struct jem_arena_set *set);
/* Its arenas are for other sets. Called with jem_lock. */
void jem_arena_set_drop(tsd_t *tsd, struct jem_arena_set *set);

/* The arena for one more cache; `own`: one that no other cache has, if there may be so many. Called
 * with jem_lock; never fails. */
struct jem_arena *jem_arena_set_take_arena(tsd_t *tsd, struct jem_arena_set *set, bool own);
/* The arena of that index in its set; NULL: it is in none. Called with jem_lock. */
struct jem_arena *jem_arena_set_find_arena(unsigned index);
/* The arena set of a slot, or NULL. Called with jem_lock. */
struct jem_arena_set *jem_arena_set_at(unsigned slot);
/* One thread more or less fills its cache from the arena; returns how many do. Called with
 * jem_lock. */
unsigned jem_arena_set_count_thread(arena_t *arena, int change);
/* The arena set's arenas, for a walk without jem_lock. */
struct jem_arena *jem_arena_set_arenas(struct jem_arena_set *set);

/* The set has no slot any more and its arenas take nothing and give nothing. For the child of a
 * fork, where the set's pages are its parent's. */
void jem_arena_set_freeze(struct jem_arena_set *set);
/* Whoever reads what jemalloc has of all arenas says so with 1, and with -1 when he has done. */
void jem_arena_set_read(tsd_t *tsd, int change);

/* In the child of a fork: no thread uses any arena. */
void jem_arena_set_postfork_child(tsdn_t *tsdn);

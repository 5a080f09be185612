/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * cache: a thread's free blocks of one arena set, by size class.
 *
 * These are not jemalloc's thread caches, which are of one size for all, have room for blocks that
 * a thread never has, and are collected only for the one that jemalloc makes by itself. Ours are
 * filled from jemalloc's arenas and flushed to them, and are used inline (fast.h).
 *
 * Size: a bin has nothing at all before its first block, and room for ROOM_FIRST bytes then. One
 * that is filled and filled again, or flushed and flushed again, is doubled until it has room for
 * ROOM_EASY: each exchange with an arena takes locks, whatever its size. One that is flushed after
 * it has been filled is too small for what its thread does; it may grow as far as all bins of the
 * cache together have not grown by more than GROWTH_MOST, and all caches of the process by
 * GROWTH_ALL. Caches of a conservative heap have little room, none for larger blocks, and never
 * grow. So what a cache can hold is known: JEM_CACHE_MOST and JEM_CACHE_LITTLE (fast.h), which the
 * manual tells.
 *
 * Unused blocks: every JEM_CALLS_BETWEEN times JEM_LOOKS_BETWEEN calls a thread looks at one
 * of its caches, at the next one each time. What a bin had all the time since the last look, it
 * does not need: three quarters go back, and the bin's room shrinks. From a thread that sleeps
 * others steal (steal.h), all but one block of each bin.
 *
 * Threads: a cache is its thread's own; another one destroys it with its kind (thread.c). The hits
 * take no lock. What moves the blocks of a bin takes the thread's (bin_settle() and its like),
 * since others may be stealing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "backend_jemalloc/arena_set.h"
#include "backend_jemalloc/steal.h"

struct jem_cache;

/* Once, after jemalloc's own start. */
void jem_cache_start(void);

/* A cache that is filled from the arena. NULL: out of memory. */
struct jem_cache *jem_cache_create(tsd_t *tsd, struct jem_arena_set *set, arena_t *arena);
/* Frees the cache's own memory; its blocks have been flushed, or stay where they are. */
void jem_cache_release(tsd_t *tsd, struct jem_cache *cache);
bool jem_cache_is_of(const struct jem_cache *cache, const struct heap *heap);
arena_t *jem_cache_arena(const struct jem_cache *cache);
/* The same for a slow path of its thread: one that comes often gets an arena of its own. Called
 * without jem_lock. */
arena_t *jem_cache_visit(tsd_t *tsd, struct jem_cache *cache);

/* Whether blocks of the size class are cached; cache may be NULL. */
bool jem_cache_serves(const struct jem_cache *cache, szind_t index);
/* For size classes that are served. A block, from the arena if need be; NULL: that has no memory,
 * or the class is a large one. */
void *jem_cache_alloc(tsd_t *tsd, struct jem_cache *cache, szind_t index);
void jem_cache_free(tsd_t *tsd, struct jem_cache *cache, szind_t index, void *block);
/* Without a cache, to the arena that the block came from: of any size class. */
void jem_cache_give_back(tsd_t *tsd, szind_t index, void *block);

/* Gives those blocks back to their arenas that were not needed since the last time. Called with the
 * thread's lock. */
void jem_cache_collect(tsd_t *tsd, struct jem_cache *cache);
/* Gives what was stolen from a cache back to its arenas. */
void jem_cache_give_back_stolen(tsd_t *tsd, struct jem_stolen *stolen);
/* Gives all blocks back. False: there were none. cache may be NULL. Called with the thread's lock.
 */
bool jem_cache_flush(tsd_t *tsd, struct jem_cache *cache);

/* Bytes that it has grown by; in the child of a fork, those of the caches that there still are. */
size_t jem_cache_growth(const struct jem_cache *cache);
void jem_cache_postfork_child(size_t growth);
/* The blocks in it, and their bytes. Any thread. */
size_t jem_cache_blocks(const struct jem_cache *cache);
size_t jem_cache_bytes(const struct jem_cache *cache);

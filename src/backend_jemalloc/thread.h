/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * thread: a thread's state and its caches, one for each arena set that it has used.
 *
 * jem_thread_now (fast.h) is a thread-local pointer (initial-exec: one instruction to read, and
 * dlopen works since it is small). It points to one of
 *   unseen    the thread has not been here yet
 *   entering  the thread is building its state; a call that comes back meanwhile sees this
 *   leaving   the thread's exit has flushed its caches; what its other destructors allocate or free
 *             goes to the arenas directly
 *   forking   the thread is between the fork handlers. What is called from those of others goes
 *             the slow way, where guard.h sees to it: in the child the caches are not what they
 *             were, if their blocks are in pages of the parent's.
 *   the thread's own state
 * The first four have no room for caches, so the fast path needs no test for them.
 *
 * Every so many calls a thread looks at the next one of its caches for blocks that it does not need
 * (cache.h). Allocations are counted one by one, frees when their blocks leave the cache. A thread
 * that sleeps does not come to that: once a second, whoever gives pages back looks at all threads,
 * and steals from those whose count stands still. (One that only frees may be taken for such a one;
 * it loses blocks that it did not need.)
 *
 * jemalloc keeps its own data of a thread behind a pthread key: a library has one block of
 * thread-local storage, and with jemalloc's 2.6 KiB beside our initial-exec pointer it could not be
 * dlopen'd. We take that key over. Its destructor ends our state first and jemalloc's data then, in
 * that order by construction.
 *
 * Destroying a heap takes the caches of its arena sets away from all threads; it meets an exiting
 * thread at that thread's own lock, and whoever comes first flushes the cache. A thread's own lock
 * comes after jem_lock. Thieves have the lock of purges until what they stole is back in its
 * arenas, so that no arena set is destroyed, no process forked, and no cache and arena counted, in
 * between.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "backend_jemalloc/arena_set.h"
#include "backend_jemalloc/cache.h"

/* Takes jemalloc's pthread key over: after its start, and anew in the child of a fork. */
int jem_thread_take_key(void);

/* Makes the thread's state if it has none. False: the thread is inside this call already (see
 * kinds/system/reserve.h). Whoever goes on may still find no cache. */
bool jem_thread_enter(void);

/* The calling thread's cache of the arena set; NULL: use the arena directly. */
struct jem_cache *jem_thread_cache(tsd_t *tsd, struct jem_arena_set *set);
/* Takes every thread's cache of an arena set away, which is about to be destroyed. Called with
 * jem_lock. */
void jem_thread_drop_caches(tsd_t *tsd, unsigned slot);

/* What a thread does for what is unused, on its way through the slow paths: pages of all arenas
 * (purge.h), blocks of its next cache, if it is time to. */

void jem_thread_collect_due(void);
/* Looks for unused blocks in all caches of the calling thread. */
void jem_thread_collect_all(void);
/* Empties the calling thread's caches of a heap; NULL: all. False: there was nothing in them. */
bool jem_thread_flush(const struct heap *heap);
/* Takes from the other threads' caches of a heap (NULL: all) what can be stolen (steal.h). One
 * caller at a time, with the lock of reclaims. False: they have nothing. */
bool jem_thread_steal(tsd_t *tsd, const struct heap *heap);
/* The same of all heaps, a little at a time, from threads that sleep: that have not called the
 * library for IDLE_LOOKS seconds. True: there is more. */
bool jem_thread_steal_idle(tsd_t *tsd);
/* Bytes in all threads' caches of a slot. Called with jem_lock. */
size_t jem_thread_cached(unsigned slot);

/* Around what must not find the calling thread's caches: see callout.h. */
void *jem_thread_hide(void);
void jem_thread_show(void *hidden);

/* Around a fork, innermost: the forking thread has no caches meanwhile. */
void jem_thread_prefork(void);
void jem_thread_postfork(void);
/* In the child of a fork: the calling thread's cache of the slot goes, its blocks stay where they
 * are. */
void jem_thread_forget_cache(tsd_t *tsd, unsigned slot);
/* In the child of a fork, after the arena sets': only the calling thread lives on. */
void jem_thread_postfork_child(void);

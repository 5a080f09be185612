/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * trim: what pools of the library keep goes back.
 *
 * A pool gives up what it keeps, of every thread's lists too, when it gets no raw memory, and only
 * then: emptied slabs of threads that ended, and freed pieces that it has not joined yet, tens of
 * MiB, would stay for ever. memkind_trim() asks a pool for a block that cannot be. So does, of
 * itself, whoever looks at what is unused, for pools that are idle: that got and gave back no raw
 * region for the decay time, and were used since they were trimmed last. What comes out is old: the
 * run cache gives it to the system with its next steps.
 *
 * Threads: any. While exits are stopped, no pool is destroyed. An idle pool is trimmed by a thread
 * that may hold any lock of ours or have called from anywhere, but from inside the library: it
 * only tries the locks, and where one is taken, an exit runs, or a kind is being destroyed, it is
 * somebody else's turn later. One pool at a time; nothing of a program's own is called meanwhile.
 *
 * Of all that is asked of the library only this takes every lock of a pool. A thread that was
 * cancelled asynchronously inside may have left one behind; nothing is trimmed from then on.
 */
#include "backend_tbb/tbb.h"

#include "kinds/system/guard.h"

/* More than any pool has in one piece. */
#define NEVER_THERE ((size_t)1 << 46)

/* The second in which no pool was found idle: none becomes so before the next. */
static atomic_long looked_in;

void tbb_trim_pool_used(struct tbb_pool *pool)
{
    atomic_store_explicit(&pool->busy_in, os_seconds(), memory_order_relaxed);
    atomic_store_explicit(&pool->used, true, memory_order_relaxed);
}

void tbb_trim_heap_used(struct heap *heap)
{
    const struct tbb_heap *state = heap->state;
    struct tbb_pool *pool = atomic_load_explicit(&state->pools, memory_order_acquire);

    for (; pool; pool = pool->next)
        if (!atomic_load_explicit(&pool->used, memory_order_relaxed))
            atomic_store_explicit(&pool->used, true, memory_order_relaxed);
}

/* What is used from now on counts for the next time. `idle`: what comes out goes back with
 * anybody's next step; else it is the caller's, who tells how much it was. */
static void pool_trim(struct tbb_thread *thread, struct tbb_pool *pool, bool idle)
{
    atomic_store_explicit(&pool->busy_in, os_seconds(), memory_order_relaxed);
    atomic_store_explicit(&pool->used, false, memory_order_relaxed);
    thread->trims = true;
    thread->trims_idle = idle;
    tbb_gate_enter(thread);
    (void)tbb_library.pool_malloc(pool->memory, NEVER_THERE);
    tbb_gate_leave(thread);
    thread->trims = thread->trims_idle = false;
    (void)tbb_heap_shrink_pack(pool->heap->state, idle);
}

/* --- when the program says so ----------------------------------------------------------------- */

static struct tbb_pool *pools_of(const struct tbb_heap *state, const struct heap *heap)
{
    struct tbb_pool *pools = NULL;

    pthread_mutex_lock(&tbb_lock);
    if (state->heap && (!heap || state->heap == heap))
        pools = atomic_load_explicit(&state->pools, memory_order_relaxed);
    pthread_mutex_unlock(&tbb_lock);
    return pools;
}

static bool can_be_trimmed(void)
{
    return !atomic_load_explicit(&tbb_thread_left_inside, memory_order_relaxed);
}

static ssize_t trim_guarded(const struct heap *heap)
{
    struct tbb_thread *thread;
    size_t bytes = 0;

    tbb_free_orphans(true);
    if (!tbb_thread_enter(&thread) || !thread || !tbb_exits_stop())
        return -1;
    for (unsigned slot = 0; slot < TBB_SLOTS; slot++) {
        struct tbb_pool *pool = pools_of(&tbb_heaps[slot], heap);

        for (; pool && can_be_trimmed(); pool = pool->next) {
            pool_trim(thread, pool, false);
            bytes += run_cache_trim(&pool->raw);
        }
    }
    tbb_exits_resume();
    return can_be_trimmed() ? (ssize_t)bytes : -1;
}

ssize_t tbb_trim(struct heap *heap)
{
    struct guard guard;
    ssize_t bytes;

    guard_enter(&guard);
    bytes = trim_guarded(heap);
    guard_leave(&guard);
    return bytes;
}

/* --- by itself -------------------------------------------------------------------------------- */

static bool is_idle(const struct tbb_pool *pool, long now)
{
    return atomic_load_explicit(&pool->used, memory_order_relaxed) &&
           atomic_load_explicit(&pool->busy_in, memory_order_relaxed) <= now - POOL_DECAY_SECONDS;
}

/* An idle pool, or NULL. Called with tbb_lock. */
static struct tbb_pool *find_idle(long now)
{
    for (unsigned slot = 0; slot < TBB_SLOTS; slot++) {
        struct tbb_pool *pool = tbb_heaps[slot].heap ? atomic_load_explicit(&tbb_heaps[slot].pools,
                                                                            memory_order_relaxed)
                                                     : NULL;

        for (; pool; pool = pool->next)
            if (is_idle(pool, now))
                return pool;
    }
    return NULL;
}

/* Called while exits are stopped. False: there was none. */
static bool trim_found(struct tbb_thread *thread)
{
    long now = os_seconds();
    struct tbb_pool *pool;

    if (pthread_mutex_trylock(&tbb_lock))
        return false;
    pool = find_idle(now);
    if (!pool)
        atomic_store_explicit(&looked_in, now, memory_order_relaxed);
    pthread_mutex_unlock(&tbb_lock);
    if (pool)
        pool_trim(thread, pool, true);
    return pool != NULL;
}

static bool trim_idle(void)
{
    struct tbb_thread *thread;
    bool done;

    if (!can_be_trimmed() || atomic_load_explicit(&looked_in, memory_order_relaxed) == os_seconds())
        return false;
    /* Busy: the library has called us back, or the thread is in the last part of its exit. */
    if (!tbb_thread_enter(&thread) || !thread ||
        atomic_load_explicit(&thread->busy, memory_order_relaxed) || !tbb_exits_try_stop())
        return false;
    done = trim_found(thread);
    tbb_exits_resume();
    return done;
}

bool tbb_give_back(void)
{
    struct guard guard;
    bool trimmed, decayed;

    guard_enter(&guard);
    tbb_free_orphans(false);
    trimmed = trim_idle();
    decayed = run_cache_decay(false);
    guard_leave(&guard);
    return trimmed || decayed;
}

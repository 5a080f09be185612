/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * thread: a thread's state and its caches, one per group it has used.
 *
 * The only thread-local variable of the library is a pointer (initial-exec: one instruction to
 * read, and dlopen works since it is small). It points to one of
 *   unseen    the thread has not been here yet
 *   entering  the thread is building its state; a call that comes back meanwhile sees this
 *   leaving   the thread's exit has flushed its caches; what its other destructors allocate or free
 *             goes to the arenas directly
 *   the thread's own state
 * The first three have no room for caches, so the fast path needs no test for them.
 *
 * jemalloc keeps its own data of a thread behind a pthread key: a library has one block of
 * thread-local storage, and with jemalloc's 2.6 KiB beside our initial-exec pointer it could not be
 * dlopen'd. We take that key over. Its destructor ends our state first and jemalloc's data then, in
 * that order by construction; and a thread's data is made here, because jemalloc would abort where
 * there is no memory for it.
 *
 * heap_destroy() takes the caches of its groups away from all threads; it meets an exiting thread
 * at that thread's lock, and whoever comes first flushes the cache.
 */
#include "backend_jemalloc/jem.h"

#include <errno.h>

#include "kinds/host.h"

#define SLOTS_FIRST 64 /* room at first: static kinds and a few more */

static struct jem_thread unseen, entering, leaving;

__thread struct jem_thread *jem_thread_now __attribute__((tls_model("initial-exec"))) = &unseen;

static LIST_HEAD(, jem_thread) threads; /* all live threads' states, guarded by jem_lock */

/* --- jemalloc's data of a thread -----------------------------------------------------------------
 */

static tsd_t *tsd_make(void)
{
    tsd_wrapper_t *wrapper;
    tsd_t blank = TSD_INITIALIZER;

    if (tsd_get(false))
        return tsd_fetch();
    wrapper = malloc_tsd_malloc(sizeof *wrapper);
    if (!wrapper)
        return NULL;
    wrapper->initialized = false;
    wrapper->val = blank;
    if (pthread_setspecific(tsd_tsd, wrapper)) {
        malloc_tsd_dalloc(wrapper);
        return NULL;
    }
    return tsd_fetch();
}

static bool is_ready(void)
{
    return atomic_load_explicit(&jem_ready, memory_order_acquire);
}

tsd_t *jem_tsd(void)
{
    struct jem_thread *thread = jem_thread_now;

    if (likely(thread->slots))
        return thread->tsd;
    return is_ready() ? tsd_make() : NULL;
}

void *jem_internal_alloc(tsd_t *tsd, size_t size)
{
    jem_extent_stock(tsd);
    return iallocztm(tsd_tsdn(tsd), size, sz_size2index(size), true, NULL, true,
                     arena_get(TSDN_NULL, 0, true), true);
}

void jem_internal_free(tsd_t *tsd, void *block)
{
    idalloctm(tsd_tsdn(tsd), block, NULL, NULL, true, true);
}

/* --- caches -------------------------------------------------------------------------------------
 */

/* Called with jem_lock. */
static tcache_t *cache_create(tsd_t *tsd, struct jem_group *group)
{
    tcache_t *cache = tcache_create_explicit(tsd);

    if (cache) {
        struct jem_arena *arena = jem_group_take_arena(tsd, group);

        tcache_arena_reassociate(tsd_tsdn(tsd), cache->tcache_slow, cache, arena->arena);
    }
    return cache;
}

void jem_thread_flush(tsd_t *tsd, tcache_t *cache)
{
    for (szind_t i = 0; i < nhbins; i++) {
        if (i < SC_NBINS)
            tcache_bin_flush_small(tsd, cache, &cache->bins[i], i, 0);
        else
            tcache_bin_flush_large(tsd, cache, &cache->bins[i], i, 0);
    }
}

/* Gives the blocks back to their arenas and the cache's memory to arena 0: what jemalloc's own
 * tcache_destroy() does for caches that have an id. */
static void cache_destroy(tsd_t *tsd, tcache_t *cache)
{
    tcache_slow_t *slow = cache->tcache_slow;
    arena_t *arena = slow->arena;

    jem_thread_flush(tsd, cache);
    malloc_mutex_lock(tsd_tsdn(tsd), &arena->tcache_ql_mtx);
    ql_remove(&arena->tcache_ql, slow, link);
    ql_remove(&arena->cache_bin_array_descriptor_ql, &slow->cache_bin_array_descriptor, link);
    tcache_stats_merge(tsd_tsdn(tsd), cache, arena);
    malloc_mutex_unlock(tsd_tsdn(tsd), &arena->tcache_ql_mtx);
    slow->arena = NULL;
    jem_internal_free(tsd, slow->dyn_alloc);
    /* A short-lived thread does not live to see its own ticks of the decay clock. */
    arena_decay(tsd_tsdn(tsd), arena, false, false);
}

void jem_thread_drop_caches(tsd_t *tsd, unsigned slot)
{
    struct jem_thread *thread;

    LIST_FOREACH (thread, &threads, entry) {
        pthread_mutex_lock(&thread->lock);
        if (slot < thread->slots && thread->cache[slot]) {
            cache_destroy(tsd, thread->cache[slot]);
            thread->cache[slot] = NULL;
        }
        pthread_mutex_unlock(&thread->lock);
    }
}

/* --- a thread's life ----------------------------------------------------------------------------
 */

static struct jem_thread *thread_alloc(tsd_t *tsd, unsigned slots)
{
    struct jem_thread *thread =
        jem_internal_alloc(tsd, sizeof *thread + slots * sizeof thread->cache[0]);

    if (thread) {
        thread->tsd = tsd;
        thread->slots = slots;
        pthread_mutex_init(&thread->lock, NULL);
    }
    return thread;
}

static void thread_exit(struct jem_thread *thread)
{
    tsd_t *tsd = thread->tsd;

    jem_thread_now = &leaving;
    pthread_mutex_lock(&jem_lock);
    for (unsigned slot = 0; slot < thread->slots; slot++)
        if (thread->cache[slot])
            jem_group_count_thread(thread->cache[slot]->tcache_slow->arena, -1);
    pthread_mutex_unlock(&jem_lock);
    pthread_mutex_lock(&thread->lock);
    for (unsigned slot = 0; slot < thread->slots; slot++) {
        tcache_t *cache = thread->cache[slot];

        if (cache) {
            thread->cache[slot] = NULL;
            cache_destroy(tsd, cache);
        }
    }
    pthread_mutex_unlock(&thread->lock);
    pthread_mutex_lock(&jem_lock);
    LIST_REMOVE(thread, entry);
    pthread_mutex_unlock(&jem_lock);
    pthread_mutex_destroy(&thread->lock);
    jem_internal_free(tsd, thread);
}

/*
 * The key's destructor. The value is set again meanwhile: what is called here looks for it. Other
 * destructors that allocate afterwards bring new data of jemalloc's to life, which the next round
 * ends. (In the last of the four rounds that POSIX knows, 3 KiB are lost.)
 */
static void end_thread(void *value)
{
    tsd_wrapper_t *wrapper = value;

    if (jem_thread_now->slots)
        thread_exit(jem_thread_now);
    if (pthread_setspecific(tsd_tsd, wrapper))
        return; /* not for a slot that had a value; but jemalloc would abort over it */
    tsd_cleanup(&wrapper->val);
    pthread_setspecific(tsd_tsd, NULL);
    malloc_tsd_dalloc(wrapper);
}

int jem_thread_take_key(void)
{
    void *mine = pthread_getspecific(tsd_tsd);
    pthread_key_t key;
    int error = pthread_key_create(&key, end_thread);

    if (!error && (error = pthread_setspecific(key, mine)) != 0)
        pthread_key_delete(key);
    if (error) {
        host->log("no pthread key for threads' data: %s", strerrordesc_np(error));
        return MEMKIND_ERROR_MALLOC;
    }
    pthread_key_delete(tsd_tsd);
    tsd_tsd = key;
    return 0;
}

bool jem_thread_enter(void)
{
    struct jem_thread *thread;
    tsd_t *tsd;

    thread = jem_thread_now;
    if (likely(thread->slots)) /* jemalloc starting a thread of its own is such a call, too */
        return tsd_reentrancy_level_get(thread->tsd) == 0;
    if (thread != &unseen)
        return thread != &entering;
    jem_thread_now = &entering;
    tsd = is_ready() ? tsd_make() : NULL;
    thread = tsd ? thread_alloc(tsd, SLOTS_FIRST) : NULL;
    if (!thread) {
        jem_thread_now = &unseen; /* this call does without; the next one tries again */
        return true;
    }
    pthread_mutex_lock(&jem_lock);
    LIST_INSERT_HEAD(&threads, thread, entry);
    pthread_mutex_unlock(&jem_lock);
    jem_thread_now = thread;
    return true;
}

/* Replaces the thread's state by one that has room for `slot`. Called with jem_lock. */
static struct jem_thread *thread_grow(tsd_t *tsd, struct jem_thread *thread, unsigned slot)
{
    unsigned slots = thread->slots;
    struct jem_thread *larger;

    while (slots <= slot)
        slots *= 2;
    larger = thread_alloc(tsd, slots);
    if (!larger)
        return NULL;
    memcpy(larger->cache, thread->cache, thread->slots * sizeof thread->cache[0]);
    LIST_REMOVE(thread, entry);
    LIST_INSERT_HEAD(&threads, larger, entry);
    jem_thread_now = larger;
    jem_internal_free(tsd, thread);
    return larger;
}

tcache_t *jem_thread_cache(tsd_t *tsd, struct jem_group *group)
{
    struct jem_thread *thread = jem_thread_now;
    unsigned slot = group->slot;

    if (likely(slot < thread->slots && thread->cache[slot]))
        return thread->cache[slot];
    if (!thread->slots)
        return NULL;
    pthread_mutex_lock(&jem_lock);
    if (slot >= thread->slots)
        thread = thread_grow(tsd, thread, slot);
    if (thread)
        thread->cache[slot] = cache_create(tsd, group);
    pthread_mutex_unlock(&jem_lock);
    return thread ? thread->cache[slot] : NULL;
}

void jem_thread_forget_cache(tsd_t *tsd, unsigned slot)
{
    struct jem_thread *thread = jem_thread_now;

    if (slot >= thread->slots || !thread->cache[slot])
        return;
    jem_internal_free(tsd, thread->cache[slot]->tcache_slow->dyn_alloc);
    thread->cache[slot] = NULL;
}

void jem_thread_postfork_child(void)
{
    struct jem_thread *thread = jem_thread_now;

    /* glibc clears the thread-specific data of threads that a child lacks, but not of one that was
     * in its destructors at the moment of the fork: a new thread on that stack would find the dead
     * one's. Values of a deleted key are not found. */
    jem_thread_take_key();
    /* Only this thread lives on. jemalloc has forgotten all explicit caches; the others' are lost
     * with their threads, ours are made known again. */
    LIST_INIT(&threads);
    jem_group_postfork_child(jem_tsd());
    if (!thread->slots)
        return;
    LIST_INSERT_HEAD(&threads, thread, entry);
    for (unsigned slot = 0; slot < thread->slots; slot++) {
        tcache_t *cache = thread->cache[slot];
        arena_t *arena;

        if (!cache)
            continue;
        arena = cache->tcache_slow->arena;
        cache->tcache_slow->arena = NULL;
        tcache_arena_associate(tsd_tsdn(thread->tsd), cache->tcache_slow, cache, arena);
        jem_group_count_thread(arena, 1);
    }
}

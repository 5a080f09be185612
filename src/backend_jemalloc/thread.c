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
 * A pthread key runs the exit. heap_destroy() takes the caches of its groups away from all threads;
 * it meets an exiting thread at that thread's lock, and whoever comes first flushes the cache.
 */
#include "backend_jemalloc/jem.h"

#include <errno.h>
#include <stdatomic.h>

#include "kinds/host.h"

#define SLOTS_FIRST 64 /* room at first: static kinds and a few more */

static struct jem_thread unseen, entering, leaving;

__thread struct jem_thread *jem_thread_now __attribute__((tls_model("initial-exec"))) = &unseen;

static struct jem_thread *threads; /* all live threads' states, guarded by jem_lock */
static pthread_key_t key;
static bool have_key; /* without one, threads go without caches */

/* --- jemalloc's own thread data ------------------------------------------------------------------
 */

/*
 * jemalloc keeps its thread data behind a pthread key of its own: a library has one block of
 * thread-local storage, and with jemalloc's 2.6 KiB beside our initial-exec pointer it could not be
 * dlopen'd. Making that data is done here because jemalloc aborts when there is no memory for it.
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

tsd_t *jem_tsd(void)
{
    struct jem_thread *thread = jem_thread_now;

    return likely(thread->slots) ? thread->tsd : tsd_make();
}

void *jem_internal_alloc(tsd_t *tsd, size_t size)
{
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

/* Gives the blocks back to their arenas and the cache's memory to arena 0: what jemalloc's own
 * tcache_destroy() does for caches that have an id. */
static void cache_destroy(tsd_t *tsd, tcache_t *cache)
{
    tcache_slow_t *slow = cache->tcache_slow;
    arena_t *arena = slow->arena;

    for (szind_t i = 0; i < nhbins; i++) {
        if (i < SC_NBINS)
            tcache_bin_flush_small(tsd, cache, &cache->bins[i], i, 0);
        else
            tcache_bin_flush_large(tsd, cache, &cache->bins[i], i, 0);
    }
    malloc_mutex_lock(tsd_tsdn(tsd), &arena->tcache_ql_mtx);
    ql_remove(&arena->tcache_ql, slow, link);
    ql_remove(&arena->cache_bin_array_descriptor_ql, &slow->cache_bin_array_descriptor, link);
    tcache_stats_merge(tsd_tsdn(tsd), cache, arena);
    malloc_mutex_unlock(tsd_tsdn(tsd), &arena->tcache_ql_mtx);
    slow->arena = NULL;
    jem_internal_free(tsd, slow->dyn_alloc);
}

void jem_thread_drop_caches(tsd_t *tsd, unsigned slot)
{
    for (struct jem_thread *thread = threads; thread; thread = thread->next) {
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

/* Called with jem_lock. */
static void link_thread(struct jem_thread *thread)
{
    thread->next = threads;
    thread->link = &threads;
    if (threads)
        threads->link = &thread->next;
    threads = thread;
}

/* Called with jem_lock. */
static void unlink_thread(struct jem_thread *thread)
{
    *thread->link = thread->next;
    if (thread->next)
        thread->next->link = thread->link;
}

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

static void thread_exit(void *state)
{
    struct jem_thread *thread = state;
    tsd_t *tsd = thread->tsd; /* still there: our key's destructor runs before jemalloc's */

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
    unlink_thread(thread);
    pthread_mutex_unlock(&jem_lock);
    pthread_mutex_destroy(&thread->lock);
    jem_internal_free(tsd, thread);
}

void jem_thread_load(void)
{
    int error = pthread_key_create(&key, thread_exit);

    have_key = error == 0;
    if (error)
        host->log("pthread_key_create: %s: threads go without caches", strerrordesc_np(error));
}

/* glibc runs destructors in the order of the keys' numbers. Another thread that deletes a key
 * between our creation and jemalloc's may turn the order: then no thread may keep a pointer to its
 * tsd. */
void jem_thread_loaded(void)
{
    if (have_key && key > tsd_tsd) {
        have_key = false;
        host->log("jemalloc's thread exit would come before ours: threads go without caches");
    }
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
    tsd = tsd_make();
    thread = tsd && have_key ? thread_alloc(tsd, SLOTS_FIRST) : NULL;
    if (thread && pthread_setspecific(key, thread)) {
        jem_internal_free(tsd, thread);
        thread = NULL;
    }
    if (!thread) {
        jem_thread_now = &unseen; /* this call does without; the next one tries again */
        return true;
    }
    pthread_mutex_lock(&jem_lock);
    link_thread(thread);
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
    if (!larger || pthread_setspecific(key, larger)) {
        if (larger)
            jem_internal_free(tsd, larger);
        return NULL;
    }
    memcpy(larger->cache, thread->cache, thread->slots * sizeof thread->cache[0]);
    unlink_thread(thread);
    link_thread(larger);
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

void jem_thread_postfork_child(void)
{
    struct jem_thread *thread = jem_thread_now;

    /* Only this thread lives on. jemalloc has forgotten all explicit caches; the others' are lost
     * with their threads, ours are made known again. */
    threads = NULL;
    jem_group_forget_threads();
    if (!thread->slots)
        return;
    link_thread(thread);
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

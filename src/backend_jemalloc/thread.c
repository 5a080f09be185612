/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see thread.h. */
#include "backend_jemalloc/thread.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "backend_jemalloc/fast.h"
#include "backend_jemalloc/internal.h"
#include "backend_jemalloc/purge.h"
#include "kinds/system/callbacks.h"
#include "kinds/system/guard.h"
#include "kinds/system/os.h"

#define SLOTS_FIRST 64 /* room at first: static kinds and a few more */

/* A thread that sleeps: looks at all threads, of which there is one a second at the most, since it
 * was last at work. Its pages then have two seconds less than the decay time left in the arena. */
#define IDLE_LOOKS 2u
#define IDLE_ROBBED UINT_MAX /* and there is nothing more to steal, */
#define ROBBED_LOOKS 16      /* until it is looked at again: frees may not be counted */
#define IDLE_STEPS 8         /* of JEM_STOLEN_MOST blocks, in a turn, */
#define IDLE_SLOTS 1024      /* or of looks into so many places for caches: no call takes longer */

static struct jem_thread entering, leaving, forking;

static LIST_HEAD(, jem_thread) threads; /* all live threads' states, guarded by jem_lock */

/* --- caches ----------------------------------------------------------------------------------- */

static inline bool has_cache(const struct jem_thread *thread, unsigned slot)
{
    return slot < thread->slots && thread->cache[slot] != &jem_cache_none;
}

static inline struct jem_cache *cache_at(const struct jem_thread *thread, unsigned slot)
{
    return (struct jem_cache *)thread->cache[slot];
}

/* Takes a cache away from a thread. Called with the thread's lock. */
static void cache_drop(tsd_t *tsd, struct jem_thread *thread, unsigned slot)
{
    struct jem_cache *cache = cache_at(thread, slot);

    thread->cache[slot] = &jem_cache_none;
    jem_cache_flush(tsd, cache);
    jem_cache_release(tsd, cache);
}

void jem_thread_drop_caches(tsd_t *tsd, unsigned slot)
{
    struct jem_thread *thread;

    LIST_FOREACH (thread, &threads, entry) {
        pthread_mutex_lock(&thread->lock);
        if (has_cache(thread, slot))
            cache_drop(tsd, thread, slot);
        pthread_mutex_unlock(&thread->lock);
    }
}

/* The thread's lock is taken, since other threads take away the caches of kinds that they destroy.
 */
static bool collect(struct jem_thread *thread, unsigned slot)
{
    bool has;

    pthread_mutex_lock(&thread->lock);
    has = has_cache(thread, slot);
    if (has)
        jem_cache_collect(thread->tsd, cache_at(thread, slot));
    pthread_mutex_unlock(&thread->lock);
    return has;
}

void jem_thread_collect_due(void)
{
    struct jem_thread *thread = jem_thread_now;

    if (!thread->slots)
        return;
    thread->calls -= JEM_CALLS_SLOW;
    if (likely(thread->calls >= 0))
        return;
    thread->calls = JEM_CALLS_BETWEEN;
    callbacks->resume_background();
    (void)jem_purge_decayed(thread->tsd);
    (void)jem_thread_steal_idle(thread->tsd);
    if (++thread->looks % JEM_LOOKS_BETWEEN)
        return;
    for (unsigned i = 0; i < thread->slots; i++) {
        thread->collected = (thread->collected + 1) % thread->slots;
        if (collect(thread, thread->collected))
            return;
    }
}

void jem_thread_collect_all(void)
{
    struct jem_thread *thread = jem_thread_now;

    for (unsigned slot = 0; slot < thread->slots; slot++)
        (void)collect(thread, slot);
}

static bool has_cache_of(const struct jem_thread *thread, unsigned slot, const struct heap *heap)
{
    return has_cache(thread, slot) && (!heap || jem_cache_is_of(cache_at(thread, slot), heap));
}

bool jem_thread_flush(const struct heap *heap)
{
    struct jem_thread *thread = jem_thread_now;
    bool any = false;

    for (unsigned slot = 0; slot < thread->slots; slot++) {
        pthread_mutex_lock(&thread->lock);
        if (has_cache_of(thread, slot, heap))
            any |= jem_cache_flush(thread->tsd, cache_at(thread, slot));
        pthread_mutex_unlock(&thread->lock);
    }
    return any;
}

/* --- other threads' caches: all of this section with the lock of purges ----------------------- */

/* From one cache. Called with jem_lock. Returns how many; 0: the thread has nothing to be stolen.
 */
static unsigned steal_from(struct jem_thread *thread, const struct heap *heap,
                           struct jem_stolen *stolen)
{
    unsigned taken = 0;

    pthread_mutex_lock(&thread->lock);
    for (unsigned slot = 0; slot < thread->slots && !taken; slot++)
        if (has_cache_of(thread, slot, heap))
            taken = jem_steal(thread->cache[slot], stolen);
    pthread_mutex_unlock(&thread->lock);
    return taken;
}

/* What a thread's `calls` is, which it counts without a word to others. */
__attribute__((no_sanitize("thread"))) static int calls_of(const struct jem_thread *thread)
{
    return __atomic_load_n(&thread->calls, __ATOMIC_RELAXED);
}

static bool sleeps(const struct jem_thread *thread)
{
    return thread->idle >= IDLE_LOOKS && thread->idle != IDLE_ROBBED &&
           calls_of(thread) == thread->calls_seen;
}

static void look_at_threads(void)
{
    static unsigned looks;
    bool again = ++looks % ROBBED_LOOKS == 0;
    struct jem_thread *thread;

    pthread_mutex_lock(&jem_lock);
    LIST_FOREACH (thread, &threads, entry) {
        int calls = calls_of(thread);

        if (calls != thread->calls_seen)
            thread->idle = 0;
        else if (thread->idle < IDLE_LOOKS)
            thread->idle++;
        else if (again)
            thread->idle = IDLE_LOOKS;
        thread->calls_seen = calls;
    }
    pthread_mutex_unlock(&jem_lock);
}

/* False: no thread that sleeps has anything more. */
static bool steal_idle_step(tsd_t *tsd)
{
    struct jem_stolen stolen;
    struct jem_thread *thread;
    unsigned slots = 0;
    bool any = false;

    pthread_mutex_lock(&jem_lock);
    LIST_FOREACH (thread, &threads, entry) {
        if (thread == jem_thread_now || !sleeps(thread))
            continue;
        any = steal_from(thread, NULL, &stolen) != 0;
        if (any)
            break;
        thread->idle = IDLE_ROBBED;
        slots += thread->slots;
        if (slots >= IDLE_SLOTS)
            break;
    }
    pthread_mutex_unlock(&jem_lock);
    if (any)
        jem_cache_give_back_stolen(tsd, &stolen);
    return any || slots >= IDLE_SLOTS;
}

bool jem_thread_steal_idle(tsd_t *tsd)
{
    static atomic_long looked; /* the second of the last look */
    static atomic_bool more;
    long now = os_seconds();
    bool any;

    if ((now == atomic_load_explicit(&looked, memory_order_relaxed) &&
         !atomic_load_explicit(&more, memory_order_relaxed)) ||
        !jem_purge_trylock())
        return false;
    if (atomic_exchange_explicit(&looked, now, memory_order_relaxed) != now)
        look_at_threads();
    any = true;
    for (int i = 0; i < IDLE_STEPS && any; i++)
        any = steal_idle_step(tsd);
    atomic_store_explicit(&more, any, memory_order_relaxed);
    jem_purge_unlock();
    return any;
}

/* Called with jem_lock. */
static size_t blocks_of(struct jem_thread *thread, const struct heap *heap)
{
    size_t blocks = 0;

    pthread_mutex_lock(&thread->lock);
    for (unsigned slot = 0; slot < thread->slots; slot++)
        if (has_cache_of(thread, slot, heap))
            blocks += jem_cache_blocks(cache_at(thread, slot));
    pthread_mutex_unlock(&thread->lock);
    return blocks;
}

/* Of the threads that still owe something: as many blocks as a thread has when its turn comes. One
 * that frees as fast as others steal would never be done with. False: there are none. */
static bool steal_step(tsd_t *tsd, const struct heap *heap, unsigned turn)
{
    struct jem_stolen stolen;
    struct jem_thread *thread;
    bool any = false;

    pthread_mutex_lock(&jem_lock);
    LIST_FOREACH (thread, &threads, entry) {
        unsigned taken;

        if (thread == jem_thread_now)
            continue;
        if (thread->turn != turn)
            thread->owed = blocks_of(thread, heap);
        thread->turn = turn;
        taken = thread->owed ? steal_from(thread, heap, &stolen) : 0;
        thread->owed = taken && taken < thread->owed ? thread->owed - taken : 0;
        any = taken != 0;
        if (any)
            break;
    }
    pthread_mutex_unlock(&jem_lock);
    if (any)
        jem_cache_give_back_stolen(tsd, &stolen);
    return any;
}

bool jem_thread_steal(tsd_t *tsd, const struct heap *heap)
{
    static unsigned turns; /* guarded by the lock of reclaims */
    unsigned turn = ++turns;
    bool any = false, more;

    do {
        jem_purge_lock();
        more = steal_step(tsd, heap, turn);
        jem_purge_unlock();
        any |= more;
    } while (more);
    return any;
}

size_t jem_thread_cached(unsigned slot)
{
    struct jem_thread *thread;
    size_t bytes = 0;

    LIST_FOREACH (thread, &threads, entry) {
        pthread_mutex_lock(&thread->lock);
        if (has_cache(thread, slot))
            bytes += jem_cache_bytes(cache_at(thread, slot));
        pthread_mutex_unlock(&thread->lock);
    }
    return bytes;
}

/* --- a thread's life -------------------------------------------------------------------------- */

static struct jem_thread *thread_alloc(tsd_t *tsd, unsigned slots)
{
    struct jem_thread *thread =
        jem_internal_alloc(tsd, sizeof *thread + slots * sizeof thread->cache[0]);

    if (thread) {
        thread->tsd = tsd;
        thread->slots = slots;
        thread->calls = JEM_CALLS_BETWEEN;
        jem_purge_stop_clock(tsd);
        for (unsigned slot = 0; slot < slots; slot++)
            thread->cache[slot] = &jem_cache_none;
        pthread_mutex_init(&thread->lock, NULL);
    }
    return thread;
}

/* The thread leaves the arena of its next cache from *slot on. *last: no other thread fills its
 * cache from that one, whose number is *index. False: there is no further cache. */
static bool leave_next_arena(const struct jem_thread *thread, unsigned *slot, unsigned *index,
                             bool *last)
{
    bool any;

    pthread_mutex_lock(&jem_lock);
    while (*slot < thread->slots && !has_cache(thread, *slot))
        ++*slot;
    any = *slot < thread->slots;
    if (any) {
        arena_t *arena = jem_cache_arena(cache_at(thread, *slot));

        *index = arena_ind_get(arena);
        *last = jem_arena_set_count_thread(arena, -1) == 0;
    }
    pthread_mutex_unlock(&jem_lock);
    return any;
}

static void thread_exit(struct jem_thread *thread)
{
    tsd_t *tsd = thread->tsd;
    unsigned slot = 0, index = 0;
    bool last = false;

    jem_thread_now = &leaving;
    for (; leave_next_arena(thread, &slot, &index, &last); slot++) {
        pthread_mutex_lock(&thread->lock);
        if (has_cache(thread, slot))
            cache_drop(tsd, thread, slot);
        pthread_mutex_unlock(&thread->lock);
        if (last)
            jem_purge_left(tsd, index);
    }
    pthread_mutex_lock(&jem_lock);
    LIST_REMOVE(thread, entry);
    pthread_mutex_unlock(&jem_lock);
    pthread_mutex_destroy(&thread->lock);
    jem_internal_free(tsd, thread);
}

/*
 * The key's destructor. The value is set again meanwhile, since what is called here looks for it.
 * Other destructors that allocate afterwards bring new data of jemalloc's to life, which the next
 * round ends. (In the last of the four rounds that POSIX knows, 3 KiB are lost.)
 */
static void thread_ends(tsd_wrapper_t *wrapper)
{
    if (jem_thread_now->slots)
        thread_exit(jem_thread_now);
    if (pthread_setspecific(tsd_tsd, wrapper))
        return; /* cannot fail for a key that had a value; if it did, jemalloc would abort over it
                 */
    tsd_cleanup(&wrapper->val);
    pthread_setspecific(tsd_tsd, NULL);
    malloc_tsd_dalloc(wrapper);
}

static void end_thread(void *value)
{
    struct guard guard;

    guard_enter(&guard);
    thread_ends(value);
    guard_leave(&guard);
}

int jem_thread_take_key(void)
{
    void *mine = pthread_getspecific(tsd_tsd);
    pthread_key_t key;
    int error = pthread_key_create(&key, end_thread);

    if (!error && (error = pthread_setspecific(key, mine)) != 0)
        pthread_key_delete(key);
    if (error) {
        callbacks->log("no pthread key for threads' data: %s", strerrordesc_np(error));
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
    if (likely(thread->slots)) /* also false while jemalloc starts a thread of its own */
        return tsd_reentrancy_level_get(thread->tsd) == 0;
    if (thread != &jem_thread_unseen)
        return thread != &entering;
    jem_thread_now = &entering;
    tsd = jem_tsd();
    thread = tsd ? thread_alloc(tsd, SLOTS_FIRST) : NULL;
    if (!thread) {
        jem_thread_now = &jem_thread_unseen; /* this call does without; the next one tries again */
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

/* Called with jem_lock. */
static struct jem_cache *cache_create(tsd_t *tsd, struct jem_thread *thread,
                                      struct jem_arena_set *set)
{
    struct jem_arena *arena = jem_arena_set_take_arena(tsd, set, false);
    struct jem_cache *cache = jem_cache_create(tsd, set, arena->arena);

    if (cache)
        thread->cache[set->slot] = (struct jem_bins *)cache;
    else
        arena->threads--;
    return cache;
}

struct jem_cache *jem_thread_cache(tsd_t *tsd, struct jem_arena_set *set)
{
    struct jem_thread *thread = jem_thread_now;
    unsigned slot = set->slot;
    struct jem_cache *cache = NULL;

    if (likely(has_cache(thread, slot)))
        return cache_at(thread, slot);
    if (!thread->slots)
        return NULL;
    pthread_mutex_lock(&jem_lock);
    if (slot >= thread->slots)
        thread = thread_grow(tsd, thread, slot);
    if (thread)
        cache = cache_create(tsd, thread, set);
    pthread_mutex_unlock(&jem_lock);
    return cache;
}

/* A call that comes back finds the thread as when it is made known. */
void *jem_thread_hide(void)
{
    struct jem_thread *hidden = jem_thread_now;

    jem_thread_now = &entering;
    return hidden;
}

void jem_thread_show(void *hidden)
{
    jem_thread_now = hidden;
}

static struct jem_thread *forking_thread; /* guarded by jem_lock, which the fork holds */

void jem_thread_prefork(void)
{
    forking_thread = jem_thread_now;
    jem_thread_now = &forking;
}

void jem_thread_postfork(void)
{
    jem_thread_now = forking_thread;
}

void jem_thread_forget_cache(tsd_t *tsd, unsigned slot)
{
    struct jem_thread *thread = jem_thread_now;

    if (!has_cache(thread, slot))
        return;
    jem_cache_release(tsd, cache_at(thread, slot));
    thread->cache[slot] = &jem_cache_none;
}

void jem_thread_postfork_child(void)
{
    struct jem_thread *thread = jem_thread_now;
    size_t growth = 0;

    /* glibc clears the thread-specific data of threads that a child lacks, but not of one that was
     * in its destructors at the moment of the fork: a new thread on that stack would find the dead
     * one's. Values of a deleted key are not found. */
    jem_thread_take_key();
    /* Only this thread lives on. The others' caches are lost with their threads. */
    LIST_INIT(&threads);
    if (thread->slots)
        LIST_INSERT_HEAD(&threads, thread, entry);
    for (unsigned slot = 0; slot < thread->slots; slot++) {
        if (!has_cache(thread, slot))
            continue;
        jem_arena_set_count_thread(jem_cache_arena(cache_at(thread, slot)), 1);
        growth += jem_cache_growth(cache_at(thread, slot));
    }
    jem_cache_postfork_child(growth);
}

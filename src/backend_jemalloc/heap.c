/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see heap.h. */
#include "backend_jemalloc/heap.h"

#include "backend_jemalloc/internal.h"
#include "backend_jemalloc/purge.h"
#include "backend_jemalloc/start.h"
#include "backend_jemalloc/thread.h"

static LIST_HEAD(, jem_heap) heaps; /* all, guarded by jem_lock */

/* The arena set of any domain, or NULL. Called with jem_lock. */
static struct jem_arena_set *any_set(struct jem_heap *state)
{
    struct jem_arena_set *set = NULL;

    for (unsigned domain = 0; domain < state->domains && !set; domain++)
        set = atomic_load_explicit(&state->sets[domain], memory_order_relaxed);
    return set;
}

/* Where arenas have become few, a domain has no set of its own, and uses that of another one: its
 * memory is farther away, which is better than none. */
static struct jem_arena_set *set_make(tsd_t *tsd, struct heap *heap, unsigned domain)
{
    struct jem_heap *state = heap->state;
    struct jem_arena_set *other = any_set(state), *set = NULL;

    if (!other || jem_arena_set_is_room())
        set = jem_arena_set_create(tsd, heap, domain);
    if (!set)
        return other;
    atomic_store_explicit(&state->sets[domain], set, memory_order_release);
    return set;
}

struct jem_arena_set *jem_heap_set_here(tsd_t *tsd, struct heap *heap)
{
    struct jem_heap *state = heap->state;
    unsigned domain = pool_domain(&heap->pages);
    struct jem_arena_set *set = atomic_load_explicit(&state->sets[domain], memory_order_acquire);

    if (likely(set != NULL))
        return set;
    pthread_mutex_lock(&jem_lock);
    set = atomic_load_explicit(&state->sets[domain], memory_order_relaxed);
    if (!set)
        set = set_make(tsd, heap, domain);
    pthread_mutex_unlock(&jem_lock);
    return set;
}

int jem_heap_create(struct heap *heap)
{
    tsd_t *tsd = jem_start() ? NULL : jem_tsd();
    unsigned domains = heap->pages.domains;
    struct jem_heap *state = NULL;
    struct jem_arena_set *set;

    if (tsd)
        state = jem_internal_alloc(tsd, sizeof *state + domains * sizeof state->sets[0]);
    if (!state)
        return MEMKIND_ERROR_MALLOC;
    state->heap = heap;
    state->domains = domains;
    heap->state = state;
    heap->slot = JEM_SLOT_NONE;
    set = jem_heap_set_here(tsd, heap);
    if (!set) {
        heap->state = NULL;
        jem_internal_free(tsd, state);
        return MEMKIND_ERROR_ARENAS_CREATE;
    }
    if (domains == 1 && !jem_settings.checked)
        heap->slot = set->slot;
    pthread_mutex_lock(&jem_lock);
    LIST_INSERT_HEAD(&heaps, state, entry);
    pthread_mutex_unlock(&jem_lock);
    return 0;
}

struct heap *jem_heap_with_orphans(void)
{
    struct jem_heap *state;

    pthread_mutex_lock(&jem_lock);
    LIST_FOREACH (state, &heaps, entry)
        if (orphans_any(&state->heap->orphans))
            break;
    pthread_mutex_unlock(&jem_lock);
    return state ? state->heap : NULL;
}

/* Takes the arena sets of a heap out of everybody's reach; they are a list from now on. Called with
 * jem_lock. */
static struct jem_arena_set *heap_unlink(tsd_t *tsd, struct jem_heap *state)
{
    for (unsigned domain = 0; domain < state->domains; domain++) {
        struct jem_arena_set *set =
            atomic_load_explicit(&state->sets[domain], memory_order_relaxed);

        if (!set)
            continue;
        set->older = state->frozen;
        state->frozen = set;
    }
    for (struct jem_arena_set *set = state->frozen; set; set = set->older) {
        jem_arena_set_stop_decay(tsd, set);
        if (!set->frozen)
            jem_thread_drop_caches(tsd, set->slot);
        jem_arena_set_unlink(set);
    }
    LIST_REMOVE(state, entry);
    return state->frozen;
}

/* Held while arenas are emptied: a fork(2) waits for that, or the child would have half of it. */
static pthread_mutex_t emptying = PTHREAD_MUTEX_INITIALIZER;

void jem_heap_prefork(void)
{
    pthread_mutex_lock(&emptying);
}

void jem_heap_postfork(void)
{
    pthread_mutex_unlock(&emptying);
}

int jem_heap_destroy(struct heap *heap)
{
    tsd_t *tsd = jem_tsd();
    struct jem_heap *state = heap->state;
    struct jem_arena_set *sets;

    if (!tsd)
        return MEMKIND_ERROR_MALLOC;
    orphans_forget(&heap->orphans);
    pthread_mutex_lock(&emptying);
    jem_purge_lock();
    pthread_mutex_lock(&jem_lock);
    sets = heap_unlink(tsd, state);
    heap->slot = JEM_SLOT_NONE;
    heap->state = NULL; /* still locked, so that a fork finds all of the heap or nothing */
    pthread_mutex_unlock(&jem_lock);
    jem_purge_unlock();
    for (struct jem_arena_set *set = sets; set; set = set->older)
        jem_arena_set_empty(tsd, set);
    pthread_mutex_lock(&jem_lock);
    while (sets) {
        struct jem_arena_set *set = sets;

        sets = set->older;
        jem_arena_set_drop(tsd, set);
    }
    pthread_mutex_unlock(&jem_lock);
    pthread_mutex_unlock(&emptying);
    jem_internal_free(tsd, state);
    return 0;
}

/* --- fork ------------------------------------------------------------------------------------- */

/*
 * The pages of this heap are the parent's, who goes on using them. From now on the heap has no slot
 * of its own: a free that names the kind must not put one of these blocks into a cache of the new
 * arena set, so every free looks at the block's arena set.
 */
static void heap_freeze(tsd_t *tsd, struct jem_heap *state)
{
    for (unsigned domain = 0; domain < state->domains; domain++) {
        struct jem_arena_set *set =
            atomic_load_explicit(&state->sets[domain], memory_order_relaxed);

        if (!set)
            continue;
        if (tsd)
            jem_thread_forget_cache(tsd, set->slot);
        jem_arena_set_freeze(set);
        set->older = state->frozen;
        state->frozen = set;
        atomic_store_explicit(&state->sets[domain], NULL, memory_order_relaxed);
    }
    state->heap->slot = JEM_SLOT_NONE;
    orphans_forked(&state->heap->orphans);
    pool_forked(&state->heap->pages);
}

void jem_heap_postfork_child(tsd_t *tsd)
{
    struct jem_heap *state;

    LIST_FOREACH (state, &heaps, entry)
        if (pool_is_shared(&state->heap->pages))
            heap_freeze(tsd, state);
}

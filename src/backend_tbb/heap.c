/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * heap: heaps, their pools, and where the pools' raw memory comes from.
 *
 * A heap has one pool for each locality domain that a thread needed. A pool takes a thread-specific
 * key of the process, of which there are 1,024, and gives it back when it is destroyed: the number
 * of kinds over a process's life has no limit, that of live ones the keys'. Where pools have become
 * many, a domain of a heap has none of its own and uses one of another domain, so that there is a
 * key for the first pool of each kind that can be.
 *
 * After fork(2), the pools of a kind whose pages are shared with the parent (a file) are the
 * parent's for good: they keep their free lists in just these pages. The child forgets them and
 * makes new ones, from pages of its own.
 *
 * Threads: heaps and pools are made and destroyed under tbb_lock; a pool is made visible with a
 * release store.
 */
#include "backend_tbb/tbb.h"

#include <errno.h>
#include <string.h>

#include "kinds/system/callbacks.h"
#include "kinds/system/guard.h"
#include "kinds/system/object_pool.h"

pthread_mutex_t tbb_lock = PTHREAD_MUTEX_INITIALIZER;
struct tbb_heap tbb_heaps[TBB_SLOTS];

static struct object_pool pool_objects = {.size =
                                              sizeof(struct tbb_pool)}; /* guarded by tbb_lock */

/* Half of the rest is for the program, which needs keys, too. */
#define POOLS_FIRST (MEMKIND_NUM_BASE_KIND + MEMKIND_MAX_KIND)
#define POOLS_OTHERS ((PTHREAD_KEYS_MAX - POOLS_FIRST) / 2)

static unsigned pools_alive; /* that have a key; guarded by tbb_lock */

/* --- raw memory ------------------------------------------------------------------------------- */

static void *raw_alloc(intptr_t pool_id, size_t *bytes)
{
    struct tbb_pool *pool = (struct tbb_pool *)pool_id;
    const struct tbb_heap *state = pool->heap->state;
    int saved_errno = errno;
    struct guard guard;
    unsigned outside;
    void *address;
    bool zeroed;

    if (tbb_thread_now->trims)
        return NULL;
    guard_enter(&guard);
    tbb_gate_outside(&outside);
    tbb_trim_pool_used(pool);
    address = run_cache_take(&pool->raw, bytes, &zeroed);
    if (!address && tbb_heap_shrink_pack(state, false))
        address = run_cache_take(&pool->raw, bytes, &zeroed);
    tbb_library_region_ready();
    tbb_gate_inside(outside);
    guard_leave(&guard);
    errno = saved_errno; /* the library may still find a block elsewhere: no failure */
    return address;
}

static int raw_free(intptr_t pool_id, void *address, size_t bytes)
{
    struct tbb_pool *pool = (struct tbb_pool *)pool_id;
    int saved_errno = errno;
    struct guard guard;
    unsigned outside;
    bool done;

    guard_enter(&guard);
    tbb_gate_outside(&outside);
    tbb_library_region_back();
    address_map_clear_notes(address, bytes); /* what is read of a block is not there any more */
    if (!tbb_thread_now->trims)
        tbb_trim_pool_used(pool);
    done = tbb_thread_now->trims_idle ? run_cache_give_unused(&pool->raw, address, bytes)
                                      : run_cache_give(&pool->raw, address, bytes);
    tbb_gate_inside(outside);
    if (!done)
        callbacks->log("%s: libtbbmalloc gives back %zu bytes at %p, which it did not get",
                       pool->heap->pages.kind->name, bytes, address);
    guard_leave(&guard);
    errno = saved_errno;
    return !done;
}

/* --- pools ------------------------------------------------------------------------------------ */

static int memory_create(void *argument)
{
    struct tbb_pool *pool = argument;
    struct tbb_pool_policy policy = {.raw_alloc = raw_alloc, .raw_free = raw_free, .version = 1};

    /* The library asks for a MiB and a header, or a large block and a header, and uses no more of
     * what it gets: so it is to round up as little as possible. */
    policy.granularity = os_page_size();

    return tbb_library.pool_create((intptr_t)pool, &policy, &pool->memory);
}

/* Called with tbb_lock held. */
static struct tbb_pool *pool_create(struct heap *heap, unsigned domain)
{
    struct tbb_heap *state = heap->state;
    struct tbb_pool *pool = object_pool_get(&pool_objects);

    if (!pool)
        return NULL;
    pool->heap = heap;
    pool->forked = false;
    run_cache_open(&pool->raw, &heap->pages, domain);
    tbb_trim_pool_used(pool);
    if (tbb_thread_make_pool(memory_create, pool, &pool->key)) {
        callbacks->log("%s: libtbbmalloc cannot create another pool", heap->pages.kind->name);
        run_cache_close(&pool->raw);
        object_pool_put(&pool_objects, pool);
        return NULL;
    }
    pools_alive++;
    if (state->pack)
        tbb_area_set_pool(state->pack, pool); /* in the child of a fork */
    pool->next = atomic_load_explicit(&state->pools, memory_order_relaxed);
    atomic_store_explicit(&state->pools, pool, memory_order_release);
    if (heap->pages.domains == 1 && !state->inherited)
        state->only = pool->memory;
    return pool;
}

static struct tbb_pool *pool_find(const struct tbb_heap *state, unsigned domain)
{
    struct tbb_pool *pool = atomic_load_explicit(&state->pools, memory_order_acquire);

    while (pool && pool->raw.domain != domain)
        pool = pool->next;
    return pool;
}

/* The pool of a domain that has none yet. Called with tbb_lock. */
static struct tbb_pool *pool_add(struct heap *heap, unsigned domain)
{
    const struct tbb_heap *state = heap->state;
    struct tbb_pool *other = atomic_load_explicit(&state->pools, memory_order_relaxed),
                    *pool = NULL;

    if (!other || pools_alive < POOLS_OTHERS)
        pool = pool_create(heap, domain);
    return pool ? pool : other;
}

struct tbb_pool *tbb_heap_pool_here(struct heap *heap)
{
    unsigned domain = pool_domain(&heap->pages);
    struct tbb_pool *pool = pool_find(heap->state, domain);

    if (unlikely(!pool)) {
        pthread_mutex_lock(&tbb_lock);
        pool = pool_find(heap->state, domain);
        if (!pool)
            pool = pool_add(heap, domain);
        pthread_mutex_unlock(&tbb_lock);
    }
    return pool;
}

struct tbb_area *tbb_heap_pack(struct heap *heap, struct tbb_pool *pool)
{
    struct tbb_heap *state = heap->state;
    struct tbb_area *pack = atomic_load_explicit(&state->pack, memory_order_acquire);

    if (pack || !tbb_area_suits_pack(&heap->pages))
        return pack;
    pthread_mutex_lock(&tbb_lock);
    pack = atomic_load_explicit(&state->pack, memory_order_relaxed);
    if (!pack) {
        pack = tbb_area_create_pack(pool);
        atomic_store_explicit(&state->pack, pack, memory_order_release);
    }
    pthread_mutex_unlock(&tbb_lock);
    return pack;
}

bool tbb_heap_shrink_pack(const struct tbb_heap *state, bool unused)
{
    struct tbb_area *pack = atomic_load_explicit(&state->pack, memory_order_acquire);

    return pack && tbb_area_shrink(pack, unused);
}

bool tbb_heap_pack_has(const struct tbb_heap *state, size_t alignment, size_t size)
{
    const struct tbb_area *pack = atomic_load_explicit(&state->pack, memory_order_acquire);

    return pack && tbb_area_has(pack, alignment, size);
}

struct tbb_pool *tbb_heap_pool_of(const struct page_region *region)
{
    return pool_find(tbb_heap_of(region)->state, region->domain);
}

void tbb_heap_usage(const struct tbb_heap *state, size_t *used, size_t *kept)
{
    struct tbb_pool *pool = atomic_load_explicit(&state->pools, memory_order_acquire);

    *used = state->area ? tbb_area_size(state->area) : 0;
    for (*kept = 0; pool; pool = pool->next) {
        size_t here, idle;

        run_cache_usage(&pool->raw, &here, &idle);
        *used += here;
        *kept += idle;
    }
}

/* Forgets the pools of a heap; `forked`: they are the parent's. Called with tbb_lock. */
static void pools_forget(struct tbb_heap *state, bool forked)
{
    struct tbb_pool *pool = atomic_load_explicit(&state->pools, memory_order_relaxed);

    state->only = NULL;
    atomic_store_explicit(&state->pools, NULL, memory_order_relaxed);
    while (pool) {
        struct tbb_pool *next = pool->next;

        if (forked) {
            tbb_thread_forget_pool(pool->key);
            run_cache_forked(&pool->raw);
        } else {
            pools_alive--;
            run_cache_close(&pool->raw);
        }
        object_pool_put(&pool_objects, pool);
        pool = next;
    }
}

/* --- heaps ------------------------------------------------------------------------------------ */

/* Called with tbb_lock held. */
static struct tbb_heap *heap_take(struct heap *heap)
{
    for (unsigned slot = 0; slot < TBB_SLOTS; slot++) {
        struct tbb_heap *state = &tbb_heaps[slot];

        if (state->heap)
            continue;
        *state = (struct tbb_heap){.heap = heap};
        tbb_thread_clear(slot);
        heap->state = state;
        heap->slot = slot;
        return state;
    }
    return NULL;
}

/* What its blocks come from. Called with tbb_lock held. */
static bool fill(struct heap *heap, struct tbb_heap *state)
{
    if (!tbb_area_suits(&heap->pages))
        return pool_create(heap, pool_domain(&heap->pages)) != NULL;
    state->area = tbb_area_create(&heap->pages);
    return state->area != NULL;
}

int tbb_heap_create(struct heap *heap)
{
    struct tbb_heap *state;
    int error = 0;

    pthread_mutex_lock(&tbb_lock);
    state = heap_take(heap);
    if (!state) {
        error = MEMKIND_ERROR_TOOMANY;
    } else if (!fill(heap, state)) {
        state->heap = NULL;
        error = MEMKIND_ERROR_ARENAS_CREATE;
    }
    pthread_mutex_unlock(&tbb_lock);
    return error;
}

struct heap *tbb_heap_with_orphans(void)
{
    for (unsigned slot = 0; slot < TBB_SLOTS; slot++)
        if (tbb_heaps[slot].heap && orphans_any(&tbb_heaps[slot].heap->orphans))
            return tbb_heaps[slot].heap;
    return NULL;
}

/* Some pool is from before a fork. */
static bool any_forked; /* guarded by tbb_lock */

/* Called with tbb_lock. */
static void pools_mark(const struct tbb_heap *state, bool forked)
{
    struct tbb_pool *pool = atomic_load_explicit(&state->pools, memory_order_relaxed);

    for (; pool; pool = pool->next)
        pool->forked = forked;
    any_forked |= forked;
}

int tbb_heap_destroy(struct heap *heap)
{
    struct tbb_heap *state = heap->state;
    struct tbb_pool *pool = atomic_load_explicit(&state->pools, memory_order_acquire);
    struct tbb_thread *thread;

    if (!tbb_thread_enter(&thread))
        return MEMKIND_ERROR_OPERATION_FAILED;
    if (!thread)
        return MEMKIND_ERROR_MALLOC;
    if (!tbb_exits_stop()) {
        callbacks->log("%s cannot be destroyed: a thread does not finish its exit",
                       heap->pages.kind->name);
        return MEMKIND_ERROR_OPERATION_FAILED;
    }
    orphans_forget(&heap->orphans);
    pthread_mutex_lock(&tbb_lock);
    pools_mark(state, false); /* no new thread comes to these */
    pthread_mutex_unlock(&tbb_lock);
    tbb_gate_enter(thread);
    for (; pool; pool = pool->next) {
        run_cache_closing(&pool->raw);
        tbb_library.pool_destroy(pool->memory);
    }
    tbb_gate_leave(thread);
    pthread_mutex_lock(&tbb_lock);
    pools_forget(state, false);
    if (state->area)
        tbb_area_end(state->area);
    if (state->pack)
        tbb_area_end(state->pack);
    state->pack = state->area = NULL;
    state->heap = NULL;
    heap->state = NULL;
    pthread_mutex_unlock(&tbb_lock);
    tbb_exits_resume(); /* a fork waits for this, so that it finds all of the heap or none of it */
    return 0;
}

/*
 * The library knows whose a slab is by pthread_self(). In the child of a fork a new thread may have
 * the number of one that only the parent has: its slabs pass for the new thread's own, and an empty
 * one goes to the thread's part of the pool. So that part has to be there before the thread frees.
 */
void tbb_heap_greet(void)
{
    for (unsigned slot = 0; any_forked && slot < TBB_SLOTS; slot++) {
        struct tbb_pool *pool = atomic_load_explicit(&tbb_heaps[slot].pools, memory_order_relaxed);

        for (; tbb_heaps[slot].heap && pool; pool = pool->next) {
            void *block = pool->forked ? tbb_library.pool_malloc(pool->memory, 1) : NULL;

            if (block)
                tbb_library.pool_free(pool->memory, block);
        }
    }
}

void tbb_heap_postfork_child(void)
{
    for (unsigned slot = 0; slot < TBB_SLOTS; slot++) {
        struct tbb_heap *state = &tbb_heaps[slot];

        if (!state->heap)
            continue;
        if (!pool_is_shared(&state->heap->pages)) {
            pools_mark(state, true);
            continue;
        }
        pools_forget(state, true);
        if (state->pack)
            tbb_area_forked(state->pack);
        state->inherited = true;
        orphans_forked(&state->heap->orphans);
        pool_forked(&state->heap->pages);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see arena_set.h. */
#include "backend_jemalloc/arena_set.h"

#include <string.h>

#include "backend_jemalloc/exact.h"
#include "backend_jemalloc/fast.h"
#include "backend_jemalloc/internal.h"
#include "backend_jemalloc/retained.h"
#include "kinds/system/callbacks.h"
#include "kinds/system/os.h"

#define ARENAS_SHARED 3000 /* of 4,094: the rest is for arena sets that have none yet */
#define ARENAS_PER_CPU 4   /* jemalloc's own ratio: few threads meet in one arena */
#define IDLE_MOST 8        /* arenas that are kept for other sets, 100 KiB each */
#define STEPS_PER_ARENA 16 /* of a pool with a limit: an arena for 4 MiB of 16, 32 of 1,024 */

/* Kept for the first arena set of each kind that can be: what others take ends before. */
#define ARENAS_FIRST (MEMKIND_NUM_BASE_KIND + MEMKIND_MAX_KIND)
#define ARENAS_OTHERS (MALLOCX_ARENA_LIMIT - 1 - ARENAS_FIRST)
_Static_assert(ARENAS_SHARED < ARENAS_OTHERS, "the arenas of threads leave none for kinds");

struct jem_arena_set *_Atomic jem_set_of_arena[MALLOCX_ARENA_LIMIT];

static struct jem_arena_set *sets[JEM_SLOTS]; /* by slot, guarded by jem_lock */
static unsigned arenas_alive;                 /* guarded by jem_lock */
/* Of no set, guarded by jem_lock: */
static struct jem_arena *idle_arenas; /* empty ones */
static unsigned idle_count;
static struct jem_arena *hollow_arenas; /* numbers of such as there are no more */
static unsigned readers;                /* of all arenas: none of them may go */

/* --- arenas ----------------------------------------------------------------------------------- */

static void arena_configure(tsd_t *tsd, struct jem_arena_set *set, arena_t *arena)
{
    ssize_t dirty = POOL_DECAY_SECONDS * 1000, muzzy = opt_muzzy_decay_ms;

    if (jem_settings.hog_memory)
        dirty = muzzy = -1;
    else if (set->heap->pages.conservative)
        dirty = muzzy = 0;
    arena_decay_ms_set(tsd_tsdn(tsd), arena, extent_state_dirty, dirty);
    arena_decay_ms_set(tsd_tsdn(tsd), arena, extent_state_muzzy, muzzy);
}

/* Takes an arena that nobody uses, or makes one. Its hooks lead to the arena set from now on. */
static struct jem_arena *arena_make(tsd_t *tsd, struct jem_arena_set *set)
{
    struct jem_arena *made = idle_arenas;
    arena_config_t config = {.extent_hooks = &set->hooks.table, .metadata_use_hooks = false};
    size_t size = sizeof made->index;
    int error;

    if (made) {
        idle_arenas = made->next;
        idle_count--;
        arena_set_extent_hooks(tsd, made->arena, &set->hooks.table);
        return made;
    }
    if (hollow_arenas) {
        made = hollow_arenas;
        made->arena = arena_init(tsd_tsdn(tsd), made->index, &config);
        if (made->arena)
            hollow_arenas = made->next;
        return made->arena ? made : NULL;
    }
    made = jem_internal_alloc(tsd, sizeof *made);
    if (!made)
        return NULL;
    error =
        je_mallctl("experimental.arenas_create_ext", &made->index, &size, &config, sizeof config);
    if (error) {
        callbacks->log("jemalloc has no further arena: %s", strerrordesc_np(error));
        jem_internal_free(tsd, made);
        return NULL;
    }
    made->arena = arena_get(tsd_tsdn(tsd), made->index, false);
    return made;
}

static struct jem_arena *arena_create(tsd_t *tsd, struct jem_arena_set *set)
{
    struct jem_arena *made = arena_make(tsd, set);

    if (!made)
        return NULL;
    arena_configure(tsd, set, made->arena);
    atomic_store_explicit(&jem_set_of_arena[made->index], set, memory_order_release);
    jem_arena_slot[made->index] = (uint16_t)(jem_settings.checked ? JEM_SLOT_NONE : set->slot);
    made->threads = 0;
    memset(made->told, 0, sizeof made->told);
    made->next = set->arenas;
    set->arenas = made;
    set->narenas++;
    arenas_alive++;
    return made;
}

/* Nobody begins to give back pages of the arena any more. */
static void arena_stop_decay(tsd_t *tsd, arena_t *arena)
{
    arena_decay_ms_set(tsd_tsdn(tsd), arena, extent_state_dirty, -1);
    arena_decay_ms_set(tsd_tsdn(tsd), arena, extent_state_muzzy, -1);
}

/*
 * Empties an arena, so that another arena set can have it.
 *
 * A thread may be in the middle of giving pages back (purge.c, reclaim.c): it has some of them in
 * its hands, and the arena keeps others, which jemalloc does not purge beside it. All have to be
 * out of the arena before their regions go and before it is another's.
 */
static void arena_empty(tsd_t *tsd, arena_t *arena)
{
    tsdn_t *tsdn = tsd_tsdn(tsd);

    while (jem_retained_is_purging(tsdn, arena))
        os_yield();
    /* What the arena gives up now belongs to the pool, which is about to be closed. */
    arena_set_extent_hooks(tsd, arena, &jem_extent_forget);
    arena_reset(tsd, arena);
    jem_exact_forget(arena);
    jem_retained_purge(tsdn, arena);
    pa_shard_destroy(tsdn, &arena->pa_shard);
    exp_grow_init(&arena->pa_shard.pac.exp_grow);
    arena_set_extent_hooks(tsd, arena, (extent_hooks_t *)&ehooks_default_extent_hooks);
}

/* Arenas that nobody uses are kept for the next set, which so has their metadata at once. Of those
 * that are too many only the numbers are kept: what jemalloc knows of them goes. The lock is that
 * of jemalloc's statistics. Called with jem_lock. */
static void idle_arenas_shed(tsd_t *tsd)
{
    while (idle_count > IDLE_MOST && !readers) {
        struct jem_arena *arena = idle_arenas;

        ctl_prefork(tsd_tsdn(tsd));
        arena_destroy(tsd, arena->arena);
        ctl_postfork_parent(tsd_tsdn(tsd));
        arena->arena = NULL;
        idle_arenas = arena->next;
        idle_count--;
        arena->next = hollow_arenas;
        hollow_arenas = arena;
    }
}

void jem_arena_set_read(tsd_t *tsd, int change)
{
    pthread_mutex_lock(&jem_lock);
    readers += (unsigned)change;
    idle_arenas_shed(tsd);
    pthread_mutex_unlock(&jem_lock);
}

/* Every arena has slabs that are partly used, so a few arenas take a good part of a small pool. */
static unsigned arena_limit(const struct jem_arena_set *set)
{
    const struct page_pool *pool = &set->heap->pages;
    size_t limit = pool_limit(pool);
    unsigned most = jem_settings.arenas_per_heap ? jem_settings.arenas_per_heap
                                                 : ARENAS_PER_CPU * os_cpu_count();

    limit /= STEPS_PER_ARENA * pool_step(pool);
    if (pool_limit(pool) && limit < most)
        most = limit ? (unsigned)limit : 1;
    return most;
}

struct jem_arena *jem_arena_set_take_arena(tsd_t *tsd, struct jem_arena_set *set, bool own)
{
    struct jem_arena *least = set->arenas;

    for (struct jem_arena *arena = least->next; arena; arena = arena->next)
        if (arena->threads < least->threads)
            least = arena;
    if (own && least->threads && set->narenas < arena_limit(set) && arenas_alive < ARENAS_SHARED) {
        struct jem_arena *fresh = arena_create(tsd, set);

        if (fresh)
            least = fresh;
    }
    least->threads++;
    return least;
}

struct jem_arena *jem_arena_set_find_arena(unsigned index)
{
    struct jem_arena_set *set =
        atomic_load_explicit(&jem_set_of_arena[index], memory_order_relaxed);
    struct jem_arena *arena = set ? set->arenas : NULL;

    while (arena && arena->index != index)
        arena = arena->next;
    return arena;
}

unsigned jem_arena_set_count_thread(arena_t *arena, int change)
{
    struct jem_arena *at = jem_arena_set_find_arena(arena_ind_get(arena));

    return at ? at->threads += (unsigned)change : 0;
}

struct jem_arena *jem_arena_set_arenas(struct jem_arena_set *set)
{
    struct jem_arena *first;

    pthread_mutex_lock(&jem_lock);
    first = set->arenas;
    pthread_mutex_unlock(&jem_lock);
    return first;
}

/* --- arena sets ------------------------------------------------------------------------------- */

struct jem_arena_set *jem_arena_set_at(unsigned slot)
{
    return sets[slot];
}

void jem_arena_set_stop_decay(tsd_t *tsd, struct jem_arena_set *set)
{
    for (struct jem_arena *arena = set->arenas; arena; arena = arena->next)
        arena_stop_decay(tsd, arena->arena);
}

void jem_arena_set_unlink(struct jem_arena_set *set)
{
    for (struct jem_arena *arena = set->arenas; arena; arena = arena->next) {
        atomic_store_explicit(&jem_set_of_arena[arena->index], NULL, memory_order_release);
        jem_arena_slot[arena->index] = JEM_SLOT_NONE;
    }
    if (set->slot != JEM_SLOT_NONE)
        sets[set->slot] = NULL;
}

void jem_arena_set_empty(tsd_t *tsd, struct jem_arena_set *set)
{
    for (struct jem_arena *arena = set->arenas; arena; arena = arena->next)
        arena_empty(tsd, arena->arena);
}

void jem_arena_set_drop(tsd_t *tsd, struct jem_arena_set *set)
{
    while (set->arenas) {
        struct jem_arena *arena = set->arenas;

        set->arenas = arena->next;
        arena->next = idle_arenas;
        idle_arenas = arena;
        idle_count++;
        arenas_alive--;
    }
    idle_arenas_shed(tsd);
    jem_internal_free(tsd, set);
}

bool jem_arena_set_is_room(void)
{
    return arenas_alive < ARENAS_OTHERS;
}

struct jem_arena_set *jem_arena_set_create(tsd_t *tsd, struct heap *heap, unsigned domain)
{
    struct jem_arena_set *set;
    unsigned slot = JEM_SLOT_NONE + 1;

    while (slot < JEM_SLOTS && sets[slot])
        slot++;
    if (slot == JEM_SLOTS)
        return NULL;
    set = jem_internal_alloc(tsd, sizeof *set);
    if (!set)
        return NULL;
    set->heap = heap;
    set->slot = slot;
    jem_extent_hooks_init(&set->hooks, &heap->pages, domain);
    sets[slot] = set;
    if (!arena_create(tsd, set)) {
        jem_arena_set_unlink(set);
        jem_arena_set_drop(tsd, set);
        return NULL;
    }
    return set;
}

/* --- fork ------------------------------------------------------------------------------------- */

void jem_arena_set_freeze(struct jem_arena_set *set)
{
    sets[set->slot] = NULL;
    set->slot = JEM_SLOT_NONE;
    set->frozen = true;
    for (struct jem_arena *arena = set->arenas; arena; arena = arena->next)
        jem_arena_slot[arena->index] = JEM_SLOT_NONE;
    set->hooks.table = jem_extent_forget;
}

/* No thread is at work in the decay of any arena, be it idle or jemalloc's own: the arena would
 * keep its unused pages for ever, and reclaim.c wait for ever. */
static void forget_purges(tsdn_t *tsdn)
{
    unsigned count = narenas_total_get();

    for (unsigned index = 0; index < count; index++) {
        arena_t *arena = arena_get(tsdn, index, false);

        if (!arena)
            continue;
        arena->pa_shard.pac.decay_dirty.purging = false;
        arena->pa_shard.pac.decay_muzzy.purging = false;
    }
}

void jem_arena_set_postfork_child(tsdn_t *tsdn)
{
    for (unsigned slot = 0; slot < JEM_SLOTS; slot++)
        if (sets[slot])
            for (struct jem_arena *arena = sets[slot]->arenas; arena; arena = arena->next)
                arena->threads = 0;
    forget_purges(tsdn);
    readers = 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * group: arenas on demand, and where their extents come from.
 *
 * A heap has one group per locality domain, a group has arenas as its threads need them: the
 * machine's size costs nothing. jemalloc has 4,094 arenas for the whole process, so a group's
 * second and later arenas are only made while fewer than ARENAS_SHARED exist; above that, threads
 * share.
 *
 * Arenas are made with metadata kept out of the kind's memory (arenas_create_ext) and extent hooks
 * that call the page layer. A region stays with its arena until the heap is destroyed: the dalloc
 * and destroy hooks do nothing, pages go back by decay through purge, and the page pool unmaps
 * whole regions at its end. Arenas themselves are emptied and used again.
 *
 * Threads: groups and counts under jem_lock; a finished group is published with release.
 */
#include "backend_jemalloc/jem.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

#include "kinds/host.h"

#define ARENAS_SHARED 3000 /* of 4,094: the rest is for groups that have none yet */
#define ARENAS_PER_CPU 4   /* jemalloc's own ratio: few threads meet in one arena */

struct jem_group *_Atomic jem_arena_group[MALLOCX_ARENA_LIMIT];

static struct jem_group *groups[JEM_SLOTS]; /* by slot, guarded by jem_lock */
static unsigned arenas_alive;               /* guarded by jem_lock */
static struct jem_arena *idle_arenas;       /* empty ones, guarded by jem_lock */

/* --- extent hooks: jemalloc asks for pages ------------------------------------------------------
 */

static struct page_pool *hooks_pool(extent_hooks_t *hooks)
{
    return &((struct jem_group *)hooks)->heap->pages;
}

static void *hooks_alloc(extent_hooks_t *hooks, void *new_addr, size_t size, size_t alignment,
                         bool *zero, bool *commit, unsigned arena_ind)
{
    struct jem_group *group = (struct jem_group *)hooks;
    bool zeroed;
    void *address;

    (void)arena_ind;
    if (new_addr)
        return NULL; /* a place of one's choice is not on offer */
    address = pool_map(&group->heap->pages, group->domain, size, alignment, &zeroed);
    if (address) {
        *zero = zeroed;
        *commit = true;
    }
    return address;
}

static bool hooks_keep(extent_hooks_t *hooks, void *addr, size_t size, bool committed,
                       unsigned arena_ind)
{
    (void)hooks, (void)addr, (void)size, (void)committed, (void)arena_ind;
    return true;
}

/* jemalloc never merges extents of two regions, so a region that is all free comes here whole. */
static bool hooks_unmap(extent_hooks_t *hooks, void *addr, size_t size, bool committed,
                        unsigned arena_ind)
{
    (void)committed, (void)arena_ind;
    return !pool_unmap(hooks_pool(hooks), addr, size);
}

static void hooks_destroy(extent_hooks_t *hooks, void *addr, size_t size, bool committed,
                          unsigned arena_ind)
{
    (void)hooks, (void)addr, (void)size, (void)committed, (void)arena_ind;
}

static bool hooks_purge(extent_hooks_t *hooks, void *addr, size_t size, size_t offset,
                        size_t length, unsigned arena_ind)
{
    (void)size, (void)arena_ind;
    return pool_purge(hooks_pool(hooks), (char *)addr + offset, length) != 0;
}

static bool hooks_commit(extent_hooks_t *hooks, void *addr, size_t size, size_t offset,
                         size_t length, unsigned arena_ind)
{
    (void)size, (void)arena_ind;
    return pool_commit(hooks_pool(hooks), (char *)addr + offset, length) != 0;
}

static bool hooks_split(extent_hooks_t *hooks, void *addr, size_t size, size_t size_a,
                        size_t size_b, bool committed, unsigned arena_ind)
{
    (void)hooks, (void)addr, (void)size, (void)size_a, (void)size_b, (void)committed;
    (void)arena_ind;
    return false;
}

static bool hooks_merge(extent_hooks_t *hooks, void *addr_a, size_t size_a, void *addr_b,
                        size_t size_b, bool committed, unsigned arena_ind)
{
    (void)hooks, (void)addr_a, (void)size_a, (void)addr_b, (void)size_b, (void)committed;
    (void)arena_ind;
    return false;
}

/*
 * Where a purged page must be had again before it is touched, purging is jemalloc's "decommit".
 * Such pages are scarce, too: a mapping keeps the purged ones reserved, so free regions are
 * unmapped.
 */
static void hooks_init(struct jem_group *group)
{
    bool decommits = pool_needs_commit(&group->heap->pages);

    group->hooks = (extent_hooks_t){
        .alloc = hooks_alloc,
        .dalloc = decommits ? hooks_unmap : hooks_keep,
        .destroy = hooks_destroy,
        .commit = decommits ? hooks_commit : NULL,
        .decommit = decommits ? hooks_purge : NULL,
        .purge_lazy = NULL,
        .purge_forced = decommits ? NULL : hooks_purge,
        .split = hooks_split,
        .merge = hooks_merge,
    };
}

/* --- arenas -------------------------------------------------------------------------------------
 */

static void arena_configure(tsd_t *tsd, struct jem_group *group, arena_t *arena)
{
    size_t granule = pool_granule(&group->heap->pages);

    /* Regions of huge pages are populated when mapped: grow by one page, not by ever larger steps.
     */
    if (pool_needs_commit(&group->heap->pages)) {
        arena->pa_shard.pac.exp_grow.next = sz_psz2ind(granule);
        arena->pa_shard.pac.exp_grow.limit = sz_psz2ind(granule);
    }
    if (jem_settings.hog_memory) {
        arena_decay_ms_set(tsd_tsdn(tsd), arena, extent_state_dirty, -1);
        arena_decay_ms_set(tsd_tsdn(tsd), arena, extent_state_muzzy, -1);
    }
}

/* An arena nobody uses, or a new one. Its hooks lead to the group from now on. */
static struct jem_arena *arena_make(tsd_t *tsd, struct jem_group *group)
{
    struct jem_arena *made = idle_arenas;
    arena_config_t config = {.extent_hooks = &group->hooks, .metadata_use_hooks = false};
    size_t size = sizeof made->index;
    int error;

    if (made) {
        idle_arenas = made->next;
        arena_set_extent_hooks(tsd, made->arena, &group->hooks);
        return made;
    }
    made = jem_internal_alloc(tsd, sizeof *made);
    if (!made)
        return NULL;
    error =
        je_mallctl("experimental.arenas_create_ext", &made->index, &size, &config, sizeof config);
    if (error) {
        host->log("jemalloc has no further arena: %s", strerrordesc_np(error));
        jem_internal_free(tsd, made);
        return NULL;
    }
    made->arena = arena_get(tsd_tsdn(tsd), made->index, false);
    return made;
}

static struct jem_arena *arena_create(tsd_t *tsd, struct jem_group *group)
{
    struct jem_arena *made = arena_make(tsd, group);

    if (!made)
        return NULL;
    arena_configure(tsd, group, made->arena);
    atomic_store_explicit(&jem_arena_group[made->index], group, memory_order_release);
    made->threads = 0;
    made->next = group->arenas;
    group->arenas = made;
    group->narenas++;
    arenas_alive++;
    return made;
}

static int arena_control(unsigned index, const char *verb)
{
    char name[64];
    int error;

    snprintf(name, sizeof name, "arena.%u.%s", index, verb);
    error = je_mallctl(name, NULL, NULL, NULL, 0);
    if (error)
        host->log("%s: %s", name, strerrordesc_np(error));
    return error;
}

/*
 * Empties an arena and keeps it for the next group. jemalloc could destroy it, but never unmaps the
 * 2 MiB that its metadata came from: a program that makes and destroys kinds would run out of
 * address space. So the number of arenas is the largest that were in use at once.
 */
static void arena_retire(tsd_t *tsd, struct jem_arena *arena)
{
    arenas_alive--;
    atomic_store_explicit(&jem_arena_group[arena->index], NULL, memory_order_release);
    if (arena_control(arena->index, "reset") || arena_control(arena->index, "purge")) {
        jem_internal_free(tsd, arena); /* the arena itself is lost */
        return;
    }
    pa_shard_destroy(tsd_tsdn(tsd), &arena->arena->pa_shard);
    exp_grow_init(&arena->arena->pa_shard.pac.exp_grow);
    arena_set_extent_hooks(tsd, arena->arena, (extent_hooks_t *)&ehooks_default_extent_hooks);
    arena->next = idle_arenas;
    idle_arenas = arena;
}

static unsigned arena_limit(void)
{
    return jem_settings.arenas_per_heap ? jem_settings.arenas_per_heap
                                        : ARENAS_PER_CPU * os_cpu_count();
}

struct jem_arena *jem_group_take_arena(tsd_t *tsd, struct jem_group *group)
{
    struct jem_arena *least = group->arenas;

    for (struct jem_arena *arena = least->next; arena; arena = arena->next)
        if (arena->threads < least->threads)
            least = arena;
    if (least->threads && group->narenas < arena_limit() && arenas_alive < ARENAS_SHARED) {
        struct jem_arena *fresh = arena_create(tsd, group);

        if (fresh)
            least = fresh;
    }
    least->threads++;
    return least;
}

void jem_group_count_thread(arena_t *arena, int change)
{
    struct jem_group *group =
        atomic_load_explicit(&jem_arena_group[arena_ind_get(arena)], memory_order_relaxed);

    for (struct jem_arena *at = group ? group->arenas : NULL; at; at = at->next)
        if (at->arena == arena)
            at->threads += (unsigned)change;
}

void jem_group_forget_threads(void)
{
    for (unsigned slot = 0; slot < JEM_SLOTS; slot++)
        if (groups[slot])
            for (struct jem_arena *arena = groups[slot]->arenas; arena; arena = arena->next)
                arena->threads = 0;
}

/* --- groups -------------------------------------------------------------------------------------
 */

static void group_destroy(tsd_t *tsd, struct jem_group *group)
{
    while (group->arenas) {
        struct jem_arena *arena = group->arenas;

        group->arenas = arena->next;
        arena_retire(tsd, arena);
    }
    groups[group->slot] = NULL;
    jem_internal_free(tsd, group);
}

/* Called with jem_lock. */
static struct jem_group *group_create(tsd_t *tsd, struct heap *heap, unsigned domain)
{
    struct jem_group *group;
    unsigned slot = JEM_SLOT_NONE + 1;

    while (slot < JEM_SLOTS && groups[slot])
        slot++;
    if (slot == JEM_SLOTS)
        return NULL;
    group = jem_internal_alloc(tsd, sizeof *group);
    if (!group)
        return NULL;
    group->heap = heap;
    group->slot = slot;
    group->domain = domain;
    hooks_init(group);
    groups[slot] = group;
    if (!arena_create(tsd, group)) {
        group_destroy(tsd, group);
        return NULL;
    }
    return group;
}

struct jem_group *jem_group_here(tsd_t *tsd, struct heap *heap)
{
    struct jem_heap *state = heap->state;
    unsigned domain = pool_domain(&heap->pages);
    struct jem_group *group = atomic_load_explicit(&state->groups[domain], memory_order_acquire);

    if (likely(group != NULL))
        return group;
    pthread_mutex_lock(&jem_lock);
    group = atomic_load_explicit(&state->groups[domain], memory_order_relaxed);
    if (!group) {
        group = group_create(tsd, heap, domain);
        atomic_store_explicit(&state->groups[domain], group, memory_order_release);
    }
    pthread_mutex_unlock(&jem_lock);
    return group;
}

int jem_group_heap_create(struct heap *heap)
{
    tsd_t *tsd = jem_start() ? NULL : jem_tsd();
    unsigned domains = heap->pages.domains;
    struct jem_heap *state = NULL;
    struct jem_group *group;

    if (tsd)
        state = jem_internal_alloc(tsd, sizeof *state + domains * sizeof state->groups[0]);
    if (!state)
        return MEMKIND_ERROR_MALLOC;
    state->domains = domains;
    heap->state = state;
    heap->slot = JEM_SLOT_NONE;
    group = jem_group_here(tsd, heap);
    if (!group) {
        heap->state = NULL;
        jem_internal_free(tsd, state);
        return MEMKIND_ERROR_ARENAS_CREATE;
    }
    if (domains == 1)
        heap->slot = group->slot;
    return 0;
}

int jem_group_heap_destroy(struct heap *heap)
{
    tsd_t *tsd = jem_tsd();
    struct jem_heap *state = heap->state;

    if (!tsd)
        return MEMKIND_ERROR_MALLOC;
    pthread_mutex_lock(&jem_lock);
    for (unsigned domain = 0; domain < state->domains; domain++) {
        struct jem_group *group =
            atomic_load_explicit(&state->groups[domain], memory_order_relaxed);

        if (group) {
            jem_thread_drop_caches(tsd, group->slot);
            group_destroy(tsd, group);
        }
    }
    pthread_mutex_unlock(&jem_lock);
    heap->slot = JEM_SLOT_NONE;
    heap->state = NULL;
    jem_internal_free(tsd, state);
    return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see stats.h. */
#include "backend_jemalloc/stats.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "backend_jemalloc/block.h"
#include "backend_jemalloc/exact.h"
#include "backend_jemalloc/heap.h"
#include "backend_jemalloc/internal.h"
#include "backend_jemalloc/purge.h"
#include "backend_jemalloc/start.h"
#include "backend_jemalloc/thread.h"

#define TYPES MEMKIND_STAT_TYPE_MAX_VALUE

/* Of all arenas, jemalloc's own too, when statistics were last updated. Guarded by jem_lock. */
static size_t told_in_all[TYPES];

/* --- figures of one arena --------------------------------------------------------------------- */

/* What is counted apart is read while threads are at work: the difference is exact only when these
 * are at rest. */
static size_t without(size_t allocated, size_t other)
{
    return allocated > other ? allocated - other : 0;
}

static size_t small_allocated(tsdn_t *tsdn, arena_t *arena)
{
    size_t bytes = 0;

    for (szind_t index = 0; index < SC_NBINS; index++) {
        for (unsigned shard = 0; shard < bin_infos[index].n_shards; shard++) {
            bin_t *bin = arena_get_bin(arena, index, shard);

            malloc_mutex_lock(tsdn, &bin->lock);
            bytes += bin->stats.curregs * bin_infos[index].reg_size;
            malloc_mutex_unlock(tsdn, &bin->lock);
        }
    }
    return bytes;
}

static size_t large_allocated(tsdn_t *tsdn, arena_t *arena)
{
    size_t bytes = 0;

    LOCKEDINT_MTX_LOCK(tsdn, arena->stats.mtx);
    for (szind_t i = 0; i < SC_NSIZES - SC_NBINS; i++) {
        arena_stats_large_t *class = &arena->stats.lstats[i];
        uint64_t blocks = locked_read_u64(tsdn, LOCKEDINT_MTX(arena->stats.mtx), &class->nmalloc) -
                          locked_read_u64(tsdn, LOCKEDINT_MTX(arena->stats.mtx), &class->ndalloc);

        bytes += (size_t)blocks * sz_index2size(SC_NBINS + i);
    }
    LOCKEDINT_MTX_UNLOCK(tsdn, arena->stats.mtx);
    return without(bytes, jem_exact_saved(arena));
}

static void arena_figures(tsdn_t *tsdn, arena_t *arena, size_t figures[TYPES])
{
    pa_shard_t *shard = &arena->pa_shard;
    size_t active = atomic_load_zu(&shard->nactive, ATOMIC_RELAXED) << LG_PAGE;
    size_t dirty = ecache_npages_get(&shard->pac.ecache_dirty) << LG_PAGE;
    size_t allocated, resident, mapped, huge;

    base_stats_get(tsdn, arena->base, &allocated, &resident, &mapped, &huge);
    figures[MEMKIND_STAT_TYPE_RESIDENT] = resident + active + dirty;
    figures[MEMKIND_STAT_TYPE_ACTIVE] = active;
    figures[MEMKIND_STAT_TYPE_ALLOCATED] =
        small_allocated(tsdn, arena) + large_allocated(tsdn, arena);
}

/* --- updates ---------------------------------------------------------------------------------- */

static void update_arena(tsdn_t *tsdn, unsigned index, size_t sum[TYPES])
{
    arena_t *arena = arena_get(tsdn, index, false);
    struct jem_arena *known;
    size_t figures[TYPES];

    if (!arena)
        return;
    arena_figures(tsdn, arena, figures);
    for (int type = 0; type < TYPES; type++)
        sum[type] += figures[type];
    pthread_mutex_lock(&jem_lock);
    known = jem_arena_set_find_arena(index);
    if (known)
        memcpy(known->told, figures, sizeof figures);
    pthread_mutex_unlock(&jem_lock);
}

/* Bytes in threads' caches, which the arenas take for allocated; and free pages of the pool, which
 * the arenas do not know. Pools that keep any have one domain. */
static void update_set(unsigned slot, size_t *cached, size_t *kept)
{
    struct jem_arena_set *set;

    pthread_mutex_lock(&jem_lock);
    set = jem_arena_set_at(slot);
    if (set) {
        *cached += set->cached = jem_thread_cached(slot);
        *kept += set->kept = set->frozen ? 0 : pool_kept(&set->heap->pages);
    }
    pthread_mutex_unlock(&jem_lock);
}

int jem_update_stats(void)
{
    tsd_t *tsd = jem_start() ? NULL : jem_tsd();
    size_t sum[TYPES] = {0}, cached = 0, kept = 0;

    if (!tsd)
        return MEMKIND_ERROR_OPERATION_FAILED;
    jem_free_orphans(true);
    if (jem_thread_enter())
        jem_thread_collect_all();
    jem_arena_set_read(tsd, 1);
    jem_purge_lock(); /* nobody steals from threads at rest, between one figure and the other */
    for (unsigned index = 0; index < narenas_total_get(); index++)
        update_arena(tsd_tsdn(tsd), index, sum);
    for (unsigned slot = 0; slot < JEM_SLOTS; slot++)
        update_set(slot, &cached, &kept);
    jem_purge_unlock();
    jem_arena_set_read(tsd, -1);
    sum[MEMKIND_STAT_TYPE_RESIDENT] += kept;
    sum[MEMKIND_STAT_TYPE_ALLOCATED] = without(sum[MEMKIND_STAT_TYPE_ALLOCATED], cached);
    pthread_mutex_lock(&jem_lock);
    memcpy(told_in_all, sum, sizeof sum);
    pthread_mutex_unlock(&jem_lock);
    return 0;
}

/* --- answers ---------------------------------------------------------------------------------- */

/* Called with jem_lock. */
static size_t heap_stat(const struct jem_heap *state, memkind_stat_type type)
{
    size_t value = 0, cached = 0;

    for (unsigned domain = 0; domain < state->domains; domain++) {
        const struct jem_arena_set *set =
            atomic_load_explicit(&state->sets[domain], memory_order_relaxed);

        for (const struct jem_arena *arena = set ? set->arenas : NULL; arena; arena = arena->next)
            value += arena->told[type];
        if (set && type == MEMKIND_STAT_TYPE_ALLOCATED)
            cached += set->cached;
        if (set && type == MEMKIND_STAT_TYPE_RESIDENT)
            value += set->kept;
    }
    return without(value, cached);
}

int jem_stat(struct heap *heap, memkind_stat_type type, size_t *value)
{
    if (jem_start() || !jem_tsd())
        return MEMKIND_ERROR_OPERATION_FAILED;
    pthread_mutex_lock(&jem_lock);
    *value = heap ? heap_stat(heap->state, type) : told_in_all[type];
    pthread_mutex_unlock(&jem_lock);
    return 0;
}

/* jemalloc takes its options as letters. */
int jem_stats_print(void (*write)(void *opaque, const char *text), void *opaque,
                    memkind_stat_print_opt options)
{
    static const struct {
        memkind_stat_print_opt option;
        char letter;
    } letters[] = {
        {MEMKIND_STAT_PRINT_JSON_FORMAT, 'J'},
        {MEMKIND_STAT_PRINT_OMIT_GENERAL, 'g'},
        {MEMKIND_STAT_PRINT_OMIT_MERGED_ARENA, 'm'},
        {MEMKIND_STAT_PRINT_OMIT_DESTROYED_MERGED_ARENA, 'd'},
        {MEMKIND_STAT_PRINT_OMIT_PER_ARENA, 'a'},
        {MEMKIND_STAT_PRINT_OMIT_PER_SIZE_CLASS_BINS, 'b'},
        {MEMKIND_STAT_PRINT_OMIT_PER_SIZE_CLASS_LARGE, 'l'},
        {MEMKIND_STAT_PRINT_OMIT_MUTEX, 'x'},
        {MEMKIND_STAT_PRINT_OMIT_EXTENT, 'e'},
    };
    char text[sizeof letters / sizeof letters[0] + 1] = "";
    size_t length = 0;

    if (jem_start() || !jem_tsd())
        return MEMKIND_ERROR_OPERATION_FAILED;
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
        if (options & letters[i].option)
            text[length++] = letters[i].letter;
    jem_arena_set_read(jem_tsd(), 1);
    je_malloc_stats_print(write, opaque, text);
    jem_arena_set_read(jem_tsd(), -1);
    return 0;
}

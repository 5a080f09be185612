/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see retained.h. */
#include "backend_jemalloc/retained.h"

#include "backend_jemalloc/fast.h"
#include "kinds/system/os.h"

bool jem_retained_add(tsdn_t *tsdn, arena_t *arena, edata_t *extent)
{
    pac_t *pac = &arena->pa_shard.pac;

    /* No other thread takes an active extent, so it is nobody else's until it is recorded. */
    edata_state_set(extent, extent_state_active);
    if (emap_register_boundary(tsdn, pac->emap, extent, SC_NSIZES, false)) {
        edata_cache_put(tsdn, pac->edata_cache, extent);
        return false;
    }
    extent_record(tsdn, pac, arena_get_ehooks(arena), &pac->ecache_retained, extent);
    return true;
}

bool jem_retained_add_pages(tsdn_t *tsdn, arena_t *arena, void *address, size_t size, bool zeroed,
                            bool committed)
{
    pac_t *pac = &arena->pa_shard.pac;
    edata_t *extent = edata_cache_get(tsdn, pac->edata_cache);

    if (!extent)
        return false;
    edata_init(extent, arena_ind_get(arena), address, size, false, SC_NSIZES, extent_sn_next(pac),
               extent_state_active, zeroed, committed, EXTENT_PAI_PAC, EXTENT_NOT_HEAD);
    return jem_retained_add(tsdn, arena, extent);
}

size_t jem_retained_bytes(arena_t *arena)
{
    return ecache_npages_get(&arena->pa_shard.pac.ecache_retained) * PAGE;
}

static bool is_purging(tsdn_t *tsdn, decay_t *decay)
{
    bool purging;

    malloc_mutex_lock(tsdn, &decay->mtx);
    purging = decay->purging;
    malloc_mutex_unlock(tsdn, &decay->mtx);
    return purging;
}

bool jem_retained_is_purging(tsdn_t *tsdn, arena_t *arena)
{
    pac_t *pac = &arena->pa_shard.pac;

    return is_purging(tsdn, &pac->decay_dirty) || is_purging(tsdn, &pac->decay_muzzy);
}

void jem_retained_purge(tsdn_t *tsdn, arena_t *arena)
{
    for (;;) {
        arena_decay(tsdn, arena, false, true);
        if (!jem_retained_is_purging(tsdn, arena))
            return;
        os_yield();
    }
}

void jem_retained_release(tsdn_t *tsdn, struct page_pool *pool, arena_t *arena)
{
    pac_t *pac = &arena->pa_shard.pac;
    ehooks_t *ehooks = arena_get_ehooks(arena);
    edata_list_inactive_t kept;
    edata_t *extent;

    edata_list_inactive_init(&kept);
    while ((extent = ecache_evict(tsdn, pac, ehooks, &pac->ecache_retained, 0)) != NULL) {
        if (!pool_unmap(pool, edata_base_get(extent), edata_size_get(extent))) {
            edata_list_inactive_append(&kept, extent);
            continue;
        }
        /* What reads as zeroes has gone back before, but for a file's pages that nobody used. */
        if (pool_is_page_granular(pool) || !edata_zeroed_get(extent))
            jem_note_given(edata_size_get(extent));
        edata_cache_put(tsdn, pac->edata_cache, extent);
    }
    while ((extent = edata_list_inactive_first(&kept)) != NULL) {
        edata_list_inactive_remove(&kept, extent);
        (void)jem_retained_add(tsdn, arena, extent); /* where it was noted before */
    }
}

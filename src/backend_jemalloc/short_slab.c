/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see short_slab.h. */
#include "backend_jemalloc/short_slab.h"

#include "backend_jemalloc/retained.h"

/* What may be left over at the end of a short slab, as a part of it: an eighth, or a sixteenth
 * where blocks are so large that the slab has only a few of them. Other classes make more of its
 * pages then. */
#define LEFT_OVER_SHARE(BLOCK) ((BLOCK) < PAGE / 2 ? 8 : 16)

static bool is_there(arena_t *arena, const struct page_pool *pool, size_t size)
{
    return pool_has_room(pool, size) || jem_retained_bytes(arena) >= size;
}

/* The size of a short slab at whose end the least part is left over, and of several the least; 0:
 * no piece of memory would hold enough blocks to be worth it. */
static size_t best_size(arena_t *arena, const struct page_pool *pool, szind_t index)
{
    size_t block = sz_index2size(index), best = 0;

    for (size_t size = PAGE; size < bin_infos[index].slab_size && is_there(arena, pool, size);
         size += PAGE) {
        size_t rest = size % block;

        if (best ? rest * best < best % block * size : rest <= size / LEFT_OVER_SHARE(block))
            best = size;
    }
    return best;
}

/* The blocks behind the end of the slab count as handed out, for ever. */
static void slab_init(edata_t *slab, szind_t index, unsigned shard)
{
    const bin_info_t *info = &bin_infos[index];
    unsigned blocks = jem_slab_blocks(slab, index);
    bitmap_t *bitmap = edata_slab_data_get(slab)->bitmap;

    edata_nfree_binshard_set(slab, blocks, shard);
    bitmap_init(bitmap, &info->bitmap_info, false);
    for (unsigned i = blocks; i < info->nregs; i++)
        bitmap_set(bitmap, &info->bitmap_info, i);
}

/* As jemalloc adds one that has been used before. */
static void slab_enter(tsdn_t *tsdn, arena_t *arena, edata_t *slab, szind_t index)
{
    unsigned shard;
    bin_t *bin = arena_bin_choose(tsdn, arena, index, &shard);

    slab_init(slab, index, shard);
    malloc_mutex_lock(tsdn, &bin->lock);
    edata_heap_insert(&bin->slabs_nonfull, slab);
    bin->stats.nslabs++;
    bin->stats.curslabs++;
    bin->stats.nonfull_slabs++;
    malloc_mutex_unlock(tsdn, &bin->lock);
}

bool jem_short_slab_add(tsdn_t *tsdn, arena_t *arena, const struct page_pool *pool, szind_t index)
{
    size_t size = best_size(arena, pool, index);
    edata_t *slab = NULL;
    bool deferred = false; /* a thread of jemalloc's own would have work: it has none */

    if (size)
        slab = pa_alloc(tsdn, &arena->pa_shard, size, PAGE, true, index, false, false, &deferred);
    if (slab)
        slab_enter(tsdn, arena, slab, index);
    return slab != NULL;
}

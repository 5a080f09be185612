/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * fast: what an allocation, a free or a question costs when the thread's cache has the answer.
 *
 * The frontend includes this header, and no other of this folder: the hit of the default heap
 * manager's cache is inline in memkind_malloc() and its like, so that choosing a kind costs no
 * indirect call. It knows nothing of jemalloc's headers. What it reads of jemalloc's, the radix
 * tree that maps pages to extents, and extents, is laid out here again, and fast.c asserts that it
 * is the same.
 *
 * A miss changes nothing, and is all that happens where this is not the heap manager, the kind is
 * not ready or has no cache of its own (several locality domains, after a fork), the thread has not
 * been here yet or is on its way out, or the size is 0 or large: none has a slot, or room for one.
 * The caller then asks the heap manager.
 *
 * Threads: a cache is its thread's own. Others read `head` (statistics), steal blocks from the
 * bottom of a bin (steal.h), or take the cache away when its kind is destroyed. The tree is read
 * without a lock; its nodes are never given back.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/queue.h>

#include "heap_manager.h"
#include "kinds/system/compiler.h"
#include "kinds/system/round.h"

#define JEM_FAST_MOST 4096 /* largest size that is looked for inline */
/* Size classes, from the lowest, that are small or cached. A cache has a bin for each. */
#define JEM_BINS_MOST (MEMKIND_LG_PAGE > 12 ? 36 + 4 * (MEMKIND_LG_PAGE - 12) : 41)
#define JEM_ARENAS 4096 /* numbers of arenas: 12 bits in an extent */

/* --- caches ----------------------------------------------------------------------------------- */

#define JEM_CACHE_MOST ((size_t)3 << 20) /* bytes that a thread's cache of a kind holds at most */
#define JEM_CACHE_LITTLE ((size_t)64 << 10) /* of a kind with the conservative policy */
#define JEM_CALLS_BETWEEN 1024              /* looks at what is unused: calls of a thread */
#define JEM_CALLS_SLOW 4     /* calls that one on the slow path counts for; see thread.h */
#define JEM_LOOKS_BETWEEN 48 /* looks at a cache: looks at what is unused */

/* Blocks of one size class: a stack that grows down, from `empty` to `full`. What another thread
 * may change meanwhile, `low` and `empty`, is looked at only where head is not below `low`, which
 * is at most `empty`; see steal.h. */
struct jem_bin {
    void **_Atomic head; /* the next block, if any */
    void **_Atomic low;  /* highest that head has been since the last look for unused blocks */
    void **full;
    void **_Atomic empty; /* where head is when there is no block; may be within the array */
};

/* The part of a cache that is used inline; see cache.h. */
struct jem_bins {
    struct jem_bin of[JEM_BINS_MOST]; /* by size class */
};

struct jem_thread {
    unsigned slots; /* length of cache[]; 0: the thread has none, see thread.h */
    int calls;      /* how many until the next look at what is unused */
    struct tsd_s *tsd;
    LIST_ENTRY(jem_thread) entry; /* in the list of all */
    pthread_mutex_t lock;
    unsigned looks;           /* so many, of which every JEM_LOOKS_BETWEEN-th is at a cache */
    unsigned collected;       /* slot that was looked at last */
    size_t dirtied;           /* bytes of pages since the last look, see purge.h */
    size_t given;             /* bytes of pages that it has given back, see jem_trim() */
    bool grows;               /* it makes a large block larger, see extent_hooks.c */
    int calls_seen;           /* what `calls` was at the last look at all threads, */
    unsigned idle;            /* how many looks since it changed: thread.c, guarded by jem_lock */
    unsigned turn;            /* number of the jem_thread_steal() that has come to it, */
    size_t owed;              /* and how many blocks that one still wants of it */
    struct jem_bins *cache[]; /* by slot; never NULL, but possibly jem_cache_none */
};

/* The calling thread's state: never NULL, but possibly one without room for caches. */
extern __thread struct jem_thread *jem_thread_now HIDDEN __attribute__((tls_model("initial-exec")));
extern struct jem_thread jem_thread_unseen HIDDEN; /* of a thread that has not been here yet */

/* The calling thread has given `size` bytes of pages back to the system. */
static inline void jem_note_given(size_t size)
{
    if (jem_thread_now->slots) /* not one of the shared states, see thread.h */
        jem_thread_now->given += size;
}

/* What a thread's table has where there is no cache: never has a block, nor room for one. */
extern struct jem_bins jem_cache_none HIDDEN;

/* Distance of a size's bin from the beginning of a cache, by (size - 1) / 8. */
extern uint16_t jem_bin_offset[JEM_FAST_MOST / 8] HIDDEN;

/* Fills the tables in: once, after jemalloc's own start. */
void jem_fast_start(void);

static inline struct jem_bin *jem_fast_bin(const struct jem_thread *thread, size_t slot,
                                           size_t offset)
{
    return (struct jem_bin *)((char *)thread->cache[slot] + offset);
}

/* Less than 2^32: its lower half is compared with a thread's slots, which is one instruction.
 *
 * Acquired: a slot that comes from a heap that was destroyed was taken away from all threads
 * before.
 */
static inline size_t jem_fast_heap_slot(const struct heap *heap)
{
    return atomic_load_explicit(&heap->slot, memory_order_acquire);
}

/* False: the bin is empty. The block is not compared with NULL: that would be to wait for it. */
static inline bool jem_fast_pop(struct jem_bin *bin, void **block)
{
    void **head = atomic_load_explicit(&bin->head, memory_order_relaxed);

    *block = *head; /* at `empty` there is something to read, too */
    if (unlikely(head >= atomic_load_explicit(&bin->low, memory_order_relaxed))) {
        if (head >= atomic_load_explicit(&bin->empty, memory_order_relaxed))
            return false;
        atomic_store_explicit(&bin->low, head + 1, memory_order_relaxed);
    }
    atomic_store_explicit(&bin->head, head + 1, memory_order_release);
    return true;
}

static inline bool jem_fast_alloc(const struct heap *heap, size_t size, void **block)
{
    struct jem_thread *thread = jem_thread_now;
    size_t slot = jem_fast_heap_slot(heap);

    if (unlikely((unsigned)slot >= thread->slots || size - 1 >= JEM_FAST_MOST ||
                 --thread->calls < 0))
        return false;
    return jem_fast_pop(jem_fast_bin(thread, slot, jem_bin_offset[(size - 1) / 8]), block);
}

/* False, too: the block seems to be freed a second time. */
static inline bool jem_fast_push(struct jem_bin *bin, void *block)
{
    void **head = atomic_load_explicit(&bin->head, memory_order_relaxed);

    if (unlikely(head == bin->full || *head == block))
        return false;
    head[-1] = block;
    atomic_store_explicit(&bin->head, head - 1, memory_order_release);
    return true;
}

/* --- lookup ----------------------------------------------------------------------------------- */

#define JEM_TREE_BITS 48
/* jemalloc's pages, by the build (MEMKIND_LG_PAGE); those of the kernel may be smaller. And the
 * address bits of a leaf: half of what is above a page, and the page. */
#define JEM_TREE_PAGE_BITS MEMKIND_LG_PAGE
#define JEM_TREE_LEAF_BITS ((JEM_TREE_BITS - JEM_TREE_PAGE_BITS) / 2 + JEM_TREE_PAGE_BITS)

/* jemalloc's entry for a page: bit 0 a slab, 1 irrelevant, 2 to 4 the state, 0 for active, 7 to 47
 * the extent, 48 and up the size class. */
#define JEM_PAGE_SLAB 1u
#define JEM_PAGE_STATE 0x1cu
#define JEM_PAGE_EXTENT 0x0000ffffffffff80u
#define JEM_PAGE_CLASS_SHIFT 48

/* The beginning of jemalloc's edata_t. */
struct jem_extent {
    uint64_t bits; /* 0 to 11: number of its arena */
    char *start;
};

extern const _Atomic(uintptr_t) *const _Atomic *const jem_tree HIDDEN;
extern uint16_t jem_arena_slot[JEM_ARENAS] HIDDEN; /* of the arena's arena set */
/* By size class of small blocks. */
extern uint32_t jem_class_size[JEM_BINS_MOST] HIDDEN;
extern uint64_t jem_class_inverse[JEM_BINS_MOST] HIDDEN;
/* The bit of a page's entry that lets its blocks be freed without a look at where they start:
 * JEM_PAGE_SLAB; 0 where all are looked at. Written before the first use. */
extern uint8_t jem_trusted_pages HIDDEN;

/* The entry of an address' page; 0 if nothing is known of it. */
static inline uintptr_t jem_page(const void *address)
{
    uintptr_t at = (uintptr_t)address, index = at >> JEM_TREE_LEAF_BITS;
    const _Atomic(uintptr_t) *leaf;

    if (unlikely(index >= (uintptr_t)1 << (JEM_TREE_BITS - JEM_TREE_LEAF_BITS)))
        return 0;
    leaf = atomic_load_explicit(&jem_tree[index], memory_order_acquire);
    if (unlikely(!leaf))
        return 0;
    return atomic_load_explicit(
        &leaf[at >> JEM_TREE_PAGE_BITS &
              (((uintptr_t)1 << (JEM_TREE_LEAF_BITS - JEM_TREE_PAGE_BITS)) - 1)],
        memory_order_acquire);
}

static inline const struct jem_extent *jem_extent_of(uintptr_t page)
{
    return (const struct jem_extent *)(page & JEM_PAGE_EXTENT);
}

/* Whether a small block can begin at this address. */
static inline bool jem_is_start(const void *block, uintptr_t page)
{
    if (unlikely((page & (JEM_PAGE_SLAB | JEM_PAGE_STATE)) != JEM_PAGE_SLAB))
        return false;
    return likely(
        round_is_multiple((uint32_t)((uintptr_t)block - (uintptr_t)jem_extent_of(page)->start),
                          jem_class_inverse[page >> JEM_PAGE_CLASS_SHIFT]));
}

/* The bin that a page's blocks go to. */
static inline struct jem_bin *jem_fast_page_bin(const struct jem_thread *thread, size_t slot,
                                                uintptr_t page)
{
    return jem_fast_bin(thread, slot, (page >> JEM_PAGE_CLASS_SHIFT) * sizeof(struct jem_bin));
}

/* The caller vouches for the block: its size class is all that is read, unless all are looked at.
 */
static inline bool jem_fast_free(const struct heap *heap, void *block)
{
    struct jem_thread *thread = jem_thread_now;
    size_t slot = jem_fast_heap_slot(heap);
    uintptr_t page;

    if (unlikely((unsigned)slot >= thread->slots))
        return false;
    page = jem_page(block);
    if (unlikely(!((uint8_t)page & jem_trusted_pages))) /* apart: registers are too few for both */
        return jem_is_start(block, page) &&
               jem_fast_push(jem_fast_page_bin(thread, slot, page), block);
    return jem_fast_push(jem_fast_page_bin(thread, slot, page), block);
}

/* The slot of the arena set that a small block is of; 0: of none that is in use. */
static inline unsigned jem_slot_of(uintptr_t page)
{
    return jem_arena_slot[jem_extent_of(page)->bits % JEM_ARENAS];
}

/* Without a kind the block is checked, and goes to the cache of the arena set it belongs to. */
static inline bool jem_fast_free_unknown(void *block)
{
    struct jem_thread *thread = jem_thread_now;
    uintptr_t page;
    unsigned slot;

    if (unlikely(!thread->slots))
        return false;
    page = jem_page(block);
    if (unlikely(!jem_is_start(block, page)))
        return false;
    slot = jem_slot_of(page);
    if (unlikely(slot >= thread->slots))
        return false;
    return jem_fast_push(jem_fast_page_bin(thread, slot, page), block);
}

/* 0: not a small block of an arena set that is in use. */
static inline size_t jem_fast_size(const void *block)
{
    uintptr_t page = jem_page(block);

    return likely(jem_is_start(block, page) && jem_slot_of(page))
               ? jem_class_size[page >> JEM_PAGE_CLASS_SHIFT]
               : 0;
}

/* Whether a block has the size class of this size already. */
static inline bool jem_fast_fits(const void *block, size_t size)
{
    uintptr_t page = jem_page(block);

    return size - 1 < JEM_FAST_MOST &&
           jem_bin_offset[(size - 1) / 8] ==
               (page >> JEM_PAGE_CLASS_SHIFT) * sizeof(struct jem_bin) &&
           jem_is_start(block, page) && jem_slot_of(page);
}

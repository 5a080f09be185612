/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * address_map: which region an address lies in, in constant time and without a lock.
 *
 * A radix tree of two levels over 48 bits of address: a root with an entry for each GiB, and
 * leaves. A leaf has a pointer for each slot of 2 MiB and a byte for each unit of 16 KiB. The
 * pointer leads to the region that the slot lies in. The byte belongs to the heap manager, which
 * may note there what it keeps in a unit (TBB: the size class of a slab); it is 0 when a region is
 * added. Where run_cache.h cuts regions into runs, a second pointer leads from the unit in which a
 * used run starts to that run. Most of a leaf is never touched, and takes no memory.
 *
 * A region that has all of a GiB stands in the root itself: one of many TiB, most of which nobody
 * will ever touch, needs no leaves but at its ends, and where something is noted.
 *
 * Regions are multiples of 2 MiB at multiples of 2 MiB, but for the windows of fixed kinds, which
 * start and end where their owner wants: two of them can meet in one slot, and are then chained.
 *
 * Threads: finding, notes: any, also beside adding and removing of other regions (records are never
 * unmapped, so a reader that comes late reads an old one). Adding, removing: one thread at a time
 * (page_region.c's lock).
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "kinds/system/compiler.h"

struct page_pool;
struct page_run;

/* Pages that a pool has mapped at once. */
struct page_region {
    LIST_ENTRY(page_region) entry; /* in a pool's list */
    struct page_pool *pool;
    char *start;
    size_t size;
    unsigned domain; /* the locality domain it was mapped for */
    size_t offset;   /* the source's own: where a window lies in its file */
    bool inherited;  /* a parent's, before fork(2): to be left alone */
    char *copy;      /* of its content, while a fork(2) goes on: fork_copy.h */
    /* Other regions in the slot of its first byte, of its last byte. */
    struct page_region *_Atomic beside[2];
};

#define ADDRESS_MAP_BITS 48
#define ADDRESS_MAP_LEAF_BITS 30
#define ADDRESS_MAP_SLOT_BITS 21
#define ADDRESS_MAP_UNIT_BITS 14
#define ADDRESS_MAP_UNIT ((size_t)1 << ADDRESS_MAP_UNIT_BITS)
#define ADDRESS_MAP_SLOTS ((size_t)1 << (ADDRESS_MAP_LEAF_BITS - ADDRESS_MAP_SLOT_BITS))
#define ADDRESS_MAP_UNITS ((size_t)1 << (ADDRESS_MAP_LEAF_BITS - ADDRESS_MAP_UNIT_BITS))

struct address_leaf {
    struct page_region *_Atomic slots[ADDRESS_MAP_SLOTS];
    _Atomic uint8_t units[ADDRESS_MAP_UNITS];
    atomic_bool noted;                        /* some unit is not 0, or was not */
    struct page_run *runs[ADDRESS_MAP_UNITS]; /* guarded by run_cache.c's lock */
    uintptr_t first;                          /* address */
    struct address_leaf *next;                /* that was made before it */
};

struct address_root {
    struct address_leaf *_Atomic leaf;  /* NULL: not needed until now */
    struct page_region *_Atomic region; /* that all of it lies in */
};

#define ADDRESS_MAP_LEAVES ((size_t)1 << (ADDRESS_MAP_BITS - ADDRESS_MAP_LEAF_BITS))

extern struct address_root address_map_root[ADDRESS_MAP_LEAVES] HIDDEN;

/* Higher bits of the address are not looked at. */
static inline struct address_root *address_map_entry(uintptr_t address)
{
    return &address_map_root[address >> ADDRESS_MAP_LEAF_BITS & (ADDRESS_MAP_LEAVES - 1)];
}

static inline _Atomic uint8_t *address_map_leaf_unit(struct address_leaf *leaf, uintptr_t address)
{
    return &leaf->units[address >> ADDRESS_MAP_UNIT_BITS & (ADDRESS_MAP_UNITS - 1)];
}

/* The byte of the unit at an address in a region; 0 where nothing was noted. */
static inline unsigned address_map_note_inside(const void *address)
{
    struct address_leaf *leaf =
        atomic_load_explicit(&address_map_entry((uintptr_t)address)->leaf, memory_order_acquire);

    if (unlikely(!leaf))
        return 0;
    return atomic_load_explicit(address_map_leaf_unit(leaf, (uintptr_t)address),
                                memory_order_relaxed);
}

/* Likewise, of any address. */
static inline unsigned address_map_note(const void *address)
{
    return unlikely((uintptr_t)address >> ADDRESS_MAP_BITS) ? 0 : address_map_note_inside(address);
}

/* Notes a byte for the unit at an address that lies in a region. Without memory for a leaf, which
 * only a region of more than a GiB can lack, the note stays 0. */
void address_map_set_note(const void *address, uint8_t note);

/* Clears the notes of units that lie wholly in [address, address + size), inside a region. */
void address_map_clear_notes(const void *address, size_t size);

/* The run of run_cache.h that starts in the unit; NULL: none. Threads: with that one's lock. */
static inline struct page_run *address_map_run(const void *address)
{
    uintptr_t at = (uintptr_t)address;
    struct address_leaf *leaf =
        atomic_load_explicit(&address_map_entry(at)->leaf, memory_order_acquire);

    if (!leaf || at >> ADDRESS_MAP_BITS)
        return NULL;
    return leaf->runs[at >> ADDRESS_MAP_UNIT_BITS & (ADDRESS_MAP_UNITS - 1)];
}

/* Likewise; of an address in a region. False: no memory for the map. */
bool address_map_set_run(const void *address, struct page_run *run);

/* Likewise, where the slot's first region is not the one: see address_map_find(). */
struct page_region *address_map_search(const void *address);

/* The region that the address lies in, or NULL. */
static inline struct page_region *address_map_find(const void *address)
{
    uintptr_t at = (uintptr_t)address;
    struct address_leaf *leaf =
        atomic_load_explicit(&address_map_entry(at)->leaf, memory_order_acquire);
    struct page_region *region;

    if (likely(leaf && !(at >> ADDRESS_MAP_BITS))) {
        region = atomic_load_explicit(
            &leaf->slots[at >> ADDRESS_MAP_SLOT_BITS & (ADDRESS_MAP_SLOTS - 1)],
            memory_order_acquire);
        if (likely(region && at - (uintptr_t)region->start < region->size))
            return region;
    }
    return address_map_search(address);
}

/* --- owners ----------------------------------------------------------------------------------- */

/*
 * Which pool an address is of, in two loads, for who asks at each free: by slot, a number of the
 * pool whose region has all of it; 0: it is not known, and no pool. The table is for all addresses,
 * 128 MiB, of which there is what was written to. NULL: nobody has asked for it.
 */
extern _Atomic uint8_t *address_map_owners HIDDEN;
extern struct page_pool *_Atomic address_map_pools[UINT8_MAX + 1] HIDDEN;

/* Makes it, if there is none yet, with the regions that are there. False: no memory. Threads: as
 * for adding. */
bool address_map_begin_owners(void);

/* Of an address within ADDRESS_MAP_BITS, when there is a table. NULL: it is not known. */
static inline struct page_pool *address_map_owner(const void *address)
{
    uint8_t number = atomic_load_explicit(
        &address_map_owners[(uintptr_t)address >> ADDRESS_MAP_SLOT_BITS], memory_order_relaxed);

    return atomic_load_explicit(&address_map_pools[number], memory_order_relaxed);
}

/* Whether any byte of [address, address + size) lies in a region. Threads: as for adding. */
bool address_map_overlaps(const void *address, size_t size);

/* False: no memory for the map; nothing was added. */
bool address_map_add(struct page_region *region);
void address_map_remove(struct page_region *region);

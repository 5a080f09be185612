/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see address_map.h. Leaves are plain mappings, never given back. */
#include "kinds/pages/address_map.h"

#include "kinds/system/leftover.h"
#include "kinds/system/os.h"
#include "kinds/system/round.h"

struct address_root address_map_root[ADDRESS_MAP_LEAVES];

static struct address_leaf *_Atomic leaves; /* the last one that was made */

#define CHAIN_MOST 1024 /* more than there can be: a reader of a changing chain comes to an end */

static uintptr_t slot_of(uintptr_t address)
{
    return address >> ADDRESS_MAP_SLOT_BITS;
}

static uintptr_t last_byte(const struct page_region *region)
{
    return (uintptr_t)region->start + region->size - 1;
}

static struct page_region *_Atomic *slot_entry(uintptr_t slot)
{
    struct address_leaf *leaf = atomic_load_explicit(
        &address_map_entry(slot << ADDRESS_MAP_SLOT_BITS)->leaf, memory_order_acquire);

    return leaf ? &leaf->slots[slot % ADDRESS_MAP_SLOTS] : NULL;
}

/* Where the chain of a slot goes on behind a region of it; NULL inside a region: no neighbour. */
static struct page_region *_Atomic *chain_link(struct page_region *region, uintptr_t slot)
{
    if (slot == slot_of((uintptr_t)region->start))
        return &region->beside[0];
    return slot == slot_of(last_byte(region)) ? &region->beside[1] : NULL;
}

struct page_region *address_map_search(const void *address)
{
    uintptr_t at = (uintptr_t)address, slot = slot_of(at);
    struct page_region *_Atomic *link;
    struct page_region *region;

    if (at >> ADDRESS_MAP_BITS)
        return NULL;
    region = atomic_load_explicit(&address_map_entry(at)->region, memory_order_acquire);
    if (region)
        return region;
    link = slot_entry(slot);
    for (int i = 0; link && i < CHAIN_MOST; i++) {
        region = atomic_load_explicit(link, memory_order_acquire);
        if (!region || at - (uintptr_t)region->start < region->size)
            return region;
        link = chain_link(region, slot);
    }
    return NULL;
}

/* --- ranges: GiB by GiB ----------------------------------------------------------------------- */

/* The part [first, last] of a range that lies in one GiB. */
struct part {
    uintptr_t first, last;
    struct address_root *entry;
    bool whole; /* it is all of it */
};

static struct part part_at(uintptr_t first, uintptr_t last)
{
    uintptr_t rest = ((uintptr_t)1 << ADDRESS_MAP_LEAF_BITS) - 1;
    struct part part = {.first = first, .entry = address_map_entry(first)};

    part.last = (first | rest) < last ? first | rest : last;
    part.whole = part.last - first == rest;
    return part;
}

static bool slot_overlaps(uintptr_t slot, uintptr_t first, uintptr_t last)
{
    struct page_region *_Atomic *link = slot_entry(slot);

    while (link) {
        struct page_region *region = atomic_load_explicit(link, memory_order_relaxed);

        if (!region)
            return false;
        if ((uintptr_t)region->start <= last && last_byte(region) >= first)
            return true;
        link = chain_link(region, slot);
    }
    return false;
}

static bool part_overlaps(const struct part *part)
{
    if (atomic_load_explicit(&part->entry->region, memory_order_relaxed))
        return true;
    if (!atomic_load_explicit(&part->entry->leaf, memory_order_relaxed))
        return false;
    for (uintptr_t slot = slot_of(part->first); slot <= slot_of(part->last); slot++)
        if (slot_overlaps(slot, part->first, part->last))
            return true;
    return false;
}

bool address_map_overlaps(const void *address, size_t size)
{
    uintptr_t last = (uintptr_t)address + size - 1;
    struct part part;

    if (last >> ADDRESS_MAP_BITS)
        return false; /* where no region can be */
    for (uintptr_t at = (uintptr_t)address; at <= last; at = part.last + 1) {
        part = part_at(at, last);
        if (part_overlaps(&part))
            return true;
    }
    return false;
}

/* The leaf of an entry, made if it has none; NULL: no memory. */
static struct address_leaf *leaf_make(struct address_root *entry)
{
    struct address_leaf *leaf = atomic_load_explicit(&entry->leaf, memory_order_acquire);
    struct address_leaf *made = leaf ? NULL : os_map(sizeof *made, os_page_size());

    if (!made)
        return leaf;
    made->first = (uintptr_t)(entry - address_map_root) << ADDRESS_MAP_LEAF_BITS;
    /* Another thread may have made one meanwhile, to note something. */
    if (!atomic_compare_exchange_strong(&entry->leaf, &leaf, made)) {
        leftover_unmap(made, sizeof *made);
        return leaf;
    }
    made->next = atomic_load_explicit(&leaves, memory_order_relaxed);
    while (!atomic_compare_exchange_weak(&leaves, &made->next, made))
        continue;
    return made;
}

void address_map_set_note(const void *address, uint8_t note)
{
    struct address_leaf *leaf = leaf_make(address_map_entry((uintptr_t)address));

    if (!leaf)
        return;
    atomic_store_explicit(address_map_leaf_unit(leaf, (uintptr_t)address), note,
                          memory_order_relaxed);
    if (!atomic_load_explicit(&leaf->noted, memory_order_relaxed))
        atomic_store_explicit(&leaf->noted, true, memory_order_relaxed);
}

bool address_map_set_run(const void *address, struct page_run *run)
{
    uintptr_t at = (uintptr_t)address;
    struct address_leaf *leaf = leaf_make(address_map_entry(at));

    if (leaf)
        leaf->runs[at >> ADDRESS_MAP_UNIT_BITS & (ADDRESS_MAP_UNITS - 1)] = run;
    return leaf != NULL;
}

static void part_clear_units(const struct part *part)
{
    struct address_leaf *leaf = atomic_load_explicit(&part->entry->leaf, memory_order_relaxed);
    size_t unit = ADDRESS_MAP_UNIT;

    if (!leaf || !atomic_load_explicit(&leaf->noted, memory_order_relaxed))
        return;
    /* Units that lie wholly inside: one at an edge may be another region's, too. */
    for (uintptr_t at = round_up(part->first, unit); at + unit - 1 <= part->last; at += unit) {
        _Atomic uint8_t *byte = address_map_leaf_unit(leaf, at);

        /* Never used, most of them: reading takes no memory. */
        if (atomic_load_explicit(byte, memory_order_relaxed))
            atomic_store_explicit(byte, 0, memory_order_relaxed);
    }
    if (part->whole)
        atomic_store_explicit(&leaf->noted, false, memory_order_relaxed);
}

void address_map_clear_notes(const void *address, size_t size)
{
    uintptr_t last = (uintptr_t)address + size - 1;
    struct part part;

    for (uintptr_t at = (uintptr_t)address; at <= last; at = part.last + 1) {
        part = part_at(at, last);
        part_clear_units(&part);
    }
}

/* --- owners ----------------------------------------------------------------------------------- */

#define OWNERS ((size_t)1 << (ADDRESS_MAP_BITS - ADDRESS_MAP_SLOT_BITS))
/* Larger regions are not worth the time. */
#define OWNED_MOST ((size_t)1 << ADDRESS_MAP_LEAF_BITS)

_Atomic uint8_t *address_map_owners;
struct page_pool *_Atomic address_map_pools[UINT8_MAX + 1];

/* Those who come late have none. Pools are not freed: a number is one's for ever. */
static uint8_t owner_number(struct page_pool *pool)
{
    for (unsigned i = 1; i <= UINT8_MAX; i++) {
        struct page_pool *there = atomic_load_explicit(&address_map_pools[i], memory_order_relaxed);

        if (!there)
            atomic_store_explicit(&address_map_pools[i], pool, memory_order_relaxed);
        if (!there || there == pool)
            return (uint8_t)i;
    }
    return 0;
}

/* Of slots that are wholly the region's. */
static void set_owner(const struct page_region *region, bool is_known)
{
    uintptr_t start = (uintptr_t)region->start, end = slot_of(start + region->size);
    uint8_t number;

    if (!address_map_owners || region->size > OWNED_MOST)
        return;
    number = is_known ? owner_number(region->pool) : 0;
    for (uintptr_t i = slot_of(round_up(start, (size_t)1 << ADDRESS_MAP_SLOT_BITS)); i < end; i++)
        atomic_store_explicit(&address_map_owners[i], number, memory_order_relaxed);
}

/* Of regions that are there. One that is all of the leaf's GiB is found elsewhere. */
static void set_owners_of(const struct address_leaf *leaf)
{
    for (size_t i = 0; i < ADDRESS_MAP_SLOTS; i++) {
        const struct page_region *region =
            atomic_load_explicit(&leaf->slots[i], memory_order_relaxed);
        uintptr_t slot = slot_of(leaf->first) + i, start = slot << ADDRESS_MAP_SLOT_BITS;

        if (region && region->size <= OWNED_MOST && (uintptr_t)region->start <= start &&
            slot_of(last_byte(region) + 1) > slot)
            atomic_store_explicit(&address_map_owners[slot], owner_number(region->pool),
                                  memory_order_relaxed);
    }
}

bool address_map_begin_owners(void)
{
    if (address_map_owners)
        return true;
    address_map_owners = os_map(OWNERS, os_page_size());
    if (!address_map_owners)
        return false;
    (void)os_no_huge_pages((void *)address_map_owners, OWNERS); /* a byte here and there */
    for (const struct address_leaf *leaf = atomic_load_explicit(&leaves, memory_order_acquire);
         leaf; leaf = leaf->next)
        set_owners_of(leaf);
    return true;
}

/* --- adding and removing ---------------------------------------------------------------------- */

static bool make_leaves(uintptr_t first, uintptr_t last)
{
    struct part part;

    for (uintptr_t at = first; at <= last; at = part.last + 1) {
        part = part_at(at, last);
        if (!part.whole && !leaf_make(part.entry))
            return false;
    }
    return true;
}

static void slot_add(uintptr_t slot, struct page_region *region)
{
    struct page_region *_Atomic *entry = slot_entry(slot);
    struct page_region *_Atomic *link = chain_link(region, slot);

    if (link)
        atomic_store_explicit(link, atomic_load_explicit(entry, memory_order_relaxed),
                              memory_order_relaxed);
    atomic_store_explicit(entry, region, memory_order_release);
}

static void slot_remove(uintptr_t slot, struct page_region *region)
{
    struct page_region *_Atomic *link = slot_entry(slot);
    struct page_region *_Atomic *after = chain_link(region, slot);
    struct page_region *at;

    while (link && (at = atomic_load_explicit(link, memory_order_relaxed)) != region)
        link = at ? chain_link(at, slot) : NULL;
    if (link)
        atomic_store_explicit(link,
                              after ? atomic_load_explicit(after, memory_order_relaxed) : NULL,
                              memory_order_release);
}

bool address_map_add(struct page_region *region)
{
    uintptr_t first = (uintptr_t)region->start, last = last_byte(region);
    struct part part;

    if (last >> ADDRESS_MAP_BITS || !make_leaves(first, last))
        return false;
    for (uintptr_t at = first; at <= last; at = part.last + 1) {
        part = part_at(at, last);
        part_clear_units(&part);
        if (part.whole) {
            atomic_store_explicit(&part.entry->region, region, memory_order_release);
            continue;
        }
        for (uintptr_t slot = slot_of(part.first); slot <= slot_of(part.last); slot++)
            slot_add(slot, region);
    }
    set_owner(region, true);
    return true;
}

void address_map_remove(struct page_region *region)
{
    uintptr_t last = last_byte(region);
    struct part part;

    set_owner(region, false);
    for (uintptr_t at = (uintptr_t)region->start; at <= last; at = part.last + 1) {
        part = part_at(at, last);
        if (part.whole) {
            atomic_store_explicit(&part.entry->region, NULL, memory_order_release);
            continue;
        }
        for (uintptr_t slot = slot_of(part.first); slot <= slot_of(part.last); slot++)
            slot_remove(slot, region);
    }
}

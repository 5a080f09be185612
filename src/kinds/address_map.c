/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see address_map.h. Leaves are plain mappings, never given back. */
#include "kinds/address_map.h"

#include "kinds/os.h"

struct address_leaf
    *_Atomic address_map_root[(size_t)1 << (ADDRESS_MAP_BITS - ADDRESS_MAP_LEAF_BITS)];

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
    struct address_leaf *leaf = address_map_leaf(slot << ADDRESS_MAP_SLOT_BITS);

    return leaf ? &leaf->slots[slot % ADDRESS_MAP_SLOTS] : NULL;
}

/* Where the chain of a slot goes on behind a region of it; NULL inside a region: no neighbour. */
static struct page_region *_Atomic *chain_link(struct page_region *region, uintptr_t slot)
{
    if (slot == slot_of((uintptr_t)region->start))
        return &region->beside[0];
    return slot == slot_of(last_byte(region)) ? &region->beside[1] : NULL;
}

struct page_region *address_map_find(const void *address)
{
    uintptr_t at = (uintptr_t)address, slot = slot_of(at);
    struct page_region *_Atomic *link = at >> ADDRESS_MAP_BITS ? NULL : slot_entry(slot);

    for (int i = 0; link && i < CHAIN_MOST; i++) {
        struct page_region *region = atomic_load_explicit(link, memory_order_acquire);

        if (!region || at - (uintptr_t)region->start < region->size)
            return region;
        link = chain_link(region, slot);
    }
    return NULL;
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

bool address_map_overlaps(const void *address, size_t size)
{
    uintptr_t first = (uintptr_t)address, last = first + size - 1;

    for (uintptr_t slot = slot_of(first); slot <= slot_of(last); slot++)
        if (slot_overlaps(slot, first, last))
            return true;
    return false;
}

static bool make_leaves(uintptr_t first, uintptr_t last)
{
    for (uintptr_t i = first >> ADDRESS_MAP_LEAF_BITS; i <= last >> ADDRESS_MAP_LEAF_BITS; i++) {
        if (!atomic_load_explicit(&address_map_root[i], memory_order_relaxed)) {
            struct address_leaf *leaf = os_map(sizeof *leaf, os_page_size());

            if (!leaf)
                return false;
            atomic_store_explicit(&address_map_root[i], leaf, memory_order_release);
        }
    }
    return true;
}

void address_map_clear(const void *address, size_t size)
{
    uintptr_t unit = (uintptr_t)1 << ADDRESS_MAP_UNIT_BITS;
    uintptr_t last = (uintptr_t)address + size - 1;

    /* Units that lie wholly inside: one at an edge may be another region's, too. */
    for (uintptr_t at = ((uintptr_t)address + unit - 1) & ~(unit - 1); at + unit - 1 <= last;
         at += unit) {
        _Atomic uint8_t *byte = address_map_unit((void *)at);

        /* Never used, most of them: reading takes no memory. */
        if (atomic_load_explicit(byte, memory_order_relaxed))
            atomic_store_explicit(byte, 0, memory_order_relaxed);
    }
}

bool address_map_add(struct page_region *region)
{
    uintptr_t first = (uintptr_t)region->start, last = last_byte(region);

    if (last >> ADDRESS_MAP_BITS || !make_leaves(first, last))
        return false;
    address_map_clear(region->start, region->size);
    for (uintptr_t slot = slot_of(first); slot <= slot_of(last); slot++) {
        struct page_region *_Atomic *entry = slot_entry(slot);
        struct page_region *_Atomic *link = chain_link(region, slot);

        if (link)
            atomic_store_explicit(link, atomic_load_explicit(entry, memory_order_relaxed),
                                  memory_order_relaxed);
        atomic_store_explicit(entry, region, memory_order_release);
    }
    return true;
}

void address_map_remove(struct page_region *region)
{
    for (uintptr_t slot = slot_of((uintptr_t)region->start); slot <= slot_of(last_byte(region));
         slot++) {
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
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * lookup: what an address belongs to. Only the exact start of a block is a block.
 *
 * The address map tells the region of an address, and so the heap. What stands at a unit of 16 KiB
 * there (the note) tells which addresses in the unit can be the start of a block:
 *   a slab      a multiple of the size class before the end of the unit. Whoever allocates a small
 *               block notes its class, if it is not there already. A slab keeps its class as long
 *               as one of its blocks is live, so the note is right for every live block.
 *   shifted     the same slab, but some of its blocks begin inside what the library gave (the outer
 *               block), because of their alignment. The outer block's first word then says where.
 *   large       a block has a header in front of it. This is how all blocks are kept where the
 *               layout of slabs is not as it is expected.
 *   a run       the start of the unit: see run.c.
 *   an area     a block has a short header in front of it: see area.c.
 *
 * Words of the program's own data must not pass for a first word or a header. So both hold their
 * address together with a number that every process draws anew, and are erased before the library
 * gets the block back.
 *
 * Threads: any. Who asks about a block that another thread frees meanwhile gets either answer.
 */
#pragma once

#include "backend_tbb/tbb.h"

/* In front of a large block. */
struct tbb_header {
    uint64_t mark;
    size_t offset; /* from the start of the outer block to this one */
    size_t usable; /* bytes */
};

/* In front of a block of an area. */
struct tbb_area_header {
    uint64_t mark;
    uint32_t offset; /* from the start of the range to the block */
    uint32_t usable; /* bytes */
};

#define TBB_HEADER_ALIGNMENT 64 /* of large blocks; the library's own for those */
/* How much larger the outer block of a large one is: the header, and the outer one is aligned to 16
 * bytes at least. */
#define TBB_HEADER_ROOM(alignment) ((alignment) + 32)

struct tbb_place {
    struct page_region *region;
    struct heap *heap;
    unsigned note; /* of the block's unit */
    void *outer;   /* what the library gave; not for a run */
    size_t usable; /* bytes */
};

/* The process's number. */
extern uint64_t tbb_secret HIDDEN;

/* Draws it. Before the first block. */
void tbb_lookup_load(void);

/* False: not the start of a block of any heap. */
bool tbb_place_find(const void *block, struct tbb_place *place);
/* Nor of a heap that is a parent's, before fork(2): its pages, which may be gone, are not read. */
bool tbb_place_find_own(const void *block, struct tbb_place *place);

/* A small block of the class, aligned, in an outer one of that class; noted, if need be. */
void *tbb_place_small(void *outer, unsigned class, size_t alignment);
/* Likewise a large one, in an outer block of `size` bytes. */
void *tbb_place_large(void *outer, size_t size, size_t alignment);
/* Likewise one of an area, behind its header. */
void tbb_place_in_area(void *block, size_t offset, size_t usable);
/* Before the outer block goes back to the library, or the range to the area. */
void tbb_place_erase(const struct tbb_place *place, void *block);

/* A small block that was freed and that nobody has been given since. */
bool tbb_is_freed(const void *block, struct tbb_place *place);

static inline bool tbb_unit_is_slab(unsigned note)
{
    return note - 1 < TBB_CLASSES_MOST - 1;
}

static inline bool tbb_unit_is_shifted(unsigned note)
{
    return note - TBB_UNIT_SHIFTED - 1 < TBB_CLASSES_MOST - 1;
}

/* Notes the class of a slab that a block was taken from. */
static inline void tbb_unit_note(const void *block, unsigned class)
{
    unsigned noted = address_map_note_inside(block);

    if (unlikely(noted != class && noted != (class | TBB_UNIT_SHIFTED)))
        address_map_set_note(block, (uint8_t) class);
}

static inline unsigned tbb_class_of(size_t size)
{
    return tbb_classes.by_size[(size + TBB_CLASS_STEP - 1) / TBB_CLASS_STEP];
}

/* From an address in a slab to the end of the block of this class that it is in; 0: to its start.
 */
static inline size_t tbb_to_end(const void *address, unsigned class)
{
    uint32_t rest = (0 - (uint32_t)(uintptr_t)address) % ADDRESS_MAP_UNIT;

    return rest - round_quotient(rest, tbb_classes.inverse[class]) * tbb_classes.size[class];
}

/*
 * Where freed blocks are marked, a small block's second word tells that it is free; the first is
 * the library's then. Whoever takes one from the library erases the mark, in whatever thread, so it
 * is exact: a block with a mark is free, and one without has been had again or written to.
 */
extern bool tbb_marks HIDDEN;
extern uint64_t tbb_free_secret HIDDEN; /* other than what a shifted block's word is made of */

static inline uint64_t tbb_free_mark(const void *block)
{
    return tbb_free_secret ^ (uintptr_t)block;
}

static inline uint64_t *tbb_mark_of(void *block)
{
    return (uint64_t *)block + 1;
}

static inline void tbb_unmark(void *block)
{
    if (unlikely(tbb_marks))
        *tbb_mark_of(block) = 0;
}

static inline void tbb_mark(void *block)
{
    if (unlikely(tbb_marks))
        *tbb_mark_of(block) = tbb_free_mark(block);
}

/* The size to ask the library for: a block has room for both words. */
#define TBB_MARKABLE (2 * sizeof(uint64_t))
static inline size_t tbb_markable(size_t size)
{
    return unlikely(tbb_marks) && size < TBB_MARKABLE ? TBB_MARKABLE : size;
}

/* Whether an address in a slab of the class is where the library begins a block. */
static inline bool tbb_is_outer_start(const void *address, unsigned class)
{
    uint32_t behind = ~(uint32_t)(uintptr_t)address % ADDRESS_MAP_UNIT; /* bytes after this one */

    return behind < tbb_classes.slab_room &&
           round_is_before_multiple(behind, tbb_classes.inverse[class]);
}

/* Marks a block of a slab, which the note of its unit tells. False: it is no slab, none of the
 * class starts there, or it has its mark already. */
static inline bool tbb_mark_start(void *block, unsigned note)
{
    uint64_t mark = tbb_free_mark(block);

    if (unlikely(!tbb_is_outer_start(block, note) || *tbb_mark_of(block) == mark))
        return false;
    *tbb_mark_of(block) = mark;
    return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see lookup.h. */
#include "backend_tbb/lookup.h"

#include "kinds/system/guard.h"

/* All are written before the first block. */
uint64_t tbb_secret;
uint64_t tbb_free_secret;
bool tbb_marks;

void tbb_lookup_load(void)
{
    tbb_secret = os_random();
    tbb_free_secret = ~tbb_secret;
}

/* --- small blocks ----------------------------------------------------------------------------- */

/* What an outer block's first word is if the block in it begins at this offset. */
static uint64_t shift_word(const void *outer, size_t offset)
{
    return tbb_secret ^ (uintptr_t)outer ^ offset;
}

/*
 * How far into the outer block the block in it begins. Its first word belongs to the program, which
 * may be writing it now, unless the block is shifted.
 */
__attribute__((no_sanitize("thread"))) static size_t shift_of(const void *outer, unsigned class)
{
    uint64_t word = *(const volatile uint64_t *)outer;
    uint64_t offset = word ^ shift_word(outer, 0);

    return offset < tbb_classes.size[class] ? offset : 0;
}

/* It is the program's word, which may be writing it now, if the block is not free. */
__attribute__((no_sanitize("thread"))) static bool is_marked(const void *block)
{
    const volatile uint64_t *words = block;

    return unlikely(tbb_marks) && words[1] == tbb_free_mark(block);
}

static bool find_shifted(const void *block, unsigned class, struct tbb_place *place)
{
    size_t rest = tbb_to_end(block, class);
    char *outer = (char *)block + rest - (rest ? tbb_classes.size[class] : 0);

    if ((uintptr_t)outer >> ADDRESS_MAP_UNIT_BITS != (uintptr_t)block >> ADDRESS_MAP_UNIT_BITS ||
        !tbb_is_outer_start(outer, class))
        return false;
    place->outer = outer;
    place->usable = rest ? rest : tbb_classes.size[class];
    return outer + shift_of(outer, class) == (const char *)block && !is_marked(outer);
}

void *tbb_place_small(void *outer, unsigned class, size_t alignment)
{
    size_t offset = (0 - (uintptr_t)outer) & (alignment - 1);

    if (!offset) {
        tbb_unit_note(outer, class);
        return outer;
    }
    *(uint64_t *)outer = shift_word(outer, offset);
    if (address_map_note_inside(outer) != (class | TBB_UNIT_SHIFTED))
        address_map_set_note(outer, (uint8_t)(class | TBB_UNIT_SHIFTED));
    return (char *)outer + offset;
}

bool tbb_is_freed(const void *block, struct tbb_place *place)
{
    struct page_region *region = address_map_find(block);
    unsigned note = region ? address_map_note_inside(block) : TBB_UNIT_NONE;
    unsigned class = note % TBB_UNIT_SHIFTED;

    if (!(tbb_unit_is_slab(note) || tbb_unit_is_shifted(note)) || region->inherited ||
        !tbb_is_outer_start(block, class) || !is_marked(block))
        return false;
    *place = (struct tbb_place){.region = region,
                                .heap = tbb_heap_of(region),
                                .note = note,
                                .outer = (void *)block,
                                .usable = tbb_classes.size[class]};
    return true;
}

/* --- large blocks ----------------------------------------------------------------------------- */

static struct tbb_header *header_of(const void *block)
{
    return (struct tbb_header *)block - 1;
}

static uint64_t header_mark(const void *block)
{
    return tbb_secret ^ (uintptr_t)block;
}

__attribute__((no_sanitize("thread"))) static bool find_large(const void *block,
                                                              struct tbb_place *place)
{
    const volatile struct tbb_header *header = header_of(block);

    if ((uintptr_t)block - (uintptr_t)place->region->start < sizeof *header ||
        header->mark != header_mark(block))
        return false;
    place->outer = (char *)block - header->offset;
    place->usable = header->usable;
    return true;
}

/* The unit at an address is a slab no more. */
static void unit_is_no_slab(const void *address)
{
    if (address_map_note_inside(address) != TBB_UNIT_NONE)
        address_map_set_note(address, TBB_UNIT_LARGE);
}

void *tbb_place_large(void *outer, size_t size, size_t alignment)
{
    uintptr_t start = (uintptr_t)outer + sizeof(struct tbb_header);
    char *block;

    if (alignment < TBB_HEADER_ALIGNMENT)
        alignment = TBB_HEADER_ALIGNMENT;
    block = (char *)outer + (((start + alignment - 1) & ~(alignment - 1)) - (uintptr_t)outer);
    /* Slabs may have been where this block is now. Of the units at its ends it has a part only:
     * other large blocks may begin there. */
    address_map_clear_notes(outer, size);
    unit_is_no_slab(outer);
    unit_is_no_slab((char *)outer + size - 1);
    *header_of(block) = (struct tbb_header){.mark = header_mark(block),
                                            .offset = (size_t)(block - (char *)outer),
                                            .usable = size - (size_t)(block - (char *)outer)};
    address_map_set_note(block, TBB_UNIT_LARGE);
    return block;
}

/* --- blocks of an area ------------------------------------------------------------------------ */

static struct tbb_area_header *area_header_of(const void *block)
{
    return (struct tbb_area_header *)block - 1;
}

/* The note may be older than the region: other units of an area's kind can be a former area's. */
__attribute__((no_sanitize("thread"))) static bool find_in_area(const void *block,
                                                                struct tbb_place *place)
{
    const volatile struct tbb_area_header *header = area_header_of(block);
    const struct tbb_heap *state = place->heap->state;

    if (!(state->area || state->pack) || (uintptr_t)block % sizeof *header ||
        (uintptr_t)block - (uintptr_t)place->region->start < sizeof *header ||
        header->mark != header_mark(block))
        return false;
    place->outer = (char *)block - header->offset;
    place->usable = header->usable;
    return true;
}

void tbb_place_in_area(void *block, size_t offset, size_t usable)
{
    *area_header_of(block) = (struct tbb_area_header){
        .mark = header_mark(block), .offset = (uint32_t)offset, .usable = (uint32_t)usable};
}

/* --- all -------------------------------------------------------------------------------------- */

void tbb_place_erase(const struct tbb_place *place, void *block)
{
    if (place->note == TBB_UNIT_LARGE)
        header_of(block)->mark = 0;
    else if (place->note == TBB_UNIT_AREA)
        area_header_of(block)->mark = 0;
    else if (place->outer != block)
        *(uint64_t *)place->outer = 0;
}

static inline bool find(const void *block, struct tbb_place *place, bool own)
{
    struct guard guard;
    unsigned class;

    place->region = address_map_find(block);
    if (!place->region || (uintptr_t)block % TBB_CLASS_STEP || (own && place->region->inherited))
        return false;
    place->heap = tbb_heap_of(place->region);
    place->note = address_map_note_inside(block);
    class = place->note % TBB_UNIT_SHIFTED;
    if (likely(tbb_unit_is_slab(place->note))) {
        place->outer = (void *)block;
        place->usable = tbb_classes.size[class];
        return tbb_is_outer_start(block, class) && !is_marked(block);
    }
    if (tbb_unit_is_shifted(place->note))
        return find_shifted(block, class, place);
    if (place->note == TBB_UNIT_LARGE)
        return find_large(block, place);
    if (place->note == TBB_UNIT_AREA)
        return find_in_area(block, place);
    if (place->note != TBB_UNIT_RUN || (uintptr_t)block % ADDRESS_MAP_UNIT)
        return false;
    guard_enter(&guard); /* the run cache has a lock */
    place->usable = run_cache_size(block);
    guard_leave(&guard);
    return place->usable != 0;
}

bool tbb_place_find(const void *block, struct tbb_place *place)
{
    return find(block, place, false);
}

bool tbb_place_find_own(const void *block, struct tbb_place *place)
{
    return find(block, place, true);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_pages: what the page layer keeps account with: range allocators, the address map.
 * Addresses are numbers here: nobody touches them.
 */
#include "support.h"

#include "kinds/pages/address_map.h"
#include "kinds/pages/range_allocator.h"

#define PAGE ((size_t)4096)
#define AT(offset) ((char *)0x7000000000 + (offset))

TestSuite(ranges, .init = test_bare, .timeout = 60);
TestSuite(address_map, .init = test_bare, .timeout = 60);

/* --- ranges ----------------------------------------------------------------------------------- */

Test(ranges, lowest_first_and_aligned)
{
    struct range_allocator ranges;

    range_allocator_init(&ranges);
    cr_assert(range_allocator_put(&ranges, AT(PAGE), 64 * PAGE));
    cr_expect_eq(range_allocator_take(&ranges, 2 * PAGE, PAGE), AT(PAGE));
    cr_expect_eq(range_allocator_take(&ranges, PAGE, 16 * PAGE), AT(16 * PAGE));
    cr_expect_eq(range_allocator_take(&ranges, 13 * PAGE, PAGE), AT(3 * PAGE),
                 "the gap before it is used");
    cr_expect_eq(range_allocator_take(&ranges, PAGE, PAGE), AT(17 * PAGE));
    cr_expect_null(range_allocator_take(&ranges, 48 * PAGE, PAGE));
    cr_expect_null(range_allocator_take(&ranges, 17 * PAGE, 32 * PAGE + 32 * PAGE),
                   "aligned, not to be had");
    cr_expect_eq(range_allocator_take(&ranges, 47 * PAGE, PAGE), AT(18 * PAGE), "exactly the rest");
    cr_expect_null(range_allocator_take(&ranges, PAGE, PAGE));
    range_allocator_end(&ranges);
}

/* Whatever the order they come back in, pages join; also across the border of two windows. */
Test(ranges, runs_join)
{
    static const unsigned orders[][4] = {
        {0, 1, 2, 3}, {3, 2, 1, 0}, {0, 2, 1, 3}, {1, 3, 2, 0}, {2, 0, 3, 1}};

    for (size_t i = 0; i < LENGTH(orders); i++) {
        struct range_allocator ranges;

        range_allocator_init(&ranges);
        for (size_t j = 0; j < 4; j++) {
            cr_expect_null(range_allocator_take(&ranges, 8 * PAGE, PAGE));
            cr_assert(range_allocator_put(&ranges, AT(2 * PAGE * orders[i][j]), 2 * PAGE));
        }
        cr_expect_eq(range_allocator_take(&ranges, 8 * PAGE, PAGE), AT(0), "order %zu", i);
        range_allocator_end(&ranges);
    }
}

/* Just the bytes that are named, of the one range that has all of them. */
Test(ranges, taken_where_they_are)
{
    struct range_allocator ranges;

    range_allocator_init(&ranges);
    cr_expect_not(range_allocator_take_at(&ranges, AT(0), PAGE), "there is nothing");
    cr_assert(range_allocator_put(&ranges, AT(0), 8 * PAGE));
    cr_assert(range_allocator_put(&ranges, AT(9 * PAGE), 8 * PAGE));
    cr_expect_not(range_allocator_take_at(&ranges, AT(7 * PAGE), 2 * PAGE), "beyond its end");
    cr_expect_not(range_allocator_take_at(&ranges, AT(8 * PAGE), 2 * PAGE), "before its start");
    cr_expect_not(range_allocator_take_at(&ranges, AT(17 * PAGE), PAGE), "behind all");
    cr_expect(range_allocator_take_at(&ranges, AT(3 * PAGE), PAGE), "in the middle");
    cr_expect_not(range_allocator_take_at(&ranges, AT(3 * PAGE), PAGE), "once more");
    cr_expect(range_allocator_take_at(&ranges, AT(0), 3 * PAGE), "a whole range");
    cr_expect(range_allocator_take_at(&ranges, AT(4 * PAGE), PAGE), "from the start");
    cr_expect(range_allocator_take_at(&ranges, AT(16 * PAGE), PAGE), "up to the end");
    cr_expect_eq(range_allocator_take(&ranges, 7 * PAGE, PAGE), AT(9 * PAGE),
                 "the rests are there");
    cr_expect_eq(range_allocator_take(&ranges, 3 * PAGE, PAGE), AT(5 * PAGE));
    cr_expect_eq(range_allocator_largest(&ranges), 0);
    range_allocator_end(&ranges);
}

/* Thousands of takes and puts of any size lose nothing and hand nothing out twice. */
Test(ranges, account)
{
    enum { PAGES = 1024, HELD = 64 };
    static unsigned char owner[PAGES];
    struct {
        char *start;
        size_t pages;
    } held[HELD] = {{NULL, 0}};
    struct range_allocator ranges;
    uint64_t state = 7;

    range_allocator_init(&ranges);
    cr_assert(range_allocator_put(&ranges, AT(0), PAGES * PAGE));
    for (int round = 0; round < 20000; round++) {
        size_t slot = test_random(&state) % HELD;

        if (held[slot].start) {
            for (size_t i = 0; i < held[slot].pages; i++)
                owner[(size_t)(held[slot].start - AT(0)) / PAGE + i]--;
            cr_assert(range_allocator_put(&ranges, held[slot].start, held[slot].pages * PAGE));
            held[slot].start = NULL;
            continue;
        }
        held[slot].pages = 1 + test_random(&state) % 40;
        held[slot].start =
            range_allocator_take(&ranges, held[slot].pages * PAGE, PAGE << test_random(&state) % 4);
        for (size_t i = 0; held[slot].start && i < held[slot].pages; i++)
            cr_assert_eq(++owner[(size_t)(held[slot].start - AT(0)) / PAGE + i], 1);
    }
    for (size_t slot = 0; slot < HELD; slot++)
        if (held[slot].start)
            cr_assert(range_allocator_put(&ranges, held[slot].start, held[slot].pages * PAGE));
    cr_expect_eq(range_allocator_take(&ranges, PAGES * PAGE, PAGE), AT(0), "all of it, in one run");
    range_allocator_end(&ranges);
}

/* Whatever the alignment, none is refused what there is, and base pages come from the lowest range.
 */
Test(ranges, lowest_of_many)
{
    enum { PAGES = 4096, HELD = 512 };
    static bool used[PAGES];
    struct {
        size_t first, pages;
    } held[HELD] = {{0, 0}};
    struct range_allocator ranges;
    uint64_t state = 11;

    range_allocator_init(&ranges);
    cr_assert(range_allocator_put(&ranges, AT(0), PAGES * PAGE));
    for (int round = 0; round < 50000; round++) {
        size_t slot = test_random(&state) % HELD, pages = 1 + test_random(&state) % 16;
        size_t step = (size_t)1 << test_random(&state) % 6, lowest = 0;
        char *start;

        if (held[slot].pages) {
            memset(&used[held[slot].first], false, held[slot].pages);
            cr_assert(
                range_allocator_put(&ranges, AT(held[slot].first * PAGE), held[slot].pages * PAGE));
            held[slot].pages = 0;
            continue;
        }
        while (lowest + pages <= PAGES && memchr(&used[lowest], true, pages))
            lowest += step;
        start = range_allocator_take(&ranges, pages * PAGE, step * PAGE);
        cr_assert_eq(start != NULL, lowest + pages <= PAGES, "%zu pages, aligned to %zu", pages,
                     step);
        if (!start)
            continue;
        held[slot].first = (size_t)(start - AT(0)) / PAGE;
        held[slot].pages = pages;
        cr_assert_eq(held[slot].first % step, 0);
        cr_assert(step > 1 || held[slot].first == lowest, "%zu, not %zu", held[slot].first, lowest);
        cr_assert(!memchr(&used[held[slot].first], true, pages));
        memset(&used[held[slot].first], true, pages);
    }
    range_allocator_end(&ranges);
}

/* A list of as many would take minutes: the suite's timeout. */
Test(ranges, a_million)
{
    const size_t count = 1000000; /* of both halves; 7,919 and 104,729 are prime */
    struct range_allocator ranges;

    range_allocator_init(&ranges);
    for (size_t i = 0; i < count / 2; i++)
        cr_assert(range_allocator_put(&ranges, AT(i * 7919 % (count / 2) * 2 * PAGE), PAGE));
    cr_expect_null(range_allocator_take(&ranges, 2 * PAGE, PAGE), "none has a neighbour");
    for (size_t i = 0; i < count / 2; i++)
        cr_assert(
            range_allocator_put(&ranges, AT(i * 104729 % (count / 2) * 2 * PAGE + PAGE), PAGE));
    cr_expect_eq(range_allocator_take(&ranges, count * PAGE, PAGE), AT(0), "one range");
    range_allocator_end(&ranges);
}

/* --- address map ------------------------------------------------------------------------------ */

static void expect_only_inside(const struct page_region *region)
{
    cr_expect_eq(address_map_find(region->start), region);
    cr_expect_eq(address_map_find(region->start + region->size / 2), region);
    cr_expect_eq(address_map_find(region->start + region->size - 1), region);
}

/* Areas of fixed kinds that start and end in the same 2 MiB, with gaps and without. */
Test(address_map, neighbours_in_a_slot)
{
    struct page_region a = {.start = AT(3 * PAGE), .size = 16 * MIB},
                       b = {.start = a.start + a.size, .size = 16 * MIB},
                       c = {.start = b.start + b.size + PAGE, .size = 40 * PAGE},
                       d = {.start = c.start + c.size + PAGE, .size = 17 * MIB};
    struct page_region *const all[] = {&c, &a, &d, &b};

    for (size_t i = 0; i < LENGTH(all); i++) {
        cr_expect(!address_map_overlaps(all[i]->start, all[i]->size), "%zu", i);
        cr_assert(address_map_add(all[i]));
        for (size_t j = 0; j <= i; j++)
            expect_only_inside(all[j]);
        cr_expect(address_map_overlaps(all[i]->start, 1));
        cr_expect(address_map_overlaps(all[i]->start + all[i]->size - 1, 1));
    }
    cr_expect_null(address_map_find(a.start - 1));
    cr_expect_null(address_map_find(c.start - 1));
    cr_expect_null(address_map_find(c.start + c.size));
    cr_expect_null(address_map_find(d.start + d.size));
    cr_expect(!address_map_overlaps(c.start - PAGE, PAGE));
    cr_expect(!address_map_overlaps(AT(0), 3 * PAGE));
    cr_expect(address_map_overlaps(AT(0), 1 * GIB), "regions inside it");
    for (size_t i = 0; i < LENGTH(all); i++) {
        address_map_remove(all[i]);
        cr_expect_null(address_map_find(all[i]->start));
        cr_expect_null(address_map_find(all[i]->start + all[i]->size - 1));
        for (size_t j = i + 1; j < LENGTH(all); j++)
            expect_only_inside(all[j]);
    }
    cr_expect(!address_map_overlaps(AT(0), 1 * GIB));
}

/* Known are whole slots, of regions that come before the table and after it. */
Test(address_map, owners_of_whole_slots)
{
    struct page_pool *pool = (struct page_pool *)AT(0), *other = (struct page_pool *)AT(PAGE);
    /* A slot of two, over the end of a leaf, all of one but for its first bytes, and too large. */
    struct page_region early = {.start = AT(0), .size = 3 * MIB, .pool = pool},
                       beside = {.start = AT(3 * MIB), .size = 3 * MIB, .pool = other},
                       over = {.start = AT(2 * GIB - 2 * MIB), .size = 6 * MIB, .pool = other},
                       shifted = {.start = AT(4 * GIB + PAGE), .size = GIB - PAGE, .pool = pool},
                       large = {.start = AT(6 * GIB + MIB), .size = 2 * GIB, .pool = other},
                       gone = {.start = AT(9 * GIB), .size = 2 * MIB, .pool = pool};
    struct page_region *const before[] = {&beside, &early, &over, &shifted, &large, &gone};
    struct page_region region = {.start = AT(6 * MIB), .size = 5 * MIB, .pool = pool};
    struct page_region behind = {.start = AT(11 * MIB), .size = 3 * MIB, .pool = other};

    for (size_t i = 0; i < LENGTH(before); i++)
        cr_assert(address_map_add(before[i]));
    address_map_remove(&gone);
    cr_assert(address_map_begin_owners());
    cr_assert(address_map_begin_owners(), "a second time");
    cr_assert(address_map_add(&region));
    cr_assert(address_map_add(&behind));
    cr_expect_eq(address_map_owner(AT(0)), pool);
    cr_expect_null(address_map_owner(AT(2 * MIB)), "two regions are in it");
    cr_expect_eq(address_map_owner(AT(6 * MIB) - 1), other);
    for (size_t at = 2 * GIB - 2 * MIB; at < 2 * GIB + 4 * MIB; at += 2 * MIB)
        cr_expect_eq(address_map_owner(AT(at)), other, "%zu", at);
    cr_expect_null(address_map_owner(AT(2 * GIB + 4 * MIB)));
    cr_expect_null(address_map_owner(AT(4 * GIB)));
    cr_expect_eq(address_map_owner(AT(4 * GIB + 2 * MIB)), pool);
    cr_expect_eq(address_map_owner(AT(5 * GIB) - 1), pool);
    cr_expect_null(address_map_owner(AT(7 * GIB)));
    cr_expect_null(address_map_owner(AT(9 * GIB)));
    cr_expect_eq(address_map_owner(AT(6 * MIB)), pool);
    cr_expect_eq(address_map_owner(AT(10 * MIB) - 1), pool);
    cr_expect_null(address_map_owner(AT(10 * MIB)), "two regions are in it");
    cr_expect_eq(address_map_owner(AT(12 * MIB)), other);
    cr_expect_eq(address_map_owner(AT(14 * MIB) - 1), other);
    cr_expect_null(address_map_owner(AT(14 * MIB)));
    address_map_remove(&region);
    address_map_remove(&over);
    cr_expect_null(address_map_owner(AT(2 * GIB)));
    cr_expect_null(address_map_owner(AT(6 * MIB)));
    cr_expect_null(address_map_owner(AT(8 * MIB)));
    cr_expect_eq(address_map_owner(AT(12 * MIB)), other);
    cr_expect_null(address_map_owner(AT(((size_t)1 << 47))));
}

Test(address_map, units_start_at_zero)
{
    struct page_region region = {.start = AT(4 * GIB - 2 * MIB), .size = 4 * MIB};

    cr_assert(address_map_add(&region));
    address_map_set_note(region.start, 5);
    address_map_set_note(region.start + region.size - 1, 6);
    cr_expect_eq(address_map_note(region.start), 5);
    cr_expect_eq(address_map_note(region.start + region.size - 1), 6);
    address_map_remove(&region);
    cr_assert(address_map_add(&region));
    cr_expect_eq(address_map_note(region.start), 0);
    cr_expect_eq(address_map_note(region.start + region.size - 1), 0);
    address_map_remove(&region);
}

/* Addresses alone cost next to nothing: neither memory nor a look at each of them. */
Test(address_map, regions_of_many_tib)
{
    enum { TURNS = 20 };
    struct page_region region = {.start = AT(3 * MIB), .size = 100 * 1024 * GIB},
                       after = {.start = region.start + region.size, .size = 3 * GIB};
    char *middle = region.start + region.size / 2;
    size_t resident = test_resident(), mappings = test_mappings();

    for (int turn = 0; turn < TURNS; turn++) {
        cr_assert(!address_map_overlaps(region.start, region.size + after.size));
        cr_assert(address_map_add(&region));
        cr_assert(address_map_add(&after));
        expect_only_inside(&region);
        expect_only_inside(&after);
        cr_expect_null(address_map_find(region.start - 1));
        cr_expect(address_map_overlaps(middle, 1));
        cr_expect(address_map_overlaps(AT(0), 4 * MIB));
        cr_expect_eq(address_map_note(middle), 0);
        address_map_set_note(middle, 7);
        cr_expect_eq(address_map_note(middle), 7);
        cr_expect_eq(address_map_find(middle), &region);
        address_map_remove(&region);
        cr_expect_null(address_map_find(middle));
        expect_only_inside(&after);
        address_map_remove(&after);
        cr_expect_null(address_map_find(after.start));
    }
    if (!TEST_SANITIZED) {
        cr_expect_lt(test_resident() - resident, 8 * MIB);
        cr_expect_leq(test_mappings(), mappings + 8);
    }
}

Test(address_map, addresses_nobody_has)
{
    struct page_region beyond = {.start = (char *)((uintptr_t)1 << 48), .size = 2 * MIB};

    cr_expect_null(address_map_find(NULL));
    cr_expect_null(address_map_find((void *)UINTPTR_MAX));
    cr_expect_eq(address_map_note((void *)UINTPTR_MAX), 0);
    cr_expect(!address_map_add(&beyond));
}

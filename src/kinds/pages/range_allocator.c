/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * Why and thread rules: see range_allocator.h.
 *
 * A treap in the order of addresses: a search tree in which a range stands above those of lower
 * rank. Ranks are as good as random, so it is about as deep as a balanced tree. Each range knows
 * the largest one below it, which leads to the lowest one that is large enough. First fit: low
 * addresses are used again first, so that the end of a window stays whole.
 */
#include "kinds/pages/range_allocator.h"

#include <stdint.h>

#include "kinds/system/object_pool.h"
#include "kinds/system/round.h"

#define FITS_TRIED 64 /* ranges that may turn out not to have the alignment */

struct free_range {
    struct free_range *lower, *higher; /* children: those before it, those behind it */
    char *start;
    size_t size;
    size_t largest; /* size of the largest range of this subtree */
};

/* --- records: one lock for all, taken after an allocator's ------------------------------------ */

static pthread_mutex_t objects_lock = PTHREAD_MUTEX_INITIALIZER;
static struct object_pool objects = {.size = sizeof(struct free_range)};

static struct free_range *range_make(void)
{
    struct free_range *range;

    pthread_mutex_lock(&objects_lock);
    range = object_pool_get(&objects);
    pthread_mutex_unlock(&objects_lock);
    return range;
}

/* NULL: nothing happens. */
static void range_drop(struct free_range *range)
{
    if (!range)
        return;
    pthread_mutex_lock(&objects_lock);
    object_pool_put(&objects, range);
    pthread_mutex_unlock(&objects_lock);
}

/* --- the tree: all of this section with the allocator's lock ---------------------------------- */

static char *end_of(const struct free_range *range)
{
    return range->start + range->size;
}

/* The addresses of records have nothing to do with those of ranges: multiplied by the golden ratio
 * they are scattered. */
static uint64_t rank_of(const struct free_range *range)
{
    return (uintptr_t)range * UINT64_C(0x9e3779b97f4a7c15);
}

static void update(struct free_range *range)
{
    size_t largest = range->size;

    if (range->lower && range->lower->largest > largest)
        largest = range->lower->largest;
    if (range->higher && range->higher->largest > largest)
        largest = range->higher->largest;
    range->largest = largest;
}

/* Makes two trees of one: ranges before an address, and those from it on. */
static void split(struct free_range *tree, const char *address, struct free_range **lower,
                  struct free_range **higher)
{
    if (!tree) {
        *lower = *higher = NULL;
    } else if (tree->start < address) {
        split(tree->higher, address, &tree->higher, higher);
        *lower = tree;
        update(tree);
    } else {
        split(tree->lower, address, lower, &tree->lower);
        *higher = tree;
        update(tree);
    }
}

/* The reverse. */
static struct free_range *merge(struct free_range *lower, struct free_range *higher)
{
    if (!lower || !higher)
        return lower ? lower : higher;
    if (rank_of(lower) > rank_of(higher)) {
        lower->higher = merge(lower->higher, higher);
        update(lower);
        return lower;
    }
    higher->lower = merge(lower, higher->lower);
    update(higher);
    return higher;
}

static struct free_range *detach_first(struct free_range **tree)
{
    struct free_range *first = *tree;

    if (first->lower) {
        first = detach_first(&(*tree)->lower);
        update(*tree);
    } else {
        *tree = first->higher;
    }
    return first;
}

/* The tree with one more range. Those of higher rank stay as they are: few have to move. */
static struct free_range *with(struct free_range *tree, struct free_range *range)
{
    if (!tree || rank_of(tree) < rank_of(range)) {
        split(tree, range->start, &range->lower, &range->higher);
        tree = range;
    } else if (range->start < tree->start) {
        tree->lower = with(tree->lower, range);
    } else {
        tree->higher = with(tree->higher, range);
    }
    update(tree);
    return tree;
}

static struct free_range *without(struct free_range *tree, const struct free_range *range)
{
    if (tree == range)
        return merge(tree->lower, tree->higher);
    if (range->start < tree->start)
        tree->lower = without(tree->lower, range);
    else
        tree->higher = without(tree->higher, range);
    update(tree);
    return tree;
}

/* A range has another size, and may start elsewhere between its neighbours: it stays where it is.
 */
static void changed(struct free_range *tree, const struct free_range *range)
{
    if (tree != range)
        changed(range->start < tree->start ? tree->lower : tree->higher, range);
    update(tree);
}

/* The last range that starts at an address or before it, and the first one behind it; NULL: none.
 */
static void find_around(struct free_range *tree, const char *address, struct free_range **before,
                        struct free_range **behind)
{
    *before = *behind = NULL;
    while (tree) {
        if (tree->start <= address) {
            *before = tree;
            tree = tree->higher;
        } else {
            *behind = tree;
            tree = tree->lower;
        }
    }
}

/* --- search: likewise ------------------------------------------------------------------------- */

static bool fits(const struct free_range *range, size_t size, size_t alignment)
{
    size_t lead = round_up((uintptr_t)range->start, alignment) - (uintptr_t)range->start;

    return lead < range->size && range->size - lead >= size;
}

/* The lowest range of at least that size; NULL: there is none. */
static struct free_range *find_size(struct free_range *tree, size_t size)
{
    while (tree && tree->largest >= size) {
        if (tree->lower && tree->lower->largest >= size)
            tree = tree->lower;
        else if (tree->size >= size)
            return tree;
        else
            tree = tree->higher;
    }
    return NULL;
}

/* The lowest range that fits, among the first *tries that have the size. */
static struct free_range *find_fit(struct free_range *tree, size_t size, size_t alignment,
                                   size_t *tries)
{
    struct free_range *found = NULL;

    if (!tree || tree->largest < size)
        return NULL;
    found = find_fit(tree->lower, size, alignment, tries);
    if (found || !*tries)
        return found;
    if (tree->size >= size) {
        --*tries;
        if (fits(tree, size, alignment))
            return tree;
    }
    return *tries ? find_fit(tree->higher, size, alignment, tries) : NULL;
}

/* After some tries, a range that has room however it starts; where there is none, all are tried. */
static struct free_range *find(struct free_range *tree, size_t size, size_t alignment)
{
    size_t few = FITS_TRIED, all = SIZE_MAX;
    struct free_range *found = find_fit(tree, size, alignment, &few);

    if (found || few)
        return found;
    if (size + alignment > size)
        found = find_size(tree, size + alignment);
    return found ? found : find_fit(tree, size, alignment, &all);
}

/* --- allocators ------------------------------------------------------------------------------- */

static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER; /* taken before an allocator's */
static LIST_HEAD(, range_allocator) all = LIST_HEAD_INITIALIZER(all);

/* With the lock. */
static void set_root(struct range_allocator *ranges, struct free_range *root)
{
    ranges->root = root;
    atomic_store_explicit(&ranges->largest, root ? root->largest : 0, memory_order_relaxed);
}

void range_allocator_init(struct range_allocator *ranges)
{
    pthread_mutex_init(&ranges->lock, NULL);
    set_root(ranges, NULL);
    pthread_mutex_lock(&all_lock);
    LIST_INSERT_HEAD(&all, ranges, entry);
    pthread_mutex_unlock(&all_lock);
}

void range_allocator_end(struct range_allocator *ranges)
{
    range_allocator_clear(ranges);
    pthread_mutex_lock(&all_lock);
    LIST_REMOVE(ranges, entry);
    pthread_mutex_unlock(&all_lock);
    pthread_mutex_destroy(&ranges->lock);
}

void range_allocator_clear(struct range_allocator *ranges)
{
    pthread_mutex_lock(&ranges->lock);
    while (ranges->root)
        range_drop(detach_first(&ranges->root));
    set_root(ranges, NULL);
    pthread_mutex_unlock(&ranges->lock);
}

/* Pages without a free neighbour need a record: *spare, which is then NULL, or a new one. With the
 * lock. */
static bool put(struct range_allocator *ranges, struct free_range **spare, char *start, size_t size)
{
    struct free_range *root = ranges->root, *before, *behind, *range;

    find_around(root, start, &before, &behind);
    if (before && end_of(before) != start)
        before = NULL;
    if (behind && behind->start != start + size)
        behind = NULL;
    range = before ? before : behind;
    if (!range) {
        range = *spare ? *spare : range_make();
        *spare = NULL;
        if (!range)
            return false;
        *range = (struct free_range){.start = start, .size = size};
        set_root(ranges, with(root, range));
        return true;
    }
    if (before && behind) {
        root = without(root, behind);
        size += behind->size;
        range_drop(behind);
    }
    range->size += size;
    if (!before)
        range->start = start;
    changed(root, range);
    set_root(ranges, root);
    return true;
}

bool range_allocator_put(struct range_allocator *ranges, void *address, size_t size)
{
    struct free_range *spare = NULL;
    bool done;

    pthread_mutex_lock(&ranges->lock);
    done = put(ranges, &spare, address, size);
    pthread_mutex_unlock(&ranges->lock);
    return done;
}

struct free_range *range_allocator_spare(void)
{
    return range_make();
}

void range_allocator_put_with(struct range_allocator *ranges, struct free_range *spare,
                              void *address, size_t size)
{
    pthread_mutex_lock(&ranges->lock);
    (void)put(ranges, &spare, address, size);
    pthread_mutex_unlock(&ranges->lock);
    range_drop(spare);
}

void range_allocator_drop_spare(struct free_range *spare)
{
    range_drop(spare);
}

/* Cuts [start, start + size) out of a range of the tree. False: no memory for the second rest. With
 * the lock. */
static bool cut(struct range_allocator *ranges, struct free_range *range, char *start, size_t size)
{
    size_t lead = (size_t)(start - range->start), rest = range->size - lead - size;
    struct free_range *second = lead && rest ? range_make() : NULL, *root = ranges->root;

    if (lead && rest && !second)
        return false;
    if (!lead && !rest) {
        root = without(root, range);
        range_drop(range);
    } else {
        if (!lead)
            range->start += size;
        range->size = lead ? lead : rest;
        changed(root, range);
    }
    if (second) {
        second->start = start + size;
        second->size = rest;
        root = with(root, second);
    }
    set_root(ranges, root);
    return true;
}

void *range_allocator_take(struct range_allocator *ranges, size_t size, size_t alignment)
{
    struct free_range *range;
    char *start = NULL;

    pthread_mutex_lock(&ranges->lock);
    range = find(ranges->root, size, alignment);
    if (range) {
        start = (char *)round_up((uintptr_t)range->start, alignment);
        if (!cut(ranges, range, start, size))
            start = NULL;
    }
    pthread_mutex_unlock(&ranges->lock);
    return start;
}

bool range_allocator_take_at(struct range_allocator *ranges, void *address, size_t size)
{
    struct free_range *range, *behind;
    bool done;

    pthread_mutex_lock(&ranges->lock);
    find_around(ranges->root, address, &range, &behind);
    done = range && (char *)address + size <= end_of(range) && cut(ranges, range, address, size);
    pthread_mutex_unlock(&ranges->lock);
    return done;
}

/* --- fork ------------------------------------------------------------------------------------- */

void range_allocator_prefork(void)
{
    struct range_allocator *ranges;

    pthread_mutex_lock(&all_lock);
    LIST_FOREACH (ranges, &all, entry)
        pthread_mutex_lock(&ranges->lock);
    pthread_mutex_lock(&objects_lock);
}

void range_allocator_postfork(void)
{
    struct range_allocator *ranges;

    pthread_mutex_unlock(&objects_lock);
    LIST_FOREACH (ranges, &all, entry)
        pthread_mutex_unlock(&ranges->lock);
    pthread_mutex_unlock(&all_lock);
}

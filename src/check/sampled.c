/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see sampled.h. */
#include "check/sampled.h"

#include <errno.h>
#include <string.h>

#include "check/guarded.h"
#include "check/thread.h"
#include "kinds/system/guard.h"
#include "kinds/system/os.h"

static struct heap_manager base; /* a copy: a load less for each call */
static struct heap_manager table;
static uint64_t seed; /* of random numbers, written before the first block */

/* --- counting --------------------------------------------------------------------------------- */

/* The calling thread's countdown: so many allocations, then a guarded one; inline_left is how many
 * of these the frontend may answer by itself. Below 0 it is due, as it is with the first allocation
 * of a new thread. */
#define INLINE_MOST 1023u

static inline bool is_due(void)
{
    return check_thread.countdown < 0;
}

/* Less than twice the average: a step of a sequence that all threads share. */
static int draw(void)
{
    static _Atomic uint64_t state;
    uint64_t number = atomic_fetch_add(&state, 0x9e3779b97f4a7c15u) ^ seed;

    number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9u;
    number = (number ^ number >> 27) * 0x94d049bb133111ebu;
    return (int)((number ^ number >> 31) % (2 * SAMPLED_EVERY));
}

/* The countdown is at its end. Whether it is a block's turn; a new thread only begins to count. */
static __attribute__((cold, noinline)) bool turn(void)
{
    bool begun = check_thread.begun;

    check_thread.begun = true;
    check_thread.countdown = draw();
    return begun;
}

/* What the frontend has answered since settle(), and this call. */
static inline void count(void)
{
    int *left = base.countdown ? base.countdown() : NULL;

    if (left && *left < (int)check_thread.inline_left)
        check_thread.countdown -= (int)check_thread.inline_left - *left;
    check_thread.countdown--;
}

/* After the heap manager, which may have set it, too. */
static inline void settle(void)
{
    int *left = base.countdown ? base.countdown() : NULL;

    if (!left)
        return;
    if (!is_due() && *left > check_thread.countdown)
        *left = check_thread.countdown;
    check_thread.inline_left =
        *left < (int)INLINE_MOST ? (unsigned)*left & INLINE_MOST : INLINE_MOST;
}

/* A guarded block, if it is one's turn; those that cannot be guarded leave it to the next. */
static __attribute__((noinline)) void *sample_alloc(struct heap *heap, size_t alignment,
                                                    size_t size)
{
    int error = errno;
    struct guard guard;
    void *block = NULL;

    if (!guarded_can_serve(heap, alignment, size)) {
        check_thread.countdown = 0;
        return NULL;
    }
    if (!turn())
        return NULL;
    guard_enter(&guard);
    block = guarded_alloc(heap, alignment, size);
    guard_leave(&guard);
    errno = error;
    return block;
}

/* --- allocation ------------------------------------------------------------------------------- */

static void *sampled_malloc(struct heap *heap, size_t size)
{
    void *block = NULL;

    count();
    if (unlikely(is_due()))
        block = sample_alloc(heap, 0, size);
    if (likely(!block))
        block = base.malloc(heap, size);
    settle();
    return block;
}

/* Where all calls come here, little is to be in the way of each. */
static void *uncounted_malloc(struct heap *heap, size_t size)
{
    if (likely(--check_thread.countdown >= 0))
        return base.malloc(heap, size);
    check_thread.countdown++; /* it is counted there */
    return sampled_malloc(heap, size);
}

static void *sampled_calloc(struct heap *heap, size_t size)
{
    void *block = NULL;

    count();
    if (unlikely(is_due()))
        block = sample_alloc(heap, 0, size);
    block = block ? memset(block, 0, size) : base.calloc(heap, size);
    settle();
    return block;
}

static void *sampled_aligned_alloc(struct heap *heap, size_t alignment, size_t size)
{
    void *block = NULL;

    count();
    if (unlikely(is_due()))
        block = sample_alloc(heap, alignment, size);
    if (likely(!block))
        block = base.aligned_alloc(heap, alignment, size);
    settle();
    return block;
}

/* --- blocks that may be guarded --------------------------------------------------------------- */

/* False: it is not in an area. */
static __attribute__((noinline)) bool sample_free(void *block)
{
    int error = errno;
    struct guard guard;
    bool done;

    guard_enter(&guard);
    done = guarded_free(block);
    guard_leave(&guard);
    errno = error;
    return done;
}

/* What a heap manager does not know as a block of its own. */
static bool foreign_free(void *block)
{
    return unlikely(guarded_may_own(block)) && sample_free(block);
}

static void sampled_free(struct heap *heap, void *block)
{
    if (foreign_free(block))
        return;
    base.free(heap, block);
    settle();
}

static bool find(const void *block, struct heap **heap, size_t *size)
{
    struct guard guard;
    bool found;

    if (likely(!guarded_may_own(block)))
        return false;
    guard_enter(&guard);
    found = guarded_find(block, heap, size);
    guard_leave(&guard);
    return found;
}

/* A guarded block becomes one of the heap manager's. */
static void *sampled_realloc(struct heap *heap, void *block, size_t size)
{
    struct heap *own;
    size_t old_size;
    void *moved;

    if (likely(!find(block, &own, &old_size))) {
        if (unlikely(guarded_may_own(block)) && sample_free(block)) {
            errno = EINVAL; /* no live block is there, which is told */
            return NULL;
        }
        moved = base.realloc(heap, block, size);
        settle();
        return moved;
    }
    moved = base.malloc(own, size);
    settle();
    if (!moved)
        return NULL;
    memcpy(moved, block, old_size < size ? old_size : size);
    sample_free(block);
    return moved;
}

static size_t sampled_usable_size(const void *block)
{
    struct heap *heap;
    size_t size;

    return find(block, &heap, &size) ? size : base.usable_size(block);
}

static struct heap *sampled_detect(const void *block)
{
    struct heap *heap;
    size_t size;

    return find(block, &heap, &size) ? heap : base.detect(block);
}

static void *sampled_defrag(void *block)
{
    struct heap *heap;
    size_t size;

    return find(block, &heap, &size) ? NULL : base.defrag(block);
}

static int sampled_stat(struct heap *heap, memkind_stat_type type, size_t *value)
{
    int error = base.stat(heap, type, value);
    size_t bytes, pages;

    if (error)
        return error;
    guarded_usage(heap, &bytes, &pages);
    *value += type == MEMKIND_STAT_TYPE_ALLOCATED ? bytes : pages * os_page_size();
    return 0;
}

static int sampled_heap_destroy(struct heap *heap)
{
    int error = base.heap_destroy(heap);

    if (!error)
        guarded_forget(heap);
    return error;
}

/* --- fork ------------------------------------------------------------------------------------- */

static void sampled_prefork(void)
{
    base.prefork();
    guarded_prefork();
}

static void sampled_postfork_parent(void)
{
    guarded_postfork(false);
    base.postfork_parent();
}

static void sampled_postfork_child(void)
{
    base.postfork_child();
    guarded_postfork(true);
}

const struct heap_manager *sampled_over(const struct heap_manager *under)
{
    base = *under;
    if (under->malloc_looking)
        base.malloc = under->malloc_looking;
    if (under->free_looking) {
        base.free = under->free_looking;
        *under->foreign = foreign_free;
    }
    table = *under;
    table.heap_destroy = sampled_heap_destroy;
    table.malloc = under->countdown ? sampled_malloc : uncounted_malloc;
    table.calloc = sampled_calloc;
    table.aligned_alloc = sampled_aligned_alloc;
    table.realloc = sampled_realloc;
    table.free = under->free_looking ? under->free_looking : sampled_free;
    table.usable_size = sampled_usable_size;
    table.detect = sampled_detect;
    table.defrag = sampled_defrag;
    table.stat = sampled_stat;
    table.prefork = sampled_prefork;
    table.postfork_parent = sampled_postfork_parent;
    table.postfork_child = sampled_postfork_child;
    seed = os_random();
    guarded_start();
    return &table;
}

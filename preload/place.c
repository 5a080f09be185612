/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see place.h. */
#include "place.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "capture.h"
#include "early.h"
#include "front.h"
#include "library.h"
#include "next.h"
#include "report.h"
#include "sample.h"
#include "serve.h"
#include "settings.h"

static void *malloc_watched(size_t size, const void *how, const void *caller);
static void free_watched(memkind_t kind, void *block);

struct place place = {.malloc = malloc_watched, .free = memkind_free};

/* Written at the start. Of the front's answer, `place` has what is inline. */
static struct front front;
static bool reported; /* blocks are counted: report.h */
static bool profiled; /* blocks are sampled: sample.h */
static bool watched;  /* one of these: all blocks are to pass by here */

static bool checked; /* MEMKIND_CHECK is on */

/* Where a profile is all that watches, and all blocks are of MEMKIND_DEFAULT, which has no other
 * kind behind it. A profile is not to change much of how fast a program is. */
static bool only_profiled;

/* --- who watches ------------------------------------------------------------------------------ */

static void watch_add(void *block, size_t size)
{
    if (profiled)
        sample_add(block, size + !size);
    if (reported)
        report_add(block);
}

static void watch_remove(void *block)
{
    if (profiled)
        sample_remove(block);
    if (reported)
        report_remove(block);
}

/* --- the start -------------------------------------------------------------------------------- */

enum stage { NOTHING, STARTING, READY };
static atomic_int stage;

/* libc starts before the constructors of what is loaded. From then on, a program without an
 * environment is one that has thrown it away, or whose caller gave it none. */
static volatile bool libc_has_started; /* volatile, else Clang does the constructor's work itself */

__attribute__((constructor)) static void note_libc(void)
{
    libc_has_started = true;
}

/* memkind_free() has got a block that is not the library's: free() need not ask of every block
 * whose it is. */
static void take_foreign(void *block)
{
    if (!early_size(block))
        next_free(block);
}

/* Where a kind has no memory, the front has the next one, MEMKIND_DEFAULT in the end. */
static void *malloc_or_front(size_t size, const void *how, const void *caller)
{
    void *block = likely(size < front.below) ? memkind_malloc(front.kind, serve_size(size)) : NULL;

    (void)how;
    return likely(block) ? block : front_alloc(size, 1, AS_IS, caller);
}

static void choose_malloc(void)
{
    place_malloc_function function = front.malloc;
    const void *how = front.how;
    struct memkind_sizes *sizes;

    if (!function) {
        function = malloc_or_front;
        sizes = memkind_sizes_new(malloc_or_front, NULL);
        if (sizes) {
            function = memkind_sizes_malloc;
            how = sizes;
            memkind_sizes_set(sizes, 0, front.below ? front.below - 1 : 0, front.kind);
        }
    }
    atomic_store_explicit(&place.how, how, memory_order_relaxed);
    atomic_store_explicit(&place.malloc, function, memory_order_release);
}

/* The front is to see all blocks that go, and nobody else. */
static void free_followed(memkind_t kind, void *block)
{
    (void)kind;
    front_free(block);
}

static void choose_free(void)
{
    bool is_one = front.kind == MEMKIND_DEFAULT && front.below == SIZE_MAX && !front.follows;
    place_free_function function = memkind_free;

    if (is_one && !reported)
        atomic_store_explicit(&place.only, MEMKIND_DEFAULT, memory_order_relaxed);
    if (watched)
        function = free_watched;
    else if (front.follows)
        function = free_followed;
    else if (!is_one && memkind_trust_frees())
        function = memkind_free_trusted;
    atomic_store_explicit(&place.free, function, memory_order_relaxed);
    only_profiled = profiled && place.only;
}

static void start(void)
{
    settings_begin();
    reported = settings_report() != NULL;
    checked = settings_are_checked();
    next_find();
    front_begin(&front);
    if (!checked)
        memkind_take_foreign(take_foreign);
    if (reported)
        report_begin(front.report);
    profiled = settings_profile() && capture_begin();
    watched = reported || profiled;
    place.resized = watched || front.follows || front.resizes;
    choose_free();
    if (front.kind == MEMKIND_DEFAULT)
        atomic_store_explicit(&place.kind, front.kind, memory_order_relaxed);
    if (watched)
        return;
    choose_malloc();
    if (front.kind == MEMKIND_DEFAULT)
        atomic_store_explicit(&place.below, front.below, memory_order_relaxed);
}

/* Whether the settings are there. */
static bool is_ready(void)
{
    int now = atomic_load_explicit(&stage, memory_order_acquire);

    if (now == NOTHING && atomic_compare_exchange_strong(&stage, &now, STARTING)) {
        int error = errno;

        start();
        errno = error;
        now = READY;
        atomic_store_explicit(&stage, now, memory_order_release);
    }
    return now == READY;
}

/* --- blocks ----------------------------------------------------------------------------------- */

static __attribute__((noinline)) void *alloc_any(size_t size, size_t alignment,
                                                 enum filling filling, const void *caller)
{
    void *block;

    if (unlikely(atomic_load_explicit(&stage, memory_order_acquire) != READY)) {
        if (!environ && !libc_has_started && atomic_load(&stage) == NOTHING)
            return early_alloc(size, alignment);
        if (!is_ready())
            return serve(MEMKIND_DEFAULT, size, alignment, filling);
    }
    block = front_alloc(size, alignment, filling, caller);
    if (block && watched)
        watch_add(block, size);
    return block;
}

/* What has been counted down already. */
static __attribute__((cold, noinline)) void *alloc_sampled(size_t size)
{
    void *block = memkind_malloc(place_kind(), serve_size(size));

    if (block)
        sample_take(block, size + !size);
    return block;
}

void *place_alloc(size_t size, size_t alignment, enum filling filling, const void *caller)
{
    if (only_profiled && alignment <= 16 && filling == AS_IS)
        return sample_count(size + !size) ? alloc_sampled(size)
                                          : memkind_malloc(place_kind(), serve_size(size));
    return alloc_any(size, alignment, filling, caller);
}

static __attribute__((cold, noinline)) void free_sampled(void *block)
{
    sample_drop(block);
    memkind_free(place_kind(), block);
}

static void *malloc_watched(size_t size, const void *how, const void *caller)
{
    (void)how;
    return place_alloc(size, 1, AS_IS, caller);
}

static void free_watched(memkind_t kind, void *block)
{
    (void)kind;
    if (only_profiled) {
        if (unlikely(block && sample_may_be(block)))
            free_sampled(block);
        else
            memkind_free(place_kind(), block);
        return;
    }
    if (block)
        watch_remove(block);
    front_free(block);
}

void *place_resize(void *block, size_t size)
{
    void *resized;

    if (!only_profiled)
        return NULL;
    sample_remove(block);
    resized = memkind_realloc(NULL, block, serve_size(size));
    if (likely(resized))
        sample_add(resized, size);
    return resized;
}

/* NULL: it stays as it is. */
static void *resize(void *block, size_t size, const void *caller)
{
    size_t old_size;
    void *resized;

    if (!watched)
        return front_resize(block, size, caller);
    old_size = memkind_malloc_usable_size(NULL, block);
    watch_remove(block);
    resized = front_resize(block, size, caller);
    if (resized)
        watch_add(resized, size);
    else
        watch_add(block, old_size);
    return resized;
}

void *place_move(void *block, size_t size, const void *caller)
{
    void *moved = place.resized ? resize(block, size, caller) : NULL;
    size_t old_size;

    if (moved)
        return moved;
    old_size = memkind_malloc_usable_size(NULL, block);
    moved = place_alloc(size, 1, AS_IS, caller);
    if (!moved)
        return NULL;
    memcpy(moved, block, old_size < size ? old_size : size);
    place_free(block);
    return moved;
}

/* --- blocks of others ------------------------------------------------------------------------- */

/* With MEMKIND_CHECK the library is to tell what is no block of its own. */
static bool goes_to_next(void)
{
    return atomic_load_explicit(&stage, memory_order_acquire) != READY || !checked;
}

void *place_realloc_foreign(void *block, size_t size, const void *caller)
{
    size_t old_size = early_size(block);
    void *moved;

    if (!old_size)
        return goes_to_next() ? next_realloc(block, size) : memkind_realloc(NULL, block, size);
    moved = place_alloc(size, 1, AS_IS, caller);
    return moved ? memcpy(moved, block, old_size < size ? old_size : size) : NULL;
}

size_t place_size_foreign(void *block)
{
    size_t size = early_size(block);

    if (size || !goes_to_next())
        return size;
    return next_usable_size(block);
}

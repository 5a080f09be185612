/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see place.h. */
#include "place.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "early.h"
#include "next.h"
#include "report.h"
#include "settings.h"

/* Of libmemkind.so, and of no header (src/frontend/compat.c): free() need not ask of every block
 * whose it is. */
void memkind_take_foreign(void (*take)(void *block));

struct place place;

/* What settings.c has decided; place has it too, unless every block is to pass by here. */
static struct settings settings;

/* --- the start -------------------------------------------------------------------------------- */

enum stage { NOTHING, STARTING, READY };
static atomic_int stage;

/* libc starts before the constructors of what is loaded. From then on, a program without an
 * environment is one that has thrown it away, or whose caller gave it none. */
static bool libc_has_started;

__attribute__((constructor)) static void note_libc(void)
{
    libc_has_started = true;
}

/* memkind_free() has got a block that is not the library's. */
static void take_foreign(void *block)
{
    if (!early_size(block))
        next_free(block);
}

static void start(void)
{
    place.watched = settings_are_watched();
    next_find();
    settings_read(&settings);
    if (!settings.checked)
        memkind_take_foreign(take_foreign);
    if (place.watched) {
        report_begin();
        return;
    }
    atomic_store_explicit(&place.kind, settings.kind, memory_order_relaxed);
    atomic_store_explicit(&place.below, SIZE_MAX, memory_order_relaxed);
    /* Any other kind may have to be helped out by MEMKIND_DEFAULT. */
    if (settings.kind == MEMKIND_DEFAULT)
        atomic_store_explicit(&place.only, MEMKIND_DEFAULT, memory_order_relaxed);
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

static void *alloc_in(memkind_t kind, size_t size, size_t alignment, enum filling filling)
{
    void *block = NULL;
    int error;

    size = place_size(size);
    if (filling == ZEROED)
        return memkind_calloc(kind, 1, size);
    if (alignment <= 16)
        return memkind_malloc(kind, size);
    error = memkind_posix_memalign(kind, &block, alignment, size);
    if (error)
        errno = error;
    return block;
}

void *place_alloc(size_t size, size_t alignment, enum filling filling, const void *caller)
{
    memkind_t kind = MEMKIND_DEFAULT;
    void *block;

    (void)caller; /* one kind serves all callers */
    if (unlikely(!environ) && !libc_has_started &&
        atomic_load_explicit(&stage, memory_order_acquire) == NOTHING)
        return early_alloc(size, alignment);
    if (is_ready())
        kind = settings.kind;
    block = alloc_in(kind, size, alignment, filling);
    if (!block && kind != MEMKIND_DEFAULT)
        block = alloc_in(MEMKIND_DEFAULT, size, alignment, filling);
    if (block && place.watched)
        report_add(block);
    return block;
}

void place_forget(void *block)
{
    report_remove(block);
}

void *place_move(void *block, size_t size, const void *caller)
{
    size_t old_size = memkind_malloc_usable_size(NULL, block);
    void *moved;

    if (place.watched) {
        report_remove(block);
        moved = memkind_realloc(NULL, block, place_size(size));
        report_add(moved ? moved : block);
        if (moved)
            return moved;
    }
    moved = place_alloc(size, 1, AS_IS, caller);
    if (!moved)
        return NULL;
    memcpy(moved, block, old_size < size ? old_size : size);
    if (place.watched)
        report_remove(block);
    memkind_free(NULL, block);
    return moved;
}

/* --- blocks of others ------------------------------------------------------------------------- */

/* With MEMKIND_CHECK the library is to tell what is no block of its own. */
static bool goes_to_next(void)
{
    return atomic_load_explicit(&stage, memory_order_acquire) != READY || !settings.checked;
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

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * autohbw: libautohbw.so.0. Blocks of a range of sizes come from one kind, all others from
 * MEMKIND_DEFAULT. autohbw(7) is the contract.
 *
 * Thread rules: see front.h; enableAutoHBW() and disableAutoHBW(): any.
 */
#include <memkind.h>

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tools/size.h"
#include "free_memory.h"
#include "front.h"
#include "serve.h"
#include "settings.h"
#include "stacks.h"

#define RANGE "AUTO_HBW_SIZE"
#define LOG "AUTO_HBW_LOG"
#define TYPE "AUTO_HBW_MEM_TYPE"
#define DEBUG "AUTO_HBW_DEBUG"

/* --- variables: written by front_begin() ------------------------------------------------------ */

static memkind_t kind;
/* Blocks of more than `above` and less than `below` bytes are of `kind`. */
static size_t above, below = SIZE_MAX;

static enum level { SILENT = -1, INFO, BLOCKS, STACKS } level = BLOCKS;
static bool all_blocks; /* those of MEMKIND_DEFAULT are logged, too */

/* "4K". False: it is no size. */
static bool read_size(const char *text, size_t *size)
{
    *size = size_parse(text);
    return *size || strcmp(text, "0") == 0;
}

/* "4K", "1M:5M" or "1M:". */
static void read_range(void)
{
    const char *value = settings_get(RANGE), *colon = value ? strchr(value, ':') : NULL;
    size_t length = value ? colon ? (size_t)(colon - value) : strlen(value) : 0;
    size_t least = 0, most = SIZE_MAX;
    char first[32];

    if (!value)
        return;
    snprintf(first, sizeof first, "%.*s", (int)(length < sizeof first ? length : sizeof first - 1),
             value);
    if (length >= sizeof first || !read_size(first, &least) ||
        (colon && colon[1] && !read_size(colon + 1, &most)) || most <= least) {
        settings_say("MEMKIND: " RANGE "=%.200s is not accepted; accepted: x or x:y, with x less "
                     "than y, bytes or with K, M, G or T; blocks of all sizes are meant\n",
                     value);
        return;
    }
    above = least;
    below = most;
}

/* One of the numbers from `least` to 2; otherwise `usual`. */
static int read_number(const char *name, int least, int usual)
{
    const char *value = settings_get(name);
    char *end;
    long number;

    if (!value)
        return usual;
    number = strtol(value, &end, 10);
    if (end != value && !*end && number >= least && number <= 2)
        return (int)number;
    settings_say("MEMKIND: %s=%.200s is not accepted; accepted: numbers from %d to 2; %d is used\n",
                 name, value, least, usual);
    return usual;
}

static memkind_t read_kind(void)
{
    const char *value = settings_get(TYPE);
    memkind_t named;

    if (!value)
        return memkind_check_available(MEMKIND_HBW) ? MEMKIND_DEFAULT : MEMKIND_HBW_PREFERRED;
    named = settings_available_kind(TYPE, value);
    return named ? named : MEMKIND_DEFAULT;
}

static const char *name_of(memkind_t of)
{
    unsigned number = settings_number(of);

    return number < MEMKIND_NUM_BASE_KIND ? settings_kinds[number] : "?";
}

/* --- log -------------------------------------------------------------------------------------- */

/* As addr2line -e MODULE OFFSET takes it. */
static void log_frame(uintptr_t frame)
{
    Dl_info module;

    if (dladdr((void *)frame, &module) && module.dli_fname)
        settings_say("AUTO_HBW:   %s +0x%zx\n", module.dli_fname,
                     (size_t)(frame - (uintptr_t)module.dli_fbase));
    else
        settings_say("AUTO_HBW:   0x%zx\n", (size_t)frame);
}

static void log_block(const void *block, size_t size)
{
    uintptr_t frames[STACKS_FRAMES];
    char nodes[512];
    int error = errno, cancel;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel); /* malloc is no cancellation point */
    free_memory_print(nodes, sizeof nodes);
    settings_say("AUTO_HBW: %zu bytes of MEMKIND_%s at %p; free MiB by node: %s\n", size,
                 name_of(memkind_detect_kind((void *)block)), block, nodes);
    for (size_t i = 0, count = level == STACKS ? stacks_take(frames) : 0; i < count; i++)
        log_frame(frames[i]);
    pthread_setcancelstate(cancel, NULL);
    errno = error;
}

/* --- the front -------------------------------------------------------------------------------- */

static atomic_bool disabled;

__attribute__((visibility("default"))) void disableAutoHBW(void)
{
    atomic_store_explicit(&disabled, true, memory_order_relaxed);
    settings_say("AUTO_HBW: blocks come from MEMKIND_DEFAULT from now on\n");
}

__attribute__((visibility("default"))) void enableAutoHBW(void)
{
    atomic_store_explicit(&disabled, false, memory_order_relaxed);
    settings_say("AUTO_HBW: blocks come from the memory type again\n");
}

void front_begin(struct front *front)
{
    static const char *const names[] = {RANGE, LOG, TYPE};
    int debug;

    level = (enum level)read_number(LOG, SILENT, BLOCKS);
    if (level == SILENT)
        settings_silence();
    debug = read_number(DEBUG, 0, 0);
    for (size_t i = 0; debug && i < sizeof names / sizeof names[0]; i++)
        if (settings_get(names[i]))
            settings_say("AUTO_HBW: %s=%.200s\n", names[i], settings_get(names[i]));
    all_blocks = debug == 2;
    read_range();
    kind = read_kind();
    if (below == SIZE_MAX)
        settings_say("AUTO_HBW: blocks of more than %zu bytes come from MEMKIND_%s\n", above,
                     name_of(kind));
    else
        settings_say(
            "AUTO_HBW: blocks of more than %zu and less than %zu bytes come from MEMKIND_%s\n",
            above, below, name_of(kind));
    front->kind = MEMKIND_DEFAULT;
    if (kind == MEMKIND_DEFAULT && level < BLOCKS)
        front->below = SIZE_MAX;
    else
        front->below = all_blocks ? 0 : above + 1;
    front->resizes = front->below != SIZE_MAX;
}

static bool is_in_range(size_t size)
{
    return size > above && size < below && !atomic_load_explicit(&disabled, memory_order_relaxed);
}

static void log_if_wanted(const void *block, size_t size)
{
    if (block && level >= BLOCKS && (all_blocks || is_in_range(size)))
        log_block(block, size);
}

void *front_alloc(size_t size, size_t alignment, enum filling filling, const void *caller)
{
    void *block = serve(is_in_range(size) ? kind : MEMKIND_DEFAULT, size, alignment, filling);

    (void)caller; /* the log wants all callers */
    log_if_wanted(block, size);
    return block;
}

/* A block that grows into the range or shrinks out of it is copied. A kind without memory is not
 * asked again for each step of a block that MEMKIND_DEFAULT has instead. */
void *front_resize(void *block, size_t size, const void *caller)
{
    bool was_in_range = is_in_range(memkind_malloc_usable_size(NULL, block));
    void *resized;

    (void)caller;
    if (was_in_range != is_in_range(size))
        return NULL;
    resized = memkind_realloc(NULL, block, serve_size(size));
    log_if_wanted(resized, size);
    return resized;
}

void front_free(void *block)
{
    memkind_free(NULL, block);
}

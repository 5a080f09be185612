/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * memtier: libmemtier.so.0. A program's blocks are spread over tiers, with the functions of
 * memkind_memtier.h. libmemtier(7) is the contract.
 *
 * Those functions count what each tier holds, so all blocks that come, change and go pass by here.
 * A tier without memory is told to the program, as the contract says: who wants tiers wants the
 * shares to be kept.
 *
 * Thread rules: see front.h.
 */
#include <memkind_memtier.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>

#include "front.h"
#include "serve.h"
#include "settings.h"
#include "tiers.h"

#define LEVEL "MEMKIND_MEM_TIERING_LOG_LEVEL"

static struct memtier_memory *memory; /* written by front_begin() */

/* --- log -------------------------------------------------------------------------------------- */

static bool informs; /* a level of 1 or 2 */

static void read_level(void)
{
    const char *value = settings_get(LEVEL);

    if (!value || !*value || strcmp(value, "0") == 0)
        return;
    informs = strcmp(value, "1") == 0 || strcmp(value, "2") == 0;
    if (!informs)
        settings_say(TIERS_ERROR LEVEL "=%.200s is not accepted; accepted: 0, 1 or 2; 0 is used\n",
                     value);
    else if (*value == '2')
        settings_say("MEMKIND_MEM_TIERING_LOG_DEBUG: " LEVEL "=%s\n", value);
}

static void show(const char *name)
{
    const char *value = settings_get(name);

    if (informs && value)
        settings_say("MEMKIND_MEM_TIERING_LOG_INFO: %s=%.800s\n", name, value);
}

__attribute__((destructor)) static void end(void)
{
    if (informs)
        settings_say("MEMKIND_MEM_TIERING_LOG_INFO: libmemtier.so.0 ends with the program\n");
}

/* --- the front -------------------------------------------------------------------------------- */

void front_begin(struct front *front)
{
    const char *tiers = settings_get(TIERS);

    read_level();
    show(TIERS);
    show(TIERS_THRESHOLDS);
    if (tiers)
        memory = tiers_make(tiers, settings_get(TIERS_THRESHOLDS));
    else if (!getauxval(AT_SECURE))
        settings_say(TIERS_ERROR TIERS " is not set\n");
    front->follows = memory != NULL;
    if (memory)
        return;
    if (!getauxval(AT_SECURE))
        settings_say(TIERS_ERROR "there are no tiers; MEMKIND_DEFAULT serves all blocks\n");
    front->kind = MEMKIND_DEFAULT;
    front->below = SIZE_MAX;
}

void *front_alloc(size_t size, size_t alignment, enum filling filling, const void *caller)
{
    void *block = NULL;
    int error;

    (void)caller; /* tiers serve all */
    if (!memory)
        return serve(MEMKIND_DEFAULT, size, alignment, filling);
    size = serve_size(size);
    if (filling == ZEROED)
        return memtier_calloc(memory, 1, size);
    if (alignment <= 16)
        return memtier_malloc(memory, size);
    error = memtier_posix_memalign(memory, &block, alignment, size);
    if (error)
        errno = error;
    return block;
}

void *front_resize(void *block, size_t size, const void *caller)
{
    (void)caller;
    return memory ? memtier_realloc(memory, block, serve_size(size))
                  : memkind_realloc(NULL, block, serve_size(size));
}

void front_free(void *block)
{
    if (memory)
        memtier_kind_free(NULL, block);
    else
        memkind_free(NULL, block);
}

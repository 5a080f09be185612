/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * one_kind: libmemkind-preload.so. A program has all its blocks from one kind, which may have a
 * limit. libmemkind-preload(7) is the contract.
 *
 * Thread rules: see front.h.
 */
#include <stdint.h>

#include "../tools/size.h"
#include "front.h"
#include "serve.h"
#include "settings.h"

#define KIND "MEMKIND_PRELOAD_KIND"
#define LIMIT "MEMKIND_PRELOAD_LIMIT"

static memkind_t the_kind; /* written by front_begin() */

/* NULL: it is refused. */
static memkind_t read_kind(void)
{
    const char *value = settings_get(KIND);
    char why[MEMKIND_ERROR_MESSAGE_SIZE];
    memkind_t kind;
    int error;

    if (!value)
        return MEMKIND_DEFAULT;
    kind = settings_parse_kind(value);
    if (!kind) {
        settings_say("MEMKIND: " KIND "=%.200s is not accepted; accepted: DEFAULT, HBW, "
                     "HBW_PREFERRED, REGULAR and the other static kinds; DEFAULT is used\n",
                     value);
        return NULL;
    }
    error = memkind_check_available(kind);
    if (!error)
        return kind;
    memkind_error_message(error, why, sizeof why);
    settings_say("MEMKIND: " KIND "=%.200s: %s; DEFAULT is used\n", value, why);
    return NULL;
}

/* A limit is the kind's that was asked for. MEMKIND_DEFAULT in its stead has none: nobody is there
 * to help it out, so that the program would end. */
static void read_limit(memkind_t kind)
{
    const char *value = settings_get(LIMIT);
    size_t limit = value ? size_parse(value) : 0;

    if (!value)
        return;
    if (!limit)
        settings_say("MEMKIND: " LIMIT "=%.200s is not accepted; " SIZE_ACCEPTED
                     "; there is no limit\n",
                     value);
    else if (kind && memkind_set_limit(kind, limit))
        settings_say("MEMKIND: " LIMIT "=%.200s: it cannot be set; there is no limit\n", value);
}

void front_begin(struct front *front)
{
    memkind_t kind = read_kind();

    the_kind = kind ? kind : MEMKIND_DEFAULT;
    front->kind = the_kind;
    front->below = SIZE_MAX;
    read_limit(kind);
}

void *front_alloc(size_t size, size_t alignment, enum filling filling, const void *caller)
{
    (void)caller; /* one kind serves all */
    return serve(the_kind, size, alignment, filling);
}

void *front_resize(void *block, size_t size, const void *caller)
{
    (void)caller;
    return memkind_realloc(NULL, block, serve_size(size));
}

void front_free(void *block)
{
    memkind_free(NULL, block);
}

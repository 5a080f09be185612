/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * one_kind: libmemkind-preload.so. A program has all its blocks from one kind, which may have a
 * limit, but for those that there are rules for. libmemkind-preload(7) is the contract.
 *
 * Thread rules: see front.h.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../tools/rules.h"
#include "../tools/size.h"
#include "choice.h"
#include "front.h"
#include "serve.h"
#include "settings.h"

#define KIND "MEMKIND_PRELOAD_KIND"
#define LIMIT "MEMKIND_PRELOAD_LIMIT"
#define RULES "MEMKIND_PRELOAD_RULES"

static memkind_t the_kind; /* written by front_begin() */
static bool has_rules;

/* NULL: it is refused. */
static memkind_t read_kind(void)
{
    const char *value = settings_get(KIND);

    return value ? settings_available_kind(KIND, value) : MEMKIND_DEFAULT;
}

/* A limit is the kind's that was asked for. MEMKIND_DEFAULT in its stead has none: beyond it,
 * allocations would fail, and the program might end. */
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

/* --- rules ------------------------------------------------------------------------------------ */

static int kind_number(const char *name)
{
    memkind_t kind = settings_parse_kind(name);

    return kind ? (int)settings_number(kind) : -1;
}

/* The first error is what is told, in a line. */
static void tell_rule(void *to, unsigned line, unsigned column, bool is_error, const char *message)
{
    bool *told = to;

    (void)is_error; /* warnings are memkind-run's */
    if (!*told)
        settings_say("MEMKIND: " RULES "=%.500s:%u:%u: %.300s; there are no rules\n",
                     settings_get(RULES), line, column, message);
    *told = true;
}

static void read_rules(struct front *front)
{
    const char *path = settings_get(RULES);
    bool told = false;
    const struct rules_reader reader = {.kind = kind_number, .tell = tell_rule, .to = &told};
    struct rules rules;
    char *text;

    if (!path)
        return;
    text = rules_text(path, false);
    if (!text) {
        settings_say("MEMKIND: " RULES "=%.500s: %s; there are no rules\n", path, strerror(errno));
        return;
    }
    has_rules =
        rules_read(&rules, text, &reader) && choice_begin(front, &rules, settings_report() != NULL);
    if (has_rules)
        return;
    rules_free(&rules);
    free(text);
    if (!told)
        settings_say("MEMKIND: " RULES "=%.500s: %s; there are no rules\n", path, strerror(ENOMEM));
}

/* --- the front -------------------------------------------------------------------------------- */

void front_begin(struct front *front)
{
    memkind_t kind = read_kind();

    the_kind = kind ? kind : MEMKIND_DEFAULT;
    front->kind = the_kind;
    front->below = SIZE_MAX;
    read_limit(kind);
    read_rules(front);
}

void *front_alloc(size_t size, size_t alignment, enum filling filling, const void *caller)
{
    if (has_rules)
        return choice_alloc(size, alignment, filling, caller);
    return serve(the_kind, size, alignment, filling);
}

void *front_resize(void *block, size_t size, const void *caller)
{
    if (has_rules)
        return choice_resize(block, size, caller);
    return memkind_realloc(NULL, block, serve_size(size));
}

void front_free(void *block)
{
    if (has_rules)
        choice_forget(block);
    memkind_free(NULL, block);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why: see callbacks.h. The defaults let the page layer be tested without a frontend. */
#include "kinds/system/callbacks.h"

#include <stddef.h>

static const char *no_environment(const char *name)
{
    (void)name;
    return NULL;
}

static void no_reject(const char *name, const char *why)
{
    (void)name;
    (void)why;
}

__attribute__((format(printf, 1, 2))) static void no_log(const char *format, ...)
{
    (void)format;
}

static void no_background(void)
{
}

static void no_say(const char *text)
{
    (void)text;
}

static void nothing_kept(void)
{
}

static const struct callbacks silent = {no_environment, no_reject, no_log,
                                        no_background,  no_say,    nothing_kept};

const struct callbacks *callbacks = &silent;

void callbacks_set(const struct callbacks *services)
{
    callbacks = services;
}

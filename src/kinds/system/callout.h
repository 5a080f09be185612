/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * callout: around the program's own functions that get pages (memkind_page_ops).
 *
 * They run in the middle of the library, which may hold locks, and must not call it. One that does
 * so all the same, in a log line's malloc say, finds the library as a thread does that comes back
 * during a first use (reserve.h): blocks come from the reserve, a free does nothing, everything
 * else is refused. No cache of the thread answers meanwhile: it may be just being filled.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>

#include "kinds/system/compiler.h"

/* What the heap manager lends: the calling thread's state is out of reach in between. Set when it
 * is loaded. */
struct callout_functions {
    void *(*hide)(void);
    void (*show)(void *hidden);
};
void callout_set(const struct callout_functions *functions);

void *callout_begin(void);
void callout_end(void *hidden);

/* Whether the calling thread is in between. */
bool callout_is_on(void);

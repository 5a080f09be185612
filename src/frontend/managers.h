/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * managers: the library's first use, and the choice of the heap manager.
 *
 * The first call that needs the library reads the environment, picks a row of the table of heap
 * managers and loads it. Nothing of this happens at load.
 *
 * A thread that is inside such a step may come back into the library, when what it calls allocates
 * through a malloc interposer. managers_enter() tells: it fails for such a call, which must then
 * make do with kinds/system/reserve.h. It also fails inside the program's functions of a custom
 * kind (kinds/system/callout.h). In between, the thread cannot be cancelled (guard.h).
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "heap_manager.h"

/* The chosen heap manager; NULL before the first use. */
extern const struct heap_manager *_Atomic managers_chosen HIDDEN;

static inline const struct heap_manager *managers_get(void)
{
    return atomic_load_explicit(&managers_chosen, memory_order_acquire);
}

/* Starts the library if need be and marks the calling thread as busy inside it until
 * managers_leave(). False: the thread is inside already. */
bool managers_enter(void);
void managers_leave(void);

/* Around fork(2), before and after all others: a fork beside another thread's first use waits for
 * it, since half a heap manager is of no use to the child. */
void managers_prefork(void);
void managers_postfork(bool child);

/* Whether MEMKIND_ARENA_NUM_PER_KIND was unusable; after managers_enter(). */
bool managers_arenas_rejected(void);

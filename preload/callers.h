/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * callers: which rules are left for whom a block is asked by.
 *
 * The address that a call returns to is looked up in a table; on a hit nothing else is read, and
 * nothing locked. On a miss the rules' questions about the caller are answered once: its module by
 * _dl_find_object(), which takes no lock, the rest by the module's file (module.h). What is
 * allocated meanwhile in this thread, at addresses that are not known yet, is of MEMKIND_DEFAULT.
 *
 * Addresses are used again after dlclose(). A library is only opened with blocks that the dynamic
 * loader asks for after the module is in its list and before any of its code runs; at those, the
 * table is emptied if the list has changed. A module that a call is to return to stays where it is.
 *
 * Threads: any, but callers_begin(), which comes first.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "place.h"
#include "plan.h"

#define CALLERS_BITS 16 /* of the table's places, and of a plan's number */

/* An address, and behind it the number of its plan; 0: an empty place. */
extern atomic_uint_fast64_t *callers HIDDEN;

/* This thread is finding out about a caller. The library is there from the start, so that its
 * variables need no call. */
extern _Thread_local bool callers_busy HIDDEN __attribute__((tls_model("initial-exec")));

/* False: there is no memory. */
bool callers_begin(void);
const struct plan *callers_find(const void *caller);
void callers_follow_loader(void);

static inline size_t callers_place(uint64_t address)
{
    return (size_t)(address * 0x9e3779b97f4a7c15 >> (64 - CALLERS_BITS));
}

/* The number of its plan, if the address is in the first place that it may be in; false:
 * callers_find() knows. */
static inline bool callers_hit(const void *caller, unsigned *plan)
{
    uint64_t address = (uintptr_t)caller;
    uint64_t there = atomic_load_explicit(&callers[callers_place(address)], memory_order_acquire);

    if (unlikely(there >> CALLERS_BITS != address))
        return false;
    *plan = (uint16_t)there;
    return true;
}

static inline const struct plan *callers_plan(const void *caller)
{
    unsigned number;

    return likely(callers_hit(caller, &number)) ? plan_get(number) : callers_find(caller);
}

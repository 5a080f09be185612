/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * choice: which kind a block comes from, where there are rules (tools/rules.h).
 *
 * What a rule asks of the caller's address is answered once for each (callers.h); the rules that
 * are left for it are a plan (plan.h). What they ask of a block is answered here, and limits and
 * ratios are kept.
 *
 * Threads: any, but choice_begin(), which comes first. No locks: counters only, so that a fork
 * finds nothing half done.
 */
#pragma once

#include <memkind.h>

#include <stdbool.h>
#include <stddef.h>

#include "../tools/rules.h"
#include "front.h"

/* Blocks that no rule is for are of the front's kind, and the front is told what the rules need.
 * The rules stay. With `counted`, every block is counted, for the report. False: there is no memory
 * for all that. */
bool choice_begin(struct front *front, const struct rules *rules, bool counted);

/* As front_alloc(). */
void *choice_alloc(size_t size, size_t alignment, enum filling filling, const void *caller);

/* As front_resize(): a block goes to another kind if the rules have another one for its new size
 * and this caller. */
void *choice_resize(void *block, size_t size, const void *caller);

/* Before a block is freed. */
void choice_forget(void *block);

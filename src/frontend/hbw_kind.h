/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * hbw_kind: which kind hbw_malloc() means, once that is decided.
 *
 * hbwmalloc.c decides, at the first allocation. When the machine changes, the policy PREFERRED may
 * mean another kind, so the decision is dropped, and made anew by the next allocation. Any thread.
 */
#pragma once

#include <memkind.h>
#include <stdatomic.h>

#include "kinds/system/compiler.h"

extern _Atomic(memkind_t) hbw_kind_decided HIDDEN; /* NULL: it is not decided */

/* How often it was dropped, to be read before deciding. */
unsigned hbw_kind_changes(void);

/* The decision, unless the machine has changed since. */
void hbw_kind_decide(memkind_t kind, unsigned changes);

void hbw_kind_forget(void);

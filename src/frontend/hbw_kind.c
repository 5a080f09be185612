/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see hbw_kind.h. */
#include "frontend/hbw_kind.h"

#include <stddef.h>

_Atomic(memkind_t) hbw_kind_decided;

static atomic_uint dropped;

unsigned hbw_kind_changes(void)
{
    return atomic_load(&dropped);
}

void hbw_kind_decide(memkind_t kind, unsigned changes)
{
    atomic_store(&hbw_kind_decided, kind);
    if (atomic_load(&dropped) != changes)
        atomic_store(&hbw_kind_decided, NULL);
}

void hbw_kind_forget(void)
{
    atomic_fetch_add(&dropped, 1);
    atomic_store(&hbw_kind_decided, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * plan: the rules that are left for a caller, in their order.
 *
 * Where the first of them asks for no more than a size, and gives a kind and nothing else, the plan
 * says so, and the choice is one comparison.
 *
 * Threads: any, but plan_begin(), which comes first. Plans are never freed: any thread may be
 * reading one.
 */
#pragma once

#include <memkind.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../tools/rules.h"

#define PLANS 4096 /* different ones */

struct plan {
    size_t plain; /* blocks of less bytes are of MEMKIND_DEFAULT, with no other kind behind */
    size_t below; /* blocks of less bytes are simply of `kind` */
    memkind_t kind;
    bool of_loader; /* the caller is the dynamic loader, which may be changing what is loaded */
    uint16_t number;
    unsigned count;
    uint16_t rule[];
};

/* What the plans are made of. */
struct plan_basis {
    struct rules rules;
    memkind_t rest; /* for blocks that no rule is for */
    /* The kind that all blocks of a rule simply come from; NULL: more is to be known. */
    memkind_t (*simple_kind)(size_t rule);
};

void plan_begin(const struct plan_basis *basis);

/* All rules. */
const struct rules *plan_rules(void);

/* The plan of the rules for which `holds` is true: the same one for ever. NULL: there are too many,
 * or there is no memory. */
const struct plan *plan_of(const bool *holds, bool of_loader);

/* No rule, and MEMKIND_DEFAULT. */
const struct plan *plan_none(void);

extern _Atomic(const struct plan *) plan_all[PLANS] __attribute__((visibility("hidden")));

/* By its number. */
static inline const struct plan *plan_get(unsigned number)
{
    return atomic_load_explicit(&plan_all[number], memory_order_relaxed);
}

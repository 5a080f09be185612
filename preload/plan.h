/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * plan: the rules that are left for a caller, in their order.
 *
 * Where the size of a block alone says which rule it is for, and that gives a kind and nothing
 * else, a table of the plan has the kind (library.h).
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
    size_t below; /* blocks of less bytes are simply of `kind` */
    memkind_t kind;
    struct memkind_sizes *sizes; /* asks `fallback` of the basis */
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
    /* What malloc() is asked for, where the table of a plan does not say which kind that is. */
    void *(*fallback)(size_t size, const void *plan, const void *caller);
};

/* False: there is no memory. */
bool plan_begin(const struct plan_basis *basis);

/* All rules. */
const struct rules *plan_rules(void);

/* The plan of the rules for which `holds` is true: the same one for ever. NULL: there are too many,
 * or there is no memory. */
const struct plan *plan_of(const bool *holds, bool of_loader);

/* No rule, and MEMKIND_DEFAULT. */
const struct plan *plan_none(void);

/* Written before plan_of() answers. */
extern _Atomic(const struct plan *) plan_all[PLANS] __attribute__((visibility("hidden")));

extern _Atomic(const struct memkind_sizes *) plan_sizes[PLANS]
    __attribute__((visibility("hidden")));

/* By their numbers. */
static inline const struct memkind_sizes *plan_get_sizes(unsigned number)
{
    return atomic_load_explicit(&plan_sizes[number], memory_order_relaxed);
}

static inline const struct plan *plan_get(unsigned number)
{
    return atomic_load_explicit(&plan_all[number], memory_order_relaxed);
}

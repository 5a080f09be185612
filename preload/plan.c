/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see plan.h. */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "library.h"

static struct plan_basis basis;
static struct plan none = {.below = SIZE_MAX};

_Atomic(const struct plan *) plan_all[PLANS];
_Atomic(const struct memkind_sizes *) plan_sizes[PLANS];

bool plan_begin(const struct plan_basis *the_basis)
{
    basis = *the_basis;
    none.kind = MEMKIND_DEFAULT;
    none.sizes = memkind_sizes_new(basis.fallback, &none);
    if (none.sizes)
        memkind_sizes_set(none.sizes, 0, SIZE_MAX, none.kind);
    return none.sizes != NULL;
}

const struct rules *plan_rules(void)
{
    return &basis.rules;
}

const struct plan *plan_none(void)
{
    return &none;
}

/* Which blocks are simply of a kind, without a look at anything but the size: from 1 byte on, up
 * to where another rule may begin. */
static void simplify(struct plan *plan)
{
    plan->below = SIZE_MAX;
    plan->kind = basis.rest;
    for (unsigned i = 0; i < plan->count && plan->below; i++) {
        const struct rule *rule = &basis.rules.rule[plan->rule[i]];
        memkind_t kind = basis.simple_kind(plan->rule[i]);

        if (rule->low > 1) {
            plan->below = rule->low < plan->below ? rule->low : plan->below;
            continue;
        }
        plan->kind = kind;
        if (!kind)
            plan->below = 0;
        else if (rule->high < plan->below)
            plan->below = rule->high + 1;
        return;
    }
}

/* The last rule first: what comes before it has the last word. False: there is no memory. */
static bool make_sizes(struct plan *plan)
{
    plan->sizes = memkind_sizes_new(basis.fallback, plan);
    if (!plan->sizes)
        return false;
    if (plan->of_loader)
        return true; /* it is to be looked at each time */
    memkind_sizes_set(plan->sizes, 0, SIZE_MAX, basis.rest);
    for (unsigned i = plan->count; i-- > 0;) {
        const struct rule *rule = &basis.rules.rule[plan->rule[i]];

        memkind_sizes_set(plan->sizes, rule->low, rule->high, basis.simple_kind(plan->rule[i]));
    }
    return true;
}

static struct plan *make(const bool *holds, bool of_loader)
{
    struct plan *plan = malloc(sizeof *plan + basis.rules.count * sizeof plan->rule[0]);

    if (!plan)
        return NULL;
    *plan = (struct plan){.of_loader = of_loader};
    for (size_t i = 0; i < basis.rules.count; i++) {
        const struct rule *rule = &basis.rules.rule[i];

        if (!holds[i])
            continue;
        plan->rule[plan->count++] = (uint16_t)i;
        if (!rule->asks[RULES_SIZE] && !rule->asks[RULES_THREAD])
            break; /* it takes all that come here */
    }
    simplify(plan);
    if (of_loader)
        plan->below = 0;
    return plan;
}

static bool is_same(const struct plan *a, const struct plan *b)
{
    return a->of_loader == b->of_loader && a->count == b->count &&
           memcmp(a->rule, b->rule, a->count * sizeof a->rule[0]) == 0;
}

/* Two threads that make the same one at a time may make two. */
const struct plan *plan_of(const bool *holds, bool of_loader)
{
    struct plan *plan = make(holds, of_loader);
    const struct plan *there = NULL;

    for (unsigned i = 0; plan && i < PLANS; i++) {
        plan->number = (uint16_t)i;
        there = atomic_load(&plan_all[i]);
        if (!there && (plan->sizes || make_sizes(plan)) &&
            atomic_compare_exchange_strong(&plan_all[i], &there, plan))
            there = plan;
        if (there && is_same(there, plan))
            atomic_store(&plan_sizes[i], there->sizes); /* whoever made it may be about to */
        if (!there || is_same(there, plan))
            break;
        there = NULL;
    }
    if (there == plan)
        return plan;
    if (plan)
        memkind_free(NULL, plan->sizes);
    free(plan);
    return there;
}

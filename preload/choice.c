/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see choice.h. */
#include "choice.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "callers.h"
#include "ledger.h"
#include "library.h"
#include "place.h"
#include "plan.h"
#include "settings.h"
#include "thread_name.h"

/* A rule at work. */
struct state {
    _Alignas(64) memkind_t kind[RULES_KINDS];
    memkind_t simple; /* what all its blocks simply come from; NULL: more is to be known */
    memkind_t instead;
    bool is_counted;
    atomic_size_t given[RULES_KINDS]; /* of a ratio, ever */
    atomic_size_t blocks, elsewhere, bytes, live, peak;
};

static const struct rules *rules;
static struct state *states;
static memkind_t rest;         /* for blocks that no rule is for */
static const struct plan *all; /* of every caller; NULL: callers are asked */
static bool is_watched;        /* every block is counted, for the report */
static bool has_ledger;        /* some rule has blocks in it */

/* --- the report ------------------------------------------------------------------------------- */

static const char *name_of(int kind)
{
    return settings_kinds[kind];
}

static size_t kibibytes(size_t bytes)
{
    return (bytes + 1023) / 1024;
}

static void report(struct output *output)
{
    output_print(output, "%-6s %12s %12s %12s %12s %12s  %s\n", "line", "calls", "elsewhere",
                 "bytes", "peak", "live", "rule");
    for (size_t i = 0; i < rules->count; i++) {
        struct state *state = &states[i];
        char text[1024];

        (void)!rules_print(text, sizeof text, &rules->rule[i], name_of);
        output_print(output, "%-6u %12zu %12zu %12zu %12zu %12zu  %s\n", rules->rule[i].line,
                     state->blocks, state->elsewhere, kibibytes(state->bytes),
                     kibibytes(state->peak), kibibytes(state->live), text);
    }
}

/* --- a choice --------------------------------------------------------------------------------- */

struct decision {
    struct state *state; /* NULL: no rule is for the block, or it is past the rule's limit */
    size_t number;       /* of the rule */
    memkind_t kind;
    memkind_t instead; /* where the kind has no memory */
};

/* The rule's number; rules->count: there is none. A block of 0 bytes is one of 1. */
static inline size_t find(const struct plan *plan, size_t size)
{
    size += !size;
    for (unsigned i = 0; i < plan->count; i++) {
        const struct rule *rule = &rules->rule[plan->rule[i]];

        if (size < rule->low || size > rule->high)
            continue;
        if (!rule->asks[RULES_THREAD] || thread_name_is(rule->thread))
            return plan->rule[i];
    }
    return rules->count;
}

/* Of a ratio, the kind that is farthest behind. */
static memkind_t next_of(struct state *state, const struct rule *rule, size_t size)
{
    double least = 0;
    unsigned next = 0;

    for (unsigned i = 0; i < rule->kinds; i++) {
        double given = (double)atomic_load_explicit(&state->given[i], memory_order_relaxed);
        double then = (given + (double)size) / rule->share[i];

        if (i == 0 || then < least) {
            least = then;
            next = i;
        }
    }
    atomic_fetch_add_explicit(&state->given[next], size, memory_order_relaxed);
    return state->kind[next];
}

/* Takes bytes of what the rule may give. False: it is past its limit. */
static bool take(struct state *state, const struct rule *rule, size_t size)
{
    size_t live;

    if (rule->limit && size > rule->limit)
        return false; /* other threads never see it there */
    live = atomic_fetch_add_explicit(&state->live, size, memory_order_relaxed);
    if (!rule->limit || live <= rule->limit - size)
        return true;
    atomic_fetch_sub_explicit(&state->live, size, memory_order_relaxed);
    return false;
}

static void give_back(struct state *state, size_t size)
{
    atomic_fetch_sub_explicit(&state->live, size, memory_order_relaxed);
}

/* For the report, which not every program has. */
static inline void note(atomic_size_t *counter, size_t more)
{
    if (unlikely(is_watched))
        atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

static void note_peak(struct state *state, size_t live)
{
    size_t peak = atomic_load_explicit(&state->peak, memory_order_relaxed);

    while (live > peak &&
           !atomic_compare_exchange_weak_explicit(&state->peak, &peak, live, memory_order_relaxed,
                                                  memory_order_relaxed))
        continue;
}

/* By the rule of this number. A decision for a counted rule has `size` bytes of the rule until
 * settle() or give_back(). */
static inline struct decision decide(size_t number, size_t size)
{
    struct decision decision = {.number = number, .kind = rest, .instead = MEMKIND_DEFAULT};
    const struct rule *rule = &rules->rule[number];
    struct state *state = &states[number];

    if (number == rules->count)
        return decision;
    decision.kind = rule->kinds > 1 ? next_of(state, rule, size) : state->kind[0];
    decision.instead = state->instead;
    if (!state->is_counted)
        return decision;
    note(&state->blocks, 1);
    if (take(state, rule, size)) {
        decision.state = state;
        return decision;
    }
    note(&state->elsewhere, 1);
    decision.kind = state->instead;
    decision.instead = MEMKIND_DEFAULT;
    return decision;
}

/* The block has come: it has what it is rounded up to. False: that is past the limit, and the rule
 * has its bytes back. */
static inline __attribute__((always_inline)) bool settle(const struct decision *decision,
                                                         void *block, size_t size)
{
    struct state *state = decision->state;
    size_t limit, usable, more, live;

    if (!state)
        return true;
    limit = rules->rule[decision->number].limit;
    usable = memkind_malloc_usable_size(NULL, block);
    more = usable - size;
    /* Where nothing is added, it is within the limit, as it was taken. */
    live = more ? atomic_fetch_add_explicit(&state->live, more, memory_order_relaxed) + more
                : atomic_load_explicit(&state->live, memory_order_relaxed);
    if ((more && limit && live > limit) || !ledger_put(block, decision->number)) {
        give_back(state, usable);
        return false;
    }
    note(&state->bytes, usable);
    if (unlikely(is_watched))
        note_peak(state, live);
    return true;
}

/* --- blocks ----------------------------------------------------------------------------------- */

/* The kind has no memory, or not within the limit. */
static __attribute__((cold)) void *fulfil_elsewhere(const struct decision *decision, size_t size,
                                                    size_t alignment, enum filling filling)
{
    void *block = NULL;

    if (decision->state)
        note(&decision->state->elsewhere, 1);
    if (decision->instead != decision->kind || decision->state)
        block = serve_alone(decision->instead, size, alignment, filling);
    if (!block && decision->instead != MEMKIND_DEFAULT)
        block = serve_alone(MEMKIND_DEFAULT, size, alignment, filling);
    return block;
}

static inline __attribute__((always_inline)) void *fulfil(struct decision *decision, size_t size,
                                                          size_t alignment, enum filling filling)
{
    void *block = serve_alone(decision->kind, size, alignment, filling);

    if (likely(block) && likely(settle(decision, block, size)))
        return block;
    if (block)
        memkind_free(NULL, block);
    else if (decision->state)
        give_back(decision->state, size);
    return fulfil_elsewhere(decision, size, alignment, filling);
}

static __attribute__((noinline)) void *choose_by(size_t number, size_t size, size_t alignment,
                                                 enum filling filling)
{
    struct decision decision = decide(number, size);

    return fulfil(&decision, size, alignment, filling);
}

static __attribute__((noinline)) void *choose(const struct plan *plan, size_t size,
                                              size_t alignment, enum filling filling)
{
    if (unlikely(callers_busy))
        return serve(MEMKIND_DEFAULT, size, alignment, filling);
    if (unlikely(plan->of_loader))
        callers_follow_loader();
    return choose_by(find(plan, size), size, alignment, filling);
}

/* The kind that blocks of a rule simply come from; NULL: more is to be known. */
static inline memkind_t simple_of(size_t number)
{
    return number < rules->count ? states[number].simple : rest;
}

static inline void *alloc_by_plan(const struct plan *plan, size_t size, size_t alignment,
                                  enum filling filling)
{
    size_t number;
    memkind_t kind;
    void *block;

    if (size < plan->below) {
        block = serve_alone(plan->kind, size, alignment, filling);
        return likely(block) ? block : choose(plan, size, alignment, filling);
    }
    if (unlikely(plan->of_loader || callers_busy))
        return choose(plan, size, alignment, filling);
    number = find(plan, size);
    kind = simple_of(number);
    block = likely(kind) ? serve_alone(kind, size, alignment, filling) : NULL;
    return likely(block) ? block : choose_by(number, size, alignment, filling);
}

void *choice_alloc(size_t size, size_t alignment, enum filling filling, const void *caller)
{
    return alloc_by_plan(all ? all : callers_plan(caller), size, alignment, filling);
}

/* What malloc() is asked for, where the plan's table does not say which kind that is of. */
static void *malloc_by_plan(size_t size, const void *plan, const void *caller)
{
    (void)caller; /* the plan is the caller's */
    return alloc_by_plan(plan, size, 1, AS_IS);
}

static __attribute__((noinline)) void *malloc_by_new_caller(size_t size, const void *caller)
{
    return memkind_sizes_malloc(size, callers_find(caller)->sizes, caller);
}

/* Nothing is kept for after a call: both are jumps. */
static void *malloc_by_caller(size_t size, const void *how, const void *caller)
{
    unsigned plan;

    (void)how; /* each caller has its own */
    return likely(callers_hit(caller, &plan))
               ? memkind_sizes_malloc(size, plan_get_sizes(plan), caller)
               : malloc_by_new_caller(size, caller);
}

/* The rule has the block's bytes back. */
void choice_forget(void *block)
{
    size_t number;

    if (has_ledger && ledger_take(block, &number))
        give_back(&states[number], memkind_malloc_usable_size(NULL, block));
}

/* A kind that the rule may have had the block from already. */
static bool is_of(memkind_t kind, const struct decision *decision)
{
    if (kind == decision->kind)
        return true;
    if (decision->number < rules->count && rules->rule[decision->number].kinds > 1)
        for (unsigned i = 0; i < rules->rule[decision->number].kinds; i++)
            if (kind == states[decision->number].kind[i])
                return true;
    return false;
}

/* The rule that a block is of, and the bytes that it has of it. */
struct share {
    bool is_there;
    size_t number, size;
};

static struct share take_share(void *block)
{
    struct share share = {0};

    share.is_there = has_ledger && ledger_take(block, &share.number);
    if (share.is_there) {
        share.size = memkind_malloc_usable_size(NULL, block);
        give_back(&states[share.number], share.size);
    }
    return share;
}

static void put_share_back(void *block, const struct share *share)
{
    if (share->is_there && ledger_put(block, share->number))
        note(&states[share->number].live, share->size);
}

/* Where the kind stays as it is, and nobody counts. NULL: it is not so. */
static void *resize_simply(const struct plan *plan, void *block, size_t size)
{
    memkind_t kind = plan->kind;

    if (has_ledger)
        return NULL;
    if (size >= plan->below)
        kind = likely(!plan->of_loader) ? simple_of(find(plan, size)) : NULL;
    return kind && kind == memkind_detect_kind(block)
               ? memkind_realloc(NULL, block, serve_size(size))
               : NULL;
}

/* The bytes that the block has of a limit are no reason for it to go elsewhere. What is past the
 * limit by what it is rounded up to stays where it is. */
void *choice_resize(void *block, size_t size, const void *caller)
{
    const struct plan *plan = all ? all : callers_plan(caller);
    struct decision decision;
    struct share share;
    size_t old_size;
    void *moved;

    if (unlikely(callers_busy))
        return memkind_realloc(NULL, block, serve_size(size));
    moved = resize_simply(plan, block, size);
    if (likely(moved))
        return moved;
    share = take_share(block);
    decision = decide(find(plan, size), size);
    if (is_of(memkind_detect_kind(block), &decision)) {
        moved = memkind_realloc(NULL, block, serve_size(size));
        if (moved) {
            (void)settle(&decision, moved, size);
            return moved;
        }
    }
    moved = fulfil(&decision, size, 1, AS_IS);
    if (!moved) {
        put_share_back(block, &share);
        return NULL;
    }
    old_size = memkind_malloc_usable_size(NULL, block);
    memcpy(moved, block, old_size < size ? old_size : size);
    memkind_free(NULL, block);
    return moved;
}

/* --- the start -------------------------------------------------------------------------------- */

static void make_state(struct state *state, const struct rule *rule)
{
    state->is_counted = is_watched || rule->limit;
    state->instead = rule->instead < 0 ? MEMKIND_DEFAULT : settings_kind(rule->instead);
    if (memkind_check_available(state->instead))
        state->instead = MEMKIND_DEFAULT;
    for (unsigned i = 0; i < rule->kinds; i++) {
        state->kind[i] = settings_kind(rule->kind[i]);
        /* As if it had no memory, but not tried again and again. */
        if (memkind_check_available(state->kind[i]))
            state->kind[i] = state->instead;
    }
    if (!rule->asks[RULES_THREAD] && rule->kinds == 1 && !state->is_counted)
        state->simple = state->kind[0];
    has_ledger |= state->is_counted;
}

static memkind_t simple_kind(size_t rule)
{
    return states[rule].simple;
}

static bool asks_for_callers(void)
{
    for (size_t i = 0; i < rules->count; i++)
        for (int condition = RULES_MODULE; condition < RULES_ANY; condition++)
            if (condition != RULES_THREAD && rules->rule[i].asks[condition])
                return true;
    return false;
}

/* Every rule holds for every caller. */
static const struct plan *plan_for_all(void)
{
    bool *holds = malloc(rules->count);
    const struct plan *plan = NULL;

    if (holds) {
        memset(holds, true, rules->count);
        plan = plan_of(holds, false);
    }
    free(holds);
    return plan;
}

static bool begin(struct front *front)
{
    states = aligned_alloc(_Alignof(struct state), (rules->count + 1) * sizeof *states);
    if (!states)
        return false;
    memset(states, 0, rules->count * sizeof *states);
    for (size_t i = 0; i < rules->count; i++)
        make_state(&states[i], &rules->rule[i]);
    if (has_ledger && !ledger_begin())
        return false;
    if (asks_for_callers()) {
        if (!callers_begin())
            return false;
        front->below = 0;
        front->malloc = malloc_by_caller;
        return true;
    }
    all = plan_for_all();
    if (!all)
        return false;
    front->kind = all->kind;
    front->below = all->below;
    front->malloc = memkind_sizes_malloc;
    front->how = all->sizes;
    return true;
}

bool choice_begin(struct front *front, const struct rules *all_rules, bool counted)
{
    const struct plan_basis basis = {*all_rules, front->kind, simple_kind, malloc_by_plan};

    if (!plan_begin(&basis))
        return false;
    rules = plan_rules();
    rest = front->kind;
    is_watched = counted;
    if (!begin(front))
        return false;
    front->follows = has_ledger;
    front->resizes = true;
    front->report = report;
    return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see facts.h. */
#include "kinds/machine/facts.h"

#include <errno.h>
#include <memkind.h>
#include <stdatomic.h>
#include <string.h>

#include "kinds/system/callbacks.h"
#include "kinds/system/leftover.h"
#include "kinds/system/os.h"
#include "kinds/system/stack.h"
#include "kinds/system/sysfs.h"

#define LOOK_SECONDS 2 /* kinds follow the machine within ten, whatever else takes its time */

static const struct fact_rule *const rules[FACTS] = {
    [FACT_TOPOLOGY] = &topology_rule, [FACT_ATTRIBUTES] = &attributes_rule,
    [FACT_DAX_BUS] = &dax_bus_rule,   [FACT_TIERS] = &tiers_rule,
    [FACT_HBW] = &selector_hbw_rule,  [FACT_DAX] = &selector_dax_rule,
};

struct facts {
    _Atomic(void *) known[FACTS]; /* NULL: not yet */
    atomic_bool doubtful;         /* something could not be read when it was wanted */
    struct facts *next;           /* of the retired */
};

static struct facts first;
static _Atomic(struct facts *) current = &first;
static _Atomic(struct facts *) retired; /* sets that a thread may still be looking at */
static atomic_uint readers;             /* threads between facts_begin() and facts_end() */
static atomic_long looked;              /* the second in which somebody looked last */

/* The calling thread's. */
static __thread struct {
    struct facts *facts; /* what it sees; NULL: whatever is current */
    /* Of facts_begin(); of these, inside an allocation. One word, or Clang lays them out as
     * variables of eight bytes each, and all of the library's have 64 (docs/design/fork.md). */
    unsigned depth : 16, inside : 16;
} mine __attribute__((tls_model("initial-exec")));

/* --- sets ------------------------------------------------------------------------------------- */

static void drop(struct facts *facts)
{
    for (int i = 0; i < FACTS; i++)
        if (facts->known[i])
            leftover_unmap(facts->known[i], rules[i]->size);
    if (facts != &first)
        leftover_unmap(facts, sizeof *facts);
}

static void retire(struct facts *facts)
{
    facts->next = atomic_load(&retired);
    while (!atomic_compare_exchange_weak(&retired, &facts->next, facts))
        ;
}

/* A thread that comes to see a set after it was retired does not exist: so those that are retired
 * already when nobody is reading can go. */
static void drop_retired(void)
{
    struct facts *list = atomic_exchange(&retired, NULL);
    bool unused = atomic_load(&readers) == 0;

    while (list) {
        struct facts *next = list->next;

        if (unused)
            drop(list);
        else
            retire(list);
        list = next;
    }
}

static void see_current(void)
{
    atomic_fetch_add(&readers, 1);
    mine.facts = atomic_load(&current);
    mine.depth = 1;
}

static void see_nothing(void)
{
    mine.depth = 0;
    mine.facts = NULL;
    if (atomic_fetch_sub(&readers, 1) == 1 && atomic_load(&retired))
        drop_retired();
}

/* --- one fact --------------------------------------------------------------------------------- */

/* The fact of the set that the thread sees, if it had to be computed. */
static void *compute(enum fact fact, bool log)
{
    struct facts *facts = mine.facts;
    const struct fact_rule *rule = rules[fact];
    unsigned troubles = sysfs_troubles();
    int error = errno;
    void *known = NULL, *fresh = os_map(rule->size, os_page_size());

    if (!fresh)
        return NULL;
    rule->compute(fresh);
    errno = error; /* files that are not there are no failure of what the program called */
    if (sysfs_troubles() != troubles)
        atomic_store(&facts->doubtful, true);
    if (!atomic_compare_exchange_strong(&facts->known[fact], &known, fresh)) {
        leftover_unmap(fresh, rule->size);
        return known;
    }
    if (log)
        rule->log(fresh);
    return fresh;
}

const void *facts_get(enum fact fact)
{
    struct facts *facts = mine.facts ? mine.facts : atomic_load(&current);
    void *known = atomic_load_explicit(&facts->known[fact], memory_order_acquire);
    bool unseen = !mine.facts;

    if (known)
        return known;
    if (unseen)
        see_current();
    known = compute(fact, true);
    if (unseen)
        see_nothing();
    return known;
}

bool facts_may_allocate(void)
{
    return !mine.inside;
}

/* --- what is true now ------------------------------------------------------------------------- */

/* In the thread's sight: what `old` knows, computed anew. False: there is no memory. */
static bool compute_again(struct facts *old)
{
    for (int i = 0; i < FACTS; i++)
        if (atomic_load_explicit(&old->known[i], memory_order_acquire) && !mine.facts->known[i] &&
            !compute((enum fact)i, false))
            return false;
    return true;
}

static bool same(struct facts *old, struct facts *fresh)
{
    if (atomic_load(&old->doubtful))
        return false;
    for (int i = 0; i < FACTS; i++)
        if (fresh->known[i] &&
            (!old->known[i] || memcmp(old->known[i], fresh->known[i], rules[i]->size) != 0))
            return false;
    return true;
}

static void log_changes(struct facts *old, struct facts *fresh)
{
    callbacks->log("the machine has changed");
    for (int i = 0; i < FACTS; i++)
        if (fresh->known[i] &&
            (!old->known[i] || memcmp(old->known[i], fresh->known[i], rules[i]->size) != 0))
            rules[i]->log(fresh->known[i]);
}

/* One attempt; the thread sees the current set, which stays until it looks away. False: another
 * thread was quicker, with what it found at some other time. */
static bool try_refresh(int *error)
{
    struct facts *old = mine.facts, *fresh = os_map(sizeof *fresh, os_page_size());
    bool replaced;

    *error = MEMKIND_ERROR_MMAP;
    if (!fresh)
        return true;
    mine.facts = fresh;
    *error = compute_again(old) ? 0 : MEMKIND_ERROR_MMAP;
    mine.facts = old;
    if (!*error && atomic_load(&fresh->doubtful))
        *error = MEMKIND_ERROR_OPERATION_FAILED;
    if (*error || same(old, fresh)) {
        drop(fresh);
        return *error || atomic_load(&current) == old;
    }
    replaced = atomic_compare_exchange_strong(&current, &old, fresh);
    if (!replaced) {
        drop(fresh);
        return false;
    }
    mine.facts = fresh;
    log_changes(old, fresh);
    retire(old);
    callbacks->changed();
    return true;
}

static void refresh_on_stack(void *argument)
{
    int *error = argument, errno_before = errno;

    while (!try_refresh(error))
        mine.facts = atomic_load(&current);
    errno = errno_before;
}

int facts_refresh(void)
{
    int error = 0;

    see_current();
    stack_run(refresh_on_stack, &error);
    see_nothing();
    if (error)
        callbacks->log("what is true of the machine now cannot be found out: what was known stays");
    return error;
}

/* --- looking ---------------------------------------------------------------------------------- */

static bool is_current(const struct facts *facts)
{
    if (atomic_load(&facts->doubtful))
        return false;
    for (int i = 0; i < FACTS; i++)
        if (facts->known[i] && rules[i]->is_current && !rules[i]->is_current(facts->known[i]))
            return false;
    return true;
}

static void look_on_stack(void *nothing)
{
    int error, errno_before = errno;

    (void)nothing;
    if (!is_current(mine.facts))
        refresh_on_stack(&error);
    errno = errno_before;
}

/* Whether it is this thread's turn to look. */
static bool is_due(void)
{
    long now = os_seconds(), last = atomic_load_explicit(&looked, memory_order_relaxed);

    return now - last >= LOOK_SECONDS && atomic_compare_exchange_strong(&looked, &last, now) &&
           atomic_load_explicit(&mine.facts->known[FACT_TOPOLOGY], memory_order_acquire);
}

void facts_begin(enum facts_place place)
{
    mine.inside += place == FACTS_INSIDE;
    if (mine.depth) {
        mine.depth++;
        return;
    }
    see_current();
    if (is_due())
        stack_run(look_on_stack, NULL);
}

void facts_end(enum facts_place place)
{
    mine.inside -= place == FACTS_INSIDE;
    if (mine.depth > 1)
        mine.depth--;
    else
        see_nothing();
}

void facts_forked(void)
{
    atomic_store(&readers, mine.depth != 0);
}

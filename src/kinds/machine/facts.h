/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * facts: all that is known of the machine; found piece by piece, replaced as a whole.
 *
 * A fact (the topology, the high-bandwidth nodes ...) is computed when it is first needed. That may
 * take system calls, may happen on several threads at once and, where it calls into other
 * libraries, even inside itself: no lock is held meanwhile. The first value that is complete is
 * kept in the set of facts, and never changes there.
 *
 * Machines change: nodes come (CXL, daxctl) and go, a cgroup's cpuset shrinks. facts_refresh()
 * computes whatever was known anew. Where anything is different, a new set takes the place of the
 * old one at once, so nobody compares the nodes of today with the bandwidths of yesterday; where
 * nothing is, nothing happens, and nothing is kept. What cannot be read for want of descriptors or
 * memory is no news: the old facts stay, and are asked for again later.
 *
 * Who reads facts does so between facts_begin() and facts_end(), and sees one set all that time. An
 * old set goes when no thread is in between. facts_begin() looks whether the machine has changed,
 * every LOOK_SECONDS at the most, by little that is cheap to read. A program that never calls it
 * keeps the first set, and may hold what it was given for ever: tests, and tools, which begin and
 * never end.
 *
 * Threads: any; nothing here allocates, nor locks, but for leftover.h. (libdaxctl does: dax.h.)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum fact {
    FACT_TOPOLOGY,
    FACT_ATTRIBUTES,
    FACT_DAX_BUS,
    FACT_TIERS,
    FACT_HBW,
    FACT_DAX,
    FACTS,
};

/* How a fact is found: topology_rule, attributes_rule ... of the modules. */
struct fact_rule {
    size_t size;                    /* bytes of the value */
    void (*compute)(void *value);   /* writes it into zeroed memory */
    void (*log)(const void *value); /* called with a value that is kept */
    /* Whether it is true now, by little that is cheap to read. NULL: nothing of that sort tells. */
    bool (*is_current)(const void *value);
};

extern const struct fact_rule topology_rule, attributes_rule, dax_bus_rule, tiers_rule,
    selector_hbw_rule, selector_dax_rule;

/* A fact of the set that the thread sees. NULL: there is no memory to keep it in. Otherwise errno
 * stays as it was. */
const void *facts_get(enum fact fact);

/* Where facts are asked for. Inside an allocation, locks of the heap manager may be held: then
 * nothing is called that might allocate itself. */
enum facts_place { FACTS_OUTSIDE, FACTS_INSIDE };

/* Pairs may lie inside each other: the outermost one decides which set it is. errno stays. */
void facts_begin(enum facts_place place);
void facts_end(enum facts_place place);

/* Whether what is computed now may call other libraries. */
bool facts_may_allocate(void);

/* 0: what is known is true, and was found after the call began. MEMKIND_ERROR_MMAP,
 * MEMKIND_ERROR_OPERATION_FAILED: there is no memory, or no descriptor, to find out. Not between
 * facts_begin() and facts_end(). */
int facts_refresh(void);

/* In the child of a fork(2): the parent's other threads are not in the middle of anything. */
void facts_forked(void);

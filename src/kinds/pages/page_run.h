/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * page_run: the records of run_cache.h: which pieces of which regions are used, and which are free.
 *
 * The runs of a region are linked with their neighbours; no two free ones lie side by side. Each
 * run is in one list of its set: of the used, of the leaving, or of the free ones of about its
 * size. A cache has one set. Those that decay are also in one list of all sets, the oldest first.
 *
 * Threads: every function with run_cache.c's lock, which also guards the lists and the records; but
 * for page_run_unit(), which is constant.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define PAGE_RUN_BINS 128    /* four for each power of two: 64 TiB and more are in the last */
#define RUN_AT_ONCE LONG_MIN /* freed so long ago that it leaves at the next decay */

struct page_run;
LIST_HEAD(page_run_list, page_run);

struct page_run_set {
    struct page_run_list used, leaving;       /* leaving: about to be unmapped or purged */
    struct page_run_list bins[PAGE_RUN_BINS]; /* free runs, by size */
    uint64_t filled[PAGE_RUN_BINS / 64];      /* a bit for each bin that has runs */
    size_t used_size;                         /* bytes of used runs */
    size_t kept_size;                         /* bytes of other runs that may be backed by pages */
    size_t size;                              /* bytes of all runs */
};

struct page_run {
    LIST_ENTRY(page_run) entry;       /* in one list of its set */
    struct page_run *before, *behind; /* its neighbours in its region */
    struct page_run *older, *newer;   /* of those that age; older: also in a list of leaving runs */
    struct page_run_set *set;         /* NULL: used, and a parent's, before fork(2) */
    char *start;
    size_t size;
    long freed; /* in this second of os_seconds(), or RUN_AT_ONCE */
    enum page_run_state { RUN_USED, RUN_FREE, RUN_LEAVING } state;
    size_t kept; /* of its bytes, so many may be backed by pages */
    bool ages;
    bool zeroed; /* what is not backed reads as zeroes */
    bool purged; /* a part of it: to be committed before use */
};

extern struct page_run *page_run_oldest, *page_run_newest; /* of those that age */

/* Over all sets: bytes of used runs, and of free ones that age and may be backed by pages. */
extern size_t page_run_all_used, page_run_all_kept;

/* What sizes are multiples of, and addresses. */
size_t page_run_unit(void);

/* A run in no list, without neighbours, of no state. NULL: no memory. */
struct page_run *page_run_make(struct page_run_set *set, char *start, size_t size);
void page_run_drop(struct page_run *run);

/* Puts a run behind another one by age; NULL: it becomes the oldest. */
void page_run_age_add(struct page_run *older, struct page_run *run);
/* For a run of no state, as the one above. Nothing, if it does not age. */
void page_run_age_remove(struct page_run *run);

/* Notes that a run is of a state now, in its set's lists and sums. */
void page_run_enter(struct page_run *run, enum page_run_state state);
/* The reverse: its size and flags may be changed until it enters a state again. */
void page_run_leave(struct page_run *run);

/* Whether it is all of its region. */
bool page_run_is_whole(const struct page_run *run);
/* Makes its neighbours each other's. */
void page_run_unlink(struct page_run *run);
/* Files a run of no state as free, joined with its free neighbours. */
void page_run_free(struct page_run *run);

/* The run in use that starts at an address; NULL: none. */
struct page_run *page_run_used_at(const void *address);
/* The smallest free run that does, as far as it is looked for. */
struct page_run *page_run_find(const struct page_run_set *set, size_t size);

/* Cuts a run of no state in two. The record of its end, of which nothing is set but where it is.
 * NULL: no memory for that. */
struct page_run *page_run_split(struct page_run *run, size_t size);
/* Makes the first `size` bytes of a free run used; the rest stays free, and as old as it is. NULL:
 * no memory to note it. */
struct page_run *page_run_cut(struct page_run *run, size_t size);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * sites: what is known of each call site.
 *
 * A site is a call stack and the kind of the blocks that it got. Numbers are estimates for all
 * blocks, made of those that were sampled (poisson.h). The table has a place for each, and never
 * loses one; when it is full, all further stacks are one site without frames, number 0.
 *
 * Threads: one at a time; sample.c has the lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stacks.h"

#define SITES ((size_t)8192)
#define SITES_SIZES 48     /* classes of size: up to 2 to the power of the class's number */
#define SITES_LIFETIMES 13 /* classes of lifetime: up to 10 to the power of that number, in us */

struct site {
    uint64_t samples; /* blocks that were sampled; 0: there is no such site */
    unsigned kind;    /* its number in settings_kinds; past its end: no static kind */
    unsigned frame_count;
    uintptr_t frames[STACKS_FRAMES];
    uint64_t hash;
    double calls, bytes;                    /* all blocks that came */
    double live_calls, live;                /* of them, blocks and bytes that are there now */
    double peak;                            /* the most bytes that were there at a time */
    double at_peak;                         /* bytes when all sites together had the most */
    size_t size_least, size_most;           /* of a sampled block */
    double sizes[SITES_SIZES];              /* blocks, by class */
    double freed;                           /* blocks that went; of them: */
    uint64_t lifetime_least, lifetime_most; /* in ns */
    double lifetime_sum;
    double lifetimes[SITES_LIFETIMES]; /* blocks, by class */
    double accesses;
};

struct sites {
    size_t count; /* with number 0 */
    double live, peak;
    bool at_peak; /* what is there now is more than there was ever before */
    double peak_noted;
    uint32_t index[SITES * 2]; /* hash table: a site's number, 0 for none */
    struct site site[SITES];
};

/* The number of the site with these frames. */
size_t sites_find(struct sites *sites, const uintptr_t *frames, size_t count, unsigned kind);

/* A sampled block comes, and goes after `lifetime` ns. */
void sites_add(struct sites *sites, size_t number, size_t size, double weight);
void sites_remove(struct sites *sites, size_t number, size_t size, double weight,
                  uint64_t lifetime);

/* Before the sites are read: what there was at the peak, should it be now. */
void sites_note_peak(struct sites *sites);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * timeline: bytes by call site over time.
 *
 * A point is taken when a sampled block comes or goes and the last one is long enough ago. There is
 * a fixed number of points: when all are used, those that are too close to each other are dropped,
 * and the next ones are twice as far from each other. So a short program has fine points, and a
 * long one is complete. The highest point is never dropped.
 *
 * Threads: one at a time; sample.c has the lock.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sites.h"

#define TIMELINE_POINTS ((size_t)512)

struct timeline {
    size_t count;
    uint64_t step; /* in ns */
    uint64_t next; /* not before */
    uint64_t last; /* when something last changed */
    struct timeline_point {
        uint64_t time;
        float total;  /* of all sites */
        size_t sites; /* later ones have nothing yet */
        float live[SITES];
    } points[TIMELINE_POINTS];
};

/* Something is about to change. */
void timeline_note(struct timeline *timeline, const struct sites *sites, uint64_t now);

/* The end: as if something changed, and the last point was long enough ago. */
void timeline_end(struct timeline *timeline, const struct sites *sites, uint64_t now);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see timeline.h. */
#include "timeline.h"

#include <stdbool.h>
#include <string.h>

#define FIRST_STEP 100000 /* ns */
#define HIGHER (1 + 1.0 / 64)

static void copy(struct timeline_point *to, const struct timeline_point *from)
{
    to->time = from->time;
    to->total = from->total;
    to->sites = from->sites;
    memmove(to->live, from->live, from->sites * sizeof from->live[0]);
}

/* Of the points within a step the highest stays; so the peak does, and both ends of a pause that is
 * longer than a step. */
static void thin_to_step(struct timeline *timeline)
{
    struct timeline_point *points = timeline->points;
    uint64_t begin = points[0].time;
    size_t kept = 0;

    for (size_t i = 1; i < timeline->count; i++) {
        bool begins = points[i].time - begin >= timeline->step;

        if (begins) {
            begin = points[i].time;
            kept++;
        }
        if (begins ? kept < i : points[i].total > points[kept].total)
            copy(&points[kept], &points[i]);
    }
    timeline->count = kept + 1;
}

static void thin(struct timeline *timeline)
{
    do {
        timeline->step *= 2;
        thin_to_step(timeline);
    } while (timeline->count > TIMELINE_POINTS / 2);
}

static void fill(struct timeline_point *point, const struct sites *sites, uint64_t time)
{
    point->time = time;
    point->total = (float)sites->live;
    point->sites = sites->count;
    for (size_t i = 0; i < sites->count; i++)
        point->live[i] = (float)sites->site[i].live;
}

static void add(struct timeline *timeline, const struct sites *sites, uint64_t time)
{
    if (timeline->count == TIMELINE_POINTS)
        thin(timeline);
    fill(&timeline->points[timeline->count++], sites, time);
    timeline->next = time + timeline->step;
}

/* What is there has been so since the last change. If that was long ago, there is a point at both
 * ends, or else it would look as if it had grown all the while. A point is the highest of its step,
 * but for a 64th: a program that grows would fill it anew with every sample. */
void timeline_note(struct timeline *timeline, const struct sites *sites, uint64_t now)
{
    if (!timeline->step)
        timeline->step = FIRST_STEP;
    if (now >= timeline->next) {
        if (timeline->count && now - timeline->last > timeline->step)
            add(timeline, sites, timeline->last);
        add(timeline, sites, now);
    } else if (sites->live > timeline->points[timeline->count - 1].total * HIGHER) {
        fill(&timeline->points[timeline->count - 1], sites, now);
    }
    timeline->last = now;
}

void timeline_end(struct timeline *timeline, const struct sites *sites, uint64_t now)
{
    timeline->next = 0;
    timeline_note(timeline, sites, now);
}

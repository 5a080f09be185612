/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see timeline.h. */
#include "timeline.h"

#define FIRST_STEP 100000 /* ns */

static void thin(struct timeline *timeline)
{
    for (size_t i = 1; i < timeline->count / 2; i++)
        timeline->points[i] = timeline->points[2 * i];
    timeline->count /= 2;
    timeline->step *= 2;
}

static void add(struct timeline *timeline, const struct sites *sites, uint64_t time)
{
    struct timeline_point *point;

    if (timeline->count == TIMELINE_POINTS)
        thin(timeline);
    point = &timeline->points[timeline->count++];
    point->time = time;
    point->sites = sites->count;
    for (size_t i = 0; i < sites->count; i++)
        point->live[i] = (float)sites->site[i].live;
    timeline->next = time + timeline->step;
}

/* What is there has been so since the last change. If that was long ago, there is a point at both
 * ends, or else it would look as if it had grown all the while. */
void timeline_note(struct timeline *timeline, const struct sites *sites, uint64_t now)
{
    if (!timeline->step)
        timeline->step = FIRST_STEP;
    if (now >= timeline->next) {
        if (timeline->count && timeline->last > timeline->points[timeline->count - 1].time &&
            now - timeline->last > timeline->step)
            add(timeline, sites, timeline->last);
        add(timeline, sites, now);
    }
    timeline->last = now;
}

void timeline_end(struct timeline *timeline, const struct sites *sites, uint64_t now)
{
    timeline->next = 0;
    timeline_note(timeline, sites, now);
}

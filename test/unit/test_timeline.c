/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* What a profile keeps of bytes over time, when it has no place for all of it. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "../../preload/timeline.h"

#define STEP 100000u /* ns: finer than the first step of a timeline */
#define CHANGES 20000u

static struct timeline *timeline;
static struct sites *sites;

/* Tables are large, and empty at first. */
static void prepare(void)
{
    timeline = calloc(1, sizeof *timeline);
    sites = calloc(1, sizeof *sites);
    cr_assert(timeline && sites);
    sites->count = 2;
}

static void forget(void)
{
    free(timeline);
    free(sites);
}

TestSuite(timeline, .init = prepare, .fini = forget);

static void change(uint64_t now, double live)
{
    timeline_note(timeline, sites, now);
    sites->live = sites->site[1].live = live;
}

static size_t highest(void)
{
    size_t found = 0;

    for (size_t i = 1; i < timeline->count; i++)
        if (timeline->points[i].live[1] > timeline->points[found].live[1])
            found = i;
    return found;
}

/* Whenever it is, and however short. */
Test(timeline, the_peak_stays)
{
    for (uint64_t peak = 1; peak < CHANGES; peak = peak * 3 + 1) {
        uint64_t now = 0;

        memset(timeline, 0, sizeof *timeline);
        sites->live = sites->site[1].live = 0;
        for (uint64_t i = 0; i < CHANGES; i++)
            change(now += STEP, i == peak ? 5000 : (double)(i % 1000));
        timeline_end(timeline, sites, now + STEP);
        cr_expect_leq(timeline->count, TIMELINE_POINTS);
        cr_expect_gt(timeline->count, TIMELINE_POINTS / 8);
        cr_expect_float_eq(timeline->points[highest()].live[1], 5000, 0.5, "%zu",
                           (size_t)timeline->points[highest()].live[1]);
        for (size_t i = 1; i < timeline->count; i++)
            cr_assert_leq(timeline->points[i - 1].time, timeline->points[i].time);
    }
}

/* A program that waits has as much at the end of it as at the beginning. */
Test(timeline, a_pause_keeps_both_ends)
{
    const uint64_t pause = (uint64_t)CHANGES * STEP / 20;

    for (uint64_t at = 10; at < CHANGES; at = at * 2 + 3) {
        uint64_t now = 0, begun = 0;
        size_t first;

        memset(timeline, 0, sizeof *timeline);
        sites->live = sites->site[1].live = 0;
        for (uint64_t i = 0; i < CHANGES; i++) {
            change(now += STEP, i == at ? 5000 : 10);
            if (i == at) {
                begun = now;
                now += pause;
            }
        }
        timeline_end(timeline, sites, now + STEP);
        first = highest();
        cr_expect_lt(timeline->points[first].time, begun + pause / 4);
        cr_assert_lt(first + 1, timeline->count);
        cr_expect_float_eq(timeline->points[first + 1].live[1], 5000, 0.5, "at %zu", (size_t)at);
        cr_expect_geq(timeline->points[first + 1].time, begun + pause);
    }
}

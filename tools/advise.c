/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see advise.h. */
#include "advise.h"

#include <stdlib.h>

/* --- groups ----------------------------------------------------------------------------------- */

/* NULL: it is the first site of this caller. */
static struct advise_group *find(const struct advice *advice, size_t frame)
{
    for (size_t i = 0; i < advice->count; i++)
        if (advice->groups[i].frame == frame)
            return &advice->groups[i];
    return NULL;
}

static size_t frame_of(const struct capture *capture, size_t site)
{
    return capture->sites[site].frame_count ? capture->sites[site].frames[0] : CAPTURE_NOWHERE;
}

static void group_sites(struct advice *advice, const struct capture *capture)
{
    for (size_t i = 0; i < capture->site_count; i++) {
        const struct capture_site *site = &capture->sites[i];
        size_t frame = frame_of(capture, i);
        struct advise_group *group = find(advice, frame);

        if (!group) {
            group = &advice->groups[advice->count++];
            *group = (struct advise_group){.frame = frame};
        }
        group->accesses += site->accesses;
        group->samples += site->samples;
        group->stacks++;
        if (site->peak > group->peak)
            group->peak = site->peak;
        if (site->size_most > group->largest)
            group->largest = site->size_most;
        advice->accesses += site->accesses;
    }
}

/* The most that all sites of a group had at a time: seen at the profile's points, which may miss a
 * short peak of several; that of a single site is known. */
static void find_peak(struct advise_group *group, const struct capture *capture)
{
    for (size_t point = 0; point < capture->point_count; point++) {
        uint64_t live = 0;

        for (size_t site = 0; site < capture->site_count; site++)
            if (frame_of(capture, site) == group->frame)
                live += capture->points[point].live[site];
        if (live > group->peak)
            group->peak = live;
    }
}

/* --- places ----------------------------------------------------------------------------------- */

/* Most accesses per byte first; what is equal, in the order of the capture. */
static int by_density(const void *a, const void *b)
{
    const struct advise_group *left = a, *right = b;
    double first = (double)left->accesses * (double)(right->peak ? right->peak : 1);
    double second = (double)right->accesses * (double)(left->peak ? left->peak : 1);

    if (first != second)
        return first > second ? -1 : 1;
    return left->frame < right->frame ? -1 : left->frame > right->frame;
}

static bool is_nowhere(const struct capture *capture, const struct advise_group *group)
{
    return group->frame == CAPTURE_NOWHERE ||
           capture->frames[group->frame].module == CAPTURE_NOWHERE;
}

/* A group that is not worth a budget has its place already. */
static bool try_budget(struct advise_group *group, struct advise_budget *budget, bool partly)
{
    uint64_t room = budget->size - budget->used;

    if (group->peak <= room) {
        group->place = ADVISE_PLACED;
        budget->used += group->peak;
        return true;
    }
    /* A part of its blocks, if there are several that have room: which ones, chance decides. */
    if (!partly || group->largest > room / 2)
        return false;
    group->place = ADVISE_PARTLY;
    group->limit = room;
    budget->used = budget->size;
    return true;
}

static void place(struct advise_group *group, struct advise_budget *budgets, size_t count)
{
    for (int partly = 0; partly < 2; partly++)
        for (size_t i = 0; i < count; i++)
            if (try_budget(group, &budgets[i], partly)) {
                group->budget = i;
                return;
            }
    group->place = ADVISE_NO_ROOM;
}

static double served_of(const struct advise_group *group)
{
    if (group->place == ADVISE_PLACED)
        return (double)group->accesses;
    if (group->place == ADVISE_PARTLY)
        return (double)group->accesses * (double)group->limit / (double)group->peak;
    return 0;
}

struct advice *advise(const struct capture *capture, struct advise_budget *budgets, size_t count)
{
    struct advice *advice = capture_must(calloc(1, sizeof *advice));

    advice->groups = capture_must(calloc(capture->site_count + 1, sizeof *advice->groups));
    group_sites(advice, capture);
    for (size_t i = 0; i < advice->count; i++)
        find_peak(&advice->groups[i], capture);
    qsort(advice->groups, advice->count, sizeof *advice->groups, by_density);
    for (size_t i = 0; i < advice->count; i++) {
        struct advise_group *group = &advice->groups[i];

        if (is_nowhere(capture, group))
            group->place = ADVISE_NOWHERE;
        else if (!group->accesses)
            group->place = ADVISE_IDLE;
        else
            place(group, budgets, count);
        advice->served += served_of(group);
    }
    return advice;
}

void advise_free(struct advice *advice)
{
    free(advice->groups);
    free(advice);
}

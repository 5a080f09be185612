/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see advise.h. */
#include "advise.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* --- groups ----------------------------------------------------------------------------------- */

/* The group of this caller, which may be a new one. */
static struct advise_group *find(struct advice *advice, size_t frame)
{
    struct advise_group *group = advice->groups;

    while (group < advice->groups + advice->count && group->frame != frame)
        group++;
    if (group == advice->groups + advice->count) {
        *group = (struct advise_group){.frame = frame};
        advice->count++;
    }
    return group;
}

/* group_of: by site. */
static void group_sites(struct advice *advice, const struct capture *capture, size_t *group_of)
{
    for (size_t i = 0; i < capture->site_count; i++) {
        const struct capture_site *site = &capture->sites[i];
        struct advise_group *group =
            find(advice, site->frame_count ? site->frames[0] : CAPTURE_NOWHERE);

        group_of[i] = (size_t)(group - advice->groups);
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
static void find_peaks(struct advice *advice, const struct capture *capture, const size_t *group_of)
{
    uint64_t *live = capture_must(malloc((advice->count + 1) * sizeof *live));

    for (size_t point = 0; point < capture->point_count; point++) {
        memset(live, 0, advice->count * sizeof *live);
        for (size_t site = 0; site < capture->site_count; site++)
            live[group_of[site]] += capture->points[point].live[site];
        for (size_t i = 0; i < advice->count; i++)
            if (live[i] > advice->groups[i].peak)
                advice->groups[i].peak = live[i];
    }
    free(live);
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

const char *advise_module(const struct capture *capture, size_t module)
{
    const char *path = capture->modules[module].path, *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* A word of a rule, in quotation marks or not, ends at one of these. */
static bool can_be_written(const char *module)
{
    for (const char *at = module; *at; at++)
        if (*at == '"' || iscntrl((unsigned char)*at))
            return false;
    return *module;
}

static bool is_nowhere(const struct capture *capture, const struct advise_group *group)
{
    size_t module =
        group->frame == CAPTURE_NOWHERE ? CAPTURE_NOWHERE : capture->frames[group->frame].module;

    return module == CAPTURE_NOWHERE || !can_be_written(advise_module(capture, module));
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
    size_t *group_of = capture_must(malloc((capture->site_count + 1) * sizeof *group_of));

    advice->groups = capture_must(calloc(capture->site_count + 1, sizeof *advice->groups));
    group_sites(advice, capture, group_of);
    find_peaks(advice, capture, group_of);
    free(group_of);
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

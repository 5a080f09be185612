/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * Why and thread rules: see profile_samples.h.
 *
 * Everything that happened, blocks that come and go and accesses, in the order of time: a tree has
 * the blocks that are there, by address.
 */
#define _GNU_SOURCE
#include "profile_samples.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096 /* what an access is of, where a whole region is told */

/* Of things at the same time, blocks go first, and come before they are used. */
enum what { GOES, COMES, USED };

struct event {
    uint64_t time; /* in ns */
    enum what what;
    const struct capture_block *block;
    uint64_t address, size; /* USED */
    double accesses;        /* of each byte of these */
};

struct events {
    struct event *event;
    size_t count, room;
};

static void add(struct events *events, struct event event)
{
    if (events->count == events->room) {
        events->room = events->room ? 2 * events->room : 4096;
        events->event =
            capture_must(reallocarray(events->event, events->room, sizeof *events->event));
    }
    events->event[events->count++] = event;
}

static int compare_events(const void *left, const void *right)
{
    const struct event *one = left, *two = right;

    if (one->time != two->time)
        return one->time < two->time ? -1 : 1;
    return (int)one->what - (int)two->what;
}

/* Blocks that are there do not overlap; the same is one that has a byte in common. */
static int compare_blocks(const void *left, const void *right)
{
    const struct capture_block *one = left, *two = right;

    if (one->address + one->size <= two->address)
        return -1;
    return two->address + two->size <= one->address;
}

/* --- the file --------------------------------------------------------------------------------- */

/* "65073.647275: 7f8fc4000010", in ns: all digits count, which a double has no room for. Behind a
 * region, "7f8fc4000000-7f8fc4200000 7", is how often a page of it, and so each, was found used. */
static bool read_line(const char *line, struct event *event)
{
    uint64_t part = 1000000000;
    char *end;

    errno = 0;
    *event =
        (struct event){.time = strtoull(line, &end, 10) * part, USED, .size = 1, .accesses = 1};
    if (end == line)
        return false;
    if (*end == '.')
        for (end++; *end >= '0' && *end <= '9'; end++) {
            part /= 10;
            event->time += part * (uint64_t)(*end - '0');
        }
    if (*end == ':')
        end++;
    line = end;
    event->address = strtoull(line, &end, 16);
    if (end > line && *end == '-' && isxdigit((unsigned char)end[1])) {
        event->size = strtoull(end + 1, &end, 16) - event->address;
        if (*end != ' ' || (int64_t)event->size <= 0)
            return false;
        event->accesses = (double)strtoull(end, &end, 10) / PAGE;
    }
    return end > line && line[0] == ' ' && !errno && end[strspn(end, " \n")] == '\0';
}

/* What comes before the profile's beginning is of no block. */
static bool read_samples(FILE *stream, const struct capture *capture, struct events *events,
                         struct samples *samples, const char *path, char *why)
{
    struct event event;
    char *line = NULL;
    size_t room = 0, lines = 0;
    bool well = true;

    while (well && getline(&line, &room, stream) > 0) {
        lines++;
        well = read_line(line, &event);
        if (!well)
            snprintf(why, 256, "%.150s: line %zu has no time in seconds and an address", path,
                     lines);
        else if (event.time >= capture->clock) {
            event.time -= capture->clock;
            add(events, event);
        }
        samples->count += well;
        samples->regions |= well && event.size > 1;
    }
    free(line);
    return well;
}

/* --- accesses --------------------------------------------------------------------------------- */

/* All blocks that have a part of it. Whichever the tree finds first, the others lie before and
 * behind it; before it there are half of them at most. */
static bool use(const struct capture *capture, struct event event, void **there, double *sums)
{
    struct capture_block wanted = {.address = event.address, .size = event.size};
    const struct capture_block *const *found;
    bool used = false;

    while (wanted.size && (found = tfind(&wanted, there, compare_blocks)) != NULL) {
        const struct capture_block *block = *found;
        uint64_t end = wanted.address + wanted.size, block_end = block->address + block->size;
        uint64_t first = wanted.address, last = end < block_end ? end : block_end;

        if (first < block->address) {
            event.address = first;
            event.size = block->address - first;
            use(capture, event, there, sums);
            first = block->address;
        }
        sums[block->site] += event.accesses * (double)(last - first) *
                             (-1 / expm1(-(double)block->size / (double)capture->rate));
        wanted.address = last;
        wanted.size = end - last;
        used = true;
    }
    return used;
}

static void happen(struct capture *capture, const struct event *event, void **there, double *sums,
                   struct samples *samples)
{
    const struct capture_block *const *found;
    const struct capture_block *block = event->block;

    switch (event->what) {
    case GOES:
        found = tfind(block, there, compare_blocks);
        if (found && *found == block)
            tdelete(block, there, compare_blocks);
        break;
    case COMES:
        capture_must(tsearch(block, there, compare_blocks));
        break;
    case USED:
        samples->in_blocks += use(capture, *event, there, sums);
        break;
    }
}

static void keep_block(void *block)
{
    (void)block; /* it is the capture's */
}

static void attribute(struct capture *capture, struct events *events, struct samples *samples)
{
    double *sums = capture_must(calloc(capture->site_count + 1, sizeof *sums));
    void *there = NULL;

    for (size_t i = 0; i < capture->block_count; i++) {
        const struct capture_block *block = &capture->blocks[i];

        if (!block->size)
            continue;
        add(events, (struct event){block->born, COMES, block, 0, 0, 0});
        add(events, (struct event){block->died, GOES, block, 0, 0, 0});
    }
    qsort(events->event, events->count, sizeof *events->event, compare_events);
    for (size_t i = 0; i < events->count; i++)
        happen(capture, &events->event[i], &there, sums, samples);
    tdestroy(there, keep_block);
    for (size_t i = 0; i < capture->site_count; i++)
        capture->sites[i].accesses = (uint64_t)(sums[i] + 0.5);
    free(sums);
}

bool samples_add(struct capture *capture, const char *path, struct samples *samples, char *why)
{
    FILE *stream = fopen(path, "r");
    struct events events = {NULL, 0, 0};
    bool read;

    *samples = (struct samples){0, 0, false};
    if (!stream) {
        snprintf(why, 256, "%.150s: %.50s", path, strerror(errno));
        return false;
    }
    read = read_samples(stream, capture, &events, samples, path, why);
    fclose(stream);
    if (read) {
        attribute(capture, &events, samples);
        free(capture->method);
        capture->method = capture_must(strdup(samples->regions ? "regions:DAMON" : "samples"));
    }
    free(events.event);
    return read;
}

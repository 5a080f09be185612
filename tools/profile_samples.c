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

#include <errno.h>
#include <math.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of things at the same time, blocks go first, and come before they are used. */
enum what { GOES, COMES, USED };

struct event {
    uint64_t time; /* in ns */
    enum what what;
    uint64_t address; /* USED */
    const struct capture_block *block;
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

/* "65073.647275: 7f8fc4000010", in ns: all digits count, which a double has no room for. */
static bool read_line(const char *line, uint64_t *time, uint64_t *address)
{
    uint64_t part = 1000000000;
    char *end;

    errno = 0;
    *time = strtoull(line, &end, 10) * part;
    if (end == line)
        return false;
    if (*end == '.')
        for (end++; *end >= '0' && *end <= '9'; end++) {
            part /= 10;
            *time += part * (uint64_t)(*end - '0');
        }
    if (*end == ':')
        end++;
    line = end;
    *address = strtoull(line, &end, 16);
    return end > line && line[0] == ' ' && !errno && end[strspn(end, " \n")] == '\0';
}

/* What comes before the profile's beginning is of no block. */
static bool read_samples(FILE *stream, const struct capture *capture, struct events *events,
                         struct samples *samples, const char *path, char *why)
{
    uint64_t time, address;
    char *line = NULL;
    size_t room = 0, lines = 0;
    bool well = true;

    while (well && getline(&line, &room, stream) > 0) {
        lines++;
        well = read_line(line, &time, &address);
        if (!well)
            snprintf(why, 256, "%.150s: line %zu has no time in seconds and an address", path,
                     lines);
        else if (time >= capture->clock)
            add(events, (struct event){time - capture->clock, USED, address, NULL});
        samples->count += well;
    }
    free(line);
    return well;
}

/* --- accesses --------------------------------------------------------------------------------- */

static void happen(struct capture *capture, const struct event *event, void **there, double *sums,
                   struct samples *samples)
{
    struct capture_block wanted = {.address = event->address, .size = 1};
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
        found = tfind(&wanted, there, compare_blocks);
        if (found) {
            samples->in_blocks++;
            sums[(*found)->site] += -1 / expm1(-(double)(*found)->size / (double)capture->rate);
        }
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
        add(events, (struct event){block->born, COMES, 0, block});
        add(events, (struct event){block->died, GOES, 0, block});
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

    *samples = (struct samples){0, 0};
    if (!stream) {
        snprintf(why, 256, "%.150s: %.50s", path, strerror(errno));
        return false;
    }
    read = read_samples(stream, capture, &events, samples, path, why);
    fclose(stream);
    if (read) {
        attribute(capture, &events, samples);
        free(capture->method);
        capture->method = capture_must(strdup("samples"));
    }
    free(events.event);
    return read;
}

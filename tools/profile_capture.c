/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see profile_capture.h. */
#define _GNU_SOURCE
#include "profile_capture.h"

#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY 256
#define SITE_NUMBERS 65536 /* more than a capture can have */

/* What is only needed while it is read. */
struct reader {
    struct capture *capture;
    void *frame_tree;           /* of struct known_frame, by module and offset */
    size_t place[SITE_NUMBERS]; /* of a site, by its number, plus one */
    size_t room[5];             /* of the five tables */
};

struct known_frame {
    size_t module, place;
    uint64_t offset;
};

/* --- tables ----------------------------------------------------------------------------------- */

void *capture_must(void *memory)
{
    if (memory)
        return memory;
    perror("memory");
    exit(EXIT_FAILURE);
}

/* A further element, all zero, at the end of a table that grows. */
static void *append(void **table, size_t *count, size_t *room, size_t size)
{
    if (*count == *room) {
        *room = *room ? *room * 2 : 64;
        *table = capture_must(reallocarray(*table, *room, size));
    }
    return memset((char *)*table + (*count)++ * size, 0, size);
}

enum table { MODULES, FRAMES, SITES, POINTS, BLOCKS };
#define APPEND(reader, name, table)                                                \
    append((void **)&(reader)->capture->name##s, &(reader)->capture->name##_count, \
           &(reader)->room[table], sizeof *(reader)->capture->name##s)

/* --- fields ----------------------------------------------------------------------------------- */

/* The value of a field; `length` tells how long it is. NULL: the line has none. */
static const char *field(const char *line, const char *name, size_t *length)
{
    size_t named = strlen(name);

    for (const char *word = strchr(line, ' '); word; word = strchr(word, ' ')) {
        word++;
        if (strncmp(word, name, named) == 0 && word[named] == '=') {
            word += named + 1;
            *length = strcspn(word, " ");
            return word;
        }
    }
    return NULL;
}

/* 0 for a field that is not there, which a later version may have left out. */
static uint64_t number(const char *line, const char *name)
{
    size_t length;
    const char *value = field(line, name, &length);

    return value ? strtoull(value, NULL, 0) : 0;
}

static char *text(const char *line, const char *name)
{
    size_t length;
    const char *value = field(line, name, &length);

    return value ? capture_must(strndup(value, length)) : NULL;
}

/* The next of some pairs FIRST:SECOND with commas between them. */
static bool next_pair(const char **pairs, uint64_t *first, uint64_t *second)
{
    char *end;

    *first = strtoull(*pairs, &end, 10);
    if (end == *pairs || *end != ':')
        return false;
    *second = strtoull(end + 1, &end, 10);
    *pairs = *end == ',' ? end + 1 : end;
    return true;
}

/* --- lines ------------------------------------------------------------------------------------ */

/* Modules come in the order of their numbers. */
static bool read_module(struct reader *reader, char *line)
{
    char *path = strstr(line, " path=");
    struct capture_module *module;

    if (!path || strtoull(line + strlen("module "), NULL, 10) != reader->capture->module_count)
        return false;
    *path = '\0'; /* all of it is the path, whatever it has in it */
    module = APPEND(reader, module, MODULES);
    module->base = number(line, "base");
    module->end = number(line, "end");
    module->build_id = text(line, "build-id");
    module->path = capture_must(strdup(path + strlen(" path=")));
    return true;
}

static int compare_frames(const void *left, const void *right)
{
    const struct known_frame *one = left, *two = right;

    if (one->module != two->module)
        return one->module < two->module ? -1 : 1;
    return one->offset < two->offset ? -1 : one->offset > two->offset;
}

/* The place of a frame, which may be known already. */
static size_t place_frame(struct reader *reader, size_t module, uint64_t offset)
{
    struct known_frame *wanted = capture_must(malloc(sizeof *wanted)), **found;
    struct capture_frame *frame;

    *wanted = (struct known_frame){module, reader->capture->frame_count, offset};
    found = capture_must(tsearch(wanted, &reader->frame_tree, compare_frames));
    if (*found != wanted) {
        free(wanted);
        return (*found)->place;
    }
    frame = APPEND(reader, frame, FRAMES);
    frame->module = module;
    frame->offset = offset;
    return wanted->place;
}

static bool read_stack(struct reader *reader, struct capture_site *site, const char *stack)
{
    size_t room = 1;

    for (const char *comma = stack; (comma = strchr(comma, ',')) != NULL; comma++)
        room++;
    site->frames = capture_must(calloc(room, sizeof *site->frames));
    while (*stack && *stack != '\n') {
        size_t module = CAPTURE_NOWHERE;
        char *end = (char *)stack + 1;
        uint64_t offset;

        if (*stack != '?')
            module = strtoull(stack, &end, 10);
        if (*end != '+' || (module != CAPTURE_NOWHERE && module >= reader->capture->module_count))
            return false;
        offset = strtoull(end + 1, &end, 16);
        site->frames[site->frame_count++] = place_frame(reader, module, offset);
        stack = *end == ',' ? end + 1 : end;
        if (end == stack && *end)
            return false;
    }
    return true;
}

static bool read_site(struct reader *reader, char *line)
{
    uint64_t named = strtoull(line + strlen("site "), NULL, 10);
    struct capture_site *site = APPEND(reader, site, SITES);
    const char *stack;
    size_t length;

    site->number = named;
    site->kind = text(line, "kind");
    if (named >= SITE_NUMBERS || reader->place[named] || !site->kind ||
        reader->capture->point_count) /* a point has room for the sites before it */
        return false;
    reader->place[named] = reader->capture->site_count;
    site->samples = number(line, "samples");
    site->calls = number(line, "calls");
    site->bytes = number(line, "bytes");
    site->live_calls = number(line, "live-calls");
    site->live = number(line, "live");
    site->peak = number(line, "peak");
    site->at_peak = number(line, "at-peak");
    site->size_least = number(line, "size-least");
    site->size_most = number(line, "size-most");
    site->freed = number(line, "freed");
    site->lifetime_least = number(line, "lifetime-least");
    site->lifetime_most = number(line, "lifetime-most");
    site->lifetime_mean = number(line, "lifetime-mean");
    site->accesses = number(line, "accesses");
    stack = field(line, "stack", &length);
    return stack && read_stack(reader, site, stack);
}

/* Of a site by its number. SIZE_MAX: there is no such site. */
static size_t place_site(const struct reader *reader, uint64_t named)
{
    return named < SITE_NUMBERS ? reader->place[named] - 1 : SIZE_MAX;
}

/* Sites come before all points. */
static bool read_point(struct reader *reader, char *line)
{
    struct capture_point *point = APPEND(reader, point, POINTS);
    size_t length, place;
    const char *pairs = field(line, "live", &length);
    uint64_t named, bytes;

    point->time = number(line, "time");
    point->live = capture_must(calloc(reader->capture->site_count + 1, sizeof *point->live));
    while (pairs && next_pair(&pairs, &named, &bytes)) {
        place = place_site(reader, named);
        if (place == SIZE_MAX)
            return false;
        point->live[place] = bytes;
    }
    return pairs && !*pairs;
}

static bool read_block(struct reader *reader, char *line)
{
    struct capture_block *block = APPEND(reader, block, BLOCKS);

    block->site = place_site(reader, number(line, "site"));
    block->address = number(line, "address");
    block->size = number(line, "size");
    block->born = number(line, "born");
    block->died = number(line, "died");
    if (!block->died)
        block->died = UINT64_MAX;
    return block->site != SIZE_MAX;
}

static bool read_head(struct capture *capture, const char *line)
{
    const struct {
        const char *name;
        uint64_t *number;
        char **text;
    } known[] = {
        {"program=", NULL, &capture->program},   {"method=", NULL, &capture->method},
        {"process=", &capture->process, NULL},   {"rate=", &capture->rate, NULL},
        {"started=", &capture->started, NULL},   {"clock=", &capture->clock, NULL},
        {"duration=", &capture->duration, NULL}, {"peak=", &capture->peak, NULL},
        {"lost=", &capture->lost, NULL},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const char *value = line + strlen(known[i].name);

        if (strncmp(line, known[i].name, strlen(known[i].name)) != 0)
            continue;
        if (known[i].number)
            *known[i].number = strtoull(value, NULL, 10);
        else if (!*known[i].text)
            *known[i].text = capture_must(strdup(value));
    }
    return true;
}

static bool read_line(struct reader *reader, char *line)
{
    static const struct {
        const char *word;
        bool (*read)(struct reader *, char *);
    } known[] = {{"module ", read_module},
                 {"site ", read_site},
                 {"point ", read_point},
                 {"block ", read_block}};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strncmp(line, known[i].word, strlen(known[i].word)) == 0)
            return known[i].read(reader, line);
    return read_head(reader->capture, line);
}

/* --- the file --------------------------------------------------------------------------------- */

static bool is_complete(const struct capture *capture)
{
    return capture->program && capture->method && capture->rate;
}

/* Whether the file is read to its end. */
static bool read_lines(struct reader *reader, FILE *stream, const char *path, char *why)
{
    char *line = NULL;
    size_t room = 0, lines = 0;
    bool ended = false;
    ssize_t length;

    snprintf(why, WHY, "%.200s: it has no end: it is not complete", path);
    while (!ended && (length = getline(&line, &room, stream)) > 0) {
        if (line[length - 1] == '\n')
            line[length - 1] = '\0';
        if (++lines == 1 && strcmp(line, "memkind-profile 1") != 0) {
            snprintf(why, WHY, "%.200s: this is no profile of version 1", path);
            break;
        }
        ended = strcmp(line, "end") == 0;
        if (!ended && lines > 1 && !read_line(reader, line)) {
            snprintf(why, WHY, "%.200s: line %zu is not as it should be", path, lines);
            break;
        }
    }
    free(line);
    return ended && is_complete(reader->capture);
}

struct capture *capture_read(const char *path, char *why)
{
    struct reader *reader = capture_must(calloc(1, sizeof *reader));
    FILE *stream = fopen(path, "r");
    struct capture *capture = NULL;

    if (!stream) {
        snprintf(why, WHY, "%.200s: %.50s", path, strerror(errno));
    } else {
        reader->capture = capture_must(calloc(1, sizeof *capture));
        if (read_lines(reader, stream, path, why))
            capture = reader->capture;
        else
            capture_free(reader->capture);
        tdestroy(reader->frame_tree, free);
        fclose(stream);
    }
    free(reader);
    return capture;
}

/* A line of the file, with another number of accesses where it has one. */
static void copy_line(const struct capture *capture, const char *line, size_t *site, FILE *stream)
{
    const char *accesses = strstr(line, " accesses=");
    bool is_site = strncmp(line, "site ", strlen("site ")) == 0;

    if (strncmp(line, "method=", strlen("method=")) == 0) {
        fprintf(stream, "method=%s\n", capture->method);
    } else if (accesses && (is_site || strncmp(line, "block ", strlen("block ")) == 0)) {
        fprintf(stream, "%.*s accesses=%" PRIu64 "%s", (int)(accesses - line), line,
                is_site && *site < capture->site_count ? capture->sites[*site].accesses : 0,
                accesses + strcspn(accesses + 1, " \n") + 1);
        *site += is_site;
    } else {
        fputs(line, stream);
    }
}

bool capture_copy(const struct capture *capture, const char *from, const char *to)
{
    FILE *source = fopen(from, "r"), *stream = source ? fopen(to, "w") : NULL;
    size_t room = 0, site = 0;
    char *line = NULL;
    bool ended = false, copied;

    while (stream && !ended && getline(&line, &room, source) > 0) {
        copy_line(capture, line, &site, stream);
        ended = strcmp(line, "end\n") == 0;
    }
    free(line);
    copied = stream && !ferror(source) && !ferror(stream);
    if (stream)
        copied &= fclose(stream) == 0;
    if (source)
        fclose(source);
    return copied;
}

void capture_free(struct capture *capture)
{
    for (size_t i = 0; i < capture->module_count; i++) {
        free(capture->modules[i].build_id);
        free(capture->modules[i].path);
    }
    for (size_t i = 0; i < capture->frame_count; i++) {
        for (size_t place = 0; place < capture->frames[i].place_count; place++) {
            free(capture->frames[i].places[place].function);
            free(capture->frames[i].places[place].file);
        }
        free(capture->frames[i].places);
    }
    for (size_t i = 0; i < capture->site_count; i++) {
        free(capture->sites[i].kind);
        free(capture->sites[i].frames);
    }
    for (size_t i = 0; i < capture->point_count; i++)
        free(capture->points[i].live);
    free(capture->modules);
    free(capture->frames);
    free(capture->sites);
    free(capture->points);
    free(capture->blocks);
    free(capture->program);
    free(capture->method);
    free(capture);
}

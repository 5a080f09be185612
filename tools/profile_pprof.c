/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* For pprof: see profile_write.h. Places in its tables are counted from 1 on, but for the texts. */
#define _GNU_SOURCE
#include "profile_write.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "profile.pb-c.h"
#include "profile_symbols.h"

/* --- texts, each once ------------------------------------------------------------------------- */

struct texts {
    void *tree; /* of struct known, by text */
    size_t count, room;
    char **text; /* by place */
};

struct known {
    size_t place;
    char *text;
};

static int compare(const void *left, const void *right)
{
    return strcmp(((const struct known *)left)->text, ((const struct known *)right)->text);
}

/* The place of a text; `fresh`, if it is not NULL, tells that it was not there yet. */
static size_t place(struct texts *texts, const char *text, bool *fresh)
{
    struct known *wanted = capture_must(malloc(sizeof *wanted)), **found;

    wanted->text = (char *)text;
    found = capture_must(tsearch(wanted, &texts->tree, compare));
    if (fresh)
        *fresh = *found == wanted;
    if (*found != wanted) {
        free(wanted);
        return (*found)->place;
    }
    if (texts->count == texts->room) {
        texts->room = texts->room ? 2 * texts->room : 256;
        texts->text = capture_must(reallocarray(texts->text, texts->room, sizeof *texts->text));
    }
    wanted->place = texts->count++;
    wanted->text = texts->text[wanted->place] = capture_must(strdup(text));
    return wanted->place;
}

static void release(struct texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        free(texts->text[i]);
    free(texts->text);
    tdestroy(texts->tree, free);
}

/* --- messages --------------------------------------------------------------------------------- */

/* A table of messages, and the messages behind it: freed as one. */
#define MESSAGES(type, init, count)                                           \
    ({                                                                        \
        size_t number_ = (count), size_ = sizeof(type *) * number_;           \
        type **table_ = capture_must(malloc(size_ + number_ * sizeof(type))); \
        for (size_t i_ = 0; i_ < number_; i_++) {                             \
            table_[i_] = (type *)((char *)table_ + size_) + i_;               \
            *table_[i_] = (type)init;                                         \
        }                                                                     \
        table_;                                                               \
    })

struct maker {
    const struct capture *capture;
    MemkindPprof__Profile profile;
    MemkindPprof__ValueType period;
    MemkindPprof__Line **lines; /* of the locations */
    struct texts texts, functions;
};

static int64_t text_of(struct maker *maker, const char *text)
{
    return (int64_t)place(&maker->texts, text, NULL);
}

static const struct {
    const char *type, *unit;
} values[] = {
    {"alloc_objects", "count"}, {"alloc_space", "bytes"}, {"inuse_objects", "count"},
    {"inuse_space", "bytes"},   {"peak_space", "bytes"},  {"accesses", "count"},
};
#define VALUES (sizeof values / sizeof values[0])
#define DEFAULT_VALUE "peak_space"

static void make_types(struct maker *maker)
{
    MemkindPprof__Profile *profile = &maker->profile;

    profile->n_sample_type = VALUES;
    profile->sample_type =
        MESSAGES(MemkindPprof__ValueType, MEMKIND_PPROF__VALUE_TYPE__INIT, VALUES);
    for (size_t i = 0; i < VALUES; i++) {
        profile->sample_type[i]->type = text_of(maker, values[i].type);
        profile->sample_type[i]->unit = text_of(maker, values[i].unit);
    }
    maker->period = (MemkindPprof__ValueType)MEMKIND_PPROF__VALUE_TYPE__INIT;
    profile->period_type = &maker->period;
    profile->period_type->type = text_of(maker, "space");
    profile->period_type->unit = text_of(maker, "bytes");
    profile->period = (int64_t)maker->capture->rate;
    profile->time_nanos = (int64_t)maker->capture->started;
    profile->duration_nanos = (int64_t)maker->capture->duration;
    profile->default_sample_type = text_of(maker, DEFAULT_VALUE);
}

static void make_mappings(struct maker *maker)
{
    const struct capture *capture = maker->capture;

    maker->profile.n_mapping = capture->module_count;
    maker->profile.mapping =
        MESSAGES(MemkindPprof__Mapping, MEMKIND_PPROF__MAPPING__INIT, capture->module_count);
    for (size_t i = 0; i < capture->module_count; i++) {
        const struct capture_module *module = &capture->modules[i];
        MemkindPprof__Mapping *mapping = maker->profile.mapping[i];

        mapping->id = i + 1;
        mapping->memory_start = module->base;
        mapping->memory_limit = module->end;
        mapping->filename = text_of(maker, module->path);
        mapping->build_id = text_of(maker, module->build_id ? module->build_id : "");
        mapping->has_functions = mapping->has_filenames = true;
        mapping->has_line_numbers = mapping->has_inline_frames = true;
    }
}

/* A function for each name in each file: what a line tells. */
static uint64_t function_of(struct maker *maker, const struct capture_place *line)
{
    const char *file = line->file ? line->file : "";
    MemkindPprof__Function *function;
    char *both;
    size_t found;
    bool fresh;

    if (asprintf(&both, "%s\n%s", line->function, file) < 0)
        both = capture_must(NULL);
    found = place(&maker->functions, both, &fresh);
    free(both);
    function = maker->profile.function[found];
    if (fresh) {
        maker->profile.n_function++;
        function->id = found + 1;
        function->name = function->system_name = text_of(maker, line->function);
        function->filename = text_of(maker, file);
    }
    return found + 1;
}

/* A line for each place whose function is known. */
static void make_lines(struct maker *maker, const struct capture_frame *frame,
                       MemkindPprof__Location *location, MemkindPprof__Line **lines)
{
    location->line = lines;
    for (size_t i = 0; i < frame->place_count; i++) {
        if (!frame->places[i].function)
            continue;
        lines[location->n_line]->function_id = function_of(maker, &frame->places[i]);
        lines[location->n_line++]->line = frame->places[i].line;
    }
}

static void make_locations(struct maker *maker)
{
    const struct capture *capture = maker->capture;
    size_t count = capture->frame_count, places = 0;

    for (size_t i = 0; i < count; i++)
        places += capture->frames[i].place_count;
    maker->lines = MESSAGES(MemkindPprof__Line, MEMKIND_PPROF__LINE__INIT, places);
    maker->profile.n_location = count;
    maker->profile.location =
        MESSAGES(MemkindPprof__Location, MEMKIND_PPROF__LOCATION__INIT, count);
    maker->profile.function =
        MESSAGES(MemkindPprof__Function, MEMKIND_PPROF__FUNCTION__INIT, places);
    places = 0;
    for (size_t i = 0; i < count; i++) {
        const struct capture_frame *frame = &capture->frames[i];
        MemkindPprof__Location *location = maker->profile.location[i];
        bool known = frame->module != CAPTURE_NOWHERE;

        location->id = i + 1;
        location->mapping_id = known ? frame->module + 1 : 0;
        location->address = (known ? capture->modules[frame->module].base : 0) + frame->offset - 1;
        make_lines(maker, frame, location, maker->lines + places);
        places += frame->place_count;
    }
}

static void make_samples(struct maker *maker)
{
    const struct capture *capture = maker->capture;

    maker->profile.n_sample = capture->site_count;
    maker->profile.sample =
        MESSAGES(MemkindPprof__Sample, MEMKIND_PPROF__SAMPLE__INIT, capture->site_count);
    for (size_t i = 0; i < capture->site_count; i++) {
        const struct capture_site *site = &capture->sites[i];
        MemkindPprof__Sample *sample = maker->profile.sample[i];
        int64_t numbers[VALUES] = {(int64_t)site->calls,      (int64_t)site->bytes,
                                   (int64_t)site->live_calls, (int64_t)site->live,
                                   (int64_t)site->at_peak,    (int64_t)site->accesses};

        sample->n_location_id = site->frame_count;
        sample->location_id =
            capture_must(calloc(site->frame_count + 1, sizeof *sample->location_id));
        for (size_t frame = 0; frame < site->frame_count; frame++)
            sample->location_id[frame] = site->frames[frame] + 1;
        sample->n_value = VALUES;
        sample->value = capture_must(malloc(sizeof numbers));
        memcpy(sample->value, numbers, sizeof numbers);
        sample->n_label = 1;
        sample->label = MESSAGES(MemkindPprof__Label, MEMKIND_PPROF__LABEL__INIT, 1);
        sample->label[0]->key = text_of(maker, "kind");
        sample->label[0]->str = text_of(maker, site->kind);
    }
}

static void free_messages(struct maker *maker)
{
    MemkindPprof__Profile *profile = &maker->profile;

    for (size_t i = 0; i < profile->n_sample; i++) {
        free(profile->sample[i]->location_id);
        free(profile->sample[i]->value);
        free(profile->sample[i]->label);
    }
    free(profile->sample);
    free(maker->lines);
    free(profile->location);
    free(profile->function);
    free(profile->mapping);
    free(profile->sample_type);
    release(&maker->texts);
    release(&maker->functions);
}

/* --- the file --------------------------------------------------------------------------------- */

static bool write_compressed(const char *path, const uint8_t *bytes, size_t size)
{
    gzFile file = gzopen(path, "wbe");
    bool written;

    if (!file)
        return false;
    written = gzfwrite(bytes, 1, size, file) == size;
    return gzclose(file) == Z_OK && written;
}

bool profile_write_pprof(const struct capture *capture, const char *path)
{
    struct maker maker = {.capture = capture, .profile = MEMKIND_PPROF__PROFILE__INIT};
    uint8_t *bytes;
    size_t size;
    bool written;

    text_of(&maker, ""); /* the first one */
    make_types(&maker);
    make_mappings(&maker);
    make_locations(&maker);
    make_samples(&maker);
    maker.profile.n_string_table = maker.texts.count;
    maker.profile.string_table = maker.texts.text;
    size = memkind_pprof__profile__get_packed_size(&maker.profile);
    bytes = capture_must(malloc(size));
    memkind_pprof__profile__pack(&maker.profile, bytes);
    written = write_compressed(path, bytes, size);
    free(bytes);
    free_messages(&maker);
    return written;
}

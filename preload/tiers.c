/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see tiers.h. */
#include "tiers.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../tools/size.h"
#include "library.h"
#include "settings.h"

/* --- words ------------------------------------------------------------------------------------ */

struct words {
    const char *start;
    size_t length;
};

#define SHOWN(words) (int)((words).length < 200 ? (words).length : 200), (words).start

static struct words all_of(const char *text)
{
    return (struct words){text, strlen(text)};
}

static bool is(struct words words, const char *text)
{
    return words.length == strlen(text) && memcmp(words.start, text, words.length) == 0;
}

/* What stands before the next separator is taken off. Without one, that is all, and `rest` becomes
 * all zero. */
static struct words take(struct words *rest, char separator)
{
    const char *found = memchr(rest->start, separator, rest->length);
    struct words taken = *rest;

    *rest = (struct words){NULL, 0};
    if (found) {
        *rest = (struct words){found + 1, (size_t)(taken.start + taken.length - found - 1)};
        taken.length = (size_t)(found - taken.start);
    }
    return taken;
}

/* As text of its own. False: it does not fit. */
static bool copy(struct words words, char *text, size_t room)
{
    if (words.length >= room)
        return false;
    memcpy(text, words.start, words.length);
    text[words.length] = '\0';
    return true;
}

/* 0: it is no size. */
static size_t size_of(struct words words)
{
    char text[32];

    return copy(words, text, sizeof text) ? size_parse(text) : 0;
}

/* --- parameters ------------------------------------------------------------------------------- */

static bool refuse(const char *variable, struct words part, const char *why)
{
    settings_say(TIERS_ERROR "%s: %s: %.*s\n", variable, why, SHOWN(part));
    return false;
}

/* NAME:VALUE,NAME:VALUE: the value of each name goes to its place; of a name that is not there it
 * stays as it is. `names` ends with NULL. */
static bool read_parameters(const char *variable, struct words part, const char *const names[],
                            struct words values[])
{
    struct words rest = part;

    while (rest.start) {
        struct words value = take(&rest, ','), name = take(&value, ':');
        size_t i = 0;

        while (names[i] && !is(name, names[i]))
            i++;
        if (!names[i])
            return refuse(variable, part, "a parameter that is not known");
        if (values[i].start)
            return refuse(variable, part, "a parameter that is there twice");
        if (!value.length)
            return refuse(variable, part, "a parameter without a value");
        values[i] = value;
    }
    return true;
}

/* --- tiers ------------------------------------------------------------------------------------ */

enum parameter { KIND, PATH, LIMIT, RATIO, PARAMETERS };
static const char *const parameters[] = {"KIND", "PATH", "PMEM_SIZE_LIMIT", "RATIO", NULL};

/* Kinds of files, for the time that they may have to be destroyed again. */
#define MOST_FILES 64
static struct {
    memkind_t kinds[MOST_FILES];
    size_t count;
} files;

static bool refuse_kind(struct words part, int error)
{
    char why[MEMKIND_ERROR_MESSAGE_SIZE];

    memkind_error_message(error, why, sizeof why);
    return refuse(TIERS, part, why);
}

static bool make_file(struct words part, const struct words values[], memkind_t *kind)
{
    char path[PATH_MAX];
    size_t limit = values[LIMIT].start ? size_of(values[LIMIT]) : 0;
    int error;

    if (!values[PATH].start)
        return refuse(TIERS, part, "FS_DAX needs a PATH");
    if (values[LIMIT].start && !limit)
        return refuse(TIERS, part, "PMEM_SIZE_LIMIT: " SIZE_ACCEPTED);
    if (files.count == MOST_FILES || !copy(values[PATH], path, sizeof path))
        return refuse(TIERS, part, "too many files, or a PATH that is too long");
    error = memkind_create_pmem(path, limit, kind);
    if (error)
        return refuse_kind(part, error);
    memkind_copy_at_fork(*kind); /* the program does not know that a file's pages are common */
    files.kinds[files.count++] = *kind;
    return true;
}

static bool find_kind(struct words part, const struct words values[], memkind_t *kind)
{
    int error;

    if (is(values[KIND], "FS_DAX"))
        return make_file(part, values, kind);
    if (values[PATH].start || values[LIMIT].start)
        return refuse(TIERS, part, "PATH and PMEM_SIZE_LIMIT are for FS_DAX");
    if (is(values[KIND], "DRAM")) {
        *kind = MEMKIND_DEFAULT;
        return true;
    }
    if (!is(values[KIND], "KMEM_DAX"))
        return refuse(TIERS, part, "KIND: accepted: DRAM, KMEM_DAX or FS_DAX");
    *kind = MEMKIND_DAX_KMEM;
    error = memkind_check_available(*kind);
    return !error || refuse_kind(part, error);
}

/* From 1 to UINT_MAX, digits alone. 0: it is none. */
static unsigned ratio_of(struct words words)
{
    unsigned ratio = 0;

    for (size_t i = 0; i < words.length; i++)
        if (words.start[i] < '0' || words.start[i] > '9' ||
            __builtin_mul_overflow(ratio, 10U, &ratio) ||
            __builtin_add_overflow(ratio, (unsigned)(words.start[i] - '0'), &ratio))
            return 0;
    return ratio;
}

static bool add_tier(struct memtier_builder *builder, struct words part)
{
    struct words values[PARAMETERS] = {{NULL, 0}};
    memkind_t kind = NULL;
    unsigned ratio;

    if (!read_parameters(TIERS, part, parameters, values))
        return false;
    if (!values[KIND].start || !values[RATIO].start)
        return refuse(TIERS, part, "a tier needs a KIND and a RATIO");
    ratio = ratio_of(values[RATIO]);
    if (!ratio)
        return refuse(TIERS, part, "RATIO: accepted: numbers from 1 on");
    if (!find_kind(part, values, &kind))
        return false;
    return memtier_builder_add_tier(builder, kind, ratio) == 0 ||
           refuse(TIERS, part, "a KIND that is a tier already");
}

/* --- thresholds ------------------------------------------------------------------------------- */

static bool set_threshold(struct memtier_builder *builder, size_t number, struct words part)
{
    static const char *const names[] = {"INIT_VAL", "MIN_VAL", "MAX_VAL", NULL};
    static const char *const properties[] = {"val", "min", "max"};
    struct words values[3] = {{NULL, 0}};

    if (!read_parameters(TIERS_THRESHOLDS, part, names, values))
        return false;
    for (size_t i = 0; i < 3; i++) {
        char property[80];
        size_t size;

        if (!values[i].start)
            continue;
        size = size_of(values[i]);
        if (!size)
            return refuse(TIERS_THRESHOLDS, part, SIZE_ACCEPTED);
        snprintf(property, sizeof property, "policy.dynamic_threshold.thresholds[%zu].%s", number,
                 properties[i]);
        if (memtier_ctl_set(builder, property, &size))
            return refuse(TIERS_THRESHOLDS, part, "more thresholds than tiers have between them");
    }
    return true;
}

static bool set_thresholds(struct memtier_builder *builder, memtier_policy_t policy,
                           const char *thresholds)
{
    struct words rest = all_of(thresholds);

    if (policy != MEMTIER_POLICY_DYNAMIC_THRESHOLD)
        return refuse(TIERS_THRESHOLDS, rest, "this is for the policy DYNAMIC_THRESHOLD");
    for (size_t number = 0; rest.start; number++)
        if (!set_threshold(builder, number, take(&rest, ';')))
            return false;
    return true;
}

/* --- all together ----------------------------------------------------------------------------- */

/* POLICY is the last part: `tiers` has what stands before it then. */
static bool read_policy(struct words *tiers, memtier_policy_t *policy)
{
    const char *found = memrchr(tiers->start, ';', tiers->length);
    struct words part, name;

    if (!found)
        return refuse(TIERS, *tiers, "tiers are missing, or a POLICY behind the last ;");
    part = (struct words){found + 1, (size_t)(tiers->start + tiers->length - found - 1)};
    tiers->length = (size_t)(found - tiers->start);
    name = take(&part, ':');
    if (!is(name, "POLICY") || !part.start)
        return refuse(TIERS, name, "the last part is not the POLICY");
    if (is(part, "STATIC_RATIO"))
        *policy = MEMTIER_POLICY_STATIC_RATIO;
    else if (is(part, "DYNAMIC_THRESHOLD"))
        *policy = MEMTIER_POLICY_DYNAMIC_THRESHOLD;
    else
        return refuse(TIERS, part, "POLICY: accepted: STATIC_RATIO or DYNAMIC_THRESHOLD");
    return true;
}

/* NULL: something is not accepted, and the kinds of files are to go again. */
static struct memtier_memory *build(struct memtier_builder *builder, memtier_policy_t policy,
                                    struct words tiers, const char *thresholds)
{
    struct memtier_memory *memory;
    struct words rest = tiers;
    size_t count = 0;

    for (; rest.start; count++)
        if (!add_tier(builder, take(&rest, ';')))
            return NULL;
    if (thresholds && !set_thresholds(builder, policy, thresholds))
        return NULL;
    memory = memtier_builder_construct_memtier_memory(builder);
    if (!memory)
        refuse(count < 2 ? TIERS : TIERS_THRESHOLDS,
               count < 2 || !thresholds ? tiers : all_of(thresholds),
               count < 2 ? "DYNAMIC_THRESHOLD needs two tiers or more"
                         : "not MIN_VAL <= INIT_VAL <= MAX_VAL, or not more than the one before");
    return memory;
}

struct memtier_memory *tiers_make(const char *tiers, const char *thresholds)
{
    struct words words = all_of(tiers);
    struct memtier_memory *memory;
    struct memtier_builder *builder;
    memtier_policy_t policy = MEMTIER_POLICY_STATIC_RATIO;

    if (!read_policy(&words, &policy))
        return NULL;
    builder = memtier_builder_new(policy);
    if (!builder)
        return NULL;
    memory = build(builder, policy, words, thresholds);
    memtier_builder_delete(builder);
    if (!memory)
        while (files.count)
            (void)memkind_destroy_kind(files.kinds[--files.count]);
    return memory;
}

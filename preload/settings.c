/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see settings.h. */
#define MEMKIND_DEPRECATED(func) func /* memkind_get_kind_by_partition() */
#include "settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "../tools/size.h"

#define KIND "MEMKIND_PRELOAD_KIND"
#define LIMIT "MEMKIND_PRELOAD_LIMIT"
#define REPORT "MEMKIND_PRELOAD_REPORT"

/* In the order of memkind_deprecated.h, by its numbers. Whether one is missing is seen at compile
 * time for the last, and for all others by test_run.sh. */
#define KIND_NAME(name) [MEMKIND_PARTITION_##name] = #name
const char *const settings_kinds[] = {
    KIND_NAME(DEFAULT),
    KIND_NAME(HBW),
    KIND_NAME(HBW_HUGETLB),
    KIND_NAME(HBW_PREFERRED),
    KIND_NAME(HBW_PREFERRED_HUGETLB),
    KIND_NAME(HUGETLB),
    KIND_NAME(HBW_GBTLB),
    KIND_NAME(HBW_PREFERRED_GBTLB),
    KIND_NAME(GBTLB),
    KIND_NAME(HBW_INTERLEAVE),
    KIND_NAME(INTERLEAVE),
    KIND_NAME(REGULAR),
    KIND_NAME(HBW_ALL),
    KIND_NAME(HBW_ALL_HUGETLB),
    KIND_NAME(DAX_KMEM),
    KIND_NAME(DAX_KMEM_ALL),
    KIND_NAME(DAX_KMEM_PREFERRED),
    KIND_NAME(DAX_KMEM_INTERLEAVE),
    KIND_NAME(HIGHEST_CAPACITY),
    KIND_NAME(HIGHEST_CAPACITY_PREFERRED),
    KIND_NAME(HIGHEST_CAPACITY_LOCAL),
    KIND_NAME(HIGHEST_CAPACITY_LOCAL_PREFERRED),
    KIND_NAME(LOWEST_LATENCY_LOCAL),
    KIND_NAME(LOWEST_LATENCY_LOCAL_PREFERRED),
    KIND_NAME(HIGHEST_BANDWIDTH_LOCAL),
    KIND_NAME(HIGHEST_BANDWIDTH_LOCAL_PREFERRED),
};
_Static_assert(sizeof settings_kinds / sizeof settings_kinds[0] == MEMKIND_NUM_BASE_KIND,
               "every static kind has a name here");

memkind_t settings_kind(int number)
{
    memkind_t kind;

    return memkind_get_kind_by_partition(number, &kind) == MEMKIND_SUCCESS ? kind : NULL;
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    char line[1024];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length > 0)
        (void)!write(STDERR_FILENO, line,
                     (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
}

/* --- words ------------------------------------------------------------------------------------ */

/* With or without the prefix, in small letters or capitals. */
static memkind_t parse_kind(const char *name)
{
    static const char prefix[] = "MEMKIND_";

    if (strncasecmp(name, prefix, strlen(prefix)) == 0)
        name += strlen(prefix);
    for (int i = 0; i < MEMKIND_NUM_BASE_KIND; i++)
        if (strcasecmp(settings_kinds[i], name) == 0)
            return settings_kind(i);
    return NULL;
}

/* --- variables -------------------------------------------------------------------------------- */

/* NULL: it is refused. */
static memkind_t read_kind(void)
{
    const char *value = secure_getenv(KIND);
    char why[MEMKIND_ERROR_MESSAGE_SIZE];
    memkind_t kind;
    int error;

    if (!value)
        return MEMKIND_DEFAULT;
    kind = parse_kind(value);
    if (!kind) {
        say("MEMKIND: " KIND "=%.200s is not accepted; accepted: DEFAULT, HBW, HBW_PREFERRED, "
            "REGULAR and the other static kinds; DEFAULT is used\n",
            value);
        return NULL;
    }
    error = memkind_check_available(kind);
    if (!error)
        return kind;
    memkind_error_message(error, why, sizeof why);
    say("MEMKIND: " KIND "=%.200s: %s; DEFAULT is used\n", value, why);
    return NULL;
}

/* A limit is the kind's that was asked for. MEMKIND_DEFAULT in its stead has none: nobody is there
 * to help it out, so that the program would end. */
static void read_limit(memkind_t kind)
{
    const char *value = secure_getenv(LIMIT);
    size_t limit = value ? size_parse(value) : 0;

    if (!value)
        return;
    if (!limit)
        say("MEMKIND: " LIMIT "=%.200s is not accepted; " SIZE_ACCEPTED "; there is no limit\n",
            value);
    else if (kind && memkind_set_limit(kind, limit))
        say("MEMKIND: " LIMIT "=%.200s: it cannot be set; there is no limit\n", value);
}

/* As the library reads it, which refuses and tells all other values. */
static bool read_check(void)
{
    const char *value = secure_getenv("MEMKIND_CHECK");

    return value && (strcmp(value, "1") == 0 || strcmp(value, "2") == 0);
}

bool settings_are_watched(void)
{
    return secure_getenv(REPORT) != NULL;
}

const char *settings_report(void)
{
    return secure_getenv(REPORT);
}

void settings_read(struct settings *settings)
{
    memkind_t kind = read_kind();

    settings->kind = kind ? kind : MEMKIND_DEFAULT;
    settings->checked = read_check();
    read_limit(kind);
}

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
#include <sys/stat.h>
#include <unistd.h>

#include "../tools/size.h"
#include "output.h"

#define REPORT "MEMKIND_PRELOAD_REPORT"
#define PROFILE "MEMKIND_PRELOAD_PROFILE"
#define RATE "MEMKIND_PRELOAD_PROFILE_RATE"
#define PAGES "MEMKIND_PRELOAD_PROFILE_PAGES"

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

unsigned settings_number(memkind_t kind)
{
    int number = 0;

    while (number < MEMKIND_NUM_BASE_KIND && (!kind || settings_kind(number) != kind))
        number++;
    return (unsigned)number;
}

/* With or without the prefix, in small letters or capitals. */
memkind_t settings_parse_kind(const char *name)
{
    static const char prefix[] = "MEMKIND_";

    if (strncasecmp(name, prefix, strlen(prefix)) == 0)
        name += strlen(prefix);
    for (int i = 0; i < MEMKIND_NUM_BASE_KIND; i++)
        if (strcasecmp(settings_kinds[i], name) == 0)
            return settings_kind(i);
    return NULL;
}

memkind_t settings_available_kind(const char *variable, const char *value)
{
    char why[MEMKIND_ERROR_MESSAGE_SIZE];
    memkind_t kind = settings_parse_kind(value);
    int error;

    if (!kind) {
        settings_say("MEMKIND: %s=%.200s is not accepted; accepted: DEFAULT, HBW, HBW_PREFERRED, "
                     "REGULAR and the other static kinds; DEFAULT is used\n",
                     variable, value);
        return NULL;
    }
    error = memkind_check_available(kind);
    if (!error)
        return kind;
    memkind_error_message(error, why, sizeof why);
    settings_say("MEMKIND: %s=%.200s: %s; DEFAULT is used\n", variable, value, why);
    return NULL;
}

const char *settings_get(const char *name)
{
    return secure_getenv(name);
}

/* What stderr was when the process began. The program may close it, and get its number for a file
 * of its own. */
static struct stat original;

static bool silent;

void settings_begin(void)
{
    silent = fstat(STDERR_FILENO, &original) != 0;
}

void settings_silence(void)
{
    silent = true;
}

void settings_say(const char *format, ...)
{
    struct stat now;
    char line[1024];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length > 0 && !silent && !fstat(STDERR_FILENO, &now) && now.st_dev == original.st_dev &&
        now.st_ino == original.st_ino)
        (void)output_write(STDERR_FILENO, line,
                           (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
}

/* As the library reads it, which refuses and tells all other values. */
bool settings_are_checked(void)
{
    const char *value = settings_get("MEMKIND_CHECK");

    return value && (strcmp(value, "1") == 0 || strcmp(value, "2") == 0);
}

const char *settings_report(void)
{
    return settings_get(REPORT);
}

const char *settings_profile(void)
{
    return settings_get(PROFILE);
}

size_t settings_profile_rate(void)
{
    const char *value = settings_get(RATE);
    size_t rate = value ? size_parse(value) : SETTINGS_PROFILE_RATE;

    if (rate)
        return rate;
    settings_say("MEMKIND: " RATE "=%.200s is not accepted; " SIZE_ACCEPTED "; 512K is used\n",
                 value);
    return SETTINGS_PROFILE_RATE;
}

unsigned long settings_profile_interval(void)
{
    const char *value = settings_get(PAGES);
    char *end;
    unsigned long interval = value ? strtoul(value, &end, 10) : 0;

    if (!value || (*value >= '0' && *value <= '9' && !*end && interval <= 3600000))
        return interval;
    settings_say("MEMKIND: " PAGES "=%.200s is not accepted; accepted: milliseconds from 1 to "
                 "3600000, or 0; accesses are not counted\n",
                 value);
    return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see settings.h. */
#define MEMKIND_DEPRECATED(func) func /* memkind_get_kind_by_partition() */
#include "settings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define KIND "MEMKIND_PRELOAD_KIND"
#define LIMIT "MEMKIND_PRELOAD_LIMIT"
#define REPORT "MEMKIND_PRELOAD_REPORT"

const char *const settings_kinds[MEMKIND_NUM_BASE_KIND + 1] = {
    "DEFAULT",
    "HBW",
    "HBW_HUGETLB",
    "HBW_PREFERRED",
    "HBW_PREFERRED_HUGETLB",
    "HUGETLB",
    "HBW_GBTLB",
    "HBW_PREFERRED_GBTLB",
    "GBTLB",
    "HBW_INTERLEAVE",
    "INTERLEAVE",
    "REGULAR",
    "HBW_ALL",
    "HBW_ALL_HUGETLB",
    "DAX_KMEM",
    "DAX_KMEM_ALL",
    "DAX_KMEM_PREFERRED",
    "DAX_KMEM_INTERLEAVE",
    "HIGHEST_CAPACITY",
    "HIGHEST_CAPACITY_PREFERRED",
    "HIGHEST_CAPACITY_LOCAL",
    "HIGHEST_CAPACITY_LOCAL_PREFERRED",
    "LOWEST_LATENCY_LOCAL",
    "LOWEST_LATENCY_LOCAL_PREFERRED",
    "HIGHEST_BANDWIDTH_LOCAL",
    "HIGHEST_BANDWIDTH_LOCAL_PREFERRED",
};

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
    for (int i = 0; settings_kinds[i]; i++)
        if (strcasecmp(settings_kinds[i], name) == 0)
            return settings_kind(i);
    return NULL;
}

/* "4096", "64M", "64MiB": 1 to PTRDIFF_MAX; 0 where it is none. */
static size_t parse_size(const char *text)
{
    static const char units[] = "KMGT";
    unsigned long long number;
    unsigned shift = 0;
    const char *unit;
    char *end;

    errno = 0;
    number = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || errno)
        return 0;
    unit = *end ? strchr(units, *end & ~0x20) : NULL;
    if (unit) {
        shift = 10 * (unsigned)(unit - units + 1);
        end += strcasecmp(end + 1, "iB") == 0 ? 3 : 1;
    }
    return *end || number > (unsigned long long)PTRDIFF_MAX >> shift ? 0 : (size_t)number << shift;
}

/* --- variables -------------------------------------------------------------------------------- */

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
        return MEMKIND_DEFAULT;
    }
    error = memkind_check_available(kind);
    if (!error)
        return kind;
    memkind_error_message(error, why, sizeof why);
    say("MEMKIND: " KIND "=%.200s: %s; DEFAULT is used\n", value, why);
    return MEMKIND_DEFAULT;
}

static void read_limit(memkind_t kind)
{
    const char *value = secure_getenv(LIMIT);
    size_t limit = value ? parse_size(value) : 0;

    if (!value)
        return;
    if (!limit)
        say("MEMKIND: " LIMIT "=%.200s is not accepted; accepted: bytes from 1 on, or with K, M, G "
            "or T; there is no limit\n",
            value);
    else if (memkind_set_limit(kind, limit))
        say("MEMKIND: " LIMIT "=%.200s: it cannot be set; there is no limit\n", value);
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
    const char *check = secure_getenv("MEMKIND_CHECK");

    settings->kind = read_kind();
    settings->checked = check && strcmp(check, "0") != 0;
    read_limit(settings->kind);
}

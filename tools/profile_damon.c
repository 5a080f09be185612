/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see profile_damon.h. */
#define _GNU_SOURCE
#include "profile_damon.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define COUNT "nr_kdamonds"
#define STATE "0/state"
#define CONTEXT "0/contexts/0/"
#define SCHEME CONTEXT "schemes/0/"
#define TRIED SCHEME "tried_regions"
#define PERIOD "100000" /* microseconds: what is counted, and how often it is read */
#define PERIOD_NS ((uint64_t)100000000)

struct damon {
    int folder;
    int count;     /* COUNT, locked as long as this is there */
    bool made;     /* the kdamond is ours */
    uint64_t last; /* when regions were read, in ns */
};

/* --- small files ------------------------------------------------------------------------------ */

__attribute__((format(printf, 2, 3))) static bool tell(char *why, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why, PROFILE_WHY, format, arguments);
    va_end(arguments);
    return false;
}

static bool write_text(int folder, const char *name, const char *text)
{
    int file = openat(folder, name, O_WRONLY | O_TRUNC | O_CLOEXEC);
    bool written = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);
    int error = errno;

    if (file >= 0)
        close(file);
    errno = error;
    return written;
}

static bool read_text(int folder, const char *name, char *text, size_t size)
{
    int file = openat(folder, name, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, text, size - 1);

    if (file >= 0)
        close(file);
    text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

static bool read_number(int folder, const char *name, uint64_t *number)
{
    char text[32], *end;

    if (!read_text(folder, name, text, sizeof text))
        return false;
    *number = strtoull(text, &end, 10);
    return end > text;
}

/* --- setting it up ---------------------------------------------------------------------------- */

/* In the order in which the files come to be. PID is replaced. */
static const struct {
    const char *name, *text;
} settings[] = {
    {COUNT, "1"},
    {"0/contexts/nr_contexts", "1"},
    {CONTEXT "operations", "vaddr"},
    {CONTEXT "monitoring_attrs/intervals/sample_us", "5000"},
    {CONTEXT "monitoring_attrs/intervals/aggr_us", PERIOD},
    {CONTEXT "monitoring_attrs/intervals/update_us", PERIOD},
    {CONTEXT "monitoring_attrs/nr_regions/max", "1500"},
    {CONTEXT "monitoring_attrs/nr_regions/min", "500"},
    {CONTEXT "targets/nr_targets", "1"},
    {CONTEXT "targets/0/pid_target", "PID"},
    {CONTEXT "schemes/nr_schemes", "1"},
    {SCHEME "action", "stat"},
    {SCHEME "access_pattern/sz/min", "0"},
    {SCHEME "access_pattern/sz/max", "18446744073709551615"},
    {SCHEME "access_pattern/nr_accesses/min", "1"},
    {SCHEME "access_pattern/nr_accesses/max", "4294967295"},
    {SCHEME "access_pattern/age/min", "0"},
    {SCHEME "access_pattern/age/max", "4294967295"},
    {STATE, "on"},
};

/* Nobody else has one. Those of the kernel's own modules are not among these: it refuses then. */
static bool is_free(const struct damon *damon, const char *folder, char *why)
{
    char state[16];
    uint64_t count;

    if (flock(damon->count, LOCK_EX | LOCK_NB))
        return tell(why, "another profile has DAMON: %.150s", folder);
    if (!read_number(damon->folder, COUNT, &count))
        return tell(why, "%.150s/" COUNT " has no number", folder);
    if (!count)
        return true;
    read_text(damon->folder, STATE, state, sizeof state);
    return tell(why, "another user has DAMON: %" PRIu64 " in %.100s/" COUNT "%s", count, folder,
                strncmp(state, "on", 2) == 0 ? ", and it is on" : ", which nobody has taken back");
}

static bool has_regions(const struct damon *damon)
{
    return faccessat(damon->folder, TRIED, F_OK, 0) == 0;
}

static bool set_up(struct damon *damon, const char *folder, pid_t process, char *why)
{
    char number[24], known[64];

    snprintf(number, sizeof number, "%d", (int)process);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        const char *name = settings[i].name, *text = settings[i].text;
        bool starts = strcmp(name, STATE) == 0;

        if (starts && !has_regions(damon))
            return tell(why, "DAMON tells no regions before Linux 6.2");
        if (!write_text(damon->folder, name, strcmp(text, "PID") == 0 ? number : text)) {
            if (strcmp(text, "vaddr") == 0 && errno == EINVAL &&
                read_text(damon->folder, CONTEXT "avail_operations", known, sizeof known))
                return tell(why, "this kernel's DAMON watches no processes (CONFIG_DAMON_VADDR)");
            return tell(why, "%.100s/%s: %s: %s", folder, name, text, strerror(errno));
        }
        damon->made = true;
    }
    return true;
}

struct damon *damon_open(const char *folder, pid_t process, char *why)
{
    struct damon *damon = calloc(1, sizeof *damon);

    if (!damon) {
        tell(why, "%s", strerror(errno));
        return NULL;
    }
    damon->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    damon->count = damon->folder < 0 ? -1 : openat(damon->folder, COUNT, O_RDWR | O_CLOEXEC);
    if (damon->folder < 0)
        tell(why, "this kernel has no DAMON (CONFIG_DAMON_SYSFS): %.150s: %s", folder,
             strerror(errno));
    else if (damon->count < 0)
        tell(why, "%.150s/" COUNT ": %s", folder, strerror(errno));
    else if (is_free(damon, folder, why) && set_up(damon, folder, process, why))
        return damon;
    damon_close(damon);
    return NULL;
}

/* It may be off already, as its process has ended. */
void damon_close(void *opened)
{
    struct damon *damon = opened;

    if (damon->made) {
        write_text(damon->folder, STATE, "off");
        write_text(damon->folder, COUNT, "0");
    }
    if (damon->count >= 0)
        close(damon->count);
    if (damon->folder >= 0)
        close(damon->folder);
    free(damon);
}

/* --- regions ---------------------------------------------------------------------------------- */

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void write_region(int regions, const char *name, uint64_t time, FILE *stream)
{
    uint64_t start, end, accesses;
    int region = openat(regions, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (region < 0)
        return;
    if (read_number(region, "start", &start) && read_number(region, "end", &end) &&
        read_number(region, "nr_accesses", &accesses))
        fprintf(stream, "%" PRIu64 ".%09" PRIu64 ": %" PRIx64 "-%" PRIx64 " %" PRIu64 "\n",
                time / 1000000000, time % 1000000000, start, end, accesses);
    close(region);
}

/* Waits for the end of the period. The kernel tells of none where the process has ended. */
size_t damon_drain(void *opened, FILE *stream)
{
    struct damon *damon = opened;
    struct dirent *entry;
    DIR *regions;
    int folder;

    if (now() - damon->last < PERIOD_NS ||
        !write_text(damon->folder, STATE, "update_schemes_tried_regions"))
        return 0;
    damon->last = now();
    folder = openat(damon->folder, TRIED, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    regions = folder < 0 ? NULL : fdopendir(folder);
    if (!regions) {
        if (folder >= 0)
            close(folder);
        return 0;
    }
    while ((entry = readdir(regions)) != NULL)
        if (isdigit((unsigned char)entry->d_name[0]))
            write_region(dirfd(regions), entry->d_name, damon->last, stream);
    closedir(regions);
    return 0;
}

/* --- the source ------------------------------------------------------------------------------- */

static void *open_here(pid_t process, char *why)
{
    return damon_open(DAMON_FOLDER, process, why);
}

const struct profile_source profile_damon = {"damon", true, open_here, damon_drain, damon_close};

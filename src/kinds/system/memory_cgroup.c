/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see memory_cgroup.h. */
#include "kinds/system/memory_cgroup.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kinds/system/os.h"
#include "kinds/system/stack.h"

#define PATH_SIZE 1024 /* a longer one: no answer */
#define FIELDS 64
#define SPARED_PART 64 /* of a limit: what else the kernel counts, other threads */

const char *memory_cgroup_proc = "/proc/self";

/* The two versions; many machines have both, and memory in one of them. */
static const struct version {
    const char *file_system;
    const char *limit, *usage;
    const char *cache[2]; /* in memory.stat: what can be dropped */
} versions[] = {
    {"cgroup2", "memory.max", "memory.current", {"inactive_file ", "active_file "}},
    {"cgroup",
     "memory.limit_in_bytes",
     "memory.usage_in_bytes",
     {"total_inactive_file ", "total_active_file "}},
};
#define VERSIONS (sizeof versions / sizeof versions[0])

/* The process's cgroup of one version. */
struct place {
    bool member;
    char path[PATH_SIZE];    /* as /proc/self/cgroup has it */
    char mounted[PATH_SIZE]; /* where the file system is; "": nowhere */
    char below[PATH_SIZE];   /* from there to the cgroup: "", or "/a/b" */
};

/* --- where it is ------------------------------------------------------------------------------ */

/* Whether a word is in a list with commas. */
static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = list; (at = strstr(at, word)) != NULL; at += length)
        if ((at == list || at[-1] == ',') && (at[length] == '\0' || at[length] == ','))
            return true;
    return false;
}

/* "0::/a/b" of version 2, "4:cpu,memory:/a/b" of version 1. */
static void read_membership(void *context, char *line)
{
    struct place *places = context, *place;
    char *controllers = strchr(line, ':'),
         *path = controllers ? strchr(controllers + 1, ':') : NULL;

    if (!path)
        return;
    *path++ = '\0';
    controllers++;
    place = *controllers ? &places[1] : &places[0];
    if ((*controllers && !has_word(controllers, "memory")) || strlen(path) >= PATH_SIZE)
        return;
    place->member = true;
    memcpy(place->path, path, strlen(path) + 1);
}

/* Spaces and the like are \040 in mountinfo. In place. */
static void unescape(char *text)
{
    char *to = text;

    for (const char *from = text; *from; to++) {
        if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] && from[3]) {
            *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

/* The part of a cgroup's path below the one that a mount shows; "" where that is another
 * container's view of it: then what is mounted here is ours. */
static const char *path_below(const char *path, const char *root)
{
    size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);

    if (strncmp(path, root, length) != 0 || (path[length] && path[length] != '/') ||
        strncmp(path + length, "/..", 3) == 0 || strcmp(path + length, "/") == 0)
        return "";
    return path + length;
}

static void note_mount(struct place *place, const char *root, const char *mounted)
{
    const char *below = path_below(place->path, root);

    /* The first mount will do, unless a later one shows more of the way to the root. */
    if (strlen(mounted) >= PATH_SIZE ||
        (place->mounted[0] && strlen(below) <= strlen(place->below)))
        return;
    memcpy(place->mounted, mounted, strlen(mounted) + 1);
    memcpy(place->below, below, strlen(below) + 1);
}

/* "36 35 98:0 /root /mounted options ... - cgroup2 cgroup rw,memory" */
static void read_mount(void *context, char *line)
{
    struct place *places = context;
    char *field[FIELDS], *rest = NULL;
    int count = 0, dash = 0;

    for (char *word = strtok_r(line, " ", &rest); word && count < FIELDS;
         word = strtok_r(NULL, " ", &rest)) {
        if (!dash && count > 5 && strcmp(word, "-") == 0)
            dash = count;
        field[count++] = word;
    }
    if (!dash || count < dash + 4)
        return;
    for (size_t i = 0; i < VERSIONS; i++) {
        if (!places[i].member || strcmp(field[dash + 1], versions[i].file_system) != 0 ||
            (i == 1 && !has_word(field[dash + 3], "memory")))
            continue;
        unescape(field[3]);
        unescape(field[4]);
        note_mount(&places[i], field[3], field[4]);
    }
}

static void find_places(struct place places[VERSIONS])
{
    char path[PATH_SIZE];

    memset(places, 0, VERSIONS * sizeof places[0]);
    snprintf(path, sizeof path, "%.*s/cgroup", PATH_SIZE / 2, memory_cgroup_proc);
    if (os_read_lines(path, read_membership, places))
        return;
    snprintf(path, sizeof path, "%.*s/mountinfo", PATH_SIZE / 2, memory_cgroup_proc);
    (void)os_read_lines(path, read_mount, places);
}

/* --- what it says ----------------------------------------------------------------------------- */

static bool read_file(const char *folder, const char *name, char *text, size_t size)
{
    char path[2 * PATH_SIZE + 32];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return os_read_file(path, text, size) >= 0;
}

/* A number of bytes; "max", or no such file: no limit. */
static uint64_t read_bytes(const char *folder, const char *name)
{
    char text[32];

    if (!read_file(folder, name, text, sizeof text) || *text < '0' || *text > '9')
        return MEMORY_CGROUP_NO_LIMIT;
    return strtoull(text, NULL, 10);
}

/* Version 1 says "no limit" by the largest number of pages. */
static uint64_t read_limit(const char *folder, const struct version *version)
{
    uint64_t limit = read_bytes(folder, version->limit);

    return limit < INT64_MAX / 2 ? limit : MEMORY_CGROUP_NO_LIMIT;
}

static uint64_t stat_value(const char *stat, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = stat; (at = strstr(at, name)) != NULL; at += length)
        if (at == stat || at[-1] == '\n')
            return strtoull(at + length, NULL, 10);
    return 0;
}

static uint64_t room_in(const char *folder, const struct version *version)
{
    uint64_t limit = read_limit(folder, version), used, cache = 0;
    char stat[4096];

    if (limit == MEMORY_CGROUP_NO_LIMIT)
        return limit;
    used = read_bytes(folder, version->usage);
    if (used == MEMORY_CGROUP_NO_LIMIT)
        return used; /* nothing is known */
    if (read_file(folder, "memory.stat", stat, sizeof stat))
        cache = stat_value(stat, version->cache[0]) + stat_value(stat, version->cache[1]);
    used = (cache < used ? used - cache : 0) + limit / SPARED_PART;
    return used < limit ? limit - used : 0;
}

struct question {
    uint64_t (*ask)(const char *folder, const struct version *version);
    uint64_t least;
};

/* The least number that ask() says of the process's cgroup and its ancestors. */
static void ask_all(void *argument)
{
    struct question *question = argument;
    struct place places[VERSIONS];

    question->least = MEMORY_CGROUP_NO_LIMIT;
    find_places(places);
    for (size_t i = 0; i < VERSIONS; i++) {
        char *end = places[i].below + strlen(places[i].below);

        if (!places[i].mounted[0])
            continue;
        for (;;) {
            char folder[2 * PATH_SIZE];
            uint64_t here;

            snprintf(folder, sizeof folder, "%s%s", places[i].mounted, places[i].below);
            here = question->ask(folder, &versions[i]);
            if (here < question->least)
                question->least = here;
            if (end == places[i].below)
                break;
            while (*--end != '/')
                ;
            *end = '\0';
        }
    }
}

/* On a stack of its own: paths are long, and a thread's stack may be small. */
static uint64_t least(uint64_t (*ask)(const char *folder, const struct version *version))
{
    struct question question = {.ask = ask};

    stack_run(ask_all, &question);
    return question.least;
}

uint64_t memory_cgroup_room(void)
{
    return least(room_in);
}

bool memory_cgroup_is_limited(void)
{
    static atomic_long looked; /* one second after the last look; 0: never */
    static atomic_bool limited;
    long now = os_seconds() + 1;

    if (atomic_load_explicit(&looked, memory_order_acquire) != now) {
        atomic_store_explicit(&limited, least(read_limit) != MEMORY_CGROUP_NO_LIMIT,
                              memory_order_relaxed);
        atomic_store_explicit(&looked, now, memory_order_release);
    }
    return atomic_load_explicit(&limited, memory_order_relaxed);
}

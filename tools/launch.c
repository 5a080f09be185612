/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see launch.h. */
#define _GNU_SOURCE
#include "launch.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void launch_end(enum launch_status status, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "%s: ", launch_program);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(status);
}

void launch_set(const char *name, const char *value)
{
    if (setenv(name, value, 1))
        launch_end(LAUNCH_MISUSED, "%s: %s", name, strerror(errno));
}

/* It lies where this program lies, but for the end of the path. */
static bool find(char path[PATH_MAX], const char *from_here)
{
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
    char *folder_end, *found;
    size_t room;

    if (length < 0)
        return false;
    path[length] = '\0';
    folder_end = strrchr(path, '/') + 1;
    room = (size_t)(path + PATH_MAX - folder_end);
    if ((size_t)snprintf(folder_end, room, "%s", from_here) >= room)
        return false;
    found = realpath(path, NULL);
    if (!found)
        return false;
    snprintf(path, PATH_MAX, "%s", found);
    free(found);
    return true;
}

void launch_preload_library(const char *installed, const char *built)
{
    const char *others = getenv("LD_PRELOAD");
    char path[PATH_MAX], *value;

    if (!find(path, installed) && !find(path, built))
        launch_end(LAUNCH_MISUSED,
                   "%s is not where it belongs: %s, from the folder of this program",
                   strrchr(installed, '/') + 1, installed);
    if (strpbrk(path, " :"))
        launch_end(LAUNCH_MISUSED, "a path with a space or a colon cannot be preloaded: %s", path);
    if (asprintf(&value, "%s%s%s", path, others && *others ? ":" : "", others ? others : "") < 0)
        launch_end(LAUNCH_MISUSED, "LD_PRELOAD: %s", strerror(ENOMEM));
    launch_set("LD_PRELOAD", value);
    free(value);
}

void launch_preload(void)
{
    launch_preload_library(LAUNCH_INSTALLED, LAUNCH_BUILT);
}

void launch_become(char *const argv[])
{
    execvp(argv[0], argv);
    launch_end(errno == ENOENT ? LAUNCH_NOT_FOUND : LAUNCH_NOT_RUN, "%s: %s", argv[0],
               strerror(errno));
}

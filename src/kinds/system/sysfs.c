/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see sysfs.h. */
#include "kinds/system/sysfs.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kinds/system/os.h"

#define PATH_SIZE 512
#define FILE_SIZE 4096 /* as long as sysfs lets a file be */

const char *sysfs_root = "/sys";

static __thread uint16_t troubles __attribute__((tls_model("initial-exec")));

/* False: longer than any path of the kernel's. */
__attribute__((format(printf, 2, 0))) static bool make_path(char path[PATH_SIZE],
                                                            const char *format, va_list arguments)
{
    int root = snprintf(path, PATH_SIZE, "%s/", sysfs_root), rest;

    if (root < 0 || root >= PATH_SIZE)
        return false;
    rest = vsnprintf(path + root, PATH_SIZE - (size_t)root, format, arguments);
    return rest >= 0 && rest < PATH_SIZE - root;
}

/* Turns the calling function's "path, ..." into a path; an empty one where that is too long. */
#define PATH_OF_ARGUMENTS(PATH, FORMAT)               \
    do {                                              \
        va_list arguments_;                           \
        va_start(arguments_, FORMAT);                 \
        if (!make_path((PATH), (FORMAT), arguments_)) \
            (PATH)[0] = '\0';                         \
        va_end(arguments_);                           \
    } while (0)

/* Passes the error on. */
static int noted(int error)
{
    if (error == EMFILE || error == ENFILE || error == ENOMEM)
        troubles++;
    return error;
}

static ssize_t read_noted(const char *path, char *text, size_t size)
{
    ssize_t length = os_read_file(path, text, size);

    if (length < 0)
        noted(errno);
    return length;
}

unsigned sysfs_troubles(void)
{
    return troubles;
}

ssize_t sysfs_read(char *text, size_t size, const char *path, ...)
{
    char full[PATH_SIZE];

    PATH_OF_ARGUMENTS(full, path);
    return read_noted(full, text, size);
}

bool sysfs_list(struct nodemask *mask, const char *path, ...)
{
    char full[PATH_SIZE], text[FILE_SIZE];

    PATH_OF_ARGUMENTS(full, path);
    if (read_noted(full, text, sizeof text) >= 0 && nodemask_parse(text, mask))
        return true;
    memset(mask, 0, sizeof *mask);
    return false;
}

uint64_t sysfs_number(const char *path, ...)
{
    char full[PATH_SIZE], text[64];

    PATH_OF_ARGUMENTS(full, path);
    if (read_noted(full, text, sizeof text) < 0 || *text < '0' || *text > '9')
        return 0;
    return strtoull(text, NULL, 10);
}

/* A line "Node 0 MemTotal:  98304 kB". False: there is none, or no number that can be one. */
static bool parse_meminfo(const char *meminfo, const char *name, uint64_t *bytes)
{
    const char *at = strstr(meminfo, name);
    uint64_t kibibytes;

    *bytes = 0;
    if (!at)
        return false;
    at += strlen(name);
    at += strspn(at, " \t");
    kibibytes = strtoull(at, NULL, 10);
    if (*at < '0' || *at > '9' || kibibytes > INT64_MAX / 1024 / NODEMASK_NODES)
        return false;
    *bytes = kibibytes * 1024;
    return true;
}

uint64_t sysfs_meminfo_value(const char *meminfo, const char *name)
{
    uint64_t bytes;

    (void)parse_meminfo(meminfo, name, &bytes);
    return bytes;
}

bool sysfs_meminfo(unsigned node, const char *name, uint64_t *bytes)
{
    char meminfo[FILE_SIZE];

    *bytes = 0;
    return sysfs_read(meminfo, sizeof meminfo, SYSFS_NODES "/node%u/meminfo", node) >= 0 &&
           parse_meminfo(meminfo, name, bytes);
}

bool sysfs_link(char *target, size_t size, const char *path, ...)
{
    char full[PATH_SIZE];

    PATH_OF_ARGUMENTS(full, path);
    return noted(os_read_link(full, target, size)) == 0;
}

bool sysfs_names(sysfs_visit *visit, void *context, const char *path, ...)
{
    char full[PATH_SIZE];

    PATH_OF_ARGUMENTS(full, path);
    return noted(os_read_folder(full, visit, context)) == 0;
}

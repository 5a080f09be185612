/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see temp_file.h. */
#include "kinds/pages/temp_file.h"

#include <errno.h>
#include <fcntl.h>
#include <memkind.h>
#include <stdio.h>
#include <string.h>

#include "kinds/system/callbacks.h"
#include "kinds/system/leftover.h"
#include "kinds/system/os.h"

#define NAMES_MOST 100
#define TRIAL_SIZE ((size_t)2 << 20) /* also a page of hugetlbfs */

/* For file systems without O_TMPFILE: a name for a moment. */
static int open_named(int directory)
{
    char name[64];
    int file = -1;

    for (int i = 0; file < 0 && i < NAMES_MOST; i++) {
        snprintf(name, sizeof name, ".memkind-%lx", os_unique());
        file = os_open(directory, name, O_RDWR | O_CREAT | O_EXCL);
        if (file < 0 && errno != EEXIST)
            return -1;
    }
    if (file >= 0 && os_unlink(directory, name)) {
        os_close(file);
        return -1;
    }
    return file;
}

static int open_in(int directory)
{
    int file = os_open(directory, ".", O_TMPFILE | O_RDWR | O_EXCL);

    if (file >= 0)
        return file;
    switch (errno) {
    case EOPNOTSUPP: /* what file systems without it answer, and what older kernels do */
    case EISDIR:
    case ENOENT:
    case EINVAL:
        return open_named(directory);
    default:
        return -1;
    }
}

static int find_absolute(int directory, const char *given, char absolute[TEMP_FILE_PATH])
{
    if (os_path(directory, absolute, TEMP_FILE_PATH) == 0)
        return 0;
    if (given[0] != '/' || strlen(given) >= TEMP_FILE_PATH) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(absolute, given,
           strlen(given) + 1); /* without /proc, links on the way are followed again */
    return 0;
}

int temp_file_open(const char *directory, char absolute[TEMP_FILE_PATH])
{
    int at = os_open(AT_FDCWD, directory, O_PATH | O_DIRECTORY), file = -1;

    if (at < 0)
        return -1;
    if (!absolute || find_absolute(at, directory, absolute) == 0)
        file = open_in(at);
    os_close(at);
    return file;
}

int temp_file_try(int file, bool *dax)
{
    void *address = os_map_file(file, 0, TRIAL_SIZE, os_page_size(), true);

    *dax = address != NULL;
    if (!address)
        address = os_map_file(file, 0, TRIAL_SIZE, os_page_size(), false);
    if (!address)
        return errno;
    leftover_unmap(address, TRIAL_SIZE);
    return 0;
}

int temp_file_check_dax(const char *directory)
{
    int file = temp_file_open(directory, NULL);
    bool dax;
    int error;

    if (file < 0)
        return MEMKIND_ERROR_RUNTIME;
    error = temp_file_try(file, &dax);
    os_close(file);
    return !error && dax ? MEMKIND_SUCCESS : MEMKIND_ERROR_MMAP;
}

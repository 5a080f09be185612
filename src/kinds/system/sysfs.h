/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * sysfs: small files and folders below /sys, read where the kernel lists them.
 *
 * All paths are relative to sysfs_root. That one is a variable so that tests can show the library a
 * machine that is not here: a program that links the static library sets it before the first use.
 * The shared library exports no such thing, and no environment variable moves it.
 *
 * Threads: any; nothing allocates or locks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kinds/system/nodemask.h"

extern const char *sysfs_root; /* "/sys" */

#define SYSFS_NODES "devices/system/node"

/* The text of a file, terminated. Its length; -1: there is none. */
ssize_t sysfs_read(char *text, size_t size, const char *path, ...)
    __attribute__((format(printf, 3, 4)));

/* A list of nodes. False, with an empty mask: no such file, or no such list in it. */
bool sysfs_list(struct nodemask *mask, const char *path, ...) __attribute__((format(printf, 2, 3)));

/* A whole number at the file's start; 0: no such file, or no number. */
uint64_t sysfs_number(const char *path, ...) __attribute__((format(printf, 1, 2)));

/* Bytes on the line `name` ("MemFree:") of a node's meminfo, or of another file of such lines,
 * whose text was read; 0: no such line. */
uint64_t sysfs_meminfo_value(const char *meminfo, const char *name);

/* The same, read for one line only. False, and 0 bytes: that cannot be known. */
bool sysfs_meminfo(unsigned node, const char *name, uint64_t *bytes);

/* How often the calling thread could not read something that may be there, since descriptors or
 * memory were missing. */
unsigned sysfs_troubles(void);

/* Where a symbolic link points. False: it is none. */
bool sysfs_link(char *target, size_t size, const char *path, ...)
    __attribute__((format(printf, 3, 4)));

/* Calls visit() for every name in a folder, in no order. False: there is no such folder. */
typedef void sysfs_visit(void *context, const char *name);
bool sysfs_names(sysfs_visit *visit, void *context, const char *path, ...)
    __attribute__((format(printf, 3, 4)));

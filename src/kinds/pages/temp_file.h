/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * temp_file: a file without a name in a directory, for a file-backed kind.
 *
 * Nothing is left when the last descriptor and mapping are gone, however the process ends. Any
 * thread, no lock, no allocation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define TEMP_FILE_PATH 4096 /* bytes of an absolute path */

/* A descriptor; -1 with errno. `absolute`, unless NULL: becomes the directory's path from the root,
 * by which it is found again after chdir(2). */
int temp_file_open(const char *directory, char absolute[TEMP_FILE_PATH]);

/* Whether and how a new file can be mapped: 0, with *dax for MAP_SYNC, or an errno. */
int temp_file_try(int file, bool *dax);

/* MEMKIND_SUCCESS: a file in the directory is mapped with DAX; MEMKIND_ERROR_MMAP: not so;
 * MEMKIND_ERROR_RUNTIME: no file there. */
int temp_file_check_dax(const char *directory);

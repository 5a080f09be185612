/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * file_pools: pools of pages in a file, for the tests of source_file.c.
 *
 * The file has no name: it is known by the descriptor of what the newest window maps.
 */
#pragma once

#include "support.h"

#include <sys/stat.h>

#include "kinds/pages/pool.h"

#define FILE_POOL_LIMIT (32 * MIB)

/* Where test programs may write: ext4 or whatever is there, and tmpfs. */
extern const char *const file_pool_directories[2];

/* As pool_open(). */
int file_pool_open(struct page_pool *pool, const char *directory, size_t limit);

/* Pages, written full. NULL: there are none. */
void *file_pool_take(struct page_pool *pool, size_t size);

/* All there are, in pieces of that size; how many bytes. */
size_t file_pool_take_all(struct page_pool *pool, size_t size);

/* Of the file that the pool has mapped last; -1: none is mapped, or it is open no more. */
int file_pool_descriptor(const struct page_pool *pool);
struct stat file_pool_status(const struct page_pool *pool);

/* Bytes that the file takes on its file system. */
size_t file_pool_ranges(const struct page_pool *pool);

/* Bytes of the file that are mapped somewhere. */
size_t file_pool_windows(const struct page_pool *pool);

/* A directory of our own. */
const char *file_pool_scratch(void);

/* How many names there are in a directory. */
size_t file_pool_entries(const char *path);

/* From now on no file of this process gets larger (RLIMIT_FSIZE). */
void file_pool_limit(size_t size);

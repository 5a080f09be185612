/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * next: the allocator behind this one, for blocks that are its own.
 *
 * A program may have got a block from it before this library was there, or past it: by dlsym() with
 * a handle of libc's, say. Such a block is freed, grown and measured where it comes from. Where
 * there is no allocator behind, a block stays where it is.
 *
 * Threads: any.
 */
#pragma once

#include <stddef.h>

/* Looks for the next free, realloc and malloc_usable_size, once, so that none of the three calls
 * below has to look in the middle of a free. Until then there is no next allocator. */
void next_find(void);

void next_free(void *block);
/* NULL with ENOMEM where there is no next allocator. */
void *next_realloc(void *block, size_t size);
size_t next_usable_size(void *block);

/* The next definition of a function, in this process's order of search or in a C++ runtime that a
 * library brought along for itself alone; NULL: there is none. */
void *next_function(const char *name);

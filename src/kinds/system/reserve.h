/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * reserve: blocks for calls that come back into the library while it is setting itself up.
 *
 * Under a malloc interposer that forwards to memkind_malloc(), whatever the library calls during
 * its first use may itself call malloc: pthread_atfork, the dynamic loader allocating a thread's
 * TLS, libdaxctl. Such a call arrives on a thread that is in the middle of becoming usable and can
 * be served by no heap. It gets a block from here: cut from a plain mapping, never reused, counted
 * in bytes per process. usable_size and realloc know these blocks; free leaves them.
 *
 * Threads: lock-free, any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Zeroed block of `size` bytes, or NULL with ENOMEM. `alignment` is a power of two. */
void *reserve_alloc(size_t size, size_t alignment);

bool reserve_owns(const void *block);

/* A block that no heap knows: one of this module stays where it is, any other pointer is foreign:
 * a line in the log, or the matter of who has asked for such pointers. */
void reserve_free(void *block);
void reserve_take_foreign(void (*take)(void *block));

/* Bytes of a block of this module. */
size_t reserve_size(const void *block);

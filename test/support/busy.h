/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * busy: a child of fork, and threads that keep the library busy while there is one.
 *
 * Kinds are a handful of static ones and one that is created. Threads of the parent say that
 * something went wrong by busy_end(), in the test; functions that children call return it.
 */
#pragma once

#include "support.h"

#include <sys/types.h>

#define BUSY_KINDS 5
#define BUSY_SECONDS 60 /* a child that takes longer hangs */

/* A static kind. */
memkind_t busy_kind(int i);

/* A new kind; NULL: it cannot be had. */
memkind_t busy_create(void);

/* Allocates, changes and frees in a kind; false: something is wrong. */
bool busy_use(memkind_t kind, uint64_t seed);

/* Uses every static kind, beside busy threads: what is wrong is told by busy_end(). */
void busy_use_once(void);

/* Waits for a child: its exit status, 128 and more for a signal. */
int busy_status_of(pid_t child);

/* Threads that allocate, create kinds, and start threads, until busy_end(). */
void busy_start(void);

/* The same, but all of them use one kind. */
void busy_start_with(memkind_t kind);

/* The test fails unless all is well: they still are at work, and nothing disturbed them. */
void busy_end(void);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * hotness: how much the sampled blocks are used, as far as the kernel tells which of their pages
 * were written.
 *
 * A thread of the library's looks at all large sampled blocks, again and again (written.h). Each
 * page that a block finds written in a round is an access. What is written costs a fault once a
 * round, so rounds are further apart for programs that write much: they take one part in 25 of the
 * time at most, with a microsecond for a page.
 *
 * The thread is one more in the program, with all signals blocked. The child of a fork has none.
 *
 * Threads: hotness_begin() and hotness_end() by one.
 */
#pragma once

#define HOTNESS_LEAST 65536 /* bytes: of smaller blocks, most share their pages with others */

/* Starts it, if there is a way to tell. */
void hotness_begin(void);

/* A last round. */
void hotness_end(void);

/* How accesses were counted, and in how many rounds. NULL: they were not. */
const char *hotness_method(void);
unsigned long hotness_rounds(void);

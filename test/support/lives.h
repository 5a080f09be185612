/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * lives: threads of test_threads.c and test_threads_limits.c, and what the process holds.
 *
 * The body of a thread cannot use Criterion's assertions: it returns what went wrong.
 */
#pragma once

#include "support.h"

#include <pthread.h>

#define EXPECT(condition)                  \
    do {                                   \
        if (!(condition))                  \
            return "expected " #condition; \
    } while (0)

/* Bytes of the blocks that hold thread states, caches and arena sets, jemalloc's and the library's
 * own.
 */
size_t own_bytes(void);

/* jemalloc's. */
unsigned arenas(void);

/* A thread with that size of stack, 0 for the usual one; finish() fails the test for what it says.
 */
pthread_t start(size_t stack, void *(*body)(void *), void *argument);
void finish(pthread_t thread);

/* A new kind. */
memkind_t create(void);

#define KINDS 5

extern memkind_t kinds[KINDS]; /* three static ones, two created ones */

/* Makes five kinds; then a few blocks of each, written, checked, freed with and without the kind.
 */
void use_five_kinds(void);
char *use_kinds(unsigned seed);

/* `threads` threads, `at_once` of them together, which get a number of their own. */
void live_and_die(unsigned threads, unsigned at_once, void *(*body)(void *));

/* Threads that exist at the same time: the body waits at the barrier, as this one does that uses
 * the five kinds. */
extern pthread_barrier_t barrier;
void gather(unsigned threads, void *(*body)(void *));
void *use_all_together(void *argument);

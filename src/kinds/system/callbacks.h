/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * callbacks: what the page layer and the heap managers call in the frontend above them.
 *
 * The page layer includes nothing of the layers above it. It still has to read a few
 * environment variables at the moment a kind first needs them and to explain what it found. Both
 * are services of the frontend (one place reads the environment, one place logs), handed down
 * once through this table before the first call into the page layer.
 *
 * Threads: callbacks_set() is called once under the frontend's first-use lock; every service is
 * thread-safe and calls no allocator, but for resume_background().
 */
#pragma once

#include <stdbool.h>

struct callbacks {
    /* Value of an environment variable, NULL when unset or when the process is privileged. */
    const char *(*environment)(const char *name);
    /* One line on stderr, always: `name` holds a value that nobody can use. */
    void (*reject)(const char *name, const char *accepted);
    /* One line on stderr under MEMKIND_DEBUG=1. Keeps errno. */
    void (*log)(const char *format, ...) __attribute__((format(printf, 1, 2)));
    /* Starts the background thread, where it should run and does not. Called with a guard and
     * without locks. */
    void (*resume_background)(void);
    /* Text on stderr, always, as it is. Async-signal-safe. */
    void (*say)(const char *text);
    /* The machine is not what it was: answers that were kept may be wrong (kinds/machine/facts.h).
     * It may be called inside an allocation. */
    void (*changed)(void);
};

/* Never NULL: before callbacks_set() the services are silent and know no variable. */
extern const struct callbacks *callbacks;

void callbacks_set(const struct callbacks *services);

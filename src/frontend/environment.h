/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * environment: the one place that reads the environment.
 *
 * Variables are read when they are first needed, never at load: programs set them in main(). A
 * privileged process (secure_getenv(3)) sees none of them. A value that nobody can use is one line
 * on stderr, always, naming the variable, its value and what is accepted.
 */
#pragma once

#include <stdbool.h>

#include "check/check.h"
#include "heap_manager.h"

struct environment {
    struct heap_settings settings;
    bool background_threads; /* MEMKIND_BACKGROUND_THREADS */
    bool arenas_rejected;    /* MEMKIND_ARENA_NUM_PER_KIND was unusable: create functions refuse */
    enum check_level check;
    const char *manager; /* MEMKIND_HEAP_MANAGER, NULL if unset */
};

/* Reads what is needed at first use, turns the log on. Called once, under the first-use lock. */
void environment_read(struct environment *environment);

/* A variable read later, by whom it concerns. NULL: unset. Any thread. */
const char *environment_get(const char *name);

/* Says once per variable that its value is unusable. Any thread. */
void environment_reject(const char *name, const char *accepted);

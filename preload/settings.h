/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * settings: what the variables MEMKIND_PRELOAD_... ask for. libmemkind-preload(7) is the contract.
 *
 * A value that is not accepted is told in a line on stderr, and the program goes on without it. A
 * process with other rights than its caller (AT_SECURE) is not told anything by the environment.
 *
 * Threads: one, at the first block of the process.
 */
#pragma once

#include <memkind.h>

#include <stdbool.h>
#include <stddef.h>

struct settings {
    memkind_t kind;
    bool checked; /* MEMKIND_CHECK is on */
};

/* Whether a report is asked for: allocates nothing. */
bool settings_are_watched(void);

void settings_read(struct settings *settings);

/* The MEMKIND_NUM_BASE_KIND static kinds as the variables name them, by their numbers. */
extern const char *const settings_kinds[] __attribute__((visibility("hidden")));
memkind_t settings_kind(int number);

/* Where the report goes: "-" for stderr, or a file's path. NULL: nowhere. */
const char *settings_report(void);

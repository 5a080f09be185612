/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * launch: sets a library of preload/ up for a program that a tool runs.
 *
 * One thread, which has the environment for itself.
 */
#pragma once

#include <stdarg.h>

/* As env(1); and of a tool that runs no program, where anything is wrong. */
enum launch_status {
    LAUNCH_FAILED = 1,
    LAUNCH_MISUSED = 125,
    LAUNCH_NOT_RUN = 126,
    LAUNCH_NOT_FOUND = 127
};

/* The tool says who it is. */
extern const char launch_program[];

/* A line on stderr, and the end of the tool. */
__attribute__((format(printf, 2, 3))) _Noreturn void launch_end(enum launch_status status,
                                                                const char *format, ...);

/* What the program is to find in its environment. */
void launch_set(const char *name, const char *value);

/* libmemkind-preload.so is preloaded, before those that are preloaded already. */
void launch_preload(void);

/* Another library, by its path from this tool's folder: where both are installed, or in the folder
 * of the build. */
void launch_preload_library(const char *installed, const char *built);

/* Becomes the program. */
_Noreturn void launch_become(char *const argv[]);

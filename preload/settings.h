/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * settings: the environment, and what the variables of all libraries of this folder have in common.
 *
 * A value that is not accepted is told in a line on stderr, and the program goes on without it. A
 * process with other rights than its caller (AT_SECURE) is not told anything by the environment.
 *
 * Threads: any, while nobody changes the environment; the variables are read at the first block of
 * the process.
 */
#pragma once

#include <memkind.h>

#include <stdbool.h>
#include <stddef.h>

/* The value of a variable. NULL: it is not set, or is not to be trusted. Allocates nothing. */
const char *settings_get(const char *name);

/* Before anything is said: the first block of the process. */
void settings_begin(void);

/* A line on stderr, with its newline, as long as stderr is what it was then. Allocates nothing. */
__attribute__((format(printf, 1, 2))) void settings_say(const char *format, ...);

/* Nothing is said from now on: while the first block of the process is waited for. */
void settings_silence(void);

/* The MEMKIND_NUM_BASE_KIND static kinds as the variables name them, by their numbers. */
extern const char *const settings_kinds[] __attribute__((visibility("hidden")));
memkind_t settings_kind(int number);
/* MEMKIND_NUM_BASE_KIND: it is none of them. */
unsigned settings_number(memkind_t kind);

/* A static kind by its name. NULL: there is none of this name. */
memkind_t settings_parse_kind(const char *name);

/* The same, if it is available here. NULL: it is told what is wrong with the variable. */
memkind_t settings_available_kind(const char *variable, const char *value);

/* Whether MEMKIND_CHECK is on. */
bool settings_are_checked(void);

/* Where the report goes: "-" for stderr, or a file's path. NULL: nowhere. */
const char *settings_report(void);

/* Where the profile goes: a file's path, without the process's number. NULL: nowhere. */
const char *settings_profile(void);
/* How many bytes there are between two that are sampled, on average. */
size_t settings_profile_rate(void);
#define SETTINGS_PROFILE_RATE ((size_t)512 << 10) /* if nothing is said */
/* Milliseconds between two looks at which pages were written. 0: nobody looks. */
unsigned long settings_profile_interval(void);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * log: the one place that writes to stderr.
 *
 * log_debug() writes under MEMKIND_DEBUG=1 only and explains what happens; log_always() is for
 * settings that cannot be used; log_text() for statistics and src/check. One line per call, one
 * write(2), at most LOG_LINE bytes, prefix "MEMKIND: ". Any thread; allocates nothing; keeps errno.
 */
#pragma once

#include <stdbool.h>

#define LOG_LINE 512

void log_enable(bool debug);
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Text that the program asked for, or a report of misuse, as it is. Async-signal-safe. */
void log_text(const char *text);
void log_always(const char *format, ...) __attribute__((format(printf, 1, 2)));

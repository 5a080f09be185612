/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* compiler: what is said to the compiler in every layer. jemalloc's internal headers, where they
 * are included, come first and have names of their own for the same. */
#pragma once

#define HIDDEN __attribute__((visibility("hidden"))) /* reached without the GOT */

#ifndef likely
#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)
#endif

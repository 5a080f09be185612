/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * special: which nodes are special memory, a line for each sort, above a table of kinds.
 *
 * Many kinds are not available for the same reason: what such a line says is not said again in each
 * row. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "words.h"

/* "high-bandwidth memory: nodes 2-3 (access1: ...)", "DAX memory: none: libdaxctl knows ..." */
void special_print(FILE *stream);

/* What a kind's row says of it: "not available: ", and the reason or, if `printed` and one of the
 * lines has just that, "see above". */
struct text special_refusal(const char *why, bool printed);

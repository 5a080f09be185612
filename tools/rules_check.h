/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* rules_check: what is wrong in a file of rules, told before a program runs by it. One thread. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/* Errors and warnings go to stderr, FILE:LINE:COLUMN before each; rules as they are understood to
 * `to`, if it is not NULL. A kind that is not available here and has nobody to stand in is told as
 * well, and it is an error if `is_to_run`. Whether there is no error. */
bool rules_check(const char *file, FILE *to, bool is_to_run);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * capture: the profile as a file, written when the process ends. docs/profile.md is the contract.
 *
 * Threads: one, at the first block of the process, and when it ends.
 */
#pragma once

#include <stdbool.h>

/* Reads the settings of a profile, and begins it. False: there is none. */
bool capture_begin(void);

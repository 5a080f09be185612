/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * profile_write: a capture in the forms that viewers read.
 *
 * One thread. All return false with errno where the file cannot be written.
 */
#pragma once

#include <stdbool.h>

#include "profile_capture.h"

/* For pprof and speedscope: profile.proto, compressed by zlib. */
bool profile_write_pprof(const struct capture *capture, const char *path);

/* For flame graphs: a line for each stack, outermost frame first, with its bytes at the peak. */
bool profile_write_folded(const struct capture *capture, const char *path);

/* A page with a plot of bytes over time by call site, and a table of the sites. */
bool profile_write_html(const struct capture *capture, const char *path);

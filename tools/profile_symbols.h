/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * profile_symbols: what a frame's address is in the source.
 *
 * By elfutils' libdw, from the module's symbols and debug information, wherever the distribution
 * has put that. A module whose file is another one by now (its build id tells) stays without names.
 * Functions that the compiler has made a part of their callers are not told apart from them.
 *
 * One thread.
 */
#pragma once

#include "profile_capture.h"

/* Sets the frames' functions, files and lines, as far as they are known. */
void symbols_find(struct capture *capture);

/* "function", or "module+0xOFFSET" where it is not known. `text` has at least `size` bytes. */
void symbols_name(const struct capture *capture, size_t frame, char *text, size_t size);

/* The same, and where it is: " file:line", if that is known. */
void symbols_describe(const struct capture *capture, size_t frame, char *text, size_t size);

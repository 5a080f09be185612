/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * profile_symbols: what a frame's address is in the source.
 *
 * By elfutils' libdw, from the module's symbols and debug information, wherever the distribution
 * has put that. A module whose file is another one by now (its build id tells) stays without names.
 * Functions that the compiler has made a part of their callers are told where there is debug
 * information: an address is in several places then, which are frames for who reads a profile.
 *
 * One thread.
 */
#pragma once

#include "profile_capture.h"

/* Sets the frames' places, as far as they are known. */
void symbols_find(struct capture *capture);

/* How many places a frame has, 1 at least: the first is the innermost of inlined functions, the
 * last is the function that they are a part of. */
size_t symbols_count(const struct capture *capture, size_t frame);

/* "function", or "module+0xOFFSET" where it is not known. `text` has at least `size` bytes. */
void symbols_name(const struct capture *capture, size_t frame, size_t place, char *text,
                  size_t size);

/* The same, and where it is: " file:line", if that is known. */
void symbols_describe(const struct capture *capture, size_t frame, size_t place, char *text,
                      size_t size);

/* That of the first place, and of the last one if it is another: what is inlined may be the C++
 * library's, and says little. */
void symbols_describe_call(const struct capture *capture, size_t frame, char *text, size_t size);

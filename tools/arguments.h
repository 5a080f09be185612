/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* arguments: what people write for a kind and for a size, the same for every tool. Any thread. */
#pragma once

#include <stddef.h>

/* The number of a static kind: with or without the prefix, in small letters or capitals. -1: there
 * is none of this name. */
int argument_kind(const char *name);

#define ARGUMENT_SIZES "accepted: bytes from 1 on, or with K, M, G or T"

/* "4096", "64M", "64MiB". 0: it is none, or too large for one. */
size_t argument_size(const char *text);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * size: what people write for a number of bytes, the same for every tool and for the library that
 * memkind-run preloads; so it needs nothing but libc. Any thread; allocates nothing.
 */
#pragma once

#include <stddef.h>

#define SIZE_ACCEPTED "accepted: bytes from 1 on, or with K, M, G or T"

/* "4096", "64M", "64MiB". 0: it is none, or too large for one. */
size_t size_parse(const char *text);

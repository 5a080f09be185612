/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* pages: on which nodes the pages of an address range are, by the kernel's word. Any thread. */
#pragma once

#include <stddef.h>

#define PAGES_NODES 1024

/* Adds the range's bytes on each node to bytes[]; pages that were never touched have no node.
 * 0, or an errno: the kernel does not say. */
int pages_count(const char *start, size_t size, size_t bytes[PAGES_NODES]);

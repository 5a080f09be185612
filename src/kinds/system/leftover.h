/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * leftover: mappings that nobody has a use for any more, and that the kernel does not unmap.
 *
 * munmap(2) of a part of what the kernel keeps as one mapping makes two of it, and fails where the
 * process has as many as it may have (vm.max_map_count). Whoever can use such pages again keeps
 * them. What is nobody's comes here: the pages go back at once, the addresses as soon as the kernel
 * takes them.
 *
 * Threads: any. One lock, which is the innermost of all.
 */
#pragma once

#include <stddef.h>

/* Unmaps; where that fails, now or later. */
void leftover_unmap(void *address, size_t size);

/* Tries those that are left once more. */
void leftover_retry(void);

/* Bytes that are left. */
size_t leftover_size(void);

void leftover_prefork(void);
void leftover_postfork(void);

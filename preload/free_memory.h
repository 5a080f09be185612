/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * free_memory: how much memory of each node is free, from the kernel's files below /sys.
 *
 * Threads: any; allocates nothing.
 */
#pragma once

#include <stddef.h>

/* "0: 1234, 1: 56", in MiB, cut off where there is no more room. Empty: it is not known. */
void free_memory_print(char *text, size_t room);

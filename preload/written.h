/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * written: which pages have been written since they were last looked at; the one place with the
 * kernel's interfaces for that.
 *
 * Either of two, whichever there is: pages are protected by a userfaultfd that resolves faults by
 * itself, and looked for by the PAGEMAP_SCAN of /proc/self/pagemap (Linux 6.7); or the soft-dirty
 * bits of the page tables, which are cleared by /proc/self/clear_refs for the whole process.
 *
 * Threads: one at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum written_method { WRITTEN_NONE, WRITTEN_SCAN, WRITTEN_SOFT_DIRTY };

/* Which one there is. Keeps a descriptor open for WRITTEN_SCAN. */
enum written_method written_begin(void);

/* Pages within an area that were written since the last round, or since they came. SIZE_MAX: it
 * cannot be told any more. */
size_t written_pages(enum written_method method, uintptr_t start, size_t size);

/* After a round over all areas. False: there can be no other. */
bool written_round_ends(enum written_method method);

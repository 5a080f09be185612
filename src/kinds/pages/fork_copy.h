/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * fork_copy: copies of a file's windows for the child of a fork(2).
 *
 * A file's pages are common to parent and child. A program that knows nothing of that, and has its
 * whole heap there, wants what it has of all other memory: copies. The kernel has none to offer: a
 * private mapping still shows what the parent writes to pages that the child has not written. So
 * the data is copied before the fork, into memory that both get, and the child puts that in the
 * place of the windows. All data, at each fork: only for pools that ask for it.
 *
 * Threads: called with the file source's lock.
 */
#pragma once

#include "kinds/pages/address_map.h"

/* Before the fork. `file`: the window's, or -1 where it is lost. Where there are no addresses for
 * the copy either, the log says so, and the pages stay common. */
void fork_copy_make(struct page_region *window, int file);

/* After it: the parent drops the copy, the child takes it. */
void fork_copy_settle(struct page_region *window, bool child);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * start: jemalloc's own start, once.
 *
 * jemalloc's load-time constructor is built out (cmake/jemalloc.cmake): it starts with the first
 * heap, or when the heap manager is loaded.
 */
#pragma once

/* Starts jemalloc, unless it has been. An error may go away later. Any thread. */
int jem_start(void);

/* Around fork(2): its lock is the outermost of the heap manager. */
void jem_start_prefork(void);
void jem_start_postfork(void);

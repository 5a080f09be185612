/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * full: level 2, every block. For tests: each call takes a lock and a back trace.
 *
 * A block of the program lies in a larger one of the heap manager, with a red zone on each side. It
 * is looked at when it is freed, when its memory goes back to the heap manager, when its kind is
 * destroyed and at the end of the process, which also tells what was not freed.
 *
 * What a parent's blocks are in the child of a fork(2): of a kind whose pages are shared, they are
 * left alone; of others, they are blocks as any, but no leaks.
 *
 * Threads: any. Two locks: one is held while memory goes back to the heap manager and comes before
 * all of its locks, the other guards what is known of blocks and comes after all others.
 */
#pragma once

#include "heap_manager.h"

/* The table to call in place of that one: once. */
const struct heap_manager *full_over(const struct heap_manager *under);

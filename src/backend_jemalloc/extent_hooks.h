/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * extent_hooks: where arenas get their pages, and how unused ones go back.
 *
 * jemalloc asks for pages through hooks, which call the page layer. Pages that stay unused for its
 * decay time come back through the dalloc hook; what that refuses is purged and stays with the
 * arena, among its retained extents. There are three ways of it:
 *   page-granular pool  every extent goes back as it is. An arena takes as many of what it wants
 *                       as fit into a step, and what it has not used of those is all that is ever
 *                       retained.
 *   whole regions       an extent goes back if it is a whole region; else it is purged, if that is
 *                       possible. (Huge pages: "decommit", since such pages must be had again
 *                       before they are touched.)
 *   demand-paged        the same, but regions are kept and purged: they cost addresses only.
 *
 * Threads: hooks are called with some of jemalloc's locks held, and inside jemalloc's own mark of
 * re-entry: nothing here may allocate from a heap.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "backend_jemalloc/jemalloc_internals.h"
#include "kinds/pages/pool.h"

/* The hooks of all arenas that have their pages from one pool, in one locality domain. */
struct jem_extent_hooks {
    extent_hooks_t table; /* first: jemalloc calls the hooks with its address */
    struct page_pool *pool;
    unsigned domain;
    atomic_bool whole; /* since this was last cleared, a region may have become all unused */
};

/* Hooks that take everything, give nothing and touch nothing. */
extern extent_hooks_t jem_extent_forget;

void jem_extent_hooks_init(struct jem_extent_hooks *hooks, struct page_pool *pool, unsigned domain);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * jemalloc_internals: jemalloc's internal headers, in the order that they need.
 *
 * The version is pinned. Its functions that take a cache themselves have no limit of 4,094 ids, and
 * its arenas can be filled from and flushed to directly.
 */
#pragma once

#include "jemalloc/internal/jemalloc_preamble.h"

#include "jemalloc/internal/jemalloc_internal_includes.h"

#include "jemalloc/internal/ctl.h"
#include "jemalloc/internal/inspect.h"

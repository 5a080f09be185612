/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * build_id: what a linker has called a module's build, among the module's notes.
 *
 * Threads: any.
 */
#pragma once

#include <stddef.h>

/* Its bytes, at least one; NULL: there is none. The notes may be anything. */
const unsigned char *build_id_find(const void *notes, size_t size, size_t *length);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * records: the library's own small objects, of one size a list.
 *
 * The library never calls malloc for itself. What it has to remember beside the heaps comes from
 * plain mappings, cut into records that are used again and never unmapped: a reader without a lock
 * that comes late reads an old record, and not a hole.
 *
 * Threads: the caller's lock guards a list.
 */
#pragma once

#include <stddef.h>

struct records {
    size_t size;  /* of a record, at least a pointer's */
    void *unused; /* linked through their first word */
};

/* A record with any content, or NULL. */
void *records_take(struct records *records);
void records_drop(struct records *records, void *record);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see records.h. */
#include "kinds/records.h"

#include "kinds/os.h"

#define CHUNK_SIZE ((size_t)64 << 10) /* bytes of a mapping */

void records_drop(struct records *records, void *record)
{
    *(void **)record = records->unused;
    records->unused = record;
}

void *records_take(struct records *records)
{
    void *record;

    if (!records->unused) {
        char *chunk = os_map(CHUNK_SIZE, os_page_size());

        for (size_t at = 0; chunk && at + records->size <= CHUNK_SIZE; at += records->size)
            records_drop(records, chunk + at);
    }
    record = records->unused;
    if (record)
        records->unused = *(void **)record;
    return record;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see build_id.h. */
#include "build_id.h"

#include <link.h>
#include <string.h>

const unsigned char *build_id_find(const void *notes, size_t size, size_t *length)
{
    const unsigned char *at = notes;

    while (size >= sizeof(ElfW(Nhdr))) {
        const ElfW(Nhdr) *note = (const void *)at;
        size_t name = ((size_t)note->n_namesz + 3) & ~(size_t)3;
        size_t text = ((size_t)note->n_descsz + 3) & ~(size_t)3;

        if (name + text > size - sizeof *note)
            return NULL;
        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == sizeof "GNU" && note->n_descsz &&
            memcmp(at + sizeof *note, "GNU", sizeof "GNU") == 0) {
            *length = note->n_descsz;
            return at + sizeof *note + name;
        }
        at += sizeof *note + name + text;
        size -= sizeof *note + name + text;
    }
    return NULL;
}

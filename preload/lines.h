/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * lines: at which addresses the code of a source line is, by DWARF's line tables, versions 2 to 5.
 *
 * A reader of its own, since a program is not to get a library for it, and none that could take a
 * lock or end the process. What is broken in a table ends that table.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lines_section {
    const unsigned char *bytes; /* NULL: there is none */
    size_t size;
};

struct lines_sections {
    struct lines_section line, line_strings, strings; /* .debug_line, .debug_line_str, .debug_str */
};

struct lines_row {
    const struct lines_table *table;
    uint64_t file;
    unsigned line;
    uint64_t low, high; /* addresses as in the file; the last one excluded */
};

/* Every row of every table, in the order of the file. */
void lines_each(const struct lines_sections *sections,
                void (*row)(void *to, const struct lines_row *), void *to);

/* Whether the row is of this file: "a.c" is any folder's, "src/a.c" that of any folder src. */
bool lines_is_of(const struct lines_row *row, const char *file);

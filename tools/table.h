/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * table: rows of text, printed in columns as wide as their widest cell.
 *
 * A cell's text is copied. A column that is empty in every row but the first, its heading, is left
 * out. One thread at a time for each table; without memory the program ends.
 */
#pragma once

#include <stdio.h>

#define TABLE_COLUMNS 9

/* Starts as {0}. */
struct table {
    struct row {
        char *cells[TABLE_COLUMNS];
    } * rows;
    size_t count;
};

/* `cells`: one text for each column, NULL ends them early. The first row is the heading. */
void table_add(struct table *table, const char *const cells[TABLE_COLUMNS]);

/* `right`: a bit for each column that is aligned to the right. Frees the rows. */
void table_print(struct table *table, unsigned right, FILE *stream);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see table.h. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

static void *checked(void *memory)
{
    if (!memory) {
        fputs("no memory\n", stderr);
        exit(EXIT_FAILURE);
    }
    return memory;
}

void table_add(struct table *table, const char *const cells[TABLE_COLUMNS])
{
    struct row *row;
    size_t column = 0;

    table->rows = checked(reallocarray(table->rows, table->count + 1, sizeof *table->rows));
    row = &table->rows[table->count++];
    for (; column < TABLE_COLUMNS && cells[column]; column++)
        row->cells[column] = checked(strdup(cells[column]));
    for (; column < TABLE_COLUMNS; column++)
        row->cells[column] = checked(strdup(""));
}

/* 0: only the heading has text. */
static size_t width(const struct table *table, size_t column)
{
    size_t widest = 0;

    for (size_t row = 1; row < table->count; row++)
        if (strlen(table->rows[row].cells[column]) > widest)
            widest = strlen(table->rows[row].cells[column]);
    if (widest && strlen(table->rows[0].cells[column]) > widest)
        widest = strlen(table->rows[0].cells[column]);
    return widest;
}

void table_print(struct table *table, unsigned right, FILE *stream)
{
    size_t widths[TABLE_COLUMNS], last = 0;

    for (size_t column = 0; column < TABLE_COLUMNS; column++) {
        widths[column] = width(table, column);
        if (widths[column])
            last = column;
    }
    for (size_t row = 0; row < table->count; row++) {
        for (size_t column = 0; column <= last; column++) {
            const char *cell = table->rows[row].cells[column];

            if (!widths[column])
                continue;
            if (right & 1U << column)
                fprintf(stream, "%*s", (int)widths[column], cell);
            else
                fprintf(stream, "%-*s", column < last ? (int)widths[column] : 0, cell);
            fputs(column < last ? "  " : "\n", stream);
        }
        for (size_t column = 0; column < TABLE_COLUMNS; column++)
            free(table->rows[row].cells[column]);
    }
    free(table->rows);
    *table = (struct table){0};
}

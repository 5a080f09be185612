/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * fuzz_lines: DWARF's line tables, as rules about source lines read them. The first byte says which
 * part of the rest is .debug_line, of 256; what is behind it is both sections of strings.
 */
#include "fuzz.h"

#include "../../preload/lines.h"

static void note_row(void *to, const struct lines_row *row)
{
    size_t *rows = to;

    MUST(row->low < row->high);
    /* Files are looked for in the table anew for each row that is asked for. */
    if (++*rows < 100)
        MUST(!(lines_is_of(row, "a.c") && lines_is_of(row, "b.c")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lines_sections sections = {0};
    size_t rows = 0, lines = size ? (size - 1) * (data[0] + 1U) / 256 : 0;

    if (!size)
        return 0;
    sections.line = (struct lines_section){data + 1, lines};
    sections.line_strings = (struct lines_section){data + 1 + lines, size - 1 - lines};
    sections.strings = sections.line_strings;
    lines_each(&sections, note_row, &rows);
    return 0;
}

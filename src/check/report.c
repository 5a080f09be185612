/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see report.h. */
#include "check/report.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "kinds/system/callbacks.h"

/* --- a line ----------------------------------------------------------------------------------- */

struct line {
    size_t length;
    char text[480];
};

static void add(struct line *line, const char *text)
{
    /* Room is left for the end of the line. */
    while (*text && line->length < sizeof line->text - 2)
        line->text[line->length++] = *text++;
}

static void add_number(struct line *line, uintptr_t number, unsigned base)
{
    char digits[24];
    size_t at = sizeof digits;

    digits[--at] = '\0';
    do
        digits[--at] = "0123456789abcdef"[number % base];
    while (number /= base);
    add(line, digits + at);
}

static void add_address(struct line *line, uintptr_t address)
{
    add(line, "0x");
    add_number(line, address, 16);
}

static void begin(struct line *line, const char *text)
{
    line->length = 0;
    add(line, "MEMKIND: ");
    add(line, text);
}

static void say(struct line *line)
{
    line->text[line->length++] = '\n';
    line->text[line->length] = '\0';
    callbacks->say(line->text);
}

/* --- back traces ------------------------------------------------------------------------------ */

/* Looks for the file that an address is code of, in lines of /proc/self/maps:
 * START-END PERMISSIONS OFFSET DEVICE INODE FILE, numbers in base 16. */
struct search {
    uintptr_t address;
    struct line *line;
};

static uintptr_t read_hex(const char **text)
{
    uintptr_t number = 0;

    for (;; ++*text) {
        char digit = **text;

        if (digit >= '0' && digit <= '9')
            number = number * 16 + (uintptr_t)(digit - '0');
        else if (digit >= 'a' && digit <= 'f')
            number = number * 16 + (uintptr_t)(digit - 'a') + 10;
        else
            return number;
    }
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the type of os_read_lines() */
static void name_file(void *context, char *line)
{
    const struct search *search = context;
    const char *text = line, *file = strchr(text, '/');
    uintptr_t start, end, offset;

    start = read_hex(&text);
    text += *text == '-';
    end = read_hex(&text);
    if (search->address < start || search->address >= end)
        return;
    text += strlen(" r-xp ") < strlen(text) ? strlen(" r-xp ") : 0;
    offset = read_hex(&text);
    if (!file)
        return;
    add(search->line, " ");
    add(search->line, file);
    add(search->line, "+");
    add_address(search->line, search->address - start + offset);
}

static void say_trace(const char *what, const struct trace *trace)
{
    struct line line;

    if (!trace || !trace->thread)
        return;
    begin(&line, "  ");
    add(&line, what);
    add(&line, " thread ");
    add_number(&line, (uintptr_t)trace->thread, 10);
    say(&line);
    for (int i = 0; i < trace->count; i++) {
        struct search search = {(uintptr_t)trace->frames[i], &line};

        begin(&line, "    #");
        add_number(&line, (uintptr_t)i, 10);
        add(&line, " ");
        add_address(&line, search.address);
        os_read_lines("/proc/self/maps", name_file, &search);
        say(&line);
    }
}

/* --- reports ---------------------------------------------------------------------------------- */

static void add_block(struct line *line, const struct block_facts *block)
{
    add(line, " a block of ");
    add_number(line, block->size, 10);
    add(line, " bytes of ");
    add(line, block->heap->pages.kind->name);
}

static void add_place(struct line *line, const char *address, const struct block_facts *block)
{
    size_t before = (size_t)(block->address - address), in = (size_t)(address - block->address);

    add(line, ", ");
    if (address < block->address) {
        add_number(line, before, 10);
        add(line, " bytes before");
    } else if (in == 0) {
        add(line, "the start of");
    } else if (in < block->size) {
        add_number(line, in, 10);
        add(line, " bytes into");
    } else {
        add_number(line, in - block->size, 10);
        add(line, " bytes after the end of");
    }
    add_block(line, block);
}

void report_misuse(enum misuse misuse, const void *address, const struct block_facts *block,
                   const struct trace *now)
{
    static const char *const names[] = {
        [MISUSE_OVERFLOW] = "overflow",
        [MISUSE_UNDERFLOW] = "underflow",
        [MISUSE_USE_AFTER_FREE] = "use after free",
        [MISUSE_WRITE_AFTER_FREE] = "write after free",
        [MISUSE_DOUBLE_FREE] = "double free",
        [MISUSE_INTERIOR_FREE] = "free of an interior pointer",
        [MISUSE_FOREIGN_FREE] = "free of what is no block",
        [MISUSE_WRONG_KIND] = "free with the wrong kind",
    };
    struct line line;

    begin(&line, "check: ");
    add(&line, names[misuse]);
    add(&line, ": ");
    add_address(&line, (uintptr_t)address);
    if (block)
        add_place(&line, address, block);
    say(&line);
    say_trace("found by", now);
    if (!block)
        return;
    say_trace("allocated by", &block->allocated);
    say_trace("freed by", &block->freed);
}

void report_leak(size_t count, size_t size, const struct block_facts *largest)
{
    struct line line;

    begin(&line, "check: leak: ");
    add_number(&line, count, 10);
    add(&line, count == 1 ? " block, " : " blocks, ");
    add_number(&line, size, 10);
    add(&line, " bytes of ");
    add(&line, largest->heap->pages.kind->name);
    add(&line, "; the largest is");
    add_block(&line, largest);
    say(&line);
    say_trace("allocated by", &largest->allocated);
}

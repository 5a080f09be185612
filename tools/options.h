/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * options: what a tool that may run programs takes on its command line, as one table: what is
 * accepted and what --help says come from it, and tests hold the manual page against that.
 *
 * One thread.
 */
#pragma once

#include <stdbool.h>

struct option_row {
    char letter;
    const char *name;
    const char *argument; /* as --help writes it; NULL: it has none */
    bool optional;        /* the argument may be left out */
    const char *help;     /* lines, with \n between them */
    /* `value`: NULL if there is none. NULL: `set` becomes true, or, if that is NULL too, --help is
     * printed. */
    void (*take)(const char *value);
    bool *set;
};

struct options {
    bool alone;                    /* it runs no program: options may come last, failures are 1 */
    const char *usage;             /* what --help begins with */
    const struct option_row *rows; /* the last one has no name */
    const char *end;               /* what it ends with */
};

/* The place of the first argument that is no option. Ends the tool where something is not accepted.
 */
int options_parse(const struct options *options, int argc, char *argv[]);
/* For a tool that runs a program, which is to be the first of these: ends it where there is none.
 */
void options_need_program(int first, int argc);

/* For the row of --version. Ends the tool. */
void options_version(const char *value);

/* The end of the tool, after what it has written on the standard output. */
_Noreturn void options_done(void);

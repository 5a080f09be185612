/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see options.h. */
#define _GNU_SOURCE
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/version.h"
#include "launch.h"

#define MOST 20
#define COLUMN 24 /* where the words of --help begin */

static enum launch_status misused = LAUNCH_MISUSED;

void options_done(void)
{
    exit(fflush(stdout) ? misused : EXIT_SUCCESS);
}

static void print_row(const struct option_row *row)
{
    char head[80];
    int length;

    length = snprintf(head, sizeof head, "  -%c, --%s%s%s%s", row->letter, row->name,
                      row->optional   ? "[="
                      : row->argument ? " "
                                      : "",
                      row->argument ? row->argument : "", row->optional ? "]" : "");
    printf("%-*s", COLUMN - 1, head);
    printf(length < COLUMN - 1 ? " " : "\n%*s", COLUMN, "");
    for (const char *at = row->help; *at; at++)
        if (*at == '\n')
            printf("\n%*s", COLUMN, "");
        else
            putchar(*at);
    putchar('\n');
}

static _Noreturn void print_help(const struct options *options)
{
    fputs(options->usage, stdout);
    for (const struct option_row *row = options->rows; row->name; row++)
        print_row(row);
    fputs(options->end, stdout);
    options_done();
}

/* For getopt_long(3), where options end at the first argument that is none, or anywhere. */
static void make_known(const struct options *options, struct option known[MOST + 1],
                       char letters[3 * MOST + 2])
{
    const struct option_row *rows = options->rows;

    if (!options->alone)
        *letters++ = '+';
    for (int i = 0; rows[i].name; i++) {
        int has = !rows[i].argument  ? no_argument
                  : rows[i].optional ? optional_argument
                                     : required_argument;

        known[i] = (struct option){rows[i].name, has, NULL, rows[i].letter};
        *letters++ = rows[i].letter;
        for (int colons = has; colons; colons--)
            *letters++ = ':';
    }
    *letters = '\0';
}

int options_parse(const struct options *options, int argc, char *argv[])
{
    struct option known[MOST + 1] = {{NULL, 0, NULL, 0}};
    char letters[3 * MOST + 2];
    int letter;

    if (options->alone)
        misused = LAUNCH_FAILED;
    make_known(options, known, letters);
    while ((letter = getopt_long(argc, argv, letters, known, NULL)) != -1) {
        const struct option_row *row = options->rows;

        while (row->name && row->letter != letter)
            row++;
        if (!row->name)
            launch_end(misused, "--help tells the options");
        if (row->take)
            row->take(optarg);
        else if (row->set)
            *row->set = true;
        else
            print_help(options);
    }
    return optind;
}

void options_need_program(int first, int argc)
{
    if (first == argc)
        launch_end(LAUNCH_MISUSED, "no program is named; --help tells how");
}

void options_version(const char *value)
{
    (void)value;
    printf("%s %s\n", launch_program, MEMKIND_VERSION_TEXT);
    options_done();
}

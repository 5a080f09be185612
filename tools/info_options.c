/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see info_options.h. */
#define _GNU_SOURCE /* getopt.h: getopt_long */
#include "info_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "frontend/version.h"
#include "size.h"

#define SECONDS 60 /* for measuring, if nothing is said */

static const char help[] =
    "usage: " PROGRAM " [--nodes] [--kinds] [--kind NAME]\n"
    "                    [--json | --graph | --svg FILE]\n"
    "       " PROGRAM " --measure [--measure-size SIZE] [--seconds N] [--json]\n"
    "       " PROGRAM " --kind NAME --check SIZE\n"
    "\n"
    "Shows this machine's memory and what each static kind of libmemkind means here.\n"
    "\n"
    "  --nodes        only the nodes\n"
    "  --kinds        only the kinds\n"
    "  --kind NAME    only this kind: MEMKIND_HBW, or just hbw\n"
    "  --json         for programs\n"
    "  --graph        a tree: nodes by the CPUs they are near to, and the kinds that use them\n"
    "  --svg FILE     the same as a picture (SVG); - for the standard output\n"
    "  --measure      measure each node's memory from the CPUs of each node, and say which nodes "
    "the\n"
    "                 library would call high-bandwidth by that; takes memory and all CPUs\n"
    "  --measure-size SIZE\n"
    "                 the memory to measure a node in (four times the last-level caches, 64 MiB "
    "or\n"
    "                 more); never more than a quarter of what it has free\n"
    "  --seconds N    how long all of it takes, about (60); it is shorter where there is little\n"
    "  --check SIZE   allocate SIZE bytes (K, M, G, T: times 1024) of the kind, write them, and "
    "ask\n"
    "                 the kernel where they are\n"
    "  --help         this text\n"
    "  --version      the library's version\n"
    "\n"
    "Exit status: 0 all is well, 1 the check or the output failed, 2 wrong options,\n"
    "3 the kind to check is not available here.\n";

/* `value`: of the program's arguments, or NULL. */
static _Noreturn void misused(const char *why, const char *value)
{
    fprintf(stderr, PROGRAM ": %s%s%s\n", why, value ? ": " : "", value ? value : "");
    fputs(PROGRAM ": --help tells the options\n", stderr);
    exit(MISUSED);
}

/* --- options ---------------------------------------------------------------------------------- */

static int parse_kind(const char *name)
{
    int kind = argument_kind(name);

    if (kind < 0)
        misused("no static kind has this name", name);
    return kind;
}

static size_t parse_size(const char *text)
{
    size_t size = size_parse(text);

    if (!size)
        misused("this is no size", text);
    return size;
}

/* 1 to 86400 */
static unsigned parse_seconds(const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || number < 1 || number > 86400)
        misused("this is no number of seconds from 1 to 86400", text);
    return (unsigned)number;
}

static void check_measure(struct info_options *options)
{
    bool other = options->graph || options->svg || options->check || options->request.nodes ||
                 options->request.kinds || options->request.kind >= 0;

    if (options->measure && other)
        misused("--measure goes with --measure-size, --seconds and --json only", NULL);
    if (!options->measure && (options->limits.size || options->limits.seconds))
        misused("--measure-size and --seconds need --measure", NULL);
    if (!options->limits.seconds)
        options->limits.seconds = SECONDS;
}

static void complete(struct info_options *options)
{
    if (options->check && options->request.kind < 0)
        misused("--check needs --kind", NULL);
    if (options->json + options->graph + (options->svg != NULL) > 1)
        misused("only one of --json, --graph and --svg can be had", NULL);
    if (options->svg && !*options->svg)
        misused("--svg needs the name of a file", NULL);
    if (options->check && (options->json || options->graph || options->svg ||
                           options->request.nodes || options->request.kinds))
        misused("--check goes with --kind only", NULL);
    check_measure(options);
    if (options->request.kind >= 0)
        options->request.kinds = true;
    if (!options->request.nodes && !options->request.kinds)
        options->request.nodes = options->request.kinds = true;
}

_Noreturn void info_finish(int status)
{
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, PROGRAM ": standard output: %s\n", strerror(errno));
        status = FAILED;
    }
    exit(status);
}

enum { NODES = 1, KINDS, KIND, JSON, GRAPH, SVG, MEASURE, SIZE, TIME, CHECK, HELP, VERSION };

static const struct option known[] = {
    {"nodes", no_argument, NULL, NODES},
    {"kinds", no_argument, NULL, KINDS},
    {"kind", required_argument, NULL, KIND},
    {"json", no_argument, NULL, JSON},
    {"graph", no_argument, NULL, GRAPH},
    {"svg", required_argument, NULL, SVG},
    {"check", required_argument, NULL, CHECK},
    {"measure", no_argument, NULL, MEASURE},
    {"measure-size", required_argument, NULL, SIZE},
    {"seconds", required_argument, NULL, TIME},
    {"help", no_argument, NULL, HELP},
    {"version", no_argument, NULL, VERSION},
    {NULL, 0, NULL, 0},
};

static void take(int option, struct info_options *options)
{
    switch (option) {
    case NODES:
        options->request.nodes = true;
        break;
    case KINDS:
        options->request.kinds = true;
        break;
    case KIND:
        options->request.kind = parse_kind(optarg);
        break;
    case JSON:
        options->json = true;
        break;
    case GRAPH:
        options->graph = true;
        break;
    case SVG:
        options->svg = optarg;
        break;
    case MEASURE:
        options->measure = true;
        break;
    case SIZE:
        options->limits.size = parse_size(optarg);
        break;
    case TIME:
        options->limits.seconds = parse_seconds(optarg);
        break;
    case CHECK:
        options->check = parse_size(optarg);
        break;
    case 'h':
    case HELP:
        fputs(help, stdout);
        info_finish(DONE);
    case 'V':
    case VERSION:
        puts(PROGRAM " " MEMKIND_VERSION_TEXT);
        info_finish(DONE);
    default:
        fputs(PROGRAM ": --help tells the options\n", stderr);
        exit(MISUSED);
    }
}

void info_options_parse(int argc, char *argv[], struct info_options *options)
{
    int option;

    *options = (struct info_options){.request.kind = -1};
    while ((option = getopt_long(argc, argv, "hV", known, NULL)) != -1)
        take(option, options);
    if (optind < argc)
        misused("this is no option", argv[optind]);
    complete(options);
}

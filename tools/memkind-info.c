/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * memkind-info: what this machine has, and what the library makes of it.
 *
 * Options and exit statuses; the manual page memkind-info(1) is their contract. One thread.
 */
#define _GNU_SOURCE /* getopt.h: getopt_long */
#include <memkind.h>

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "frontend/managers.h"
#include "frontend/registry.h"
#include "frontend/version.h"
#include "info.h"
#include "kinds/machine/report.h"
#include "trial.h"
#include "words.h"

#define PROGRAM "memkind-info"

enum status { DONE = 0, FAILED = 1, MISUSED = 2, NO_SUCH_MEMORY = 3 };

struct options {
    struct info_request request;
    bool json;
    size_t check; /* bytes; 0: no check */
};

static const char help[] =
    "usage: " PROGRAM " [--nodes] [--kinds] [--kind NAME] [--json]\n"
    "       " PROGRAM " --kind NAME --check SIZE\n"
    "\n"
    "Shows this machine's memory and what each static kind of libmemkind means here.\n"
    "\n"
    "  --nodes        only the nodes\n"
    "  --kinds        only the kinds\n"
    "  --kind NAME    only this kind: MEMKIND_HBW, or just hbw\n"
    "  --json         for programs\n"
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

/* With or without the prefix, in small letters or capitals. */
static int parse_kind(const char *name)
{
    static const char prefix[] = "MEMKIND_";
    size_t skipped = strncasecmp(name, prefix, strlen(prefix)) == 0 ? strlen(prefix) : 0;

    for (int kind = 0; kind < MEMKIND_NUM_BASE_KIND; kind++)
        if (strcasecmp(page_kind_static[kind].name + strlen(prefix), name + skipped) == 0)
            return kind;
    misused("no static kind has this name", name);
}

/* "4096", "64M", "64MiB". */
static size_t parse_size(const char *text)
{
    static const char units[] = "KMGT";
    unsigned long long number;
    unsigned shift = 0;
    const char *unit;
    char *end;

    errno = 0;
    number = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || errno)
        misused("this is no size", text);
    unit = *end ? strchr(units, *end & ~0x20) : NULL;
    if (unit) {
        shift = 10 * (unsigned)(unit - units + 1);
        end += strcasecmp(end + 1, "iB") == 0 ? 3 : 1;
    }
    if (*end || !number || number > (unsigned long long)PTRDIFF_MAX >> shift)
        misused("this is no size", text);
    return (size_t)number << shift;
}

static void complete(struct options *options)
{
    if (options->check && options->request.kind < 0)
        misused("--check needs --kind", NULL);
    if (options->check && (options->json || options->request.nodes || options->request.kinds))
        misused("--check goes with --kind only", NULL);
    if (options->request.kind >= 0)
        options->request.kinds = true;
    if (!options->request.nodes && !options->request.kinds)
        options->request.nodes = options->request.kinds = true;
}

static _Noreturn void finish(int status)
{
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, PROGRAM ": standard output: %s\n", strerror(errno));
        status = FAILED;
    }
    exit(status);
}

static void parse(int argc, char *argv[], struct options *options)
{
    enum { NODES = 1, KINDS, KIND, JSON, CHECK, HELP, VERSION };
    static const struct option known[] = {
        {"nodes", no_argument, NULL, NODES},       {"kinds", no_argument, NULL, KINDS},
        {"kind", required_argument, NULL, KIND},   {"json", no_argument, NULL, JSON},
        {"check", required_argument, NULL, CHECK}, {"help", no_argument, NULL, HELP},
        {"version", no_argument, NULL, VERSION},   {NULL, 0, NULL, 0},
    };
    int option;

    *options = (struct options){.request.kind = -1};
    while ((option = getopt_long(argc, argv, "hV", known, NULL)) != -1) {
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
        case CHECK:
            options->check = parse_size(optarg);
            break;
        case 'h':
        case HELP:
            fputs(help, stdout);
            finish(DONE);
        case 'V':
        case VERSION:
            puts(PROGRAM " " MEMKIND_VERSION_TEXT);
            finish(DONE);
        default:
            fputs(PROGRAM ": --help tells the options\n", stderr);
            exit(MISUSED);
        }
    }
    if (optind < argc)
        misused("this is no option", argv[optind]);
    complete(options);
}

/* --- the check -------------------------------------------------------------------------------- */

static int check(const struct options *options)
{
    const struct page_kind *row = &page_kind_static[options->request.kind];
    struct trial trial = {
        .kind = MEMKIND_DEFAULT + options->request.kind, .row = row, .size = options->check};
    struct kind_report report;
    struct result outcome;
    char why[sizeof report.why];

    trial_stay_on_this_cpu();
    report_kind(row, &report);
    if (report.error) {
        printf("%s: not available: %s\n", row->name, report.why);
        return NO_SUCH_MEMORY;
    }
    report_kind_nodes(row, os_current_node(), &trial.nodes, why, sizeof why);
    outcome = trial_run(&trial);
    printf("%s, %s: %s\n", row->name, bytes_text(trial.size).text, outcome.words);
    return outcome.verdict == GOOD ? DONE : FAILED;
}

int main(int argc, char *argv[])
{
    struct options options;

    parse(argc, argv, &options);
    (void)memkind_check_available(MEMKIND_DEFAULT); /* the library's first use: see report.h */
    if (options.check)
        finish(check(&options));
    if (options.json) {
        info_print_json(&options.request, stdout);
    } else {
        printf("libmemkind %s, heap manager %s\n\n", MEMKIND_VERSION_TEXT, managers_get()->name);
        info_print(&options.request, stdout);
    }
    finish(DONE);
}

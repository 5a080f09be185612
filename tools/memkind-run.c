/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * memkind-run: runs a program under libmemkind-preload.so.
 *
 * It says beforehand what the library could only say in every process that comes: that there is no
 * such kind, that the kind is not available here, that there is an error in a rule. Then it becomes
 * the program. memkind-run(1) is the contract. One thread.
 */
#define _GNU_SOURCE
#include <memkind.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "frontend/registry.h"
#include "frontend/version.h"
#include "kinds/machine/page_kind.h"
#include "launch.h"
#include "rules_check.h"
#include "size.h"

#define PROGRAM "memkind-run"

const char launch_program[] = PROGRAM;

static const char help[] =
    "usage: " PROGRAM " [--kind KIND] [--limit SIZE] [--rules FILE] [--report[=FILE]]\n"
    "                   [--heap-manager NAME] [--verbose] [--] PROGRAM [ARGUMENT...]\n"
    "       " PROGRAM " --check-rules FILE\n"
    "\n"
    "Runs a program, and those that it starts, with all their heap memory from a kind, or from\n"
    "several as rules say.\n"
    "\n"
    "  -k, --kind KIND      MEMKIND_HBW, or just hbw (DEFAULT); memkind-info shows which are here\n"
    "  -l, --limit SIZE     the kind gives each process SIZE bytes (K, M, G, T: times 1024) at "
    "most,\n"
    "                       MEMKIND_DEFAULT the rest\n"
    "  -R, --rules FILE     each block's kind is that of the first rule that is for it, and KIND "
    "where\n"
    "                       there is none: memkind-rules(5)\n"
    "  -c, --check-rules FILE\n"
    "                       print each rule as it is understood, and what is wrong; nothing is "
    "run\n"
    "  -r, --report[=FILE]  each process that ends says what it had of each kind, and on which\n"
    "                       nodes, on its standard error, or at the end of FILE\n"
    "  -m, --heap-manager NAME\n"
    "                       JEMALLOC or TBB\n"
    "  -v, --verbose        show the variables that are set for the program\n"
    "  -h, --help           this text\n"
    "  -V, --version        the library's version\n"
    "\n"
    "Exit status: the program's; 125 wrong options or rules, or no such memory here; 126 the "
    "program\n"
    "cannot be run; 127 it is not found. Of --check-rules: 0; 1 there is an error.\n";

/* --- variables -------------------------------------------------------------------------------- */

static bool verbose;

static void show(const char *name)
{
    const char *value = getenv(name);

    if (value)
        fprintf(stderr, PROGRAM ": %s=%s\n", name, value);
}

static void set_kind(const char *name)
{
    char why[MEMKIND_ERROR_MESSAGE_SIZE];
    int kind = argument_kind(name), error;

    if (kind < 0)
        launch_end(LAUNCH_MISUSED,
                   "--kind: no static kind has this name: %s; memkind-info --kinds shows them",
                   name);
    error = memkind_check_available(registry_static(kind));
    if (error) {
        memkind_error_message(error, why, sizeof why);
        launch_end(LAUNCH_MISUSED,
                   "--kind: %s is not available here: %s; memkind-info --kind %s tells more",
                   page_kind_static[kind].name, why, page_kind_static[kind].name);
    }
    launch_set("MEMKIND_PRELOAD_KIND", page_kind_static[kind].name);
}

static void set_limit(const char *text)
{
    if (!size_parse(text))
        launch_end(LAUNCH_MISUSED, "--limit: this is no size: %s; " SIZE_ACCEPTED, text);
    launch_set("MEMKIND_PRELOAD_LIMIT", text);
}

/* The program may change to another folder. */
static void set_path(const char *variable, const char *option, const char *file)
{
    char *path = realpath(file, NULL);

    if (!path)
        launch_end(LAUNCH_MISUSED, "%s: %s: %s", option, file, strerror(errno));
    launch_set(variable, path);
    free(path);
}

static void set_rules(const char *file)
{
    if (!rules_check(file, NULL, true))
        launch_end(LAUNCH_MISUSED, "--rules: %s is not to be gone by", file);
    set_path("MEMKIND_PRELOAD_RULES", "--rules", file);
}

/* NULL: standard error. */
static void set_report(const char *file)
{
    int opened;

    if (!file) {
        launch_set("MEMKIND_PRELOAD_REPORT", "-");
        return;
    }
    opened = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (opened < 0)
        launch_end(LAUNCH_MISUSED, "--report: %s: %s", file, strerror(errno));
    close(opened);
    set_path("MEMKIND_PRELOAD_REPORT", "--report", file);
}

static void set_heap_manager(const char *name)
{
    if (strcmp(name, "JEMALLOC") != 0 && strcmp(name, "TBB") != 0)
        launch_end(LAUNCH_MISUSED,
                   "--heap-manager: there is none of this name: %s; accepted: JEMALLOC or TBB",
                   name);
    launch_set("MEMKIND_HEAP_MANAGER", name);
}

/* --- the command ------------------------------------------------------------------------------ */

/* The place of the program among the arguments. */
static int parse(int argc, char *argv[])
{
    static const struct option known[] = {
        {"kind", required_argument, NULL, 'k'},
        {"limit", required_argument, NULL, 'l'},
        {"rules", required_argument, NULL, 'R'},
        {"check-rules", required_argument, NULL, 'c'},
        {"report", optional_argument, NULL, 'r'},
        {"verbose", no_argument, NULL, 'v'},
        {"heap-manager", required_argument, NULL, 'm'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "+k:l:R:c:r::m:vhV", known, NULL)) != -1) {
        switch (option) {
        case 'k':
            set_kind(optarg);
            break;
        case 'l':
            set_limit(optarg);
            break;
        case 'R':
            set_rules(optarg);
            break;
        case 'c':
            exit(rules_check(optarg, stdout, false) && !fflush(stdout) ? EXIT_SUCCESS
                                                                       : EXIT_FAILURE);
        case 'r':
            set_report(optarg);
            break;
        case 'm':
            set_heap_manager(optarg);
            break;
        case 'v':
            verbose = true;
            break;
        case 'h':
            fputs(help, stdout);
            exit(fflush(stdout) ? LAUNCH_MISUSED : EXIT_SUCCESS);
        case 'V':
            puts(PROGRAM " " MEMKIND_VERSION_TEXT);
            exit(fflush(stdout) ? LAUNCH_MISUSED : EXIT_SUCCESS);
        default:
            launch_end(LAUNCH_MISUSED, "--help tells the options");
        }
    }
    if (optind == argc)
        launch_end(LAUNCH_MISUSED, "no program is named; --help tells how");
    return optind;
}

int main(int argc, char *argv[])
{
    static const char *const names[] = {"MEMKIND_PRELOAD_KIND",  "MEMKIND_PRELOAD_LIMIT",
                                        "MEMKIND_PRELOAD_RULES", "MEMKIND_PRELOAD_REPORT",
                                        "MEMKIND_HEAP_MANAGER",  "LD_PRELOAD"};
    int program = parse(argc, argv);

    launch_preload();
    for (size_t i = 0; verbose && i < sizeof names / sizeof names[0]; i++)
        show(names[i]);
    launch_become(argv + program);
}

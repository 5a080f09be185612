/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * memkind-run: runs a program under libmemkind-preload.so.
 *
 * It says beforehand what the library could only say in every process that comes: that there is no
 * such kind, that the kind is not available here. Then it becomes the program. memkind-run(1) is
 * the contract. One thread.
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
#include "size.h"

#define PROGRAM "memkind-run"

const char launch_program[] = PROGRAM;

static const char help[] =
    "usage: " PROGRAM " [--kind KIND] [--limit SIZE] [--report[=FILE]] [--heap-manager NAME]\n"
    "                   [--verbose] [--] PROGRAM [ARGUMENT...]\n"
    "\n"
    "Runs a program, and those that it starts, with all their heap memory from a kind.\n"
    "\n"
    "  -k, --kind KIND      MEMKIND_HBW, or just hbw (DEFAULT); memkind-info shows which are here\n"
    "  -l, --limit SIZE     the kind gives each process SIZE bytes (K, M, G, T: times 1024) at "
    "most,\n"
    "                       MEMKIND_DEFAULT the rest\n"
    "  -r, --report[=FILE]  each process that ends says what it had of each kind, and on which\n"
    "                       nodes, on its standard error, or at the end of FILE\n"
    "  -m, --heap-manager NAME\n"
    "                       JEMALLOC or TBB\n"
    "  -v, --verbose        show the variables that are set for the program\n"
    "  -h, --help           this text\n"
    "  -V, --version        the library's version\n"
    "\n"
    "Exit status: the program's; 125 wrong options, or no such memory here; 126 the program "
    "cannot\n"
    "be run; 127 it is not found.\n";

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

/* The program may change to another folder. NULL: standard error. */
static void set_report(const char *file)
{
    char *path;
    int opened;

    if (!file) {
        launch_set("MEMKIND_PRELOAD_REPORT", "-");
        return;
    }
    opened = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (opened < 0)
        launch_end(LAUNCH_MISUSED, "--report: %s: %s", file, strerror(errno));
    close(opened);
    path = realpath(file, NULL);
    if (!path)
        launch_end(LAUNCH_MISUSED, "--report: %s: %s", file, strerror(errno));
    launch_set("MEMKIND_PRELOAD_REPORT", path);
    free(path);
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
        {"report", optional_argument, NULL, 'r'},
        {"verbose", no_argument, NULL, 'v'},
        {"heap-manager", required_argument, NULL, 'm'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "+k:l:r::m:vhV", known, NULL)) != -1) {
        switch (option) {
        case 'k':
            set_kind(optarg);
            break;
        case 'l':
            set_limit(optarg);
            break;
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
    static const char *const names[] = {"MEMKIND_PRELOAD_KIND", "MEMKIND_PRELOAD_LIMIT",
                                        "MEMKIND_PRELOAD_REPORT", "MEMKIND_HEAP_MANAGER",
                                        "LD_PRELOAD"};
    int program = parse(argc, argv);

    launch_preload();
    for (size_t i = 0; verbose && i < sizeof names / sizeof names[0]; i++)
        show(names[i]);
    launch_become(argv + program);
}

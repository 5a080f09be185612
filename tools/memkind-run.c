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
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "frontend/registry.h"
#include "kinds/machine/page_kind.h"
#include "launch.h"
#include "options.h"
#include "rules_check.h"
#include "size.h"

#define PROGRAM "memkind-run"

const char launch_program[] = PROGRAM;

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

static void check_rules(const char *file)
{
    exit(rules_check(file, stdout, false) && !fflush(stdout) ? EXIT_SUCCESS : EXIT_FAILURE);
}

static const struct option_row rows[] = {
    {'k', "kind", "KIND", false,
     "MEMKIND_HBW, or just hbw (DEFAULT); memkind-info shows which are here", set_kind, NULL},
    {'l', "limit", "SIZE", false,
     "the kind gives each process SIZE bytes (K, M, G, T: times 1024) at most,\n"
     "MEMKIND_DEFAULT the rest",
     set_limit, NULL},
    {'R', "rules", "FILE", false,
     "each block's kind is that of the first rule that is for it, and KIND where\n"
     "there is none: memkind-rules(5)",
     set_rules, NULL},
    {'c', "check-rules", "FILE", false,
     "print each rule as it is understood, and what is wrong; nothing is run", check_rules, NULL},
    {'r', "report", "FILE", true,
     "each process that ends says what it had of each kind, and on which\n"
     "nodes, on its standard error, or at the end of FILE",
     set_report, NULL},
    {'m', "heap-manager", "NAME", false, "JEMALLOC or TBB", set_heap_manager, NULL},
    {'v', "verbose", NULL, false, "show the variables that are set for the program", NULL,
     &verbose},
    {'h', "help", NULL, false, "this text", NULL, NULL},
    {'V', "version", NULL, false, "the library's version", options_version, NULL},
    {0},
};

static const struct options options = {
    false,
    "usage: " PROGRAM " [--kind KIND] [--limit SIZE] [--rules FILE] [--report[=FILE]]\n"
    "                   [--heap-manager NAME] [--verbose] [--] PROGRAM [ARGUMENT...]\n"
    "       " PROGRAM " --check-rules FILE\n"
    "\n"
    "Runs a program, and those that it starts, with all their heap memory from a kind, or from\n"
    "several as rules say.\n"
    "\n",
    rows,
    "\n"
    "Exit status: the program's; 125 wrong options or rules, or no such memory here; 126 the "
    "program\n"
    "cannot be run; 127 it is not found. Of --check-rules: 0; 1 there is an error.\n",
};

int main(int argc, char *argv[])
{
    static const char *const names[] = {"MEMKIND_PRELOAD_KIND",  "MEMKIND_PRELOAD_LIMIT",
                                        "MEMKIND_PRELOAD_RULES", "MEMKIND_PRELOAD_REPORT",
                                        "MEMKIND_HEAP_MANAGER",  "LD_PRELOAD"};
    int program = options_parse(&options, argc, argv);

    options_need_program(program, argc);
    launch_preload();
    for (size_t i = 0; verbose && i < sizeof names / sizeof names[0]; i++)
        show(names[i]);
    launch_become(argv + program);
}

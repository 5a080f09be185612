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
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "frontend/registry.h"
#include "frontend/version.h"
#include "kinds/machine/page_kind.h"
#include "size.h"

#define PROGRAM "memkind-run"

/* As env(1). */
enum status { MISUSED = 125, NOT_RUN = 126, NOT_FOUND = 127 };

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

__attribute__((format(printf, 2, 3))) static _Noreturn void end(enum status status,
                                                                const char *format, ...)
{
    va_list arguments;

    fputs(PROGRAM ": ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(status);
}

/* --- variables -------------------------------------------------------------------------------- */

static bool verbose;

/* What the program is to find in its environment. */
static void set(const char *name, const char *value)
{
    if (setenv(name, value, 1))
        end(MISUSED, "%s: %s", name, strerror(errno));
}

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
        end(MISUSED, "--kind: no static kind has this name: %s; memkind-info --kinds shows them",
            name);
    error = memkind_check_available(registry_static(kind));
    if (error) {
        memkind_error_message(error, why, sizeof why);
        end(MISUSED, "--kind: %s is not available here: %s; memkind-info --kind %s tells more",
            page_kind_static[kind].name, why, page_kind_static[kind].name);
    }
    set("MEMKIND_PRELOAD_KIND", page_kind_static[kind].name);
}

static void set_limit(const char *text)
{
    if (!size_parse(text))
        end(MISUSED, "--limit: this is no size: %s; " SIZE_ACCEPTED, text);
    set("MEMKIND_PRELOAD_LIMIT", text);
}

/* The program may change to another folder. NULL: standard error. */
static void set_report(const char *file)
{
    char *path;
    int opened;

    if (!file) {
        set("MEMKIND_PRELOAD_REPORT", "-");
        return;
    }
    opened = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (opened < 0)
        end(MISUSED, "--report: %s: %s", file, strerror(errno));
    close(opened);
    path = realpath(file, NULL);
    if (!path)
        end(MISUSED, "--report: %s: %s", file, strerror(errno));
    set("MEMKIND_PRELOAD_REPORT", path);
    free(path);
}

static void set_heap_manager(const char *name)
{
    if (strcmp(name, "JEMALLOC") != 0 && strcmp(name, "TBB") != 0)
        end(MISUSED, "--heap-manager: there is none of this name: %s; accepted: JEMALLOC or TBB",
            name);
    set("MEMKIND_HEAP_MANAGER", name);
}

/* --- the library ------------------------------------------------------------------------------ */

/* It lies where this program lies, but for the end of the path. */
static bool find(char path[PATH_MAX], const char *from_here)
{
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
    char *folder_end, *found;
    size_t room;

    if (length < 0)
        return false;
    path[length] = '\0';
    folder_end = strrchr(path, '/') + 1;
    room = (size_t)(path + PATH_MAX - folder_end);
    if ((size_t)snprintf(folder_end, room, "%s", from_here) >= room)
        return false;
    found = realpath(path, NULL);
    if (!found)
        return false;
    snprintf(path, PATH_MAX, "%s", found);
    free(found);
    return true;
}

/* Before those that are preloaded already. */
static void set_library(void)
{
    const char *others = getenv("LD_PRELOAD");
    char path[PATH_MAX], *value;

    if (!find(path, MEMKIND_RUN_INSTALLED) && !find(path, MEMKIND_RUN_BUILT))
        end(MISUSED, "libmemkind-preload.so is not where it belongs: " MEMKIND_RUN_INSTALLED
                     ", from the folder of this program");
    if (strpbrk(path, " :"))
        end(MISUSED, "a path with a space or a colon cannot be preloaded: %s", path);
    if (asprintf(&value, "%s%s%s", path, others && *others ? ":" : "", others ? others : "") < 0)
        end(MISUSED, "LD_PRELOAD: %s", strerror(ENOMEM));
    set("LD_PRELOAD", value);
    free(value);
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
            exit(fflush(stdout) ? MISUSED : EXIT_SUCCESS);
        case 'V':
            puts(PROGRAM " " MEMKIND_VERSION_TEXT);
            exit(fflush(stdout) ? MISUSED : EXIT_SUCCESS);
        default:
            end(MISUSED, "--help tells the options");
        }
    }
    if (optind == argc)
        end(MISUSED, "no program is named; --help tells how");
    return optind;
}

int main(int argc, char *argv[])
{
    static const char *const names[] = {"MEMKIND_PRELOAD_KIND", "MEMKIND_PRELOAD_LIMIT",
                                        "MEMKIND_PRELOAD_REPORT", "MEMKIND_HEAP_MANAGER",
                                        "LD_PRELOAD"};
    int program = parse(argc, argv);

    set_library();
    for (size_t i = 0; verbose && i < sizeof names / sizeof names[0]; i++)
        show(names[i]);
    execvp(argv[program], argv + program);
    end(errno == ENOENT ? NOT_FOUND : NOT_RUN, "%s: %s", argv[program], strerror(errno));
}

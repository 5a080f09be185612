/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * memkind-bench: what patterns of blocks cost in time and memory, of whichever libmemkind it is
 * told to open, or of malloc(3) with whatever is preloaded. See `usage`, and README.md for the
 * method.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "measure.h"
#include "scenarios.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: memkind-bench (-l LIBRARY | --plain | --none) [OPTION]...\n"
    "  -l, --library FILE    kinds of that libmemkind.so.0\n"
    "      --plain           malloc(3), also of a library that is preloaded\n"
    "      --none            nothing: what the patterns cost themselves\n"
    "  -p, --patterns LIST   names, separated by commas; all if not given\n"
    "  -k, --kinds LIST      DEFAULT, REGULAR, or any other static kind without MEMKIND_; PMEM, "
    "FIXED;\n"
    "                        hbw_malloc: the functions of hbwmalloc.h. REGULAR if not given\n"
    "  -t, --threads LIST    numbers of threads; 1 if not given\n"
    "  -s, --seconds TIME    that a cell takes, 0.1 if not given\n"
    "  -n, --operations N    of each thread, instead of a time\n"
    "  -d, --folder FOLDER   for the files of PMEM, /dev/shm if not given\n"
    "      --memory LIST     scenarios instead of patterns: what is resident over time; ALL of "
    "them\n"
    "      --size PART       of the bytes, threads and kinds of scenarios; 1 if not given\n"
    "      --wait SECONDS    that scenarios go on for when memory is unused, 15 if not given\n"
    "      --csv             figures for programs\n"
    "      --list            says what the patterns are\n"
    "      --list-memory     says what the scenarios are\n";

struct options {
    struct heap_choice heap;
    const char *chosen_patterns, *kinds, *threads, *chosen_scenarios;
    struct scene scene;
    double seconds;
    size_t operations;
    bool csv, plain;
};

static void refuse(const char *what, const char *value)
{
    fprintf(stderr, "memkind-bench: %s%s\n%s", what, value, usage);
    exit(2);
}

static const struct pattern *find_pattern(const char *name)
{
    for (size_t i = 0; i < pattern_count; i++)
        if (strcmp(patterns[i].name, name) == 0)
            return &patterns[i];
    refuse("no such pattern: ", name);
    return NULL;
}

static double number(const char *text, double most)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end || !(value > 0) || value > most)
        refuse("not a number that can be used: ", text);
    return value;
}

/* Calls `next` with each word of a list. */
static void for_each(const char *list, void (*next)(const char *word, void *context), void *context)
{
    char copy[512], *rest = copy, *word;

    if (strlen(list) >= sizeof copy)
        refuse("too long: ", list);
    strcpy(copy, list);
    while ((word = strsep(&rest, ",")))
        if (word[0])
            next(word, context);
}

/* --- the table: kinds, of each the numbers of threads, of each the patterns ------------------- */

struct table {
    const struct options *options;
    struct cell cell;
};

static void print(const struct options *options, const struct cell *cell,
                  const struct result *result)
{
    double rate = result->wall_ns > 0 ? 1e9 / result->wall_ns : 0;
    unsigned cpus = cpu_count();

    rate *= cell->threads < cpus ? cell->threads : cpus;
    if (options->csv && result->note[0])
        printf("%s,%s,%u,,,,,,%s\n", cell->pattern->name, cell->heap_name, cell->threads,
               result->note);
    else if (options->csv)
        printf("%s,%s,%u,%.0f,%.3f,%.3f,%.0f,%ld,\n", cell->pattern->name, cell->heap_name,
               cell->threads, result->operations, result->wall_ns, result->cpu_ns, rate,
               result->peak_kib);
    else if (result->note[0])
        printf("%-9s %-10s %3u threads  %s\n", cell->pattern->name, cell->heap_name, cell->threads,
               result->note);
    else
        printf("%-9s %-10s %3u threads %12.2f ns/operation %14.0f operations/s %9ld KiB at peak\n",
               cell->pattern->name, cell->heap_name, cell->threads, result->wall_ns, rate,
               result->peak_kib);
    fflush(stdout);
}

static void do_pattern(const char *name, void *context)
{
    struct table *table = context;
    struct result result;

    table->cell.pattern = find_pattern(name);
    measure(&table->cell, &result);
    print(table->options, &table->cell, &result);
}

static void do_threads(const char *threads, void *context)
{
    struct table *table = context;

    table->cell.threads = (unsigned)number(threads, THREADS_MOST);
    if (table->options->chosen_patterns) {
        for_each(table->options->chosen_patterns, do_pattern, table);
        return;
    }
    for (size_t i = 0; i < pattern_count; i++)
        do_pattern(patterns[i].name, table);
}

static void do_kind(const char *kind, void *context)
{
    struct table *table = context;

    table->cell.heap_name = kind;
    for_each(table->options->threads, do_threads, table);
}

/* --- scenarios -------------------------------------------------------------------------------- */

static void do_scenario(const char *name, void *context)
{
    bool all = strcmp(name, "ALL") == 0, found = false;

    for (size_t i = 0; i < scenario_count; i++) {
        if (!all && strcmp(scenarios[i].name, name) != 0)
            continue;
        scenario_run(&scenarios[i], context);
        found = true;
    }
    if (!found)
        refuse("no such scenario: ", name);
}

/* --- options ---------------------------------------------------------------------------------- */

static void list_patterns(void)
{
    for (size_t i = 0; i < pattern_count; i++)
        printf("%-9s %s\n", patterns[i].name, patterns[i].what);
    exit(EXIT_SUCCESS);
}

static void list_scenarios(void)
{
    for (size_t i = 0; i < scenario_count; i++)
        printf("%-17s %s\n", scenarios[i].name, scenarios[i].what);
    exit(EXIT_SUCCESS);
}

enum { PLAIN = 256, NONE, MEMORY, SIZE, WAIT, CSV, LIST, LIST_MEMORY, HELP };

static const struct option names[] = {
    {"library", required_argument, NULL, 'l'},
    {"plain", no_argument, NULL, PLAIN},
    {"none", no_argument, NULL, NONE},
    {"patterns", required_argument, NULL, 'p'},
    {"kinds", required_argument, NULL, 'k'},
    {"threads", required_argument, NULL, 't'},
    {"seconds", required_argument, NULL, 's'},
    {"operations", required_argument, NULL, 'n'},
    {"folder", required_argument, NULL, 'd'},
    {"memory", required_argument, NULL, MEMORY},
    {"size", required_argument, NULL, SIZE},
    {"wait", required_argument, NULL, WAIT},
    {"csv", no_argument, NULL, CSV},
    {"list", no_argument, NULL, LIST},
    {"list-memory", no_argument, NULL, LIST_MEMORY},
    {"help", no_argument, NULL, HELP},
    {NULL, 0, NULL, 0},
};

static void take(int option, struct options *options)
{
    switch (option) {
    case 'l':
        options->heap.library = optarg;
        break;
    case PLAIN:
        options->plain = true;
        break;
    case NONE:
        options->heap.none = true;
        break;
    case 'p':
        options->chosen_patterns = optarg;
        break;
    case 'k':
        options->kinds = optarg;
        break;
    case 't':
        options->threads = optarg;
        break;
    case 's':
        options->seconds = number(optarg, 10);
        break;
    case 'n':
        options->operations = (size_t)number(optarg, 1e12);
        break;
    case 'd':
        options->heap.folder = optarg;
        break;
    case MEMORY:
        options->chosen_scenarios = optarg;
        break;
    case SIZE:
        options->scene.size = number(optarg, 1);
        break;
    case WAIT:
        options->scene.wait = number(optarg, 3600);
        break;
    case CSV:
        options->csv = true;
        break;
    case LIST:
        list_patterns();
        break;
    case LIST_MEMORY:
        list_scenarios();
        break;
    case HELP:
        fputs(usage, stdout);
        exit(EXIT_SUCCESS);
    default:
        refuse("", "");
    }
}

static void parse(int argc, char **argv, struct options *options)
{
    int option;

    while ((option = getopt_long(argc, argv, "l:p:k:t:s:n:d:", names, NULL)) != -1)
        take(option, options);
    if (optind < argc)
        refuse("not an option: ", argv[optind]);
    if ((options->heap.library != NULL) + options->plain + options->heap.none != 1)
        refuse("one of --library, --plain and --none", "");
}

int main(int argc, char **argv)
{
    struct options options = {
        .heap = {.folder = "/dev/shm"}, .threads = "1", .seconds = 0.1, .scene = {1, 15}};
    struct table table = {.options = &options};

    parse(argc, argv, &options);
    if (!options.kinds)
        options.kinds = options.plain ? "malloc" : options.heap.none ? "nothing" : "REGULAR";
    table.cell.operations = options.operations;
    table.cell.seconds = options.seconds;
    heap_load(&options.heap);
    if (options.chosen_scenarios) {
        puts("scenario,seconds,figure,value,note");
        for_each(options.chosen_scenarios, do_scenario, &options.scene);
        return EXIT_SUCCESS;
    }
    if (options.csv)
        puts("pattern,kind,threads,operations,wall_ns,cpu_ns,operations_per_s,peak_kib,note");
    for_each(options.kinds, do_kind, &table);
    return EXIT_SUCCESS;
}

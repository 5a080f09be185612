/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * memkind-advise: which call sites of a program should have which memory, as rules for memkind-run.
 *
 * It reads what memkind-profile has captured. What it cannot know, it says. memkind-advise(1) is
 * the contract. One thread.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advise.h"
#include "arguments.h"
#include "kinds/machine/page_kind.h"
#include "launch.h"
#include "options.h"
#include "profile_symbols.h"
#include "size.h"

#define PROGRAM "memkind-advise"
#define BUDGETS 8
#define FEW_SAMPLES 10         /* below that, an estimate is off by a third or more */
#define PAGES_LEAST (64 << 10) /* the smallest blocks of which written pages are seen */

const char launch_program[] = PROGRAM;

/* --- options ---------------------------------------------------------------------------------- */

static struct advise_budget budgets[BUDGETS];
static size_t budget_count;
static const char *output;

static void add_budget(const char *text)
{
    const char *equals = strchr(text, '=');
    struct advise_budget *budget = &budgets[budget_count];
    char *name;

    if (!equals)
        launch_end(LAUNCH_FAILED, "--budget: KIND=SIZE, not %s", text);
    if (budget_count == BUDGETS)
        launch_end(LAUNCH_FAILED, "--budget: there are %d at most", BUDGETS);
    name = capture_must(strndup(text, (size_t)(equals - text)));
    budget->kind = argument_kind(name);
    if (budget->kind < 0)
        launch_end(LAUNCH_FAILED,
                   "--budget: no static kind has this name: %s; memkind-info --kinds shows them",
                   name);
    free(name);
    budget->size = size_parse(equals + 1);
    if (!budget->size)
        launch_end(LAUNCH_FAILED, "--budget: this is no size: %s; " SIZE_ACCEPTED, equals + 1);
    budget_count++;
}

static void set_output(const char *file)
{
    output = file;
}

static const struct option_row rows[] = {
    {'b', "budget", "KIND=SIZE", false,
     "the memory that there is: HBW=16G (K, M, G, T: times 1024); up to eight", add_budget, NULL},
    {'o', "output", "FILE", false, "where the rules go (standard output)", set_output, NULL},
    {'h', "help", NULL, false, "this text", NULL, NULL},
    {'V', "version", NULL, false, "the library's version", options_version, NULL},
    {0},
};

static const struct options options = {
    true,
    "usage: " PROGRAM " --budget KIND=SIZE [--budget KIND=SIZE]... [--output FILE] CAPTURE\n"
    "\n"
    "Writes rules for memkind-run: which call sites of a profiled program go to which kind.\n"
    "\n",
    rows,
    "\n"
    "CAPTURE is what memkind-profile has written: BASE.capture.PROCESS, or BASE.capture.\n"
    "\n"
    "Exit status: 0; 1 wrong options, or a profile that tells nothing.\n",
};

/* The capture. */
static const char *parse(int argc, char *argv[])
{
    int first = options_parse(&options, argc, argv);

    if (first != argc - 1)
        launch_end(LAUNCH_FAILED, "one capture is to be named; --help tells how");
    if (!budget_count)
        launch_end(LAUNCH_FAILED, "--budget is missing: how much of which kind there is");
    return argv[first];
}

/* --- the rules -------------------------------------------------------------------------------- */

static const char *kind_name(const struct advise_budget *budget)
{
    return page_kind_static[budget->kind].name + strlen("MEMKIND_");
}

static double percent(double part, uint64_t whole)
{
    return whole ? 100 * part / (double)whole : 0;
}

static double mebibytes(uint64_t bytes)
{
    return (double)bytes / (1 << 20);
}

/* A name may have characters in it that end the line, and what is behind would be a rule. */
__attribute__((format(printf, 2, 3))) static void comment(FILE *to, const char *format, ...)
{
    char text[4096];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *at = text; *at; at++)
        if (iscntrl((unsigned char)*at))
            *at = '?';
    fprintf(to, "# %s\n", text);
}

static void write_rule(FILE *to, const struct capture *capture, const struct advice *advice,
                       const struct advise_group *group)
{
    const struct capture_frame *frame = &capture->frames[group->frame];
    const char *module = advise_module(capture, frame->module);
    const char *mark = strpbrk(module, " #") ? "\"" : "";
    char text[512];

    symbols_describe_call(capture, group->frame, text, sizeof text);
    comment(to, "%.1f %% of all accesses, %.1f MiB at most: %s",
            percent((double)group->accesses, advice->accesses), mebibytes(group->peak), text);
    fprintf(to, "site %s%s+0x%llx%s -> %s", mark, module, (unsigned long long)frame->offset, mark,
            kind_name(&budgets[group->budget]));
    if (group->place == ADVISE_PARTLY)
        fprintf(to, " limit %llu", (unsigned long long)group->limit);
    fputc('\n', to);
}

/* --- what is not known ------------------------------------------------------------------------ */

struct sum {
    size_t count;
    uint64_t peak, accesses;
};

/* Of all groups for which `is_it` holds. */
static struct sum add_up(const struct advice *advice, bool (*is_it)(const struct advise_group *))
{
    struct sum sum = {0, 0, 0};

    for (size_t i = 0; i < advice->count; i++)
        if (is_it(&advice->groups[i])) {
            sum.count++;
            sum.peak += advice->groups[i].peak;
            sum.accesses += advice->groups[i].accesses;
        }
    return sum;
}

static bool has_no_room(const struct advise_group *group)
{
    return group->place == ADVISE_NO_ROOM;
}

static bool is_nowhere(const struct advise_group *group)
{
    return group->place == ADVISE_NOWHERE;
}

static bool is_partly(const struct advise_group *group)
{
    return group->place == ADVISE_PARTLY;
}

static bool is_small(const struct advise_group *group)
{
    return group->largest < PAGES_LEAST;
}

static bool is_rare(const struct advise_group *group)
{
    return group->place == ADVISE_PLACED && group->samples < FEW_SAMPLES;
}

static bool is_mixed(const struct advise_group *group)
{
    return group->place == ADVISE_PLACED && group->stacks > 1;
}

static void write_unknown(FILE *to, const struct capture *capture, const struct advice *advice)
{
    bool written = strncmp(capture->method, "written-pages", strlen("written-pages")) == 0;
    const struct {
        bool (*is_it)(const struct advise_group *);
        bool applies;
        const char *text;
    } doubts[] = {
        {is_small, written, "with blocks below 64 KiB only, whose use is not seen"},
        {has_no_room, true, "that are used, and there is no room for"},
        {is_nowhere, true,
         "in no module, or in one with a quotation mark or control characters in its name, which "
         "no rule can name"},
        {is_partly, true, "with room for a part, of which chance decides"},
        {is_mixed, true,
         "that are placed, and called from several places, which a rule cannot tell apart"},
        {is_rare, true, "that are placed by fewer than 10 samples, which may be chance"},
    };

    fputs("#\n# What is not known:\n"
          "# accesses to stacks, static data and mapped files, which no rule moves, are not "
          "counted;\n",
          to);
    if (written)
        fputs("# reads are not seen: what is read much and written little seems to be idle;\n", to);
    if (strncmp(capture->method, "regions", strlen("regions")) == 0)
        fputs(
            "# accesses are those of regions of memory: small blocks, and what lives shorter than "
            "a second, may have their neighbours';\n",
            to);
    for (size_t i = 0; i < sizeof doubts / sizeof doubts[0]; i++) {
        struct sum sum = add_up(advice, doubts[i].is_it);

        if (doubts[i].applies && sum.count)
            fprintf(to, "# call sites %s: %zu, %.1f MiB, %.1f %% of accesses;\n", doubts[i].text,
                    sum.count, mebibytes(sum.peak),
                    percent((double)sum.accesses, advice->accesses));
    }
    if (capture->lost)
        fprintf(to, "# %llu samples were lost;\n", (unsigned long long)capture->lost);
    fputs("# another input of the program, or another build, is another profile.\n", to);
}

static void write_rules(FILE *to, const struct capture *capture, const struct advice *advice,
                        const char *path)
{
    comment(to, "Rules for %s, by " PROGRAM " of %s", capture->program, path);
    comment(to, "Accesses: %s. Expected share that is served: %.1f %%.", capture->method,
            percent(advice->served, advice->accesses));
    for (size_t i = 0; i < budget_count; i++)
        fprintf(to, "# %s: %.1f of %.1f MiB.\n", kind_name(&budgets[i]), mebibytes(budgets[i].used),
                mebibytes(budgets[i].size));
    write_unknown(to, capture, advice);
    for (size_t i = 0; i < advice->count; i++)
        if (advice->groups[i].place <= ADVISE_PARTLY)
            write_rule(to, capture, advice, &advice->groups[i]);
}

int main(int argc, char *argv[])
{
    const char *path = parse(argc, argv);
    char why[256];
    struct capture *capture = capture_read(path, why);
    struct advice *advice;
    FILE *to;

    if (!capture)
        launch_end(LAUNCH_FAILED, "%s", why);
    symbols_find(capture);
    advice = advise(capture, budgets, budget_count);
    if (!advice->accesses)
        launch_end(
            LAUNCH_FAILED,
            "%s has no accesses (method %s): memkind-profile --accesses or --samples count them",
            path, capture->method);
    to = output ? fopen(output, "w") : stdout;
    if (!to)
        launch_end(LAUNCH_FAILED, "%s: %s", output, strerror(errno));
    write_rules(to, capture, advice, path);
    if (ferror(to) || (output ? fclose(to) : fflush(to)))
        launch_end(LAUNCH_FAILED, "%s: %s", output ? output : "standard output", strerror(errno));
    advise_free(advice);
    capture_free(capture);
    return EXIT_SUCCESS;
}

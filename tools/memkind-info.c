/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * memkind-info: what this machine has, and what the library makes of it.
 *
 * The manual page memkind-info(1) is its contract. One thread.
 */
#include <memkind.h>

#include <errno.h>
#include <string.h>

#include "frontend/managers.h"
#include "frontend/registry.h"
#include "frontend/version.h"
#include "info.h"
#include "info_options.h"
#include "kinds/machine/facts.h"
#include "kinds/machine/report.h"
#include "trial.h"
#include "words.h"

/* --- the check -------------------------------------------------------------------------------- */

static int check(const struct info_options *options)
{
    const struct page_kind *row = &page_kind_static[options->request.kind];
    struct trial trial = {
        .kind = registry_static(options->request.kind), .row = row, .size = options->check};
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

/* --- measuring -------------------------------------------------------------------------------- */

static int measure(const struct info_options *options)
{
    struct measured measured;
    bool complete = measure_run(&options->limits, &measured);

    if (options->json)
        measure_print_json(&measured, stdout);
    else
        measure_print(&measured, stdout);
    measure_release(&measured);
    return complete ? DONE : FAILED;
}

/* --- the picture ------------------------------------------------------------------------------ */

static int draw(const struct info_options *options)
{
    FILE *file;

    if (strcmp(options->svg, "-") == 0) {
        info_print_svg(&options->request, stdout);
        return DONE;
    }
    file = fopen(options->svg, "we");
    if (file) {
        info_print_svg(&options->request, file);
        if (!(ferror(file) | fclose(file)))
            return DONE;
    }
    fprintf(stderr, PROGRAM ": %s: %s\n", options->svg, strerror(errno));
    return FAILED;
}

static int print(const struct info_options *options)
{
    if (options->json) {
        info_print_json(&options->request, stdout);
        return DONE;
    }
    printf("libmemkind %s, heap manager %s\n\n", MEMKIND_VERSION_TEXT, managers_get()->name);
    if (options->graph)
        info_print_graph(&options->request, stdout);
    else
        info_print(&options->request, stdout);
    return DONE;
}

int main(int argc, char *argv[])
{
    struct info_options options;

    info_options_parse(argc, argv, &options);
    (void)memkind_check_available(MEMKIND_DEFAULT); /* the library's first use: see report.h */
    facts_begin(FACTS_OUTSIDE);                     /* one machine, to the end */
    if (options.check)
        info_finish(check(&options));
    if (options.measure)
        info_finish(measure(&options));
    info_finish(options.svg ? draw(&options) : print(&options));
}

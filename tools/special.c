/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see special.h. */
#include "special.h"

#include <string.h>

#include "kinds/machine/selector.h"

static const struct {
    const char *name;
    enum node_selector selector;
} sorts[] = {{"high-bandwidth", SELECT_HBW_ALL}, {"DAX", SELECT_DAX_ALL}};
#define SORTS (sizeof sorts / sizeof sorts[0])

void special_print(FILE *stream)
{
    struct node_answer answer;

    for (size_t i = 0; i < SORTS; i++) {
        selector_answer(sorts[i].selector, NULL, 0, &answer);
        if (answer.error)
            fprintf(stream, "%s memory: none: %s\n", sorts[i].name, answer.why);
        else
            fprintf(stream, "%s memory: %s (%s)\n", sorts[i].name, nodes_text(&answer.nodes).text,
                    answer.why);
    }
}

static bool has_line(const char *why)
{
    struct node_answer answer;

    for (size_t i = 0; i < SORTS; i++) {
        selector_answer(sorts[i].selector, NULL, 0, &answer);
        if (answer.error && strcmp(answer.why, why) == 0)
            return true;
    }
    return false;
}

struct text special_refusal(const char *why, bool printed)
{
    struct text made;

    snprintf(made.text, sizeof made.text, "not available: %s",
             printed && has_line(why) ? "see above" : why);
    return made;
}

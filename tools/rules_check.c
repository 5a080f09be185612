/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see rules_check.h. */
#define _GNU_SOURCE
#include "rules_check.h"

#include <memkind.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "frontend/registry.h"
#include "kinds/machine/page_kind.h"
#include "rules.h"

static void tell(void *to, unsigned line, unsigned column, bool is_error, const char *message)
{
    fprintf(stderr, "%s:%u:%u: %s%s\n", (const char *)to, line, column,
            is_error ? "" : "warning: ", message);
}

static const char *name_of(int kind)
{
    return page_kind_static[kind].name + strlen("MEMKIND_");
}

static void print(FILE *to, const struct rule *rule)
{
    char text[4096];
    int length = rules_print(text, sizeof text, rule, name_of);

    fprintf(to, "%u: %s%s\n", rule->line, text, (size_t)length < sizeof text ? "" : "...");
}

/* Whether all blocks of the rule can be as it says, or as it says for want of memory. */
static bool is_available(const char *file, const struct rule *rule, bool is_error)
{
    char why[MEMKIND_ERROR_MESSAGE_SIZE];
    bool is_there = true;

    for (unsigned i = 0; i < rule->kinds && rule->instead < 0; i++) {
        int error = memkind_check_available(registry_static(rule->kind[i]));

        if (!error)
            continue;
        is_there = false;
        memkind_error_message(error, why, sizeof why);
        fprintf(stderr, "%s:%u: %s%s is not available here: %s; \"else\" could name another kind\n",
                file, rule->line, is_error ? "" : "warning: ", page_kind_static[rule->kind[i]].name,
                why);
    }
    return is_there || !is_error;
}

bool rules_check(const char *file, FILE *to, bool is_to_run)
{
    char *text = rules_text(file, !is_to_run);
    const struct rules_reader reader = {
        .kind = argument_kind, .tell = tell, .to = (void *)file, .warns = true};
    struct rules rules;
    bool is_right;

    if (!text) {
        fprintf(stderr, "%s: %s\n", file,
                errno == EINVAL ? "it is no regular file" : strerror(errno));
        return false;
    }
    is_right = rules_read(&rules, text, &reader);
    for (size_t i = 0; i < rules.count; i++) {
        is_right &= is_available(file, &rules.rule[i], is_to_run);
        if (to)
            print(to, &rules.rule[i]);
    }
    rules_free(&rules);
    free(text);
    return is_right;
}

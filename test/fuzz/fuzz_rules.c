/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* fuzz_rules: files of rules. What is understood is written and read again, and is the same then.
 */
#include "fuzz.h"

#include <stdio.h>

#include "../../tools/rules.h"

static int kind_of(const char *name)
{
    return strcmp(name, "HBW") == 0 ? 1 : strcmp(name, "DEFAULT") == 0 ? 0 : -1;
}

static const char *name_of(int kind)
{
    return kind ? "HBW" : "DEFAULT";
}

static unsigned errors;

static void tell(void *to, unsigned line, unsigned column, bool is_error, const char *message)
{
    (void)to;
    MUST(line && column && *message);
    errors += is_error;
}

static const struct rules_reader reader = {.kind = kind_of, .tell = tell, .warns = true};

static void check_rule(const struct rule *rule)
{
    char first[8192], again[8192], text[8192];
    struct rules rules;

    if ((size_t)rules_print(first, sizeof first, rule, name_of) >= sizeof first)
        return;
    strcpy(text, first);
    MUST(rules_read(&rules, text, &reader));
    MUST(rules.count == 1);
    rules_print(again, sizeof again, &rules.rule[0], name_of);
    MUST(strcmp(first, again) == 0);
    rules_free(&rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = text_of(data, size);
    struct rules rules;
    bool is_right;

    errors = 0;
    is_right = rules_read(&rules, text, &reader);
    MUST(is_right == !errors);
    for (size_t i = 0; i < rules.count; i++)
        check_rule(&rules.rule[i]);
    rules_free(&rules);
    free(text);
    return 0;
}

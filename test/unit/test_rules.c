/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * Rules: what a file says, word by word; what C++ names tell; where a block's rule is remembered.
 * What a program makes of them is test_rules.sh's.
 */
#include <criterion/criterion.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../preload/cpp_name.h"
#include "../../preload/ledger.h"
#include "../../tools/rules.h"

/* --- a file ----------------------------------------------------------------------------------- */

static const char *const kinds[] = {"DEFAULT", "HBW", "REGULAR"};

static int kind_of(const char *name)
{
    for (int i = 0; i < 3; i++)
        if (strcmp(kinds[i], name) == 0)
            return i;
    return -1;
}

static const char *name_of(int kind)
{
    return kinds[kind];
}

static unsigned errors, warnings;

static void count(void *to, unsigned line, unsigned column, bool is_error, const char *message)
{
    (void)to;
    cr_expect(line && column && *message);
    errors += is_error;
    warnings += !is_error;
}

static const struct rules_reader reader = {.kind = kind_of, .tell = count, .warns = true};

static bool read_text(struct rules *rules, char *room, size_t size, const char *text)
{
    errors = 0;
    warnings = 0;
    cr_assert_lt(strlen(text), size);
    strcpy(room, text);
    return rules_read(rules, room, &reader);
}

Test(rules, every_part_of_a_rule_is_read)
{
    char text[512];
    struct rules rules;
    const struct rule *rule;

    cr_assert(read_text(&rules, text, sizeof text,
                        "# nothing\n\nsize 1K..2M module a.so function f site b+0xff line d/e.c:7 "
                        "thread t type v -> HBW limit 3G else REGULAR\n"
                        "any -> ratio HBW:2 DEFAULT:5"));
    cr_assert_eq(rules.count, 2);
    rule = &rules.rule[0];
    cr_expect_eq(rule->line, 3);
    cr_expect_eq(rule->low, 1024);
    cr_expect_eq(rule->high, 2 << 20);
    cr_expect_str_eq(rule->words[RULES_MODULE], "a.so");
    cr_expect_str_eq(rule->words[RULES_FUNCTION], "f");
    cr_expect_str_eq(rule->words[RULES_SITE], "b");
    cr_expect_eq(rule->offset, 0xff);
    cr_expect_str_eq(rule->words[RULES_LINE], "d/e.c");
    cr_expect_eq(rule->source_line, 7);
    cr_expect_str_eq(rules.threads[rule->thread], "t");
    cr_expect_str_eq(rule->words[RULES_TYPE], "v");
    cr_expect_eq(rule->kinds, 1);
    cr_expect_eq(rule->kind[0], 1);
    cr_expect_eq(rule->limit, (size_t)3 << 30);
    cr_expect_eq(rule->instead, 2);
    rule = &rules.rule[1];
    cr_expect(rule->asks[RULES_ANY]);
    cr_expect_eq(rule->kinds, 2);
    cr_expect_eq(rule->share[1], 5);
    cr_expect_eq(rule->high, SIZE_MAX);
    rules_free(&rules);
}

/* Both ends of a range are in it, and "no end" is no number. */
Test(rules, sizes)
{
    static const struct {
        const char *text;
        size_t low, high;
    } ranges[] = {{"0", 0, 0},          {"7", 7, 7},    {"..7", 0, 7},
                  {"7..", 7, SIZE_MAX}, {"0..0", 0, 0}, {"1K..1MiB", 1024, 1 << 20}};
    char text[128], line[128];
    struct rules rules;

    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        snprintf(line, sizeof line, "size %s -> HBW", ranges[i].text);
        cr_assert(read_text(&rules, text, sizeof text, line));
        cr_expect_eq(rules.rule[0].low, ranges[i].low, "%s", line);
        cr_expect_eq(rules.rule[0].high, ranges[i].high, "%s", line);
        rules_free(&rules);
    }
}

/* What was understood is understood so again. */
Test(rules, printed_rules_read_the_same)
{
    static const char *const lines[] = {
        "size ..100 module \"a b\" -> HBW",
        "size 0.. -> REGULAR limit 1025 else DEFAULT",
        "site a+0x0 line c:1 -> DEFAULT",
        "site \"a b+0x10\" line \"c d/e.c:1\" module \"#\" -> DEFAULT",
        "function \"std::vector<int, *>::*\" thread t -> ratio HBW:1 REGULAR:1000000",
        "type \"\"x -> HBW",
        "any -> HBW limit 5T",
    };
    char text[256], first[256], second[256];
    struct rules rules;

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (!read_text(&rules, text, sizeof text, lines[i])) {
            cr_expect(strstr(lines[i], "\"\""), "%s", lines[i]);
            rules_free(&rules);
            continue;
        }
        rules_print(first, sizeof first, &rules.rule[0], name_of);
        rules_free(&rules);
        cr_assert(read_text(&rules, text, sizeof text, first), "%s", first);
        cr_expect_leq(rules_print(second, sizeof second, &rules.rule[0], name_of), 255);
        cr_expect_str_eq(first, second);
        rules_free(&rules);
    }
}

/* Right rules stay, and each wrong line is told once. */
Test(rules, every_wrong_line_is_told)
{
    char text[256];
    struct rules rules;

    cr_expect_not(read_text(&rules, text, sizeof text,
                            "size \"1 -> HBW\nany -> HBW\ncolour red -> HBW\nany ->\n"));
    cr_expect_eq(errors, 3);
    cr_expect_eq(rules.count, 1);
    rules_free(&rules);
}

Test(rules, a_rule_behind_one_that_takes_all_is_told)
{
    static const struct {
        const char *text;
        unsigned warnings;
    } files[] = {
        {"any -> HBW\nsize 1..2 -> HBW\nfunction f -> HBW", 2},
        {"size 1..9 -> HBW\nsize 1..9 thread t -> HBW", 1},
        {"size 1..9 -> HBW\nsize 1..10 -> HBW", 0},
        {"function f -> HBW\nfunction g -> HBW\nany -> HBW", 0},
        {"function f thread t -> HBW\nfunction f -> HBW", 0},
        {"site a+0x1 -> HBW\nsite a+0x2 -> HBW\nsite a+0x1 -> REGULAR", 1},
        {"line a:1 -> HBW\nline a:2 -> HBW", 0},
    };
    char text[256];
    struct rules rules;

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        cr_assert(read_text(&rules, text, sizeof text, files[i].text));
        cr_expect_eq(warnings, files[i].warnings, "%s", files[i].text);
        rules_free(&rules);
    }
}

/* As many as there are bits. */
Test(rules, names_of_threads)
{
    char *text = calloc(1, 4096), *to = text;
    struct rules rules;

    for (int i = 0; i < RULES_THREADS; i++)
        to += sprintf(to, "thread t%d -> HBW\n", i);
    sprintf(to, "thread t0 size 5 -> HBW\nthread more -> HBW\n");
    errors = 0;
    cr_expect_not(rules_read(&rules, text, &reader));
    cr_expect_eq(errors, 1);
    cr_expect_eq(rules.thread_count, RULES_THREADS);
    cr_expect_eq(rules.rule[RULES_THREADS].thread, 0);
    rules_free(&rules);
    free(text);
}

/* --- names ------------------------------------------------------------------------------------ */

Test(rules, what_a_function_allocates_by_its_name)
{
    static const struct {
        const char *function, *type;
    } names[] = {
        {"std::__new_allocator<particle>::allocate", "particle"},
        {"std::vector<std::pair<int, long>, std::allocator<std::pair<int, long> > >::reserve",
         "std::pair<int, long>"},
        {"void std::vector<a, b>::_M_realloc_insert<a const&>", "a"},
        {"std::__detail::_MakeUniq<x>::__single_object std::make_unique<x>", "x"},
        {"space::own::operator new", "space::own"},
        {"std::vector<int, b> f<int>", NULL},
        {"f", NULL},
        {"std::__new_allocator<std::_List_node<int> >::allocate", "std::_List_node<int>"},
        {"mystd::vector<int>::f", NULL},
        {"std::vector<int", NULL},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char function[256];
        const char *type;

        snprintf(function, sizeof function, "%s", names[i].function);
        type = cpp_name_type(function);
        cr_expect(type == names[i].type || (type && names[i].type && !strcmp(type, names[i].type)),
                  "%s: %s", names[i].function, type ? type : "nothing");
    }
}

/* --- blocks ----------------------------------------------------------------------------------- */

Test(rules, a_block_is_found_once)
{
    static _Alignas(16) char blocks[64];
    size_t number;

    cr_assert(ledger_begin());
    cr_expect_not(ledger_take(blocks, &number));
    cr_assert(ledger_put(blocks, 0));
    cr_assert(ledger_put(blocks + 16, RULES_MOST - 1));
    cr_expect(ledger_take(blocks + 16, &number));
    cr_expect_eq(number, RULES_MOST - 1);
    cr_expect_not(ledger_take(blocks + 16, &number));
    cr_expect(ledger_take(blocks, &number));
    cr_expect_eq(number, 0);
    cr_expect_not(ledger_put((void *)((uintptr_t)1 << 60), 1));
}

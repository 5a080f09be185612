/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * Node lists: the kernel's format, what a user may write, and the text that comes out. Proves what
 * nodemask.h says, from the inside (static library).
 */
#include "support.h"

/* libnuma has a function of this name. */
#define nodemask_equal numa_nodemask_equal
#include <numa.h>
#undef nodemask_equal
#include <stdio.h>

#include "kinds/system/nodemask.h"

/* What a list must become; NULL: it must be refused. */
struct list_case {
    const char *text;
    const char *formatted;
};

Test(nodemask, kernel_lists)
{
    static const struct list_case cases[] = {
        {"0", "0"},         {"0\n", "0"},     {"0-3", "0-3"},   {"0,2-3", "0,2-3"},
        {"3,2,0", "0,2-3"}, {"0-0,1", "0-1"}, {"1023", "1023"}, {"62-66,127-129", "62-66,127-129"},
        {"", "-"},          {"\n", "-"},      {"1024", NULL},   {"99999999999999999999", NULL},
        {"3-1", NULL},      {"0,", NULL},     {",0", NULL},     {"0 1", NULL},
        {"-1", NULL},       {"0-", NULL},     {"0-1-2", NULL},  {"abc", NULL},
        {"0x1", NULL},      {"0\n\n", NULL},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct nodemask mask;
        char text[64];
        bool accepted = nodemask_parse(cases[i].text, &mask);

        cr_assert_eq(accepted, cases[i].formatted != NULL, "\"%s\"", cases[i].text);
        if (!accepted)
            continue;
        nodemask_format(&mask, text, sizeof text);
        cr_assert_str_eq(text, cases[i].formatted);
    }
}

Test(nodemask, user_lists)
{
    static const struct list_case cases[] = {
        {"0", "0"},
        {"0,2-3", "0,2-3"},
        {"all", "1,3"},
        {"!0", "1-3,5"},
        {"!1-3", "0,5"},
        {"+0", "1"},
        {"+1", "3"},
        {"+0-1", "1-3"},
        {"5", "5"},
        {"", NULL},
        {"!", NULL},
        {"+", NULL},
        {"4", NULL},
        {"0-4", NULL},
        {"!0-3,5", NULL},
        {"!4", NULL},
        {"+2", NULL},
        {"ALL", NULL},
        {"0 ", NULL},
        {" 0", "0"},
        {"+0,2", NULL},
        {"+1-2", NULL},
        {"all,0", NULL},
        {"999999", NULL},
        {"0,,1", NULL},
        {"0-5", "0-3,5"},
        {"3-1", "3"},
        {"0x2", "2"},
        {"1,all", "1,3"},
        {"!all", "0,2,5"},
        {"!+0", "0,2-3,5"},
        {"+!0", NULL},
        {"0-", NULL},
        {"1-2-3", NULL},
        {"-1", NULL},
        {"+-1", NULL},
        {"netdev:eth0", NULL},
        {"4-5", NULL},
        {"4294967296", NULL},
    };
    struct nodemask existing, allowed;

    cr_assert(nodemask_parse("0-3,5", &existing));
    cr_assert(nodemask_parse("1,3", &allowed));
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct nodemask mask;
        char text[64];
        bool accepted = nodemask_parse_user(cases[i].text, &existing, &allowed, &mask);

        cr_assert_eq(accepted, cases[i].formatted != NULL, "\"%s\"", cases[i].text);
        if (!accepted)
            continue;
        nodemask_format(&mask, text, sizeof text);
        cr_assert_str_eq(text, cases[i].formatted, "\"%s\" became %s", cases[i].text, text);
    }
}

/* --- the same as libnuma ------------------------------------------------------------------------
 *
 * libnuma only knows the running machine. Its list of nodes is a variable of its own; how many
 * there are, it asks a function that this program has, too.
 */

static int configured_nodes;

__attribute__((visibility("default"))) int numa_num_configured_nodes(void)
{
    return configured_nodes;
}

/* Its complaints. */
__attribute__((visibility("default"))) void numa_warn(int number, char *format, ...)
{
    (void)number, (void)format;
}

static void be_nodes(const char *list, struct nodemask *existing)
{
    cr_assert(nodemask_parse(list, existing));
    numa_bitmask_clearall(numa_all_nodes_ptr);
    configured_nodes = 0;
    nodemask_for_each (node, existing) {
        numa_bitmask_setbit(numa_all_nodes_ptr, (unsigned)node);
        configured_nodes = node + 1;
    }
}

/* False: libnuma refuses the text, or no existing node is left. */
static bool libnuma_parses(const char *text, const struct nodemask *existing, struct nodemask *mask)
{
    struct bitmask *parsed = numa_parse_nodestring(text);

    memset(mask, 0, sizeof *mask);
    if (!parsed)
        return false;
    nodemask_for_each (node, existing)
        if (numa_bitmask_isbitset(parsed, (unsigned)node))
            nodemask_add(mask, (unsigned)node);
    numa_bitmask_free(parsed);
    return !nodemask_empty(mask);
}

/* Words of lists, put together by chance: most are wrong. */
static void make_list(char *text, size_t size, uint64_t *random)
{
    static const char *const words[] = {"0", "1",  "2",  "3", "5",  "7",  "8",  "9",    "63", "10",
                                        ",", ",",  ",",  ",", "-",  "-",  "-",  "+",    "!",  "all",
                                        " ", "0x", "al", "a", "\n", "00", "+0", ",all", "!+", ":2"};
    unsigned count = 1 + (unsigned)(test_random(random) % 7);
    size_t used = 0;

    *text = '\0';
    while (count-- > 0)
        used += (size_t)snprintf(text + used, size - used, "%s",
                                 words[test_random(random) % LENGTH(words)]);
}

Test(nodemask, user_lists_mean_what_libnuma_says)
{
    static const char *const machines[] = {"0", "0-3", "0-3,5,7-9", "1,3,63", "0,8,10"};
    unsigned accepted = 0, refused = 0;
    uint64_t random = 1;

    cr_assert_eq(numa_available(), 0);
    for (unsigned round = 0; round < 200000; round++) {
        struct nodemask existing, theirs, ours = {{0}};
        char text[64];
        bool right;

        be_nodes(machines[round % LENGTH(machines)], &existing);
        if (configured_nodes > numa_num_possible_nodes())
            continue; /* no kernel like this one has it, and so libnuma has no room for it */
        make_list(text, sizeof text, &random);
        right = libnuma_parses(text, &existing, &theirs);
        cr_assert_eq(nodemask_parse_user(text, &existing, &existing, &ours), right, "\"%s\" of %s",
                     text, machines[round % LENGTH(machines)]);
        if (right)
            cr_assert(nodemask_equal(&ours, &theirs), "\"%s\" of %s", text,
                      machines[round % LENGTH(machines)]);
        accepted += right;
        refused += !right;
    }
    cr_assert_gt(accepted, 5000, "%u", accepted);
    cr_assert_gt(refused, 10000);
}

Test(nodemask, a_text_that_does_not_fit_is_cut_and_terminated)
{
    struct nodemask mask;

    cr_assert(nodemask_parse("0,2,4,6,8,10", &mask));
    for (size_t size = 1; size < 16; size++) {
        char text[17];

        memset(text, 'x', sizeof text);
        nodemask_format(&mask, text, size);
        cr_assert_lt(strlen(text), size);
        cr_assert_eq(text[size], 'x');
        cr_assert_eq(strncmp(text, "0,2,4,6,8,10", strlen(text)), 0, "%s", text);
    }
}

Test(nodemask, sets)
{
    struct nodemask a, b;

    cr_assert(nodemask_parse("1,64,1023", &a));
    cr_assert(nodemask_parse("0-100", &b));
    cr_assert_eq(nodemask_count(&a), 3);
    cr_assert_eq(nodemask_next(&a, 0), 1);
    cr_assert_eq(nodemask_next(&a, 2), 64);
    cr_assert_eq(nodemask_next(&a, 65), 1023);
    cr_assert_eq(nodemask_next(&a, 1024), -1);
    cr_assert_not(nodemask_has(&a, 4096));
    cr_assert_not(nodemask_subset(&a, &b));
    nodemask_and(&a, &b);
    cr_assert_eq(nodemask_count(&a), 2);
    cr_assert(nodemask_subset(&a, &b));
    cr_assert_not(nodemask_equal(&a, &b));
    cr_assert_not(nodemask_empty(&a));
}

/* Whatever is written can be read again, up to every second node of 1,024. */
Test(nodemask, format_and_parse_agree)
{
    uint64_t random = 1;

    for (int round = 0; round < 300; round++) {
        struct nodemask mask = {{0}}, again;
        unsigned step = 1 + (unsigned)round % 7;
        char text[8192];

        for (unsigned node = round % 3 ? 0 : 1023; node < NODEMASK_NODES;
             node += 1 + (unsigned)(test_random(&random) % step))
            nodemask_add(&mask, node);
        nodemask_format(&mask, text, sizeof text);
        cr_assert(nodemask_parse(text, &again), "%s", text);
        cr_assert(nodemask_equal(&mask, &again), "%s", text);
        cr_assert(nodemask_parse_user(text, &mask, &mask, &again), "%s", text);
        cr_assert(nodemask_equal(&mask, &again), "%s", text);
    }
}

/* A loop over a set visits each node once, in order. */
Test(nodemask, loop_visits_each_node)
{
    static const char *const lists[] = {"", "0", "1023", "0,63-64,127-128,1023", "0-1023"};

    for (size_t i = 0; i < LENGTH(lists); i++) {
        struct nodemask mask, seen = {{0}};
        int last = -1;

        cr_assert(nodemask_parse(lists[i], &mask));
        nodemask_for_each (node, &mask) {
            cr_assert_gt(node, last);
            last = node;
            nodemask_add(&seen, (unsigned)node);
        }
        cr_assert(nodemask_equal(&mask, &seen), "%s", lists[i]);
    }
}

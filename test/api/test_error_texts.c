/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* test_error_texts: every code has a text of its own, which fits any buffer. */
#include "support.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

TestSuite(error_texts, .init = test_bare, .timeout = 120);

Test(error_texts, every_code_has_a_text)
{
    static const int codes[] = {
        MEMKIND_SUCCESS,
        MEMKIND_ERROR_UNAVAILABLE,
        MEMKIND_ERROR_MBIND,
        MEMKIND_ERROR_MMAP,
        MEMKIND_ERROR_MALLOC,
        MEMKIND_ERROR_ENVIRON,
        MEMKIND_ERROR_INVALID,
        MEMKIND_ERROR_TOOMANY,
        MEMKIND_ERROR_BADOPS,
        MEMKIND_ERROR_HUGETLB,
        MEMKIND_ERROR_RUNTIME,
        MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE,
        MEMKIND_ERROR_OPERATION_FAILED,
        MEMKIND_ERROR_ARENAS_CREATE,
    };
    char texts[LENGTH(codes)][MEMKIND_ERROR_MESSAGE_SIZE + 100], number[32];

    for (size_t i = 0; i < LENGTH(codes); i++) {
        memset(texts[i], 'x', sizeof texts[i]);
        memkind_error_message(codes[i], texts[i], sizeof texts[i]);
        snprintf(number, sizeof number, "%d", codes[i]);
        cr_assert_gt(strnlen(texts[i], MEMKIND_ERROR_MESSAGE_SIZE), 8);
        cr_assert_lt(strnlen(texts[i], sizeof texts[i]), (size_t)MEMKIND_ERROR_MESSAGE_SIZE);
        cr_assert_null(strstr(texts[i], number), "not a text of its own: %s", texts[i]);
        for (size_t j = 0; j < i; j++)
            cr_assert_str_neq(texts[i], texts[j]);
    }
}

Test(error_texts, other_codes_are_named_by_number)
{
    static const int codes[] = {1, -4, -5, -14, -16, -256, 12345, INT_MAX, INT_MIN};

    for (size_t i = 0; i < LENGTH(codes); i++) {
        char text[MEMKIND_ERROR_MESSAGE_SIZE], number[32];

        memkind_error_message(codes[i], text, sizeof text);
        snprintf(number, sizeof number, "%d", codes[i]);
        cr_assert_not_null(strstr(text, number), "%d: %s", codes[i], text);
    }
}

Test(error_texts, error_texts_are_cut_to_the_buffer)
{
    for (size_t size = 0; size < 40; size++) {
        char whole[MEMKIND_ERROR_MESSAGE_SIZE], cut[64];

        memset(cut, 'x', sizeof cut);
        memkind_error_message(MEMKIND_ERROR_HUGETLB, whole, sizeof whole);
        memkind_error_message(MEMKIND_ERROR_HUGETLB, cut, size);
        cr_assert_eq(cut[size], 'x', "%zu bytes: written beyond", size);
        if (size) {
            cr_assert_eq(cut[size - 1] == '\0' || strlen(whole) < size, 1);
            cr_assert_eq(strncmp(cut, whole, size - 1), 0);
        }
    }
}

/* --- what the log says of a refusal: which value would be accepted ---------------------------- */

static void be_refused(void *unused)
{
    static memkind_t kinds[MEMKIND_MAX_KIND];
    memkind_t kind;
    int created = 0;

    (void)unused;
    memkind_create_nodes("1-x", MEMKIND_POLICY_BIND_ALL, 0, &kind);
    memkind_create_pmem("/tmp", 10 * MIB, &kind);
    memkind_create_fixed(&kind, 1, &kind);
    memkind_malloc(MEMKIND_HBW, 1);
    while (created < MEMKIND_MAX_KIND &&
           memkind_create_nodes("0", MEMKIND_POLICY_PREFERRED_LOCAL, 0, &kinds[created]) == 0)
        created++;
    memkind_create_nodes("0", MEMKIND_POLICY_PREFERRED_LOCAL, 0, &kind);
}

Test(error_texts, refusals_name_what_is_accepted)
{
    static const char *const environment[] = {"MEMKIND_DEBUG=1", "MEMKIND_HBW_NODES=zero", NULL};
    static const char *const lines[] = {
        "nodes \"1-x\" are not a list of existing nodes, which are: 0",
        "a limit of 10485760 bytes is too small for a file: at least 16777216",
        "a fixed kind of 1 bytes is too small: at least [1-9]",
        "MEMKIND_HBW_NODES=zero is not accepted; accepted: .*, of these: 0",
        "no more than 512 created kinds can be alive at once",
    };
    struct test_child child;

    test_run_well(&child, be_refused, NULL, environment);
    for (size_t i = 0; i < LENGTH(lines); i++)
        cr_expect(test_line(child.errors, lines[i]), "no line with %s", lines[i]);
}

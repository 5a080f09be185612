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

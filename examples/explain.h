/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* explain: a MEMKIND_ERROR_ code as a line on stderr, for the small examples. */
#pragma once

#include <memkind.h>
#include <stdio.h>
#include <stdlib.h>

/* Returns what main() is to return. */
static inline int explain(const char *function, int error)
{
    char text[MEMKIND_ERROR_MESSAGE_SIZE];

    memkind_error_message(error, text, sizeof text);
    fprintf(stderr, "%s: %s\n", function, text);
    return EXIT_FAILURE;
}

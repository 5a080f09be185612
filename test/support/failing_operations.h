/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * failing_operations: what test_failures.c tries while system calls fail.
 *
 * Each returns NULL when it has worked and has tidied up, REFUSED when it has failed as it may, or
 * else what is wrong.
 */
#pragma once

#include "support.h"

extern const char operation_refused[];
#define REFUSED operation_refused

#define EXPECT(condition)                  \
    do {                                   \
        if (!(condition))                  \
            return "expected " #condition; \
    } while (0)

const char *op_malloc_default(void);
const char *op_malloc_regular(void);
const char *op_malloc_interleave(void);
const char *op_malloc_hbw(void);
const char *op_malloc_dax_preferred(void);
const char *op_malloc_hugetlb(void);
const char *op_malloc_large(void);
const char *op_malloc_many_sizes(void);
const char *op_calloc_large(void);
const char *op_memalign_large(void);
const char *op_realloc_growth(void);
const char *op_create_and_destroy(void);
const char *op_pmem_on_tmpfs(void);
const char *op_pmem_on_disk(void);
const char *op_fixed_area(void);
const char *op_questions_about_files(void);
const char *op_attach_threads(void);
const char *op_calloc_after_purge(void);
const char *op_ask(void);
const char *op_statistics(void);
const char *op_background_threads(void);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see check.h. */
#include "check/check.h"

#include "check/full.h"
#include "check/sampled.h"
#include "check/trace.h"

void check_open(enum check_level level)
{
    if (level != CHECK_NOTHING)
        trace_start();
}

const struct heap_manager *check_over(const struct heap_manager *base, enum check_level level)
{
    if (level == CHECK_NOTHING)
        return base;
    return level == CHECK_SAMPLE ? sampled_over(base) : full_over(base);
}

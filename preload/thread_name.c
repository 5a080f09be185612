/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see thread_name.h. */
#include "thread_name.h"

#include <fnmatch.h>
#include <stdint.h>
#include <sys/prctl.h>

#include "plan.h"

/* This library is there from the start, so that its variables need no call. */
static _Thread_local __attribute__((tls_model("initial-exec"))) struct {
    uint64_t asked;
    uint64_t has; /* a bit for each name of the rules */
} mine;

_Static_assert(RULES_THREADS <= 64, "a bit for each name");

static void read_name(void)
{
    const struct rules *rules = plan_rules();
    char name[16] = "";

    mine.has = 0;
    if (prctl(PR_GET_NAME, name))
        return;
    for (unsigned i = 0; i < rules->thread_count; i++)
        if (fnmatch(rules->threads[i], name, 0) == 0)
            mine.has |= (uint64_t)1 << i;
}

bool thread_name_is(unsigned number)
{
    uint64_t asked = mine.asked++;

    if ((asked & (asked + 1)) == 0)
        read_name();
    return mine.has >> number & 1;
}

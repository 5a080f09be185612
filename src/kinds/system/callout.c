/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see callout.h. */
#include "kinds/system/callout.h"

#include <stddef.h>

static const struct callout_functions *lent;
static __thread bool on __attribute__((tls_model("initial-exec")));

void callout_set(const struct callout_functions *functions)
{
    lent = functions;
}

void *callout_begin(void)
{
    on = true;
    return lent ? lent->hide() : NULL;
}

void callout_end(void *hidden)
{
    if (lent)
        lent->show(hidden);
    on = false;
}

bool callout_is_on(void)
{
    return on;
}

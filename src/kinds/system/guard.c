/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see guard.h. */
#include "kinds/system/guard.h"

#include <stddef.h>

__thread uint16_t guard_forks __attribute__((tls_model("initial-exec")));

static const struct guard_fork *fork_functions; /* there is no fork before it is set */

void guard_set_fork(const struct guard_fork *functions)
{
    fork_functions = functions;
}

unsigned guard_open(void)
{
    return fork_functions->open();
}

void guard_close(unsigned forks)
{
    fork_functions->close(forks);
}

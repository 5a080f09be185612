/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * elsewhere: makes a tool of ours run on the machine that MEMKIND_TEST_MACHINE names.
 *
 * Where MEMKIND_TEST_REFUSAL is set, mbind is refused there, as a container does. Linked to a build
 * of the tool for the tests, besides machine.c. It acts before main(), so that the tool is compiled
 * as it is installed. One thread.
 */
#include "machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static __attribute__((constructor)) void go(void)
{
    const char *name = getenv("MEMKIND_TEST_MACHINE");

    if (!name || !machine_be(name)) {
        fprintf(stderr, "MEMKIND_TEST_MACHINE names no machine: %s\n", name ? name : "unset");
        exit(99);
    }
    machine.refusal = getenv("MEMKIND_TEST_REFUSAL") ? EPERM : 0;
    for (size_t i = 0; i < machine.variable_count; i++)
        setenv(machine.variables[i].name, machine.variables[i].value, 1);
}

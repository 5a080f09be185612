/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * machine: puts a process on a machine that is not here.
 *
 * For programs with the static library. The linker puts functions of machine.c in place of those
 * that ask the running machine, and of those that open files, to count them (--wrap, see
 * memkind_elsewhere() in CMakeLists.txt). mbind(2) is not called: pages stay where they happen to
 * be. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "kinds/cpu.h"
#include "kinds/os.h"

extern struct machine {
    char tree[256];
    struct cpu_model cpu;
    char allowed[64]; /* "": all nodes */
    struct variable {
        char name[64], value[64];
    } variables[4]; /* the environment that it is looked at with */
    size_t variable_count;

    unsigned opened;        /* files and folders, so far */
    int refusal;            /* errno of mbind */
    int refused_mode;       /* -1: every mode */
    struct os_policy bound; /* the last that was not refused */
} machine;

/* From here on, this process is on the machine of that name, before the library's first use. False:
 * there is none. */
bool machine_be(const char *name);

/* What getenv() would say there. */
const char *machine_variable(const char *name);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * machine: puts a process on a machine that is not here.
 *
 * For programs with the static library. The linker puts functions of machine.c in place of those
 * that ask the running machine, and of those that open files, to count them (--wrap, see
 * memkind_elsewhere() in CMakeLists.txt). mbind(2) is not called: pages stay where they happen to
 * be. One thread, but for what is each thread's.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "kinds/machine/cpu.h"
#include "kinds/system/os.h"

extern struct machine {
    char tree[256];
    struct cpu_model cpu;
    char allowed[64]; /* "": all nodes */
    struct variable {
        char name[64], value[64];
    } variables[4]; /* the environment that it is looked at with */
    size_t variable_count;

    atomic_uint opened; /* files and folders, so far */
    int refusal;        /* errno of mbind */
    int refused_mode;   /* -1: every mode */
} machine;

/* Each thread's: the node of the CPU it is on, -1 for the lowest-numbered with CPUs; what it asked
 * mbind for last. */
extern _Thread_local int machine_node;
extern _Thread_local struct os_policy machine_bound;

/* From here on, this process is on the machine of that name, before the library's first use. False:
 * there is none. */
bool machine_be(const char *name);

/* What getenv() would say there. */
const char *machine_variable(const char *name);

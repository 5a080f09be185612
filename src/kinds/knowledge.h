/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * knowledge: where the library knows something from.
 *
 * Every answer about the machine carries its source, so that a log line, a tool or a test can say
 * why the library believes what it believes. Constant; any thread.
 */
#pragma once

enum knowledge {
    KNOWN_NOT,         /* nobody says */
    KNOWN_SYSFS,       /* the kernel: nodes, CPUs, sizes, distances */
    KNOWN_ACCESS1,     /* the firmware (ACPI HMAT) or the device (CXL): numbers that CPUs see */
    KNOWN_ACCESS0,     /* the same, seen by whoever is nearest, where that is a CPU */
    KNOWN_CPU_MODEL,   /* the CPU's model: Knights Landing, Knights Mill */
    KNOWN_LIBDAXCTL,   /* libdaxctl */
    KNOWN_DAX_BUS,     /* sysfs's bus/dax, where libdaxctl cannot be asked */
    KNOWN_ENVIRONMENT, /* the administrator: a MEMKIND_* variable */
    KNOWN_PROGRAM,     /* the program, which named the nodes */
    KNOWN_PROCESS,     /* the process's own policy */
};

/* In a word or two, "nobody" for KNOWN_NOT. */
const char *knowledge_name(enum knowledge knowledge);

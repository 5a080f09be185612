/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * info_source: where a fact about the machine comes from.
 *
 * Every answer about the machine carries its source, so that a log line, a tool or a test can say
 * why the library believes what it believes. Constant; any thread.
 */
#pragma once

enum info_source {
    INFO_SOURCE_NONE,      /* nobody says */
    INFO_SOURCE_SYSFS,     /* the kernel: nodes, CPUs, sizes, distances */
    INFO_SOURCE_ACCESS1,   /* the firmware (ACPI HMAT) or the device (CXL): numbers that CPUs see */
    INFO_SOURCE_ACCESS0,   /* the same, seen by whoever is nearest, where that is a CPU */
    INFO_SOURCE_MEASURED,  /* a tool that has measured the same */
    INFO_SOURCE_CPU_MODEL, /* the CPU's model: Knights Landing, Xeon Max, A64FX, ... */
    INFO_SOURCE_GPU_DRIVER,  /* NVIDIA's driver: nodes of GPUs */
    INFO_SOURCE_LIBDAXCTL,   /* libdaxctl */
    INFO_SOURCE_DAX_BUS,     /* sysfs's bus/dax, where libdaxctl cannot be asked */
    INFO_SOURCE_ENVIRONMENT, /* the administrator: a MEMKIND_* variable */
    INFO_SOURCE_PROGRAM,     /* the program, which named the nodes */
    INFO_SOURCE_PROCESS,     /* the process's own policy */
};

/* In a word or two, "nobody" for INFO_SOURCE_NONE. */
const char *info_source_name(enum info_source source);

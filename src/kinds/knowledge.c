/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why: see knowledge.h. */
#include "kinds/knowledge.h"

const char *knowledge_name(enum knowledge knowledge)
{
    static const char *const names[] = {
        [KNOWN_NOT] = "nobody",          [KNOWN_SYSFS] = "sysfs",
        [KNOWN_ACCESS1] = "access1",     [KNOWN_ACCESS0] = "access0",
        [KNOWN_CPU_MODEL] = "CPU model", [KNOWN_LIBDAXCTL] = "libdaxctl",
        [KNOWN_DAX_BUS] = "bus/dax",     [KNOWN_ENVIRONMENT] = "environment",
        [KNOWN_PROGRAM] = "program",     [KNOWN_PROCESS] = "process",
    };

    return names[knowledge];
}

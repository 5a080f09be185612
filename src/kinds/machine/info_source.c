/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why: see info_source.h. */
#include "kinds/machine/info_source.h"

const char *info_source_name(enum info_source source)
{
    static const char *const names[] = {
        [INFO_SOURCE_NONE] = "nobody",
        [INFO_SOURCE_SYSFS] = "sysfs",
        [INFO_SOURCE_ACCESS1] = "access1",
        [INFO_SOURCE_ACCESS0] = "access0",
        [INFO_SOURCE_MEASURED] = "measured",
        [INFO_SOURCE_CPU_MODEL] = "CPU model",
        [INFO_SOURCE_LIBDAXCTL] = "libdaxctl",
        [INFO_SOURCE_DAX_BUS] = "bus/dax",
        [INFO_SOURCE_ENVIRONMENT] = "environment",
        [INFO_SOURCE_GPU_DRIVER] = "GPU driver",
        [INFO_SOURCE_PROGRAM] = "program",
        [INFO_SOURCE_PROCESS] = "process",
    };

    return names[source];
}

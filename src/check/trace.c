/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see trace.h. */
#include "check/trace.h"

#include <execinfo.h>

#include "check/thread.h"
#include "kinds/system/os.h"

__thread struct check_thread check_thread __attribute__((tls_model("initial-exec")));

void trace_start(void)
{
    struct trace unused;

    trace_take(&unused);
}

void trace_take(struct trace *trace)
{
    trace->thread = os_thread();
    trace->count = 0;
    if (check_thread.unwinding)
        return;
    check_thread.unwinding = true;
    trace->count = backtrace(trace->frames, TRACE_FRAMES);
    check_thread.unwinding = false;
}

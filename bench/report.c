/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why: see report.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct result *report;

void report_share(void)
{
    if (!report)
        report =
            mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (report == MAP_FAILED) {
        perror("memkind-bench: mmap");
        exit(EXIT_FAILURE);
    }
    memset(report, 0, sizeof *report);
}

void give_up(const char *why)
{
    snprintf(report->note, sizeof report->note, "%s", why);
    _exit(EXIT_FAILURE);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * report: what the program had of each kind, told when it ends.
 *
 * Every block that comes or goes is counted, by the kind that it is of, which makes threads share
 * lines of memory: only where a report is asked for. Where a kind's pages are is asked at the end.
 * Blocks lie in regions of 2 MiB and more that belong to one kind, so it is enough to remember
 * which kind was last seen in which 2 MiB.
 *
 * Threads: any, but report_begin(), which comes first.
 */
#pragma once

#include "output.h"

/* Before anything is counted: remembers where the report is to go, and who has more to tell; NULL:
 * nobody. */
void report_begin(void (*more)(struct output *output));

/* Blocks of the library. Others are not counted. */
void report_add(void *block);
void report_remove(void *block);

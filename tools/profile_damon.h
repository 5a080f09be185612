/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * profile_damon: which regions of a program's memory are used, as the kernel's DAMON sees it: Linux
 * 6.2 and later with CONFIG_DAMON_VADDR and CONFIG_DAMON_SYSFS, and a user that may write there.
 *
 * Every 5 ms it looks at one page of each region, whether it was read or written since. Regions,
 * 500 to 1500, are split and merged by what is found, all by the kernel's thread kdamond. A line
 * of the file is what has come of a region in 100 ms: its addresses, and how many of the 20 looks
 * found its page used.
 *
 * There is one set of kdamonds for the machine. Where another user has made some, nothing is done;
 * in the end there are none, as before. A kdamond ends by itself, too, when its process does.
 *
 * One thread; two processes that use this do not disturb each other.
 */
#pragma once

#include "profile_source.h"

struct damon;

/* `folder`: DAMON_FOLDER, or what a test has in its place. */
#define DAMON_FOLDER "/sys/kernel/mm/damon/admin/kdamonds"
struct damon *damon_open(const char *folder, pid_t process, char *why);
size_t damon_drain(void *damon, FILE *stream);
void damon_close(void *damon);

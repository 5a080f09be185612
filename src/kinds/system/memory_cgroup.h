/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * memory_cgroup: how much memory a container leaves this process.
 *
 * A process is in a memory cgroup, of version 2 or 1, and has no more memory than that one and each
 * of its ancestors may have. Beyond it the kernel kills. /proc/self/cgroup says which one it is,
 * /proc/self/mountinfo where its files are. Ancestors that are not mounted here are not known.
 *
 * What is in use is everything but pages of files that the kernel can drop. Swap is not counted.
 *
 * Threads: any; nothing allocates or locks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define MEMORY_CGROUP_NO_LIMIT UINT64_MAX

/* Where the process's own two files are: "/proc/self". A variable for tests, as sysfs_root is. */
extern const char *memory_cgroup_proc;

/* Whether there is a limit. The answer may be a second old. */
bool memory_cgroup_is_limited(void);

/* Bytes left below the limit. Without an answer (no descriptor, a sandbox): no limit. A dozen files
 * are read. */
uint64_t memory_cgroup_room(void);

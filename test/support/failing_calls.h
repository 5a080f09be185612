/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * failing_calls: system calls of the library, and of jemalloc in it, that fail when a test wants.
 *
 * The linker puts these functions in place of libc's (--wrap, see CMakeLists.txt). Threads: any may
 * call; which call fails is set while there is one.
 */
#pragma once

#include "support.h"

#include <sys/types.h>

enum call {
    CALL_MMAP = 1 << 0,
    CALL_MUNMAP = 1 << 1,
    CALL_MADVISE = 1 << 2,
    CALL_MBIND = 1 << 3,
    CALL_PRCTL = 1 << 4,
    CALL_OPEN = 1 << 5,
    CALL_READ = 1 << 6,
    CALL_KEY_CREATE = 1 << 7,
    CALL_SETSPECIFIC = 1 << 8,
    CALL_QUERY = 1 << 9, /* get_mempolicy, move_pages, sched_getaffinity */
    CALL_RESERVE = 1 << 10,
    CALL_PUNCH = 1 << 11,
    CALL_PATH = 1 << 12, /* readlink, unlinkat */
    CALL_FSTATFS = 1 << 13,
    CALL_AREA = 1 << 14, /* mincore, process_vm_readv */
    CALL_TMPFILE = 1 << 15,
    CALL_PWRITE = 1 << 16,
    CALL_MMAP_FILE = 1 << 17, /* of mmap: of files */
};

struct injection {
    const char *name;
    unsigned calls; /* enum call: these fail */
    int error;
};

extern const struct injection injections[], file_injections[]; /* file: only those kinds' calls */
extern const size_t injection_count, file_injection_count;

/* From now on the nth of these calls fails; with all_after, those after it, too. */
void calls_fail(const struct injection *injection, long nth, bool all_after);
void calls_work(void);

/* How many have failed. */
unsigned long calls_failed(void);

/* For the tests' own use. */
void *__real_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset);
int __real_munmap(void *address, size_t size);

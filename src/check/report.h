/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * report: what is said of a block that was misused.
 *
 * The first line says all in short, and begins with "MEMKIND: check: " and the name of the misuse;
 * docs/check.md lists them. Back traces follow, a line for each frame: file and offset, as
 * addr2line(1) takes them.
 *
 * Threads: any; async-signal-safe, so that a handler of SIGSEGV can report: no locks, no memory, no
 * printf(3).
 */
#pragma once

#include <stddef.h>

#include "check/trace.h"
#include "heap_manager.h"

enum misuse {
    MISUSE_OVERFLOW,
    MISUSE_UNDERFLOW,
    MISUSE_USE_AFTER_FREE,
    MISUSE_WRITE_AFTER_FREE,
    MISUSE_DOUBLE_FREE,
    MISUSE_INTERIOR_FREE,
    MISUSE_FOREIGN_FREE,
    MISUSE_WRONG_KIND,
};

/* What is known of a block. */
struct block_facts {
    struct heap *heap;
    char *address;
    size_t size;
    struct trace allocated, freed;
};

/* block NULL: the address is of none. now NULL: it was found later than it happened, or in a
 * signal's handler. */
void report_misuse(enum misuse misuse, const void *address, const struct block_facts *block,
                   const struct trace *now);

/* What a kind's blocks that nobody freed come to; the largest of them as an example. */
void report_leak(size_t count, size_t size, const struct block_facts *largest);

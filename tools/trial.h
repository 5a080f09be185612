/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * trial: one block of a kind, allocated, touched, and looked at: is each page on a node of the
 * kind, and of its page size? The kernel answers that (examples/placement.h), not the library.
 *
 * A trial runs in a forked child. So a crash is a result in words, and scarce memory, huge pages
 * above all, is back when it is over. One thread.
 */
#pragma once

#include <memkind.h>
#include <stdbool.h>
#include <stddef.h>

#include "kinds/machine/page_kind.h"

#define TRIAL_WORDS 400

enum verdict { GOOD, BAD, NOT_HERE };

/* The result of a trial, and its text. */
struct result {
    enum verdict verdict;
    char words[TRIAL_WORDS];
};

struct result result(enum verdict verdict, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct trial {
    memkind_t kind;
    const struct page_kind *row;
    struct nodemask nodes; /* nodes that the pages may be on */
    size_t size;           /* of the block */
    size_t huge_enough;    /* NOT_HERE, untried, where less than this is free in huge pages */
};

struct result trial_run(const struct trial *trial);

/* "Nearest" must mean the same for who asks and for the trial. Best effort. */
void trial_stay_on_this_cpu(void);

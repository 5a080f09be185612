/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * thread: what a thread has of its own here, in 8 bytes: thread-local storage that is there from
 * the start is scarce.
 *
 * Threads: each its own.
 */
#pragma once

#include "kinds/system/compiler.h"

struct check_thread {
    int countdown;             /* sampled.c */
    unsigned inline_left : 10; /* sampled.c */
    unsigned begun : 1;        /* sampled.c */
    unsigned unwinding : 1;    /* trace.c */
    unsigned returning : 1;    /* full.c */
};

extern __thread struct check_thread check_thread HIDDEN __attribute__((tls_model("initial-exec")));

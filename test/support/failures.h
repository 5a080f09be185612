/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * failures: what a child of test_failures.c or test_failures_limits.c has to tell.
 */
#pragma once

#include "support.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CHILD_SECONDS 60

/* Written by the child. */
struct outcome {
    unsigned long failed; /* calls that failed */
    char wrong[512];      /* empty: nothing */
};

/* fork(2), with an outcome that says nothing yet. */
static inline pid_t outcome_fork(struct outcome **outcome)
{
    if (!*outcome)
        *outcome = test_shared(sizeof **outcome);
    memset(*outcome, 0, sizeof **outcome);
    return fork();
}

#define SAY(outcome, ...) snprintf((outcome)->wrong, sizeof(outcome)->wrong, __VA_ARGS__)

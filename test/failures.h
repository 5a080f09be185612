/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * failures: what a child of test_failures.c or test_failures_limits.c has to tell.
 */
#pragma once

#include <stdio.h>

#define CHILD_SECONDS 60

/* Written by the child. */
struct outcome {
    unsigned long failed; /* calls that failed */
    char wrong[512];      /* empty: nothing */
};

#define SAY(outcome, ...) snprintf((outcome)->wrong, sizeof(outcome)->wrong, __VA_ARGS__)

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * fuzz: what the targets have in common. Each is one function for libFuzzer,
 * LLVMFuzzerTestOneInput(), in a program with the static library. Without libFuzzer, replay.c calls
 * it for files.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What does not hold ends the process; the fuzzer keeps the input. */
#define MUST(CONDITION)   \
    do {                  \
        if (!(CONDITION)) \
            abort();      \
    } while (0)

/* The input as a string. */
static inline char *text_of(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    MUST(text);
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

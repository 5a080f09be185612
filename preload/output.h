/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * output: text for a file, without anything that allocates.
 *
 * One thread for each output.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct output {
    int file;
    bool failed; /* something could not be written */
    size_t length;
    char text[20480]; /* written when it is nearly full, and by output_flush() */
};

/* At most 4095 bytes at a time. */
void output_print(struct output *output, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void output_flush(struct output *output);

/* As write(2), but no cancellation point, and without SIGPIPE and SIGXFSZ: the program does not
 * know that anything is written. Any thread. */
ssize_t output_write(int file, const char *text, size_t length);

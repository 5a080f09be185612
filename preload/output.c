/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see output.h. */
#include "output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define AT_ONCE 4096

void output_flush(struct output *output)
{
    size_t done = 0;

    while (done < output->length) {
        ssize_t written = write(output->file, output->text + done, output->length - done);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            output->failed = true;
            break;
        }
        done += (size_t)written;
    }
    output->length = 0;
}

void output_print(struct output *output, const char *format, ...)
{
    va_list arguments;
    int length;

    if (sizeof output->text - output->length < AT_ONCE)
        output_flush(output);
    va_start(arguments, format);
    length = vsnprintf(output->text + output->length, AT_ONCE, format, arguments);
    va_end(arguments);
    if (length > 0)
        output->length += length < AT_ONCE ? (size_t)length : AT_ONCE - 1;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see log.h. */
#include "frontend/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "kinds/system/os.h"

static atomic_bool enabled;

void log_enable(bool debug)
{
    atomic_store_explicit(&enabled, debug, memory_order_relaxed);
}

__attribute__((format(printf, 1, 0))) static void write_line(const char *format, va_list arguments)
{
    static const char prefix[] = "MEMKIND: ";
    char line[LOG_LINE];
    int error = errno;
    size_t length = (size_t)snprintf(line, sizeof line, "%s", prefix);
    int wanted = vsnprintf(line + length, sizeof line - length - 1, format, arguments);

    if (wanted > 0) {
        length += (size_t)wanted;
        if (length > sizeof line - 2)
            length = sizeof line - 2;
    }
    line[length++] = '\n';
    os_write_error(line, length);
    errno = error;
}

void log_debug(const char *format, ...)
{
    va_list arguments;

    if (!atomic_load_explicit(&enabled, memory_order_relaxed))
        return;
    va_start(arguments, format);
    write_line(format, arguments);
    va_end(arguments);
}

void log_text(const char *text)
{
    os_write_error(text, strlen(text));
}

void log_always(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_line(format, arguments);
    va_end(arguments);
}

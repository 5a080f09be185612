/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see output.h. */
#include "output.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define AT_ONCE 4096

/* One that a write has sent to the thread. */
static void take_signal(const sigset_t *signals)
{
    const struct timespec none = {0, 0};

    while (sigtimedwait(signals, NULL, &none) < 0 && errno == EINTR)
        continue;
}

/* Those that wait already are the program's. */
ssize_t output_write(int file, const char *text, size_t length)
{
    static const int numbers[] = {SIGPIPE, SIGXFSZ};
    sigset_t held, before, waiting, mine;
    int cancel, error;
    ssize_t written;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    sigemptyset(&held);
    for (int i = 0; i < 2; i++)
        sigaddset(&held, numbers[i]);
    pthread_sigmask(SIG_BLOCK, &held, &before);
    sigpending(&waiting);
    written = write(file, text, length);
    error = errno;
    sigemptyset(&mine);
    for (int i = 0; i < 2; i++)
        if (!sigismember(&waiting, numbers[i]))
            sigaddset(&mine, numbers[i]);
    if (written < 0 && (error == EPIPE || error == EFBIG))
        take_signal(&mine);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_setcancelstate(cancel, NULL);
    errno = error;
    return written;
}

void output_flush(struct output *output)
{
    size_t done = 0;

    while (done < output->length) {
        ssize_t written = output_write(output->file, output->text + done, output->length - done);

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

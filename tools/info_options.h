/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * info_options: the options of memkind-info, and its exit statuses.
 *
 * The manual page memkind-info(1) is their contract. One thread.
 */
#pragma once

#include <stddef.h>

#include "info.h"
#include "measure.h"

#define PROGRAM "memkind-info"

enum status { DONE = 0, FAILED = 1, MISUSED = 2, NO_SUCH_MEMORY = 3 };

struct info_options {
    struct info_request request;
    bool json, graph;
    const char *svg; /* a file's name, "-" for the standard output; NULL: no picture */
    bool measure;
    struct measure_limits limits; /* of that */
    size_t check;                 /* bytes; 0: no check */
};

/* Does not return for options that are wrong, or that ask for a text only. */
void info_options_parse(int argc, char *argv[], struct info_options *options);

/* Ends the program with this status, or with FAILED where the standard output could not be written.
 */
_Noreturn void info_finish(int status);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * profile_samples: accesses to memory that were recorded elsewhere, told to the sites whose blocks
 * they went to.
 *
 * A line of the file is an access: when, in seconds of CLOCK_MONOTONIC, and the address, in
 * hexadecimal. That is what `perf script -F time,addr` prints of `perf mem record -k
 * CLOCK_MONOTONIC`. Or a region, START-END, and how often a page of it was found used: what
 * profile_damon.h writes. Only sampled blocks are known, each of which stands for others.
 *
 * One thread.
 */
#pragma once

#include <stdbool.h>

#include "profile_capture.h"

struct samples {
    size_t count, in_blocks; /* all; those that went to a sampled block */
    bool regions;            /* there were some */
};

/* Sets the sites' accesses, and the capture's method. False: the file cannot be read, or a line is
 * none; `why`, of at least 256 bytes, tells. */
bool samples_add(struct capture *capture, const char *path, struct samples *samples, char *why);

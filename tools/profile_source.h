/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * profile_source: a way in which the kernel tells, from outside the program, which memory it uses.
 *
 * What comes of it are the lines that profile_samples.h reads. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#define PROFILE_WHY 256

struct profile_source {
    const char *name; /* as --accesses takes it */
    bool automatic;   /* --accesses auto tries it */
    /* Of a process that has not become its program yet. NULL: there is no such thing here, or not
     * for this user; `why`, of PROFILE_WHY bytes, tells. */
    void *(*open)(pid_t process, char *why);
    /* Writes what has come since the last call. Returns how many samples were lost. */
    size_t (*drain)(void *opened, FILE *stream);
    void (*close)(void *opened);
};

/* Precise samples of loads and stores, where the processor takes them and the user may have them:
 * Intel's mem-loads and mem-stores, AMD's ibs_op. */
extern const struct profile_source profile_precise;

/* DAMON: profile_damon.h. */
extern const struct profile_source profile_damon;

/* Page faults, which every kernel has: which memory is touched first, and whether it is at all. */
extern const struct profile_source profile_faults;

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * profile_capture: the file that libmemkind-preload.so writes of a process (docs/profile.md), read.
 *
 * One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAPTURE_NOWHERE SIZE_MAX /* a frame in no module */

struct capture_module {
    uint64_t base, end;
    char *build_id; /* hexadecimal; NULL: it has none */
    char *path;
};

/* A function at an address, and where it is there: profile_symbols.h. */
struct capture_place {
    char *function; /* NULL: not known */
    char *file;     /* likewise */
    int line;
};

struct capture_frame {
    size_t module;                /* or CAPTURE_NOWHERE */
    uint64_t offset;              /* from the module's base */
    struct capture_place *places; /* the innermost of inlined functions first */
    size_t place_count;           /* 0: nothing is known */
};

struct capture_site {
    uint64_t number;
    char *kind;
    uint64_t samples, calls, bytes, live_calls, live, peak, at_peak, size_least, size_most;
    uint64_t freed, lifetime_least, lifetime_most, lifetime_mean, accesses;
    size_t *frames; /* innermost first: places in the capture's frames */
    size_t frame_count;
};

struct capture_point {
    uint64_t time;
    uint64_t *live; /* of each site, by its place in the capture's sites */
};

struct capture_block {
    size_t site; /* its place in the capture's sites */
    uint64_t address, size, born, died;
};

struct capture {
    char *program, *method;
    uint64_t process, rate, started, clock, duration, peak, lost;
    struct capture_module *modules;
    struct capture_frame *frames; /* each address once */
    struct capture_site *sites;
    struct capture_point *points;
    struct capture_block *blocks;
    size_t module_count, frame_count, site_count, point_count, block_count;
};

/* The same memory: NULL is the end of the tool. */
void *capture_must(void *memory);

/* NULL: it cannot be read, or is no such file; `why`, of at least 256 bytes, tells. */
struct capture *capture_read(const char *path, char *why);

/* Writes the file that the capture was read from once more, with the method and the accesses that
 * it has by now; blocks have none. False with errno. */
bool capture_copy(const struct capture *capture, const char *from, const char *to);

void capture_free(struct capture *capture);

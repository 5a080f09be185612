/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * memtier: runs a program under libmemtier.so.0, with a tier of ordinary memory and one of DAX
 * memory as NUMA nodes.
 *
 * It says beforehand what the library could only say in every process that comes. Options and the
 * lines of -v are those of libmemkind 1.14.0. memtier(1) is the contract. One thread.
 */
#define _GNU_SOURCE
#include <memkind.h>

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launch.h"
#include "options.h"

const char launch_program[] = "memtier";

/* --- variables -------------------------------------------------------------------------------- */

static bool verbose;

static void show(const char *name)
{
    const char *value = getenv(name);

    if (verbose && value)
        fprintf(stderr, "setting %s=%s\n", name, value);
}

struct shares {
    unsigned long dram, far;
};

/* Behind the digits; NULL: there are none, or too many. */
static const char *read_share(const char *text, unsigned long *share)
{
    char *end;

    if (*text < '0' || *text > '9')
        return NULL;
    *share = strtoul(text, &end, 10);
    return *share <= UINT_MAX ? end : NULL;
}

static struct shares read_ratio(const char *text)
{
    struct shares shares = {0, 0};
    const char *rest = read_share(text, &shares.dram);

    rest = rest && *rest == ':' ? read_share(rest + 1, &shares.far) : NULL;
    if (!rest || *rest)
        launch_end(LAUNCH_MISUSED, "--ratio: accepted: two numbers with a colon, as 1:3; not %s",
                   text);
    if (!shares.dram && !shares.far)
        launch_end(LAUNCH_MISUSED, "--ratio: one of the shares is to be more than 0");
    return shares;
}

/* As much as there is of each, in MiB, which is what fits into a share. */
static struct shares installed(void)
{
    ssize_t dram = memkind_get_capacity(MEMKIND_REGULAR);
    ssize_t far = memkind_get_capacity(MEMKIND_DAX_KMEM);

    if (far <= 0)
        launch_end(LAUNCH_MISUSED, "there is no DAX memory here (KMEM_DAX), so that --ratio is "
                                   "needed; memkind-info --kind DAX_KMEM tells more");
    return (struct shares){(unsigned long)(dram > 0 ? dram : 0) >> 20, (unsigned long)far >> 20};
}

static void set_tiers(struct shares shares, bool moves)
{
    char text[200];

    if (moves && (!shares.dram || !shares.far))
        launch_end(LAUNCH_MISUSED, "--threshold: both shares are to be more than 0");
    if (!shares.far)
        snprintf(text, sizeof text, "KIND:DRAM,RATIO:1;POLICY:STATIC_RATIO");
    else if (!shares.dram)
        snprintf(text, sizeof text, "KIND:KMEM_DAX,RATIO:1;POLICY:STATIC_RATIO");
    else
        snprintf(text, sizeof text, "KIND:DRAM,RATIO:%lu;KIND:KMEM_DAX,RATIO:%lu;POLICY:%s",
                 shares.dram, shares.far, moves ? "DYNAMIC_THRESHOLD" : "STATIC_RATIO");
    launch_set("MEMKIND_MEM_TIERS", text);
}

/* The library wants NAME:VALUE, on a command line it may be NAME=VALUE. */
static void set_threshold(const char *text)
{
    char *value = strdup(text);

    if (!value)
        launch_end(LAUNCH_MISUSED, "--threshold: %s", strerror(ENOMEM));
    for (char *equals = strchr(value, '='); equals; equals = strchr(equals, '='))
        *equals = ':';
    launch_set("MEMKIND_MEM_THRESHOLDS", value);
    free(value);
}

/* --- the command ------------------------------------------------------------------------------ */

static const char *ratio, *threshold;

static void take_ratio(const char *value)
{
    ratio = value;
}

static void take_threshold(const char *value)
{
    threshold = value;
}

static const struct option_row rows[] = {
    {'r', "ratio", "DRAM:FAR", false,
     "the shares: 1:3 is a byte of DRAM for three of DAX memory; if not given,\n"
     "as much as there is of each",
     take_ratio, NULL},
    {'t', "threshold", "INIT_VAL=SIZE,MIN_VAL=SIZE,MAX_VAL=SIZE", false,
     "small blocks come from DRAM and large ones from DAX memory, by a size that\n"
     "moves so that the shares are kept: libmemtier(7)",
     take_threshold, NULL},
    {'v', "verbose", NULL, false, "show the variables that are set for the program", NULL,
     &verbose},
    {'h', "help", NULL, false, "this text", NULL, NULL},
    {0},
};

static const struct options options = {
    false,
    "usage: memtier [-r DRAM:FAR] [-t THRESHOLD] [-v] PROGRAM [ARGUMENT...]\n"
    "\n"
    "Runs a program, and those that it starts, with its heap in ordinary memory and in DAX memory\n"
    "(KMEM_DAX), each with its share.\n"
    "\n",
    rows,
    "\n"
    "Exit status: the program's; 125 wrong options, or no such memory here; 126 the program\n"
    "cannot be run; 127 it is not found.\n",
};

int main(int argc, char *argv[])
{
    int program = options_parse(&options, argc, argv);

    options_need_program(program, argc);
    set_tiers(ratio ? read_ratio(ratio) : installed(), threshold != NULL);
    if (threshold)
        set_threshold(threshold);
    else
        (void)unsetenv("MEMKIND_MEM_THRESHOLDS"); /* of a tool around this one */
    launch_preload_library(MEMTIER_INSTALLED, MEMTIER_BUILT);
    show("LD_PRELOAD");
    show("MEMKIND_MEM_TIERS");
    show("MEMKIND_MEM_THRESHOLDS");
    launch_become(argv + program);
}

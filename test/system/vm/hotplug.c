/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * hotplug: a node's memory comes online and goes while a program runs, and the program is moved
 * between cpusets.
 *
 *     hotplug
 *
 * For both heap managers: MEMKIND_HBW, whose node MEMKIND_HBW_NODES names, is not available before
 * its memory is online; is available, with its pages there, after memkind_refresh(); says within
 * ten seconds, by itself, that the node has gone; comes again; and follows the cpuset. Blocks of
 * before keep what was written. A line for each step; exit status 0 means all are good.
 *
 * The machine is of test/system/vm/topologies: node 2 is a DIMM whose memory is offline.
 */
#include "node_memory.h"
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NODE 2
#define NODE_TEXT "2"
#define SIZE (8 * MIB)
#define SECONDS 10 /* that the library may take to notice */
#define GROUPS "/tmp/cgroup"

static bool good = true;

static void expect(bool well, const char *manager, const char *step)
{
    printf("hotplug: %-9s %s%s\n", manager, step, well ? "" : ": FAILED");
    fflush(stdout);
    good &= well;
}

static bool put(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    bool well = file && fputs(text, file) >= 0;

    return file && fclose(file) == 0 && well;
}

/* A block whose pages are all on the node. NULL: there is none. */
static char *block_on_node(void)
{
    char *block = memkind_malloc(MEMKIND_HBW, SIZE);

    for (size_t at = 0; block && at < SIZE; at += 4096) {
        block[at] = (char)(at >> 12);
        if (test_page_node(&block[at]) != NODE)
            return NULL;
    }
    return block;
}

static bool is_intact(const char *block)
{
    for (size_t at = 0; at < SIZE; at += 4096)
        if (block[at] != (char)(at >> 12))
            return false;
    return true;
}

/* What MEMKIND_HBW says within ten seconds is `error`, without being told. */
static bool says_soon(int error)
{
    for (int tenths = 0; tenths < SECONDS * 10; tenths++) {
        if (memkind_check_available(MEMKIND_HBW) == error)
            return true;
        usleep(100000);
    }
    return false;
}

/* This process goes into a cgroup that may use these nodes. */
static bool enter(const char *name, const char *nodes)
{
    char path[64];

    snprintf(path, sizeof path, GROUPS "/%s", name);
    mkdir(path, 0755);
    snprintf(path, sizeof path, GROUPS "/%s/cpuset.mems", name);
    if (!put(path, nodes))
        return false;
    snprintf(path, sizeof path, GROUPS "/%s/cgroup.procs", name);
    return put(path, "0");
}

static int run(const char *manager)
{
    char *first, *second, *third;

    setenv("MEMKIND_HEAP_MANAGER", manager, 1);
    setenv("MEMKIND_HBW_NODES", NODE_TEXT, 1);
    expect(memkind_check_available(MEMKIND_HBW) == MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE, manager,
           "memory is offline");
    expect(node_memory_set(NODE, "online_movable") && memkind_refresh() == 0, manager,
           "online, refreshed");
    first = block_on_node();
    expect(first != NULL, manager, "pages are on the node");
    if (!first)
        return EXIT_FAILURE;
    expect(node_memory_set(NODE, "offline"), manager, "offline again");
    expect(says_soon(MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE), manager, "noticed");
    errno = 0;
    expect(!memkind_malloc(MEMKIND_HBW, 8 * SIZE) && errno == ENOMEM, manager, "no new region");
    expect(is_intact(first), manager, "the block is intact");
    expect(node_memory_set(NODE, "online_movable") && says_soon(0), manager,
           "online again, noticed");
    second = block_on_node();
    expect(second != NULL, manager, "new pages are on the node");
    expect(enter("few", "0") && memkind_refresh() == 0 &&
               memkind_check_available(MEMKIND_HBW) == MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE,
           manager, "a cpuset without the node");
    expect(!memkind_malloc(MEMKIND_HBW, 8 * SIZE), manager, "no new region");
    expect(is_intact(first) && (!second || is_intact(second)), manager, "the blocks are intact");
    expect(enter("all", "0-" NODE_TEXT) && says_soon(0), manager, "a cpuset with it, noticed");
    third = block_on_node();
    expect(third != NULL, manager, "new pages are on the node");
    memkind_free(NULL, first);
    memkind_free(NULL, second);
    memkind_free(NULL, third);
    put(GROUPS "/cgroup.procs", "0");
    expect(node_memory_set(NODE, "offline"), manager, "offline at the end");
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(void)
{
    static const char *const managers[] = {"JEMALLOC", "TBB"};
    bool all = true;

    mkdir(GROUPS, 0755);
    if (system("mount -t cgroup2 none " GROUPS) /* NOLINT(cert-env33-c): fixed text */
        || !put(GROUPS "/cgroup.subtree_control", "+cpuset")) {
        puts("hotplug: no cgroups: FAILED");
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < LENGTH(managers); i++) {
        int status = -1;
        pid_t child;

        fflush(stdout);
        child = fork();
        if (child == 0)
            _exit(run(managers[i]));
        if (child < 0 || waitpid(child, &status, 0) != child || status) {
            printf("hotplug: %s: FAILED, status 0x%x\n", managers[i], (unsigned)status);
            all = false;
        }
    }
    return all ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * exhaustion: a bound kind takes its nodes' memory until there is none.
 *
 *     exhaustion
 *
 * For both heap managers, base pages and huge ones, small blocks and large: blocks of MEMKIND_HBW
 * or MEMKIND_HBW_HUGETLB are allocated and written until the answer is NULL. That is with ENOMEM;
 * no signal ends the process, of the OOM killer or another; most of what was free has been served;
 * and after all is freed, most of it can be had again. A line for each; exit status 0 means all are
 * good.
 *
 * The machine is small, of test/vm/topologies: its high-bandwidth node has 96 MiB. Each line comes
 * from a process of its own.
 */
#include "../support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NODE 1

struct result {
    size_t bytes;    /* of the node or of its huge pages, that were free */
    size_t served;   /* bytes of blocks until the first NULL */
    size_t again;    /* and after all of them were freed */
    char wrong[256]; /* "": nothing */
};

#define SAY(result, ...) snprintf((result)->wrong, sizeof(result)->wrong, __VA_ARGS__)

/* MemFree of the node, or its free huge pages, in bytes. */
static size_t free_bytes(bool huge)
{
    char line[256];
    size_t bytes = 0, count;
    FILE *file;

    snprintf(line, sizeof line, "/sys/devices/system/node/node%d/%s", NODE,
             huge ? "hugepages/hugepages-2048kB/free_hugepages" : "meminfo");
    file = fopen(line, "re");
    while (file && fgets(line, sizeof line, file)) {
        if (huge)
            bytes = strtoul(line, NULL, 10) * 2 * MIB;
        else if (sscanf(line, "Node %*u MemFree: %zu kB", &count) == 1)
            bytes = count * KIB;
    }
    if (file)
        fclose(file);
    return bytes;
}

/* Blocks until the first NULL; the list goes through their first words. */
static char *fill(memkind_t kind, size_t size, size_t *bytes)
{
    char *list = NULL, *block;

    *bytes = 0;
    errno = 0;
    while ((block = memkind_malloc(kind, size))) {
        memset(block, 1, size);
        memcpy(block, &list, sizeof list);
        list = block;
        *bytes += size;
    }
    return list;
}

static void drain(memkind_t kind, char *list)
{
    while (list) {
        char *next;

        memcpy(&next, list, sizeof next);
        memkind_free(kind, list);
        list = next;
    }
}

static void exhaust(const char *manager, bool huge, size_t size, struct result *result)
{
    memkind_t kind = huge ? MEMKIND_HBW_HUGETLB : MEMKIND_HBW;
    char *list;

    setenv("MEMKIND_HEAP_MANAGER", manager, 1);
    result->bytes = free_bytes(huge);
    list = fill(kind, size, &result->served);
    if (errno != ENOMEM)
        SAY(result, "errno is %d", errno);
    drain(kind, list);
    list = fill(kind, size, &result->again);
    drain(kind, list);
    if (result->served < result->bytes / 4 * 3 || result->again < result->served / 8 * 7)
        SAY(result, "too little");
}

static bool run(const char *manager, bool huge, size_t size)
{
    struct result *result = test_shared(sizeof *result);
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        exhaust(manager, huge, size, result);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        SAY(result, "no child");
    else if (WIFSIGNALED(status))
        SAY(result, "killed by signal %d", WTERMSIG(status));
    printf(
        "exhaustion: %-20s %-9s blocks of %7zu: of %zu kB free %zu kB served, %zu kB again%s%s\n",
        huge ? "MEMKIND_HBW_HUGETLB" : "MEMKIND_HBW", manager, size, result->bytes / KIB,
        result->served / KIB, result->again / KIB, result->wrong[0] ? " FAILED: " : "",
        result->wrong);
    return !result->wrong[0];
}

int main(void)
{
    static const char *const managers[] = {"JEMALLOC", "TBB"};
    static const size_t sizes[] = {256, 16 * KIB, MIB, 5 * MIB};
    bool good = true;

    for (size_t manager = 0; manager < LENGTH(managers); manager++)
        for (int huge = 0; huge < 2; huge++)
            for (size_t i = 0; i < LENGTH(sizes); i++)
                good &= run(managers[manager], huge, sizes[i]);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * exhaustion: a bound kind takes its nodes' memory until there is none.
 *
 *     exhaustion [swap]
 *
 * For both heap managers, base pages and huge ones, small blocks and large: blocks of MEMKIND_HBW
 * or MEMKIND_HBW_HUGETLB are allocated and written until the answer is NULL. That is with ENOMEM;
 * no signal ends the process, of the OOM killer or another; most of what was free has been served;
 * and after all is freed, most of it can be had again. Then a child of fork(2) whose parent has
 * used up the huge pages, and has freed some to its heap: it reads and frees its parent's blocks,
 * and what it allocates it can write, or it is NULL. A line for each; exit status 0 means all are
 * good.
 *
 * With the word swap: MEMKIND_HBW takes the memory of its node and the swap space, and an eighth of
 * them may be left when the answer is NULL.
 *
 * The machine is small, of test/system/vm/topologies: its high-bandwidth node has 96 MiB. Each line
 * comes from a process of its own.
 */
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#define NODE 1
#define THREADS 2
/* The kernel keeps a part, and a block of 5 MiB takes whole regions of 2 MiB. */
#define LEAST(bytes) ((bytes) / 2)

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

struct filler {
    pthread_t thread;
    memkind_t kind;
    size_t size;
    size_t bytes;
    int error;
    char *list; /* goes through the first words of the blocks */
};

/* Blocks until the first NULL. */
static void *fill(void *argument)
{
    struct filler *filler = argument;
    char *block;

    errno = 0;
    while ((block = memkind_malloc(filler->kind, filler->size))) {
        memset(block, 1, filler->size);
        memcpy(block, &filler->list, sizeof filler->list);
        filler->list = block;
        filler->bytes += filler->size;
    }
    filler->error = errno;
    return NULL;
}

static void drain(struct filler *filler)
{
    while (filler->list) {
        char *block = filler->list;

        memcpy(&filler->list, block, sizeof filler->list);
        memkind_free(filler->kind, block);
    }
}

/* Fills the kind and frees all. Bytes of blocks until the answer was NULL. */
static size_t fill_and_drain(memkind_t kind, size_t size, unsigned threads, struct result *result)
{
    struct filler fillers[THREADS];
    size_t bytes = 0;

    for (unsigned i = 0; i < threads; i++) {
        fillers[i] = (struct filler){.kind = kind, .size = size};
        if (pthread_create(&fillers[i].thread, NULL, fill, &fillers[i]))
            abort();
    }
    for (unsigned i = 0; i < threads; i++)
        pthread_join(fillers[i].thread, NULL);
    for (unsigned i = 0; i < threads; i++) {
        if (fillers[i].error != ENOMEM)
            SAY(result, "errno is %d", fillers[i].error);
        bytes += fillers[i].bytes;
        drain(&fillers[i]);
    }
    return bytes;
}

/* What to try, in a process of its own. */
struct attempt {
    const char *manager;
    bool huge;
    size_t size; /* of the blocks */
    unsigned threads;
};

static void exhaust(const struct attempt *attempt, struct result *result)
{
    memkind_t kind = attempt->huge ? MEMKIND_HBW_HUGETLB : MEMKIND_HBW;

    result->bytes = free_bytes(attempt->huge);
    result->served = fill_and_drain(kind, attempt->size, attempt->threads, result);
    result->again = fill_and_drain(kind, attempt->size, attempt->threads, result);
    if (result->served < LEAST(result->bytes) || result->again < result->served / 8 * 7)
        SAY(result, "too little");
}

static size_t free_swap(void)
{
    struct sysinfo machine;

    return sysinfo(&machine) ? 0 : machine.freeswap * machine.mem_unit;
}

static void exhaust_swap(const struct attempt *attempt, struct result *result)
{
    struct filler filler = {.kind = MEMKIND_HBW, .size = attempt->size};

    result->bytes = free_bytes(false) + free_swap();
    fill(&filler);
    result->served = filler.bytes;
    result->again = free_swap();
    if (filler.error != ENOMEM)
        SAY(result, "errno is %d", filler.error);
    else if (result->served < result->bytes / 8 * 7)
        SAY(result, "too little");
}

static struct result *run(const struct attempt *attempt,
                          void (*what)(const struct attempt *attempt, struct result *result))
{
    struct result *result = test_shared(sizeof *result);
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        setenv("MEMKIND_HEAP_MANAGER", attempt->manager, 1);
        what(attempt, result);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        SAY(result, "no child");
    else if (WIFSIGNALED(status))
        SAY(result, "killed by signal %d", WTERMSIG(status));
    return result;
}

static bool run_exhaust(const struct attempt *attempt)
{
    const struct result *result = run(attempt, exhaust);

    printf("exhaustion: %-20s %-9s %u x blocks of %7zu: %zu kB free, %zu served, %zu again%s%s\n",
           attempt->huge ? "MEMKIND_HBW_HUGETLB" : "MEMKIND_HBW", attempt->manager,
           attempt->threads, attempt->size, result->bytes / KIB, result->served / KIB,
           result->again / KIB, result->wrong[0] ? " FAILED: " : "", result->wrong);
    return !result->wrong[0];
}

static bool run_swap(const char *manager)
{
    const struct attempt attempt = {.manager = manager, .size = MIB};
    const struct result *result = run(&attempt, exhaust_swap);

    printf("exhaustion: with swap space, %-9s %zu kB free, %zu served, %zu of swap left%s%s\n",
           manager, result->bytes / KIB, result->served / KIB, result->again / KIB,
           result->wrong[0] ? " FAILED: " : "", result->wrong);
    return !result->wrong[0];
}

/* In the child: the blocks of before, and what more there is. */
static int be_child(char *const *blocks, size_t count, struct result *result)
{
    struct filler filler = {.kind = MEMKIND_HBW_HUGETLB, .size = 256};

    for (size_t i = 0; i < count; i++)
        if (blocks[i][KIB * i] != 1)
            SAY(result, "the child's block %zu is not the parent's", i);
    for (size_t i = 0; i < count; i += 2)
        memkind_free(NULL, blocks[i]);
    fill(&filler);
    result->again = filler.bytes;
    if (filler.error != ENOMEM || filler.bytes > result->bytes)
        SAY(result, "errno is %d", filler.error);
    drain(&filler);
    return result->wrong[0] ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void fork_when_used_up(const struct attempt *attempt, struct result *result)
{
    static char *blocks[1000];
    size_t count = 0;
    int status;
    pid_t child;

    while (count < LENGTH(blocks) &&
           (blocks[count] = memkind_malloc(MEMKIND_HBW_HUGETLB, attempt->size)))
        memset(blocks[count++], 1, attempt->size);
    result->served = count * attempt->size;
    memkind_free(NULL, blocks[--count]);
    memkind_free(NULL, blocks[--count]);
    result->bytes = free_bytes(true);
    child = fork();
    if (child == 0)
        _exit(be_child(blocks, count, result));
    if (child < 0 || waitpid(child, &status, 0) != child)
        SAY(result, "no child of the child");
    else if (WIFSIGNALED(status))
        SAY(result, "the child is killed by signal %d", WTERMSIG(status));
    for (size_t i = 0; i < count; i++)
        memset(blocks[i], 2, attempt->size);
}

static bool run_fork(const char *manager)
{
    const struct attempt attempt = {.manager = manager, .size = MIB};
    const struct result *result = run(&attempt, fork_when_used_up);

    printf("exhaustion: fork with no page left, %-9s %zu kB used by the parent, %zu free, %zu "
           "served to the child%s%s\n",
           manager, result->served / KIB, result->bytes / KIB, result->again / KIB,
           result->wrong[0] ? " FAILED: " : "", result->wrong);
    return result->served && !result->wrong[0];
}

int main(int argc, char **argv)
{
    static const char *const managers[] = {"JEMALLOC", "TBB"};
    static const size_t sizes[] = {256, 16 * KIB, MIB, 5 * MIB};
    bool swap = argc > 1 && !strcmp(argv[1], "swap"), good = true;

    for (size_t manager = 0; manager < LENGTH(managers); manager++)
        good &= swap ? run_swap(managers[manager]) : run_fork(managers[manager]);
    for (size_t manager = 0; !swap && manager < LENGTH(managers); manager++)
        for (int huge = 0; huge < 2; huge++)
            for (size_t i = 0; i < LENGTH(sizes); i++)
                /* The smallest ones, which take longest, are what two threads ask for only. */
                for (unsigned threads = i ? 1 : THREADS; threads <= THREADS; threads++)
                    good &= run_exhaust(
                        &(struct attempt){managers[manager], huge != 0, sizes[i], threads});
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

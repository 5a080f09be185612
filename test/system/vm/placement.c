/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * placement: are a kind's blocks where the kind promises?
 *
 *     placement [KIND]...      every kind if none is named
 *
 * For every available kind and both heap managers: blocks of 64 B to 16 MiB from a thread on each
 * node with CPUs, some of them freed by another thread and allocated again. Then the kernel is
 * asked for the node and the page size of every page. A line for each kind and heap manager says
 * how many pages are right; exit status 0 means all of them.
 *
 * What is right comes from the topology's description (TOPOLOGY), never from the library:
 *
 *     expect SET NODES              nodes that a set of kinds uses
 *     expect SET CPUNODE:NODES...   the same, where it depends on the node of the calling CPU
 *     expect pmem DIRECTORY...      file-backed kinds there, with MAP_SYNC
 *
 * Kinds of a set that the description does not name must be unavailable. The set "process" is where
 * the test's own memory policy binds it: kinds without a policy follow. NODES are two at most, as
 * 2,3.
 *
 * Each line comes from a process of its own, since the heap manager is chosen once. In it, workers
 * write to their own struct only, one phase after the other.
 */
#include "support.h"

#include <errno.h>
#include <hbwmalloc.h>
#include <linux/mempolicy.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../examples/placement.h"

#define TOPOLOGY "/in/topology"
#define NODES 8
#define SIZE_LEAST ((size_t)64)
#define SIZE_MOST (16 * MIB)
#define BYTES_OF_A_SIZE (512 * KIB)
#define BLOCKS_OF_A_SIZE 256
#define BLOCKS 4096
#define PMEM_SIZE (512 * MIB)
/* Pages of a node beyond its equal share, of what is interleaved. */
#define SURPLUS(share) ((share) / 20 + 16)

/* --- what the description promises ------------------------------------------------------------ */

enum set {
    SET_PROCESS,
    SET_CPU,
    SET_MEMORY,
    SET_HBW,
    SET_HBW_NEAR,
    SET_DAX,
    SET_DAX_NEAR,
    SET_LARGEST,
    SET_LARGEST_LOCAL,
    SET_LATENCY,
    SET_BANDWIDTH,
    SETS
};

static const char *const set_names[SETS] = {"process",       "cpu",     "memory",   "hbw",
                                            "hbw-near",      "dax",     "dax-near", "largest",
                                            "largest-local", "latency", "bandwidth"};

static struct {
    bool present[SETS];
    unsigned long nodes[SETS][NODES]; /* bits, by the node of the calling CPU */
    char *directories[NODES];
    size_t directory_count;
} expected;

/* A list like 0,2-3 as bits. */
static unsigned long parse_nodes(const char *text)
{
    unsigned long nodes = 0;
    char *end;

    for (;; text = end + 1) {
        unsigned long first = strtoul(text, &end, 10), last = first;

        if (*end == '-')
            last = strtoul(end + 1, &end, 10);
        for (; first <= last && first < NODES; first++)
            nodes |= 1ul << first;
        if (*end != ',')
            return nodes;
    }
}

/* The words after "expect SET". */
static void parse_set(enum set set, char *words)
{
    for (char *word = strtok(words, " \n"); word; word = strtok(NULL, " \n")) {
        char *colon = strchr(word, ':');

        for (size_t node = 0; node < NODES; node++)
            if (!colon || strtoul(word, NULL, 10) == node)
                expected.nodes[set][node] = parse_nodes(colon ? colon + 1 : word);
    }
    expected.present[set] = true;
}

static bool read_description(void)
{
    FILE *file = fopen(TOPOLOGY, "re");
    char line[256], name[32];
    int at;

    if (!file)
        return false;
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "expect %31s %n", name, &at) != 1)
            continue;
        for (int set = 0; set < SETS; set++)
            if (strcmp(name, set_names[set]) == 0)
                parse_set((enum set)set, line + at);
        if (strcmp(name, "pmem") == 0)
            for (char *word = strtok(line + at, " \n"); word; word = strtok(NULL, " \n"))
                expected.directories[expected.directory_count++] = strdup(word);
    }
    fclose(file);
    return true;
}

/* --- rows ------------------------------------------------------------------------------------- */

/* A kind to be tried. */
struct row {
    const char *name;
    const struct test_kind *kind; /* NULL: a file in the directory */
    const char *directory;
    enum set set;
    size_t page_size;
};

/* What came of it; shared with the child. */
struct result {
    bool unavailable; /* and so it should be */
    size_t pages, right;
    char wrong[512]; /* "": nothing */
};

#define SAY(result, ...) snprintf((result)->wrong, sizeof(result)->wrong, __VA_ARGS__)

static enum set set_of(const struct test_kind *kind)
{
    bool all = kind->policy == MPOL_INTERLEAVE || strstr(kind->name, "_ALL");

    switch (kind->nodes) {
    case NODES_CPU:
        return SET_CPU;
    case NODES_MEMORY:
        return SET_MEMORY;
    case NODES_HBW:
        return all ? SET_HBW : SET_HBW_NEAR;
    case NODES_DAX:
        return all ? SET_DAX : SET_DAX_NEAR;
    case NODES_LARGEST:
        return SET_LARGEST;
    case NODES_LARGEST_LOCAL:
        return SET_LARGEST_LOCAL;
    case NODES_LATENCY:
        return SET_LATENCY;
    case NODES_BANDWIDTH:
        return SET_BANDWIDTH;
    default:
        return SET_PROCESS;
    }
}

/* Huge pages of a size that the nodes have. */
static size_t huge_pages(unsigned long nodes, size_t page_size)
{
    size_t all = 0, count;
    char path[128];

    for (int node = 0; node < NODES; node++) {
        FILE *file;

        snprintf(path, sizeof path,
                 "/sys/devices/system/node/node%d/hugepages/hugepages-%zukB/nr_hugepages", node,
                 page_size >> 10);
        file = nodes >> node & 1 ? fopen(path, "re") : NULL;
        if (file && fscanf(file, "%zu", &count) == 1)
            all += count;
        if (file)
            fclose(file);
    }
    return all;
}

static bool should_be_available(const struct row *row)
{
    unsigned long nodes = expected.nodes[row->set][0];

    if (!expected.present[row->set] || !row->kind->page_size)
        return expected.present[row->set];
    if (row->kind->policy == MPOL_PREFERRED || row->set == SET_PROCESS)
        nodes = ~0ul;
    return huge_pages(nodes, row->kind->page_size) > 0;
}

/* --- blocks ----------------------------------------------------------------------------------- */

struct block {
    char *start;
    size_t size;
};

struct worker {
    pthread_t thread;
    memkind_t kind;
    unsigned node;
    pthread_barrier_t *barrier;
    struct worker *other; /* whose blocks this one frees */
    size_t step;          /* bytes from one page that is written to the next */
    size_t count;
    size_t refused; /* size that was not to be had; 0: none */
    struct block blocks[BLOCKS];
};

static void pin(unsigned node)
{
    char path[64], list[256] = "";
    FILE *file;
    cpu_set_t cpus;
    unsigned first = 0, last = 0;

    snprintf(path, sizeof path, "/sys/devices/system/node/node%u/cpulist", node);
    file = fopen(path, "re");
    if (!file || !fgets(list, sizeof list, file))
        abort();
    fclose(file);
    if (sscanf(list, "%u-%u", &first, &last) < 2)
        last = first;
    CPU_ZERO(&cpus);
    for (; first <= last; first++)
        CPU_SET(first, &cpus);
    if (sched_setaffinity(0, sizeof cpus, &cpus))
        abort();
}

static void take(struct worker *worker, struct block *block)
{
    block->start = memkind_malloc(worker->kind, block->size);
    if (!block->start) {
        worker->refused = block->size;
        return;
    }
    for (size_t at = 0; at < block->size; at += 4 * KIB)
        block->start[at] = 1;
    block->start[block->size - 1] = 1;
}

static void *work(void *argument)
{
    struct worker *worker = argument;

    pin(worker->node);
    for (size_t size = SIZE_LEAST; size <= SIZE_MOST; size *= 2) {
        size_t count = BYTES_OF_A_SIZE / size;

        if (count > BLOCKS_OF_A_SIZE)
            count = BLOCKS_OF_A_SIZE;
        do {
            worker->blocks[worker->count].size = size;
            take(worker, &worker->blocks[worker->count++]);
        } while (count-- > 1);
    }
    pthread_barrier_wait(worker->barrier);
    for (size_t i = 0; i < worker->other->count; i += 2)
        memkind_free(i % 4 ? worker->kind : NULL, worker->other->blocks[i].start);
    pthread_barrier_wait(worker->barrier);
    for (size_t i = 0; i < worker->count; i += 2)
        take(worker, &worker->blocks[i]);
    return NULL;
}

/* One worker on each node with CPUs. */
static size_t run_workers(memkind_t kind, struct worker *workers)
{
    unsigned long cpu_nodes = expected.nodes[SET_CPU][0];
    pthread_barrier_t barrier;
    size_t count = 0;

    for (unsigned node = 0; node < NODES; node++)
        if (cpu_nodes >> node & 1)
            workers[count++] = (struct worker){.kind = kind, .node = node, .barrier = &barrier};
    pthread_barrier_init(&barrier, NULL, (unsigned)count);
    for (size_t i = 0; i < count; i++) {
        workers[i].other = &workers[(i + 1) % count];
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
            abort();
    }
    for (size_t i = 0; i < count; i++)
        pthread_join(workers[i].thread, NULL);
    pthread_barrier_destroy(&barrier);
    return count;
}

/* --- pages ------------------------------------------------------------------------------------ */

static int by_address(const void *a, const void *b)
{
    const struct placement_page *left = a, *right = b;

    return (left->address > right->address) - (left->address < right->address);
}

/* Pages of files in the directory that a write reaches without msync(2). */
static void count_file_pages(const struct row *row, struct placement *placement,
                             struct result *result)
{
    struct test_mapping mapping = {0};

    qsort(placement->pages, placement->count, sizeof *placement->pages, by_address);
    for (size_t i = 0; i < placement->count; i++) {
        const struct placement_page *page = &placement->pages[i];
        size_t length = strlen(row->directory);

        if ((page->address < mapping.start || page->address >= mapping.end) &&
            !test_find_mapping((void *)page->address, &mapping))
            SAY(result, "no mapping");
        else if (strncmp(mapping.name, row->directory, length) || mapping.name[length] != '/')
            SAY(result, "a page of %s", mapping.name);
        else if (!strstr(mapping.flags, " sf"))
            SAY(result, "not MAP_SYNC: flags %s", mapping.flags);
        else
            result->right++;
    }
}

static void count_node_pages(const struct row *row, unsigned cpu_node,
                             const struct placement *placement, size_t *on_node,
                             struct result *result)
{
    unsigned long nodes = expected.nodes[row->set][cpu_node];

    for (size_t i = 0; i < placement->count; i++) {
        const struct placement_page *page = &placement->pages[i];

        if (page->node < 0 || page->node >= NODES || !(nodes >> page->node & 1))
            SAY(result, "from node %u: a page on node %d", cpu_node, page->node);
        else if (page->size != row->page_size)
            SAY(result, "from node %u: a page of %zu kB", cpu_node, page->size >> 10);
        else {
            result->right++;
            on_node[page->node]++;
        }
    }
}

/* What one node has beyond its share is not right. */
static void count_shares(const struct row *row, const size_t *on_node, struct result *result)
{
    unsigned long nodes = expected.nodes[row->set][0];
    size_t share = result->right / (size_t)__builtin_popcountl(nodes);
    size_t most = share + SURPLUS(share);

    for (int node = 0; node < NODES; node++) {
        if (on_node[node] <= most)
            continue;
        SAY(result, "%zu pages on node %d, an equal share is %zu", on_node[node], node, share);
        result->right -= on_node[node] - most;
    }
}

/* hbw_verify_memory_region() sees the same. Called before anything is freed. */
static void check_verify(const struct row *row, const struct worker *worker, struct result *result)
{
    const struct block *block = &worker->blocks[worker->count - 1];
    unsigned long hbw = expected.nodes[SET_HBW][0], nodes = expected.nodes[row->set][worker->node];
    int verdict = hbw_verify_memory_region(block->start, block->size, 0);

    if (row->directory || (nodes & hbw && nodes & ~hbw))
        return;
    if (verdict != (nodes & hbw ? 0 : -1))
        SAY(result, "hbw_verify_memory_region() says %d", verdict);
}

static void measure(const struct row *row, memkind_t kind, struct result *result)
{
    struct worker *workers = calloc(NODES, sizeof *workers);
    size_t on_node[NODES] = {0}, count = run_workers(kind, workers);

    for (size_t i = 0; i < count; i++) {
        struct placement placement = {0};
        int error;

        if (workers[i].refused) {
            SAY(result, "from node %u: no block of %zu bytes", workers[i].node, workers[i].refused);
            continue;
        }
        for (size_t at = 0; at < workers[i].count; at++)
            placement_add(&placement, workers[i].blocks[at].start, workers[i].blocks[at].size);
        error = placement_ask(&placement);
        if (error)
            SAY(result, "the kernel does not tell: %s", strerror(error));
        result->pages += placement.count;
        if (row->directory)
            count_file_pages(row, &placement, result);
        else
            count_node_pages(row, workers[i].node, &placement, on_node, result);
        placement_release(&placement);
        check_verify(row, &workers[i], result);
    }
    if (row->kind && row->kind->policy == MPOL_INTERLEAVE)
        count_shares(row, on_node, result);
    for (size_t i = 0; i < count; i++)
        for (size_t at = 0; at < workers[i].count; at++)
            memkind_free(kind, workers[i].blocks[at].start);
    free(workers);
}

/* --- a child for each row and heap manager ---------------------------------------------------- */

static void try_row(const struct row *row, const char *manager, struct result *result)
{
    memkind_t kind = NULL;
    int error;

    setenv("MEMKIND_HEAP_MANAGER", manager, 1);
    if (row->set == SET_PROCESS &&
        syscall(SYS_set_mempolicy, MPOL_BIND, &expected.nodes[SET_PROCESS][0], NODES + 1))
        SAY(result, "set_mempolicy: %s", strerror(errno));
    if (row->directory) {
        error = memkind_create_pmem(row->directory, PMEM_SIZE, &kind);
        if (error || memkind_check_dax_path(row->directory)) {
            SAY(result, "error %d, no file with DAX", error);
            return;
        }
    } else {
        kind = *row->kind->variable;
        error = memkind_check_available(kind);
        if (!error != should_be_available(row)) {
            SAY(result, "memkind_check_available() says %d", error);
            return;
        }
        result->unavailable = error != 0;
        if (error)
            return;
    }
    measure(row, kind, result);
    if ((test_mappings_named("memfd:libtbbmalloc.so.2") != 0) != (strcmp(manager, "TBB") == 0))
        SAY(result, "it was the other heap manager");
    if (row->directory && memkind_destroy_kind(kind))
        SAY(result, "memkind_destroy_kind() fails");
}

/* False: something is wrong. */
static bool run_row(const struct row *row, const char *manager)
{
    struct result *result = test_shared(sizeof *result);
    int status = 0;
    pid_t child;

    memset(result, 0, sizeof *result);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        try_row(row, manager, result);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status)
        SAY(result, "the process ended with status 0x%x", (unsigned)status);
    if (result->unavailable)
        return true;
    printf("placement: %-34s %-9s %7zu / %7zu%s%s\n", row->name, manager, result->right,
           result->pages, result->wrong[0] ? " FAILED: " : "", result->wrong);
    return result->pages && result->right == result->pages && !result->wrong[0];
}

static bool wanted(const char *name, char **names)
{
    bool any = !*names;

    for (; *names; names++)
        any |= strcmp(name, *names) == 0;
    return any;
}

int main(int argc, char **argv)
{
    static const char *const managers[] = {"JEMALLOC", "TBB"};
    bool good = true;

    (void)argc;
    if (!read_description()) {
        fprintf(stderr, "placement: no %s: this runs on the machines of test/system/vm/run\n",
                TOPOLOGY);
        return EXIT_FAILURE;
    }
    for (size_t manager = 0; manager < LENGTH(managers); manager++) {
        for (size_t i = 0; i < LENGTH(test_kinds); i++) {
            const struct test_kind *kind = &test_kinds[i];
            struct row row = {.name = kind->name,
                              .kind = kind,
                              .set = set_of(kind),
                              .page_size = kind->page_size ? kind->page_size : 4 * KIB};

            if (wanted(kind->name, argv + 1))
                good &= run_row(&row, managers[manager]);
        }
        for (size_t i = 0; i < expected.directory_count; i++) {
            struct row row = {.name = expected.directories[i],
                              .directory = expected.directories[i],
                              .set = SET_CPU,
                              .page_size = 4 * KIB};

            if (wanted(row.name, argv + 1))
                good &= run_row(&row, managers[manager]);
        }
    }
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see measure.h. */
#include "measure.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <memkind.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../bench/stream.h"
#include "chase.h"
#include "kinds/machine/attributes.h"
#include "kinds/machine/report.h"
#include "kinds/system/os.h"
#include "measure_cpus.h"
#include "words.h"

#define TIMES_CACHES 4           /* how much larger than the caches the memory should be */
#define USUAL ((size_t)64 << 20) /* bytes, where the caches are small or unknown */
#define LEAST ((size_t)1 << 20)  /* bytes, below which nothing is measured */
#define SHARE 4                  /* of a node's free memory, this part at most is taken */
#define SECONDS_OF_PAIR 1.0      /* at most, for each of bandwidth and latency */
#define HUGE_PAGE ((size_t)2 << 20)

struct session {
    struct measure_cpus *cpus; /* by node with CPUs, in order */
    const struct measure_limits *limits;
    double begin, share; /* seconds: when it began, and for each figure of a pair */
    bool complete;
};

/* Memory of one node. */
struct area {
    char *start;
    size_t size;
    size_t slice; /* bytes of one array of one thread */
};

static void complain(struct session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Something is not measured. */
static void complain(struct session *session, const char *format, ...)
{
    va_list arguments;

    session->complete = false;
    fputs("memkind-info: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

/* --- memory of a node ------------------------------------------------------------------------- */

static size_t largest_caches(const struct session *session, unsigned groups)
{
    size_t most = 0;

    for (unsigned i = 0; i < groups; i++)
        if (session->cpus[i].caches > most)
            most = session->cpus[i].caches;
    return most;
}

/* Bytes to measure a node in; 0: that is not possible. */
static size_t choose_size(struct session *session, const struct node_report *node, unsigned groups)
{
    size_t caches = largest_caches(session, groups);
    size_t size = session->limits->size ? session->limits->size : TIMES_CACHES * caches;

    if (!session->limits->size && size < USUAL)
        size = USUAL;
    if (size > node->unused / SHARE)
        size = node->unused / SHARE;
    size -= size % LEAST;
    if (!size)
        complain(session, "node %u: only %s are free, too little to measure in", node->node,
                 bytes_text(node->unused).text);
    else if (size < 2 * caches)
        fprintf(stderr,
                "memkind-info: node %u: measured in %s, much of which the caches of %s may hold\n",
                node->node, bytes_text(size).text, bytes_text(caches).text);
    return size;
}

/* Where the pages really are. */
static bool check_pages(struct session *session, unsigned node, const struct area *area)
{
    enum { BATCH = 1024 };
    size_t page = os_page_size(), left = area->size / page;
    void *pages[BATCH];
    int status[BATCH];

    for (char *at = area->start; left > 0;) {
        size_t count = left < BATCH ? left : BATCH;
        int error;

        for (size_t i = 0; i < count; i++, at += page)
            pages[i] = at;
        left -= count;
        error = os_page_nodes(count, pages, status);
        if (error) {
            complain(session, "node %u: the kernel does not tell where pages are: %s", node,
                     strerror(error));
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            if (status[i] == (int)node)
                continue;
            complain(session, "node %u: a page is not there but %s %d", node,
                     status[i] < 0 ? "nowhere, error" : "on node", abs(status[i]));
            return false;
        }
    }
    return true;
}

static bool fill(struct session *session, unsigned node, const struct area *area)
{
    struct os_policy policy = {.mode = MPOL_BIND};
    int error;

    nodemask_add(&policy.nodes, node);
    error = os_bind(area->start, area->size, &policy);
    if (error) {
        complain(session, "node %u: memory cannot be bound to it (mbind): %s%s", node,
                 strerror(error), error == EPERM ? "; a container's rules may forbid it" : "");
        return false;
    }
    (void)madvise(area->start, area->size, MADV_HUGEPAGE); /* fewer TLB misses in the figures */
    if (os_can_populate())
        error = os_populate(area->start, area->size);
    else
        memset(area->start, 1, area->size);
    if (error) {
        complain(session, "node %u: %s of memory cannot be had: %s", node,
                 bytes_text(area->size).text, strerror(error));
        return false;
    }
    return check_pages(session, node, area);
}

/* --- figures ---------------------------------------------------------------------------------- */

static double *take(void *context, unsigned thread, unsigned array, size_t size)
{
    const struct area *area = context;

    (void)size;
    return (double *)(area->start + ((size_t)thread * STREAM_ARRAYS + array) * area->slice);
}

static void give_back(void *context, double *array)
{
    (void)context, (void)array;
}

static unsigned bandwidth_of(const struct session *session, const struct measure_cpus *cpus,
                             struct area *area)
{
    struct stream stream = {.cpus = cpus->cpus,
                            .threads = cpus->count,
                            .seconds = session->share,
                            .take = take,
                            .give_back = give_back,
                            .context = area};
    double seconds;

    area->slice = area->size / STREAM_ARRAYS / cpus->count / 64 * 64;
    stream.count = area->slice / sizeof(double);
    if (!stream.count)
        return 0;
    seconds = stream_run(&stream);
    return seconds > 0 ? (unsigned)(stream_bytes(&stream) / seconds / 1e6) : 0;
}

/* Where CPUs are asked but not to be had, `pair` stays as it is. */
static void measure_pair(struct session *session, const struct measure_cpus *cpus,
                         struct area *area, struct measured_pair *pair)
{
    size_t chain = TIMES_CACHES * cpus->cache > USUAL ? TIMES_CACHES * cpus->cache : USUAL;

    if (stream_clock() - session->begin > session->limits->seconds) {
        complain(session, "CPUs of node %u, memory of node %u: no time is left", pair->cpu_node,
                 pair->node);
        return;
    }
    pair->size = area->size;
    pair->bandwidth = bandwidth_of(session, cpus, area);
    chase_prepare(area->start, chain < area->size ? chain : area->size);
    stream_pin(cpus->cpus[0]);
    pair->latency = (unsigned)(chase_run(area->start, session->share) + 0.5);
    if (!pair->bandwidth || !pair->latency)
        complain(session, "CPUs of node %u, memory of node %u: no sensible figures: %u MB/s, %u ns",
                 pair->cpu_node, pair->node, pair->bandwidth, pair->latency);
}

/* The pairs of one node's memory. */
static void measure_node(struct session *session, struct measured_pair *pairs, unsigned groups)
{
    struct node_report node;
    struct area area = {0};

    if (!report_node(pairs->node, &node) || !node.usable) {
        complain(session, "node %u: its memory is not for this process (cpuset)", pairs->node);
        return;
    }
    area.size = choose_size(session, &node, groups);
    if (!area.size)
        return;
    area.start = os_map(area.size, HUGE_PAGE);
    if (!area.start) {
        complain(session, "%s of addresses: %s", bytes_text(area.size).text, strerror(errno));
        return;
    }
    if (fill(session, pairs->node, &area))
        for (unsigned i = 0; i < groups; i++)
            if (session->cpus[i].count)
                measure_pair(session, &session->cpus[i], &area, &pairs[i]);
    os_unmap(area.start, area.size);
}

/* --- all -------------------------------------------------------------------------------------- */

static void *reserve(size_t count, size_t size)
{
    void *made = calloc(count ? count : 1, size);

    if (!made) {
        perror("memkind-info");
        exit(EXIT_FAILURE);
    }
    return made;
}

static void list_pairs(struct measured *measured)
{
    const struct topology *topology = topology_get();

    measured->count =
        (size_t)nodemask_count(&topology->with_cpu) * nodemask_count(&topology->populated);
    measured->pairs = reserve(measured->count, sizeof *measured->pairs);
    measured->count = 0;
    nodemask_for_each (node, &topology->populated)
        nodemask_for_each (cpu_node, &topology->with_cpu)
            measured->pairs[measured->count++] =
                (struct measured_pair){.cpu_node = (unsigned)cpu_node, .node = (unsigned)node};
}

/* Before any thread is pinned. */
static void list_cpus(struct session *session)
{
    unsigned group = 0;

    nodemask_for_each (node, &topology_get()->with_cpu) {
        session->cpus[group] = measure_cpus_of((unsigned)node);
        if (!session->cpus[group++].count)
            complain(session, "node %d: none of its CPUs is for this process (cpuset, taskset)",
                     node);
    }
}

bool measure_run(const struct measure_limits *limits, struct measured *measured)
{
    unsigned groups = nodemask_count(&topology_get()->with_cpu);
    struct session session = {.cpus = reserve(groups, sizeof *session.cpus),
                              .limits = limits,
                              .begin = stream_clock(),
                              .complete = true};

    list_pairs(measured);
    list_cpus(&session);
    session.share = limits->seconds / 2.0 / (double)(measured->count ? measured->count : 1);
    if (session.share > SECONDS_OF_PAIR)
        session.share = SECONDS_OF_PAIR;
    for (size_t i = 0; i < measured->count; i += groups)
        measure_node(&session, &measured->pairs[i], groups);
    for (unsigned i = 0; i < groups; i++)
        measure_cpus_release(&session.cpus[i]);
    free(session.cpus);
    return session.complete;
}

void measure_release(struct measured *measured)
{
    free(measured->pairs);
    measured->pairs = NULL;
}

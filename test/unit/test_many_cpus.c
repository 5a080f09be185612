/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_many_cpus: a machine with 256 CPUs on 8 nodes, each with high-bandwidth memory beside it.
 * 256 threads, spread over the nodes, use every kind at once: each gets memory, of the nodes that
 * are nearest to it, and what all of that costs is bounded.
 *
 * The machine is made of files (machine.h); threads say themselves which node they are on.
 */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "machine.h"

#define CPUS 256
#define NODES 8 /* with CPUs; the high-bandwidth memory of node n is node 8 + n */
#define BLOCKS 64
#define THREADS (TEST_THREAD_SANITIZED ? 64 : CPUS)

/* NOLINTBEGIN(bugprone-reserved-identifier) */
unsigned __wrap_os_cpu_count(void);

unsigned __wrap_os_cpu_count(void)
{
    return CPUS;
}
/* NOLINTEND(bugprone-reserved-identifier) */

static pthread_barrier_t all_there;
static atomic_uint failures;
static memkind_t current;

static void fail(const char *what, int node)
{
    if (atomic_fetch_add(&failures, 1) < 5)
        fprintf(stderr, "a thread on node %d: %s\n", node, what);
}

/* The last region that this thread was given, if any, is of its own node's high-bandwidth memory.
 */
static void check_nearest(memkind_t kind, int node)
{
    if (kind == MEMKIND_HBW && machine_bound.mode >= 0 &&
        !nodemask_has(&machine_bound.nodes, (unsigned)(NODES + node)))
        fail("its memory is bound elsewhere", node);
}

static void *live(void *argument)
{
    int node = (int)(uintptr_t)argument % NODES;
    unsigned char *blocks[BLOCKS];

    machine_node = node;
    machine_bound.mode = -1;
    pthread_barrier_wait(&all_there);
    for (int i = 0; i < BLOCKS; i++) {
        size_t size = (size_t)16 << i % 8;

        blocks[i] = memkind_malloc(current, size);
        if (!blocks[i]) {
            fail("no memory", node);
            continue;
        }
        memset(blocks[i], node + 1, size);
        if (memkind_detect_kind(blocks[i]) != current)
            fail("a block of another kind", node);
    }
    check_nearest(current, node);
    for (int i = 0; i < BLOCKS; i++) {
        size_t size = (size_t)16 << i % 8;

        if (blocks[i] && (blocks[i][0] != node + 1 || blocks[i][size - 1] != node + 1))
            fail("content", node);
        memkind_free(i % 2 ? current : NULL, blocks[i]);
    }
    pthread_barrier_wait(&all_there); /* until then, all have their arenas and caches */
    return NULL;
}

TestSuite(many_cpus, .init = test_bare, .timeout = 240);

Test(many_cpus, every_kind_by_every_thread)
{
    size_t before, most = 0;
    unsigned kinds = 0;

    cr_assert(machine_be("spr-hbm-snc4"));
    pthread_barrier_init(&all_there, NULL, THREADS);
    before = test_resident();
    for (const struct test_kind *kind = test_next_kind(NULL); kind; kind = test_next_kind(kind)) {
        pthread_t threads[THREADS];

        current = *kind->variable;
        for (uintptr_t i = 0; i < THREADS; i++)
            cr_assert_eq(pthread_create(&threads[i], NULL, live, (void *)i), 0);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        kinds++;
        if (test_resident() - before > most)
            most = test_resident() - before;
    }
    cr_expect_geq(kinds, 14, "only %u kinds are available", kinds);
    cr_expect_eq(failures, 0);
    /* An arena for each thread of each kind would be a GiB and more, were there no end to it; with
     * pages of 64 KiB, of which each has a dozen, three. */
    if (!TEST_SANITIZED)
        cr_expect_lt(most, TEST_HEAP_PAGE > 4096 ? 2 * GIB : GIB,
                     "%zu MiB for %u kinds and %d threads", most / MIB, kinds, THREADS);
    fprintf(stderr, "%u kinds, %d threads: %zu MiB\n", kinds, THREADS, most / MIB);
}

/* As many kinds as can be, each with a domain for each of 8 nodes: more than jemalloc has arenas.
 * Every kind has memory on every node all the same, and the last one is created, too. */
Test(many_cpus, more_domains_than_arenas)
{
    static memkind_t made[MEMKIND_MAX_KIND];
    static void *blocks[MEMKIND_MAX_KIND][NODES];
    const size_t kinds = TEST_SANITIZED ? 16 : LENGTH(made); /* 4,000 arenas are minutes there */

    cr_assert(machine_be("spr-hbm-snc4"));
    for (size_t i = 0; i < kinds; i++) {
        int code = memkind_create_nodes("all", MEMKIND_POLICY_BIND_LOCAL, 0, &made[i]);

        cr_assert_eq(code, MEMKIND_SUCCESS, "kind %zu: %d", i, code);
        for (int node = 0; node < NODES; node++) {
            machine_node = node;
            blocks[i][node] = memkind_malloc(made[i], 64);
            cr_assert_not_null(blocks[i][node], "kind %zu, node %d", i, node);
            cr_assert_eq(memkind_detect_kind(blocks[i][node]), made[i]);
        }
    }
    for (size_t i = 0; i < kinds; i++) {
        for (int node = 0; node < NODES; node++) {
            machine_node = NODES - 1 - node;
            memkind_free(node % 2 ? made[i] : NULL, blocks[i][node]);
        }
        cr_assert_eq(memkind_destroy_kind(made[i]), MEMKIND_SUCCESS);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_facts: a machine that changes while the program runs. Nodes come and go and cpusets shrink,
 * on a tree like /sys of this process's own; kinds answer by what is true then, regions follow,
 * blocks stay; what could not be read is no news; and nothing is kept of what is past.
 *
 * The clock is the test's, too. Static library; both heap managers.
 */
#include "support.h"

#include <errno.h>
#include <hbwmalloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kinds/machine/facts.h"
#include "kinds/machine/topology.h"
#include "kinds/system/sysfs.h"
#include "machine.h"

#define LARGE (8 * MIB) /* needs a region of its own */
#define FAR_FUTURE 10   /* seconds: the latest that kinds follow */

static char tree[64];
static atomic_long seconds = 100;

/* NOLINTNEXTLINE(bugprone-reserved-identifier): the linker's name */
long __wrap_os_seconds(void);
long __wrap_os_seconds(void)
{
    return atomic_load(&seconds);
}

/* Two sockets (nodes 0, 1) and two nodes of HBM (2, 3) equally near to both. */
static void begin(void)
{
    char command[512];

    test_bare();
    cr_assert(machine_be("equal-neighbours"));
    snprintf(tree, sizeof tree, "/tmp/memkind-facts-XXXXXX");
    cr_assert(mkdtemp(tree));
    snprintf(command, sizeof command, "cp -r '%s/devices' '%s'", machine.tree, tree);
    cr_assert_eq(system(command), 0); /* NOLINT(cert-env33-c): paths of our own making */
    sysfs_root = tree;
}

static void end(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", tree);
    cr_assert_eq(system(command), 0); /* NOLINT(cert-env33-c): a path of our own making */
}

TestSuite(facts, .init = begin, .fini = end, .timeout = 120);

/* As the kernel writes it: whoever reads sees the old text or the new one. */
static void put(const char *file, const char *text)
{
    char path[160], fresh[176];
    FILE *stream;

    snprintf(path, sizeof path, "%s/" SYSFS_NODES "/%s", tree, file);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    stream = fopen(fresh, "we");
    cr_assert(stream);
    fprintf(stream, "%s\n", text);
    cr_assert_eq(fclose(stream), 0);
    cr_assert_eq(rename(fresh, path), 0);
}

static void have_memory(const char *nodes)
{
    put("has_memory", nodes);
    put("online", nodes);
}

static const char *bound(void)
{
    static char text[64];

    nodemask_format(&machine_bound.nodes, text, sizeof text);
    return text;
}

static char *block_of(memkind_t kind, size_t size)
{
    char *block = memkind_malloc(kind, size);

    if (block)
        memset(block, 0x5a, size);
    return block;
}

/* --- what is told, at once -------------------------------------------------------------------- */

Test(facts, nodes_that_go)
{
    char *block, *preferred, *other;

    cr_assert_eq(memkind_check_available(MEMKIND_HBW), 0);
    block = block_of(MEMKIND_HBW, 100);
    preferred = block_of(MEMKIND_HBW_PREFERRED, 100);
    cr_assert(block && preferred);
    have_memory("0-1");
    cr_assert_eq(memkind_refresh(), MEMKIND_SUCCESS);
    cr_assert_eq(memkind_check_available(MEMKIND_HBW), MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE);
    cr_assert_eq(memkind_get_capacity(MEMKIND_HBW), -1);
    cr_assert_eq(memkind_check_available(MEMKIND_REGULAR), 0);
    errno = 0;
    cr_assert_null(memkind_malloc(MEMKIND_HBW, LARGE));
    cr_assert_eq(errno, ENOMEM);
    /* Who prefers what is not there any more has any other. */
    cr_assert_eq(memkind_check_available(MEMKIND_HBW_PREFERRED),
                 MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE);
    other = block_of(MEMKIND_HBW_PREFERRED, LARGE);
    cr_assert(other);
    memkind_free(NULL, other);
    for (int i = 0; i < 100; i++)
        cr_assert(block[i] == 0x5a && preferred[i] == 0x5a);
    memkind_free(MEMKIND_HBW, block);
    memkind_free(NULL, preferred);
    have_memory("0-3");
    cr_assert_eq(memkind_refresh(), MEMKIND_SUCCESS);
    cr_assert_eq(memkind_check_available(MEMKIND_HBW), 0);
    block = block_of(MEMKIND_HBW, LARGE);
    cr_assert(block);
    cr_assert_str_eq(bound(), "2-3");
    memkind_free(NULL, block);
}

/* New regions have all nodes, and what was not touched of the old ones, too. */
Test(facts, nodes_that_come)
{
    char *block;

    have_memory("0-2");
    block = block_of(MEMKIND_HBW, 100);
    cr_assert(block);
    cr_assert_str_eq(bound(), "2");
    have_memory("0-3");
    cr_assert_eq(memkind_refresh(), MEMKIND_SUCCESS);
    cr_assert_str_eq(bound(), "2-3", "the old region is still on %s", bound());
    machine_bound.nodes = (struct nodemask){{0}};
    memkind_free(NULL, block_of(MEMKIND_HBW, LARGE));
    cr_assert_str_eq(bound(), "2-3");
    memkind_free(NULL, block);
}

static void allow(const char *nodes)
{
    snprintf(machine.allowed, sizeof machine.allowed, "%s", nodes);
}

Test(facts, cpuset_that_shrinks)
{
    memkind_t given;

    cr_assert_eq(memkind_create_nodes("2-3", MEMKIND_POLICY_BIND_ALL, (memkind_bits_t)0, &given),
                 0);
    memkind_free(NULL, block_of(MEMKIND_HBW_ALL, 100));
    memkind_free(NULL, block_of(given, 100));
    allow("0-2");
    cr_assert_eq(memkind_refresh(), MEMKIND_SUCCESS);
    memkind_free(NULL, block_of(MEMKIND_HBW_ALL, LARGE));
    cr_assert_str_eq(bound(), "2");
    machine_bound.nodes = (struct nodemask){{0}};
    memkind_free(NULL, block_of(given, LARGE));
    cr_assert_str_eq(bound(), "2");
    allow("0-1");
    cr_assert_eq(memkind_refresh(), MEMKIND_SUCCESS);
    cr_assert_eq(memkind_check_available(MEMKIND_HBW_ALL), MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE);
    cr_assert_eq(memkind_check_available(given), MEMKIND_ERROR_UNAVAILABLE);
    cr_assert_null(memkind_malloc(given, 2 * LARGE));
    cr_assert_eq(memkind_destroy_kind(given), 0);
    cr_assert_eq(memkind_create_nodes("2-3", MEMKIND_POLICY_BIND_ALL, (memkind_bits_t)0, &given),
                 MEMKIND_ERROR_UNAVAILABLE);
}

/* The policy PREFERRED of hbwmalloc.h is for whatever there is. */
Test(facts, hbw_malloc_follows)
{
    char *block = hbw_malloc(100);

    cr_assert_eq(memkind_detect_kind(block), MEMKIND_HBW_PREFERRED);
    hbw_free(block);
    have_memory("0-1");
    cr_assert_eq(memkind_refresh(), MEMKIND_SUCCESS);
    cr_assert_eq(hbw_check_available(), ENODEV);
    block = hbw_malloc(100);
    cr_assert_eq(memkind_detect_kind(block), MEMKIND_DEFAULT);
    hbw_free(block);
    have_memory("0-3");
    cr_assert_eq(memkind_refresh(), MEMKIND_SUCCESS);
    block = hbw_malloc(100);
    cr_assert_eq(memkind_detect_kind(block), MEMKIND_HBW_PREFERRED);
    hbw_free(block);
}

/* --- what is noticed -------------------------------------------------------------------------- */

static int create_high_bandwidth(void)
{
    memkind_t kind;

    return memkind_create_kind(MEMKIND_MEMTYPE_HIGH_BANDWIDTH, MEMKIND_POLICY_BIND_ALL,
                               (memkind_bits_t)0, &kind);
}

/* By an allocation that needs a region, and by a question. Between looks nothing is read. */
Test(facts, changes_are_noticed)
{
    unsigned opened;
    char *block;

    have_memory("0-2");
    memkind_free(NULL, block_of(MEMKIND_HBW, 100));
    have_memory("0-3");
    atomic_fetch_add(&seconds, FAR_FUTURE);
    block = block_of(MEMKIND_HBW, LARGE);
    cr_assert(block);
    cr_assert_str_eq(bound(), "2-3");
    memkind_free(NULL, block);
    have_memory("0-1");
    cr_assert_eq(memkind_check_available(MEMKIND_HBW), 0, "it was looked for in the same second");
    atomic_fetch_add(&seconds, FAR_FUTURE);
    cr_assert_eq(memkind_check_available(MEMKIND_HBW), MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE);
    have_memory("0-3");
    atomic_fetch_add(&seconds, FAR_FUTURE);
    cr_assert_eq(create_high_bandwidth(), MEMKIND_SUCCESS);
    allow("0");
    atomic_fetch_add(&seconds, FAR_FUTURE);
    cr_assert_eq(memkind_get_capacity(MEMKIND_INTERLEAVE), (ssize_t)(64 * GIB));
    opened = machine.opened;
    atomic_fetch_add(&seconds, FAR_FUTURE);
    cr_assert_eq(memkind_get_capacity(MEMKIND_INTERLEAVE), (ssize_t)(64 * GIB));
    cr_assert_eq(machine.opened, opened + 2, "%u files to see that nothing has changed",
                 machine.opened - opened);
}

/* The kernel may list a node long before it has memory that others can get. */
Test(facts, a_listed_node_that_gets_memory_is_noticed)
{
    put("node2/meminfo", "Node 2 MemTotal: 0 kB");
    cr_assert_eq(memkind_get_capacity(MEMKIND_HBW_ALL), (ssize_t)(16 * GIB));
    atomic_fetch_add(&seconds, FAR_FUTURE);
    cr_assert_eq(memkind_get_capacity(MEMKIND_HBW_ALL), (ssize_t)(16 * GIB));
    put("node2/meminfo", "Node 2 MemTotal: 16777216 kB");
    atomic_fetch_add(&seconds, FAR_FUTURE);
    cr_assert_eq(memkind_get_capacity(MEMKIND_HBW_ALL), (ssize_t)(32 * GIB));
}

/* --- what cannot be read ---------------------------------------------------------------------- */

static void limit_descriptors(rlim_t most)
{
    struct rlimit limit;

    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = most ? most : limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* A machine that nobody can look at has not lost its nodes. */
Test(facts, without_descriptors)
{
    cr_assert_eq(memkind_check_available(MEMKIND_HBW), 0);
    have_memory("0-2");
    limit_descriptors(3);
    cr_assert_eq(memkind_refresh(), MEMKIND_ERROR_OPERATION_FAILED);
    atomic_fetch_add(&seconds, FAR_FUTURE);
    cr_assert_eq(memkind_check_available(MEMKIND_HBW), 0);
    memkind_free(NULL, block_of(MEMKIND_HBW, LARGE));
    cr_assert_str_eq(bound(), "2-3");
    limit_descriptors(0);
    cr_assert_eq(memkind_refresh(), MEMKIND_SUCCESS);
    memkind_free(NULL, block_of(MEMKIND_HBW, 2 * LARGE));
    cr_assert_str_eq(bound(), "2");
}

/* Nor has it none for ever, when the first look failed. */
Test(facts, first_use_without_descriptors)
{
    limit_descriptors(3);
    cr_assert_neq(memkind_check_available(MEMKIND_HBW), 0);
    limit_descriptors(0);
    atomic_fetch_add(&seconds, FAR_FUTURE);
    cr_assert_eq(memkind_check_available(MEMKIND_HBW), 0);
}

/* --- what is kept ----------------------------------------------------------------------------- */

static void refresh_often(int times, bool change)
{
    for (int i = 0; i < times; i++) {
        if (change)
            have_memory(i % 2 ? "0-3" : "0-2");
        cr_assert_eq(memkind_refresh(), MEMKIND_SUCCESS);
    }
}

/* Not a byte, whether anything has changed or not. */
Test(facts, nothing_is_kept)
{
    size_t before;

    cr_assert_eq(memkind_check_available(MEMKIND_HIGHEST_BANDWIDTH_LOCAL), 0);
    memkind_check_available(MEMKIND_DAX_KMEM);
    refresh_often(4, true);
    before = test_virtual();
    refresh_often(100, false);
    cr_assert_eq(test_virtual(), before, "refreshing what is the same keeps memory");
    refresh_often(100, true);
    cr_assert_eq(test_virtual(), before, "what is past is kept");
}

static void *change_and_refresh(void *nothing)
{
    have_memory("0-1");
    cr_assert_eq(memkind_refresh(), MEMKIND_SUCCESS);
    return nothing;
}

/* Whoever is looking sees the same machine until the end. */
Test(facts, one_set_for_a_question)
{
    const struct topology *topology;
    pthread_t thread;

    facts_begin(FACTS_OUTSIDE);
    topology = topology_get();
    cr_assert_eq(pthread_create(&thread, NULL, change_and_refresh, NULL), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert_eq(topology_get(), topology);
    cr_assert_eq(nodemask_count(&topology->with_memory), 4);
    facts_end(FACTS_OUTSIDE);
    cr_assert_eq(nodemask_count(&topology_get()->with_memory), 2);
}

/* --- threads and forks ------------------------------------------------------------------------ */

static atomic_bool stop;

static void *refresh_all_the_time(void *wrong)
{
    while (!atomic_load(&stop))
        if (memkind_refresh())
            *(atomic_bool *)wrong = true;
    return NULL;
}

static void *use_all_the_time(void *wrong)
{
    while (!atomic_load(&stop)) {
        void *large = memkind_malloc(MEMKIND_HBW_ALL, LARGE);
        void *small = memkind_malloc(MEMKIND_INTERLEAVE, 100000);

        if (!small || memkind_check_available(MEMKIND_REGULAR) ||
            memkind_get_capacity(MEMKIND_HIGHEST_CAPACITY) <= 0)
            *(atomic_bool *)wrong = true;
        (void)create_high_bandwidth();
        memkind_free(NULL, large);
        memkind_free(NULL, small);
        atomic_fetch_add(&seconds, 3); /* so that it looks each time */
    }
    return NULL;
}

Test(facts, many_threads)
{
    pthread_t threads[6];
    atomic_bool wrong = false;

    memkind_free(NULL, block_of(MEMKIND_HBW_ALL, 100));
    for (size_t i = 0; i < LENGTH(threads); i++)
        cr_assert_eq(pthread_create(&threads[i], NULL,
                                    i % 2 ? use_all_the_time : refresh_all_the_time, &wrong),
                     0);
    for (int i = 0; i < 200; i++)
        have_memory(i % 3 == 0 ? "0-1" : i % 3 == 1 ? "0-2" : "0-3");
    atomic_store(&stop, true);
    for (size_t i = 0; i < LENGTH(threads); i++)
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    cr_assert_not(wrong);
    cr_assert_eq(memkind_refresh(), MEMKIND_SUCCESS);
    cr_assert_eq(nodemask_count(&topology_get()->with_memory), 3);
}

/* A child of such a process refreshes, and keeps nothing either. */
static void refresh_in_child(void)
{
    size_t before;

    refresh_often(4, true);
    before = test_virtual();
    refresh_often(20, true);
    if (test_virtual() != before || memkind_check_available(MEMKIND_HBW))
        _exit(1);
    _exit(0);
}

Test(facts, forked_child)
{
    pthread_t threads[2];
    atomic_bool wrong = false;
    int status;

    cr_assert_eq(memkind_check_available(MEMKIND_HBW), 0);
    for (size_t i = 0; i < LENGTH(threads); i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, refresh_all_the_time, &wrong), 0);
    for (int i = 0; i < 6; i++) {
        pid_t child = fork();

        if (child == 0)
            refresh_in_child();
        cr_assert(child > 0 && waitpid(child, &status, 0) == child);
        cr_assert_eq(status, 0, "status 0x%x", (unsigned)status);
    }
    atomic_store(&stop, true);
    for (size_t i = 0; i < LENGTH(threads); i++)
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    cr_assert_not(wrong);
}

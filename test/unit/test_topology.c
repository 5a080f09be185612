/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * What the library reads from devices/system/node, on small trees that each test writes: two
 * sockets, a memory-only node, holes in the numbering, broken files. Static library.
 */
#include "support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kinds/system/sysfs.h"
#include "kinds/machine/topology.h"

#define NODES "devices/system/node"

static char tree[] = "/tmp/memkind-topology-XXXXXX";

static void make_tree(void)
{
    static const char *const folders[] = {"devices", "devices/system", NODES};
    char path[256];

    cr_assert(mkdtemp(tree));
    for (size_t i = 0; i < LENGTH(folders); i++) {
        snprintf(path, sizeof path, "%s/%s", tree, folders[i]);
        cr_assert_eq(mkdir(path, 0755), 0);
    }
}

static void remove_tree(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", tree);
    cr_assert_eq(system(command), 0); /* NOLINT(cert-env33-c): a path of our own making */
}

TestSuite(topology, .init = make_tree, .fini = remove_tree);

static void put(const char *file, const char *text)
{
    char path[256];
    FILE *stream;

    snprintf(path, sizeof path, "%s/" NODES "/%s", tree, file);
    stream = fopen(path, "we");
    cr_assert(stream);
    cr_assert_geq(fputs(text, stream), 0);
    cr_assert_eq(fclose(stream), 0);
}

static void put_node(int node, const char *kilobytes, const char *distances)
{
    char path[256], text[256];

    snprintf(path, sizeof path, "%s/" NODES "/node%d", tree, node);
    cr_assert_eq(mkdir(path, 0755), 0);
    snprintf(path, sizeof path, "node%d/meminfo", node);
    snprintf(text, sizeof text, "Node %d MemTotal:       %s kB\nNode %d MemFree: 1 kB\n", node,
             kilobytes, node);
    put(path, text);
    snprintf(path, sizeof path, "node%d/distance", node);
    put(path, distances);
}

/* A topology is a megabyte: not for the stack. */
static const struct topology *read_tree(void)
{
    static struct topology topology;

    sysfs_root = tree;
    topology_read(&topology);
    return &topology;
}

static void expect(const struct nodemask *mask, const char *list)
{
    char text[64];

    nodemask_format(mask, text, sizeof text);
    cr_assert_str_eq(text, list);
}

Test(topology, two_sockets_and_memory_only_nodes)
{
    const struct topology *topology;

    put("online", "0-3\n");
    put("has_cpu", "0-1\n");
    put("has_memory", "0-3\n");
    put_node(0, "1048576", "10 21 17 28\n");
    put_node(1, "1048576", "21 10 28 17\n");
    put_node(2, "524288", "17 28 10 28\n");
    put_node(3, "524288", "28 17 28 10\n");
    topology = read_tree();
    expect(&topology->online, "0-3");
    expect(&topology->with_cpu, "0-1");
    expect(&topology->with_memory, "0-3");
    cr_assert_eq(topology->memory[0], GIB);
    cr_assert_eq(topology->memory[3], GIB / 2);
    cr_assert_eq(topology->distance[0][2], 17);
    cr_assert_eq(topology->distance[1][2], 28);
    cr_assert_eq(topology->distance[3][3], 10);
}

/* The row of distances has a number per online node, not per node number. */
Test(topology, holes_in_the_numbering)
{
    const struct topology *topology;

    put("online", "0,8\n");
    put("has_cpu", "0\n");
    put("has_memory", "8\n");
    put_node(0, "0", "10 40\n");
    put_node(8, "2097152", "40 10\n");
    topology = read_tree();
    expect(&topology->online, "0,8");
    expect(&topology->with_memory, "8");
    cr_assert_eq(topology->distance[0][8], 40);
    cr_assert_eq(topology->distance[8][0], 40);
    cr_assert_eq(topology->memory[0], 0);
    cr_assert_eq(topology->memory[8], 2 * GIB);
}

Test(topology, what_is_missing_or_broken_is_unknown)
{
    const struct topology *topology;

    put("online", "0-2\n");
    put("has_cpu", "nonsense\n");
    put("has_memory", "0-2\n");
    put_node(0, "x", "10 zz 20\n");
    put_node(1, "1024", "300 10 999999999999999999999\n");
    topology = read_tree(); /* node 2 has no folder */
    expect(&topology->online, "0-2");
    expect(&topology->with_cpu, "0-2"); /* rather too many than none */
    cr_assert_eq(topology->memory[0], 0);
    cr_assert_eq(topology->memory[1], MIB);
    cr_assert_eq(topology->distance[0][0], 10);
    cr_assert_eq(topology->distance[0][1], 255);
    cr_assert_eq(topology->distance[1][0], 255);
    cr_assert_eq(topology->distance[1][2], 255);
    cr_assert_eq(topology->distance[2][2], 10);
    cr_assert_eq(topology->distance[2][0], 255);
}

Test(topology, no_tree_is_one_node_that_has_everything)
{
    const struct topology *topology = read_tree();

    expect(&topology->online, "0");
    expect(&topology->with_cpu, "0");
    expect(&topology->with_memory, "0");
    cr_assert_eq(topology->distance[0][0], 10);
}

/* A list that cannot be read is as good as none: one node, not a guess at many. */
Test(topology, broken_list_of_nodes)
{
    const struct topology *topology;

    put("online", "0-1,x\n");
    put("has_cpu", "0-1\n");
    put_node(0, "1024", "10 20\n");
    topology = read_tree();
    expect(&topology->online, "0");
    expect(&topology->with_cpu, "0");
    expect(&topology->with_memory, "0");
    cr_assert_eq(topology->memory[0], MIB);
}

/* An older kernel has no has_memory: every node counts. */
Test(topology, no_list_of_memory)
{
    const struct topology *topology;

    put("online", "0,2\n");
    put("has_cpu", "0\n");
    topology = read_tree();
    expect(&topology->with_cpu, "0");
    expect(&topology->with_memory, "0,2");
}

/* As large as the kernel allows: nothing is cut. */
Test(topology, the_largest_machine)
{
    static char distances[5 * NODEMASK_NODES + 1];
    const struct topology *topology;
    size_t length = 0;

    for (int node = 0; node < NODEMASK_NODES; node++)
        length += (size_t)snprintf(distances + length, sizeof distances - length, "%d ",
                                   node == 1023 ? 10 : 100 + node % 100);
    put("online", "0-1023\n");
    put("has_cpu", "0-1022\n");
    put("has_memory", "0-1023\n");
    put_node(1023, "4294967296", distances); /* 4 TiB */
    topology = read_tree();
    cr_assert_eq(nodemask_count(&topology->online), 1024);
    cr_assert_eq(nodemask_count(&topology->with_cpu), 1023);
    cr_assert_eq(topology->memory[1023], 4096 * GIB);
    cr_assert_eq(topology->distance[1023][1023], 10);
    cr_assert_eq(topology->distance[1023][1022], 122);
    cr_assert_eq(topology->distance[1023][0], 100);
    cr_assert_eq(topology->distance[0][1023], 255);
}

Test(topology, the_running_machine)
{
    const struct topology *topology = topology_get();
    struct test_mask online = test_nodes_file("online"), memory = test_nodes_file("has_memory");

    for (int node = 0; node < 64; node++) {
        cr_assert_eq(nodemask_has(&topology->online, (unsigned)node), test_mask_has(&online, node));
        if (nodemask_has(&topology->with_memory, (unsigned)node))
            cr_assert(test_mask_has(&memory, node));
    }
    cr_assert_not(nodemask_empty(&topology->with_memory));
    cr_assert_eq(topology_get(), topology);
}

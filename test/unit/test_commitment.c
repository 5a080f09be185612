/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_commitment: how much bound memory is promised, on a node that only its meminfo knows. What
 * becomes of full nodes is checked on machines that have some: vm/.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>

#include "kinds/pages/commitment.h"
#include "kinds/pages/pool.h"
#include "kinds/system/os.h"
#include "kinds/system/sysfs.h"
#include "kinds/machine/topology.h"

#define POOLS 16
#define TERABYTE ((size_t)1 << 40) /* whatever this machine swaps or spares is little beside it */

static struct page_pool pools[POOLS];
static struct nodemask node;
static char root[] = "/tmp/memkind-test-XXXXXX";

static void write_meminfo(size_t unused)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "%s/devices/system/node/node0/meminfo", root);
    file = fopen(path, "we");
    cr_assert(file);
    fprintf(file, "Node 0 MemTotal: %zu kB\nNode 0 MemFree: %zu kB\n", unused / KIB * 2,
            unused / KIB);
    fclose(file);
}

static void make_tree(void)
{
    static const char *const folders[] = {"/devices", "/devices/system", "/devices/system/node",
                                          "/devices/system/node/node0"};
    char path[128];

    test_bare();
    test_stop_clock(); /* pages are looked at once a second in any case */
    cr_assert(mkdtemp(root));
    for (size_t i = 0; i < LENGTH(folders); i++) {
        snprintf(path, sizeof path, "%s%s", root, folders[i]);
        cr_assert_eq(mkdir(path, 0700), 0);
    }
    nodemask_add(&node, 0);
    for (int i = 0; i < POOLS; i++) {
        struct page_setup setup = pool_setup(&page_kind_static[MEMKIND_PARTITION_DEFAULT]);

        cr_assert_eq(pool_open(&pools[i], &setup), 0);
    }
    topology_get(); /* of the machine that runs */
    sysfs_root = root;
}

static void remove_tree(void)
{
    char command[64];

    for (int i = 0; i < POOLS; i++)
        pool_close(&pools[i]);
    snprintf(command, sizeof command, "rm -r %s", root);
    cr_assert_eq(system(command), 0);
}

static bool make(int pool, size_t size)
{
    return commitment_make(&pools[pool].commitment, &pools[pool].regions, &node, size);
}

TestSuite(commitment, .init = make_tree, .fini = remove_tree, .timeout = 60);

Test(commitment, no_more_than_there_is)
{
    write_meminfo(TERABYTE);
    cr_expect(!make(0, 2 * TERABYTE));
    cr_expect(make(0, TERABYTE / 2));
    cr_expect(!make(1, TERABYTE / 2));
    commitment_done(&pools[0].commitment, TERABYTE / 2, false);
    cr_expect(make(1, TERABYTE / 2));
}

/* What one pool may map without a look at the node is not there for the others. */
Test(commitment, many_pools_get_no_more_than_one)
{
    size_t promised = 0;

    write_meminfo(TERABYTE);
    for (int i = 0; i < POOLS; i++)
        cr_expect(make(i, MIB));
    for (int i = 0; i < POOLS; i++)
        if (make(i, TERABYTE / 10))
            promised += TERABYTE / 10;
    cr_expect_leq(promised, TERABYTE, "%zu GiB of a node with 1,024", promised / GIB);
    cr_expect_geq(promised, TERABYTE / 10 * 9, "only %zu GiB of a node with 1,024", promised / GIB);
}

/* On a full node each attempt would look at all the pages there are. */
Test(commitment, a_full_node_is_known_without_a_look_at_pages)
{
    write_meminfo(TERABYTE);
    cr_assert(make(0, TERABYTE / 2));
    commitment_done(&pools[0].commitment, TERABYTE / 2, true);
    cr_expect(!make(1, 2 * TERABYTE));
    cr_expect_eq(pools[0].commitment.untouched, TERABYTE / 2, "counted: there are no such pages");
    cr_expect(make(1, TERABYTE / 4 * 3), "not counted");
}

/* NOLINTBEGIN(bugprone-reserved-identifier) */
size_t __real_os_backed(void *address, size_t size);
size_t __wrap_os_backed(void *address, size_t size);
int __real_mincore(void *address, size_t size, unsigned char *resident);
int __wrap_mincore(void *address, size_t size, unsigned char *resident);
int __real_sysinfo(struct sysinfo *machine);
int __wrap_sysinfo(struct sysinfo *machine);

static size_t looks_at_pages;
static bool swapped_out, swap_is_used;

size_t __wrap_os_backed(void *address, size_t size)
{
    looks_at_pages++;
    return __real_os_backed(address, size);
}

int __wrap_mincore(void *address, size_t size, unsigned char *resident)
{
    int error = __real_mincore(address, size, resident);

    if (swapped_out)
        memset(resident, 0, size / os_page_size());
    return error;
}

int __wrap_sysinfo(struct sysinfo *machine)
{
    int error = __real_sysinfo(machine);

    machine->totalswap = machine->freeswap + swap_is_used;
    return error;
}
/* NOLINTEND(bugprone-reserved-identifier) */

/* So much that the process has got larger for sure: 2 MiB, or 128 pages of 64 KiB. */
static size_t touched_size(void)
{
    size_t least = 2 * TEST_RESIDENT_UNSURE;

    return least > 2 * MIB ? least : 2 * MIB;
}

/* Where room is tight, a region of one pool does not look at those of all each time; but what was
 * touched is known when it is needed. */
Test(commitment, pages_are_looked_at_when_something_happened)
{
    const int last = POOLS - 1;
    const size_t size = touched_size();
    char *region[POOLS];
    bool zeroed;

    write_meminfo(TERABYTE);
    for (int i = 0; i < last; i++) {
        region[i] = pool_map(&pools[i], 0, size, 2 * MIB, &zeroed);
        cr_assert(region[i] && make(i, size));
        commitment_done(&pools[i].commitment, size, true);
    }
    for (size_t rest = TERABYTE; rest >= 64 * KIB; rest /= 2)
        while (make(last, rest))
            ;
    looks_at_pages = 0;
    for (int i = 0; i < 1000; i++)
        cr_assert(!make(i % last, MIB));
    cr_expect_leq(looks_at_pages, 4 * (size_t)last, "%zu looks at regions", looks_at_pages);
    for (int i = 0; i < 3; i++) {
        test_fill(region[i], size, 1);
        cr_expect(make(last, size / 2), "%zu KiB were touched", size / KIB);
        cr_expect(!make(last, size));
        cr_expect(make(last, size / 2 - 128 * KIB));
    }
    looks_at_pages = 0;
    test_jump(1);
    cr_expect(!make(0, MIB));
    cr_expect_eq(looks_at_pages, (size_t)last - 3, "%zu: once a second in any case",
                 looks_at_pages);
}

/* Free swap space has lost them already. */
Test(commitment, what_is_swapped_out_is_not_untouched)
{
    struct page_regions *regions = &pools[0].regions;
    bool zeroed;
    char *region = pool_map(&pools[0], 0, 2 * MIB, 2 * MIB, &zeroed);

    cr_assert(region && pool_map(&pools[0], 0, 2 * MIB, 2 * MIB, &zeroed));
    test_fill(region, 2 * MIB, 1);
    cr_expect_eq(page_regions_untouched(regions), 2 * MIB);
    swapped_out = true;
    cr_expect_eq(page_regions_untouched(regions), 4 * MIB, "mincore is asked when no swap is used");
    swap_is_used = true;
    cr_expect_eq(page_regions_untouched(regions), 2 * MIB, "the first region was touched");
}

/* A process that has no descriptor left, or a sandbox without files, still has memory. */
Test(commitment, an_unknown_node_is_not_full)
{
    cr_expect(make(0, TERABYTE));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_hugepages, continued: hbw_posix_memalign_psize() with pages of 2 MiB and 1 GiB.
 */
#include "support.h"

#include <errno.h>
#include <hbwmalloc.h>
#include <sys/mman.h>

struct psize {
    hbw_policy_t policy;
    hbw_pagesize_t pagesize;
    size_t size;
    /* what comes out */
    int result, verified, error;
    size_t page_size, page_size_after_realloc;
    bool content;
};

static void allocate_psize(void *argument)
{
    struct psize *psize = argument;
    struct test_mapping mapping;
    char *block = NULL;

    hbw_set_policy(psize->policy);
    errno = TEST_ERRNO;
    psize->result = hbw_posix_memalign_psize((void **)&block, 4096, psize->size, psize->pagesize);
    psize->error = errno;
    if (psize->result)
        return;
    /* Both ends: 1 GiB need not be written in full. */
    block[psize->size - 1] = 1;
    test_fill(block, 1, 0);
    psize->verified = hbw_verify_memory_region(block, psize->size, 0);
    if (test_find_mapping(block, &mapping))
        psize->page_size = mapping.page_size;
    block = hbw_realloc(block, psize->size / 2 + 1);
    psize->content = block && test_holds(block, 1, 0);
    if (block && test_find_mapping(block, &mapping))
        psize->page_size_after_realloc = mapping.page_size;
    hbw_free(block);
}

static void check_psize(hbw_policy_t policy, hbw_pagesize_t pagesize, size_t size, int result,
                        size_t page_size, const char *const environment[])
{
    struct psize *psize = test_shared(sizeof *psize);
    struct test_child child;

    psize->policy = policy;
    psize->pagesize = pagesize;
    psize->size = size;
    test_run_well(&child, allocate_psize, psize, environment);
    cr_assert_eq(psize->result, result, "policy %d, page size %d, size %zu: %d", policy, pagesize,
                 size, psize->result);
    cr_assert_eq(psize->error, TEST_ERRNO, "errno %d", psize->error);
    if (result)
        return;
    cr_assert_eq(psize->page_size, page_size, "policy %d: pages of %zu", policy, psize->page_size);
    cr_assert_eq(psize->page_size_after_realloc, page_size, "realloc left the page size: %zu",
                 psize->page_size_after_realloc);
    cr_assert(psize->content);
    cr_assert_eq(psize->verified, environment ? -1 : 0, "%d", psize->verified);
    munmap(psize, sizeof *psize);
}

/* Without HBW nodes, PREFERRED means ordinary huge pages. */
static const char *const no_nodes[] = {"MEMKIND_HBW_NODES", NULL};

Test(hugepages, hbw_psize_2m)
{
    static const hbw_policy_t policies[] = {HBW_POLICY_BIND, HBW_POLICY_BIND_ALL,
                                            HBW_POLICY_PREFERRED};
    static const size_t sizes[] = {1, 5000, 2 * MIB, 5 * MIB};

    test_pool_set(2 * MIB, 0);
    for (size_t i = 0; i < LENGTH(policies); i++)
        check_psize(policies[i], HBW_PAGESIZE_2MB, 1, ENOMEM, 0, NULL);
    check_psize(HBW_POLICY_PREFERRED, HBW_PAGESIZE_2MB, 1, ENOMEM, 0, no_nodes);
    test_pool_set(2 * MIB, 10);
    for (size_t i = 0; i < LENGTH(policies) * LENGTH(sizes); i++)
        check_psize(policies[i % LENGTH(policies)], HBW_PAGESIZE_2MB, sizes[i / LENGTH(policies)],
                    0, 2 * MIB, NULL);
    check_psize(HBW_POLICY_BIND, HBW_PAGESIZE_2MB, 100 * MIB, ENOMEM, 0, NULL);
    check_psize(HBW_POLICY_PREFERRED, HBW_PAGESIZE_2MB, 5000, 0, 2 * MIB, no_nodes);
    check_psize(HBW_POLICY_BIND, HBW_PAGESIZE_2MB, 5000, ENOMEM, 0, no_nodes);
}

Test(hugepages, hbw_psize_1g)
{
    static const struct {
        hbw_policy_t policy;
        hbw_pagesize_t pagesize;
        size_t size;
        const char *const *environment;
    } rows[] = {
        {HBW_POLICY_BIND, HBW_PAGESIZE_1GB, 5000, NULL},
        {HBW_POLICY_BIND, HBW_PAGESIZE_1GB_STRICT, GIB, NULL},
        {HBW_POLICY_PREFERRED, HBW_PAGESIZE_1GB, 100 * MIB, NULL},
        {HBW_POLICY_PREFERRED, HBW_PAGESIZE_1GB_STRICT, GIB, no_nodes},
    };

    test_pool_set(GIB, 0);
    for (size_t i = 0; i < LENGTH(rows); i++)
        check_psize(rows[i].policy, rows[i].pagesize, rows[i].size, ENOMEM, 0, rows[i].environment);
    test_pool_set(GIB, 1);
    for (size_t i = 0; i < LENGTH(rows); i++)
        check_psize(rows[i].policy, rows[i].pagesize, rows[i].size, 0, GIB, rows[i].environment);
    check_psize(HBW_POLICY_BIND, HBW_PAGESIZE_1GB, GIB + 1, ENOMEM, 0, NULL);
}

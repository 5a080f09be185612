/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_kinds: what a kind is. The static kinds and their numbers, which are available and why not,
 * capacity, where their pages are and under which policy by the kernel's word; what create_kind
 * accepts.
 */
#include "support.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

TestSuite(kinds, .init = test_with_nodes, .timeout = 400);

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

#define PREFERRED_MANY 5 /* MPOL_PREFERRED_MANY, Linux 5.15 */

/* --- the static kinds ------------------------------------------------------------------------- */

Test(kinds, partitions_are_the_variables)
{
    int seen[MEMKIND_NUM_BASE_KIND] = {0};

    cr_assert_eq(MEMKIND_NUM_BASE_KIND, 26);
    for (size_t i = 0; i < LENGTH(test_kinds); i++) {
        memkind_t *variable = dlsym(RTLD_DEFAULT, test_kinds[i].name);
        memkind_t kind = NULL;

        cr_assert_eq(memkind_get_kind_by_partition(test_kinds[i].partition, &kind),
                     MEMKIND_SUCCESS);
        cr_assert_not_null(kind);
        cr_assert_eq(kind, *test_kinds[i].variable, "%s", test_kinds[i].name);
        cr_assert(variable && *variable == kind, "dlsym does not find %s", test_kinds[i].name);
        cr_assert_eq(seen[test_kinds[i].partition]++, 0);
    }
}

Test(kinds, other_partitions_do_not_exist)
{
    static const int numbers[] = {-1, MEMKIND_NUM_BASE_KIND, MEMKIND_MAX_KIND, INT_MAX, INT_MIN};

    for (size_t i = 0; i < LENGTH(numbers); i++) {
        memkind_t kind = MEMKIND_HBW;

        cr_assert_eq(memkind_get_kind_by_partition(numbers[i], &kind), MEMKIND_ERROR_UNAVAILABLE);
        cr_assert_eq(kind, MEMKIND_HBW, "the handle was changed");
    }
    cr_assert_eq(memkind_get_kind_by_partition(0, NULL), MEMKIND_ERROR_INVALID);
}

Test(kinds, version_is_our_own)
{
    cr_assert_geq(memkind_get_version(), 1015000);
}

/* --- availability ----------------------------------------------------------------------------- */

/* What check_available says of each group of kinds without and with nodes in the environment. */
static int expected_code(const struct test_kind *kind, bool with_nodes)
{
    switch (kind->nodes) {
    case NODES_HBW:
        return with_nodes ? MEMKIND_SUCCESS : MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE;
    case NODES_DAX:
        return with_nodes ? MEMKIND_SUCCESS : MEMKIND_ERROR_UNAVAILABLE;
    case NODES_LATENCY:
    case NODES_BANDWIDTH:
        return MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE;
    default:
        return MEMKIND_SUCCESS;
    }
}

static void check_codes(bool with_nodes)
{
    for (size_t i = 0; i < LENGTH(test_kinds); i++) {
        int expected = expected_code(&test_kinds[i], with_nodes);
        int code = memkind_check_available(*test_kinds[i].variable);

        if (test_kinds[i].page_size && code == MEMKIND_ERROR_HUGETLB)
            code = MEMKIND_SUCCESS; /* nodes come first; pages: see test_hugepages.c */
        cr_assert_eq(code, expected, "%s: %d, expected %d", test_kinds[i].name, code, expected);
        if (code != MEMKIND_SUCCESS)
            cr_assert_eq(memkind_get_capacity(*test_kinds[i].variable), -1);
    }
}

Test(kinds, availability_without_nodes, .init = test_bare)
{
    if (test_has_figures() || test_exists("/sys/bus/dax/devices/*"))
        test_skip("this machine may have HBW or DAX nodes");
    check_codes(false);
}

Test(kinds, availability_with_nodes)
{
    if (test_has_figures())
        test_skip("this machine may have latency and bandwidth kinds");
    check_codes(true);
}

Test(kinds, invalid_handles_are_refused)
{
    static char nothing[4096];
    memkind_t created, handles[4] = {NULL, (memkind_t)(void *)nothing, NULL, NULL};

    cr_assert_eq(test_create_kind((memkind_bits_t)0, &created), MEMKIND_SUCCESS);
    cr_assert_eq(memkind_destroy_kind(created), MEMKIND_SUCCESS);
    handles[2] = created;
    handles[3] = (memkind_t)(void *)((char *)MEMKIND_DEFAULT + 1);
    for (size_t i = 0; i < LENGTH(handles); i++) {
        size_t value = 77;

        cr_assert_eq(memkind_check_available(handles[i]), MEMKIND_ERROR_INVALID, "handle %zu", i);
        cr_assert_eq(memkind_get_capacity(handles[i]), -1, "handle %zu", i);
        cr_assert_eq(memkind_destroy_kind(handles[i]), MEMKIND_ERROR_INVALID, "handle %zu", i);
        cr_assert_eq(memkind_set_allow_zero_allocs(handles[i], true), MEMKIND_ERROR_INVALID);
        if (handles[i])
            cr_assert_eq(memkind_get_stat(handles[i], MEMKIND_STAT_TYPE_ACTIVE, &value),
                         MEMKIND_ERROR_INVALID);
        cr_assert_eq(value, 77);
    }
}

/* --- a kernel that refuses mbind -------------------------------------------------------------- */

struct without_mbind {
    int refusal; /* errno that mbind fails with */
    int code[MEMKIND_NUM_BASE_KIND];
    bool block[MEMKIND_NUM_BASE_KIND];
    int error[MEMKIND_NUM_BASE_KIND];
    ssize_t capacity[MEMKIND_NUM_BASE_KIND];
    int created[3];
};

static void use_without_mbind(void *argument)
{
    struct without_mbind *seen = argument;
    memkind_t kind;

    test_refuse(SYS_mbind, seen->refusal, 0, 0);
    for (size_t i = 0; i < LENGTH(test_kinds); i++) {
        seen->code[i] = memkind_check_available(*test_kinds[i].variable);
        seen->capacity[i] = memkind_get_capacity(*test_kinds[i].variable);
        errno = TEST_ERRNO;
        seen->block[i] = memkind_malloc(*test_kinds[i].variable, 100) != NULL;
        seen->error[i] = errno;
    }
    seen->created[0] =
        memkind_create_kind(MEMKIND_MEMTYPE_DEFAULT, MEMKIND_POLICY_PREFERRED_LOCAL, 0, &kind);
    seen->created[1] =
        memkind_create_kind(MEMKIND_MEMTYPE_HIGH_BANDWIDTH, MEMKIND_POLICY_BIND_ALL, 0, &kind);
    seen->created[2] = memkind_create_kind(MEMKIND_MEMTYPE_DEFAULT | MEMKIND_MEMTYPE_HIGH_BANDWIDTH,
                                           MEMKIND_POLICY_INTERLEAVE_ALL, 0, &kind);
}

static bool is_preference(const struct test_kind *kind)
{
    return kind->policy == MPOL_PREFERRED;
}

/* A container's EPERM or a kernel's ENOSYS is a clear error and not a kind without placement, but
 * for kinds that only prefer. */
Test(kinds, refused_mbind_is_an_error)
{
    static const int refusals[] = {EPERM, ENOSYS};
    struct without_mbind *seen = test_shared(sizeof *seen);
    struct test_child child;

    for (size_t j = 0; j < LENGTH(refusals); j++) {
        seen->refusal = refusals[j];
        test_run_well(&child, use_without_mbind, seen, NULL);
        for (size_t i = 0; i < LENGTH(test_kinds); i++) {
            if (expected_code(&test_kinds[i], true) || test_kinds[i].page_size)
                continue;
            if (test_kinds[i].policy == MPOL_DEFAULT || is_preference(&test_kinds[i])) {
                cr_assert_eq(seen->code[i], MEMKIND_SUCCESS, "%s", test_kinds[i].name);
                cr_assert(seen->block[i], "%s", test_kinds[i].name);
                continue;
            }
            cr_assert_eq(seen->code[i], MEMKIND_ERROR_MBIND, "%s: %d", test_kinds[i].name,
                         seen->code[i]);
            cr_assert(!seen->block[i] && seen->error[i] == ENOMEM, "%s: block %d, errno %d",
                      test_kinds[i].name, seen->block[i], seen->error[i]);
            cr_expect_eq(seen->capacity[i], -1, "%s: capacity %zd of a kind that is not available",
                         test_kinds[i].name, seen->capacity[i]);
        }
        cr_assert_eq(seen->created[0], MEMKIND_SUCCESS);
        cr_assert_eq(seen->created[1], MEMKIND_ERROR_MBIND);
        cr_assert_eq(seen->created[2], MEMKIND_ERROR_MBIND);
    }
}

static void lose_mbind(void *argument)
{
    int *error = argument;
    void *block = memkind_malloc(MEMKIND_REGULAR, 100);

    test_refuse(SYS_mbind, EPERM, 0, 0);
    errno = TEST_ERRNO;
    memkind_free(MEMKIND_REGULAR, block);
    block = memkind_malloc(MEMKIND_REGULAR, 64 * MIB);
    *error = block ? 0 : errno;
}

/* Memory that cannot be placed is not handed out, even if the kind was available before. */
Test(kinds, no_block_without_its_policy)
{
    int *error = test_shared(sizeof *error);
    struct test_child child;

    test_run_well(&child, lose_mbind, error, NULL);
    cr_assert_eq(*error, ENOMEM);
}

/* --- capacity --------------------------------------------------------------------------------- */

struct capacities {
    ssize_t of[MEMKIND_NUM_BASE_KIND];
};

static void read_capacities(void *argument)
{
    struct capacities *capacities = argument;

    for (size_t i = 0; i < LENGTH(test_kinds); i++)
        capacities->of[i] = memkind_get_capacity(*test_kinds[i].variable);
}

static void remove_other_bits(struct test_mask *mask, const struct test_mask *kept)
{
    for (size_t i = 0; i < LENGTH(mask->bits); i++)
        mask->bits[i] &= kept->bits[i];
}

/* The nodes of a kind by memkind.h's table and the machine's own files. HBW and DAX: node 0. */
static struct test_mask nodes_of(const struct test_kind *kind)
{
    struct test_mask memory = test_nodes_file("has_memory"), nodes = {{0}};
    size_t largest = 0;

    switch (kind->nodes) {
    case NODES_CPU:
        nodes = test_nodes_file("has_cpu");
        remove_other_bits(&nodes, &memory);
        return nodes;
    case NODES_HBW:
    case NODES_DAX:
        nodes.bits[0] = 1;
        return nodes;
    case NODES_LARGEST:
        for (int node = 0; node < 1024; node++) {
            struct test_mask one = {{0}};
            size_t size;

            one.bits[node / 64] = test_mask_has(&memory, node) ? 1UL << node % 64 : 0;
            size = test_nodes_memory(&one);
            if (size > largest)
                nodes = one;
            else if (size && size == largest)
                nodes.bits[node / 64] |= one.bits[node / 64];
            largest = size > largest ? size : largest;
        }
        return nodes;
    default:
        return memory;
    }
}

Test(kinds, capacity_is_memory_of_the_nodes)
{
    struct capacities *capacities = test_shared(sizeof *capacities);
    struct test_mask memory = test_nodes_file("has_memory");
    struct test_child child;
    size_t before, after;
    int tries = 0;

    /* A virtual machine may be given memory meanwhile. */
    do {
        before = test_nodes_memory(&memory);
        test_run_well(&child, read_capacities, capacities, NULL);
        after = test_nodes_memory(&memory);
    } while (before != after && tries++ < 100);
    if (before != after)
        test_skip("the machine's memory does not stop to change");
    for (size_t i = 0; i < LENGTH(test_kinds); i++) {
        struct test_mask nodes = nodes_of(&test_kinds[i]);

        if (expected_code(&test_kinds[i], true) || test_kinds[i].page_size ||
            (test_kinds[i].nodes == NODES_LARGEST_LOCAL && test_mask_count(&memory) > 1))
            continue; /* which are local: see test_machines.c */
        if (test_kinds[i].policy == MPOL_DEFAULT || test_kinds[i].policy == MPOL_PREFERRED)
            nodes = memory;
        cr_assert_eq(capacities->of[i], (ssize_t)test_nodes_memory(&nodes), "%s: %zd",
                     test_kinds[i].name, capacities->of[i]);
    }
}

/* --- creating --------------------------------------------------------------------------------- */

/* What memkind_create_kind() accepts, as memkind.h has it, and the static kind that it gives. */
static const struct {
    unsigned memtype;
    memkind_policy_t policy;
    bool needs_hbw;
    bool falls_back; /* without such nodes: on MEMKIND_DEFAULT */
    memkind_t *base;
    memkind_t *huge; /* with 2 MiB pages; NULL: not accepted */
} combinations[] = {
    {1, MEMKIND_POLICY_PREFERRED_LOCAL, false, true, &MEMKIND_DEFAULT, &MEMKIND_HUGETLB},
    {2, MEMKIND_POLICY_BIND_LOCAL, true, false, &MEMKIND_HBW, &MEMKIND_HBW_HUGETLB},
    {2, MEMKIND_POLICY_BIND_ALL, true, false, &MEMKIND_HBW_ALL, &MEMKIND_HBW_ALL_HUGETLB},
    {2, MEMKIND_POLICY_PREFERRED_LOCAL, true, true, &MEMKIND_HBW_PREFERRED,
     &MEMKIND_HBW_PREFERRED_HUGETLB},
    {2, MEMKIND_POLICY_INTERLEAVE_ALL, true, false, &MEMKIND_HBW_INTERLEAVE, NULL},
    {3, MEMKIND_POLICY_INTERLEAVE_ALL, false, false, &MEMKIND_INTERLEAVE, NULL},
};

/* The code, and on success the kind. */
static int expected_creation(int memtype, int policy, int flags, bool hbw, memkind_t *kind)
{
    for (size_t i = 0; i < LENGTH(combinations); i++) {
        bool huge = flags == MEMKIND_MASK_PAGE_SIZE_2MB;

        if (combinations[i].memtype != (unsigned)memtype ||
            combinations[i].policy != (memkind_policy_t)policy)
            continue;
        if (flags != 0 && (!huge || !combinations[i].huge))
            return MEMKIND_ERROR_INVALID;
        *kind = huge ? *combinations[i].huge : *combinations[i].base;
        if ((!huge || memkind_check_available(*kind) == MEMKIND_SUCCESS) &&
            (hbw || !combinations[i].needs_hbw))
            return MEMKIND_SUCCESS;
        *kind = MEMKIND_DEFAULT;
        return combinations[i].falls_back ? MEMKIND_SUCCESS : MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE;
    }
    return MEMKIND_ERROR_INVALID;
}

static void check_creation(bool hbw)
{
    static const int memtypes[] = {0, 1, 2, 3, 4, 5, 8, -1};
    static const int policies[] = {0, 1, 2, 3, 4, 5, 6, 100, -1};
    static const int flags[] = {0, 21, 22, 20, 30, 1, 256, 256 + 21, -1};

    for (size_t i = 0; i < LENGTH(memtypes) * LENGTH(policies) * LENGTH(flags); i++) {
        int memtype = memtypes[i % LENGTH(memtypes)];
        int policy = policies[i / LENGTH(memtypes) % LENGTH(policies)];
        int flag = flags[i / LENGTH(memtypes) / LENGTH(policies)];
        memkind_t wanted = NULL, untouched = (memkind_t)(void *)&wanted, kind = untouched;
        int expected = expected_creation(memtype, policy, flag, hbw, &wanted), code;

        code = memkind_create_kind((memkind_memtype_t)memtype, (memkind_policy_t)policy,
                                   (memkind_bits_t)flag, &kind);
        cr_assert_eq(code, expected, "types %d, policy %d, flags %d: %d, expected %d", memtype,
                     policy, flag, code, expected);
        cr_assert_eq(kind, code ? untouched : wanted, "types %d, policy %d, flags %d: another kind",
                     memtype, policy, flag);
        cr_assert_eq(memkind_create_kind((memkind_memtype_t)memtype, (memkind_policy_t)policy,
                                         (memkind_bits_t)flag, NULL),
                     MEMKIND_ERROR_INVALID);
    }
}

Test(kinds, create_every_combination_with_nodes)
{
    check_creation(true);
}

Test(kinds, create_every_combination_without_nodes, .init = test_bare)
{
    if (test_has_figures())
        test_skip("this machine may have HBW nodes");
    check_creation(false);
}

/* Handles are shared: blocks may be freed through the variable, and no limit is reached. */
Test(kinds, combinations_are_static_kinds_however_often)
{
    char *block = NULL;

    for (int i = 0; i < 2000; i++) {
        memkind_t kind = NULL;

        cr_assert_eq(memkind_create_kind(MEMKIND_MEMTYPE_HIGH_BANDWIDTH, MEMKIND_POLICY_BIND_LOCAL,
                                         0, &kind),
                     MEMKIND_SUCCESS, "number %d", i);
        block = block ? block : memkind_malloc(kind, 1000);
        cr_assert(block && memkind_detect_kind(block) == MEMKIND_HBW);
        if (i % 2)
            cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
    }
    memkind_free(MEMKIND_HBW, block);
}

#define ROUNDS 2000
#define WARM_UP 200

Test(kinds, creating_and_destroying_leaves_nothing)
{
    static const memkind_policy_t policies[] = {
        MEMKIND_POLICY_BIND_LOCAL, MEMKIND_POLICY_BIND_ALL, MEMKIND_POLICY_PREFERRED_LOCAL,
        MEMKIND_POLICY_INTERLEAVE_ALL, MEMKIND_POLICY_WEIGHTED_INTERLEAVE_ALL};
    size_t resident = 0, address_space = 0, mappings = 0;

    for (int round = 0; round < ROUNDS; round++) {
        memkind_t kind;

        if (round == WARM_UP) {
            resident = test_resident();
            address_space = test_virtual();
            mappings = test_mappings();
        }
        cr_assert_eq(
            memkind_create_nodes("all", policies[(size_t)round % LENGTH(policies)], 0, &kind),
            MEMKIND_SUCCESS);
        for (size_t size = 8; size <= 512 * KIB; size *= 8) {
            char *block = memkind_calloc(kind, 1, size);

            cr_assert_not_null(block);
            block[size - 1] = 1;
            if (round % 2) /* some are freed to a cache, some never */
                memkind_free(kind, block);
        }
        cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
    }
    cr_expect(TEST_SANITIZED || test_resident() < resident + 512 * KIB,
              "resident memory grew from %zu to %zu", resident, test_resident());
    cr_expect(TEST_SANITIZED || test_virtual() < address_space + 100 * MIB,
              "address space grew from %zu to %zu", address_space, test_virtual());
    cr_expect(TEST_SANITIZED || test_mappings() < mappings + 10, "mappings grew from %zu to %zu",
              mappings, test_mappings());
}

/* --- placement -------------------------------------------------------------------------------- */

static void check_placement(const char *name, memkind_t kind, int policy,
                            const struct test_mask *nodes)
{
    static const size_t sizes[] = {64, 20000, 5 * MIB};
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (policy == MPOL_PREFERRED && test_mask_count(nodes) > 1)
        policy = PREFERRED_MANY;
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        char *block = memkind_malloc(kind, sizes[i]);
        struct test_mapping mapping;
        struct test_mask used;
        int mode;

        cr_assert(block, "%s: no block", name);
        memset(block, 1, sizes[i]);
        mode = test_policy(block, &used);
        cr_assert_eq(mode, policy, "%s: policy %d, expected %d", name, mode, policy);
        if (policy != MPOL_DEFAULT)
            cr_assert(test_mask_equal(&used, nodes), "%s: the policy has other nodes", name);
        for (size_t at = 0; at < sizes[i]; at += page) {
            int node = test_page_node(block + at);

            cr_assert(node >= 0 && (policy == MPOL_DEFAULT || test_mask_has(nodes, node)),
                      "%s: a page is on node %d", name, node);
        }
        cr_assert(test_find_mapping(block, &mapping));
        cr_assert_eq(mapping.page_size, page);
        cr_assert_eq(test_line(mapping.flags, "(^| )nh( |$)"), policy == MPOL_INTERLEAVE,
                     "%s: flags of the mapping: %s", name, mapping.flags);
        memkind_free(kind, block);
    }
}

/* Pages lie on the nodes of the kind under the policy of the kind, by the kernel's word. */
Test(kinds, pages_are_where_the_table_says)
{
    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;) {
        struct test_mask nodes = nodes_of(kind);

        if (kind->nodes <= NODES_LARGEST)
            check_placement(kind->name, *kind->variable, kind->policy, &nodes);
    }
}

Test(kinds, mappings_carry_the_name)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, page, 4096, "probe"))
        test_skip("the kernel does not name mappings: %s", strerror(errno));
    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;) {
        char *block = memkind_malloc(*kind->variable, 100);
        struct test_mapping mapping;
        char name[64];

        snprintf(name, sizeof name, "[anon:%s]", kind->name);
        cr_assert(test_find_mapping(block, &mapping));
        cr_assert_str_eq(mapping.name, name);
        memkind_free(NULL, block);
    }
}

/* --- what comes later ------------------------------------------------------------------------- */

Test(kinds, configurations_come_and_go)
{
    for (int i = 0; i < 1000; i++) {
        struct memkind_config *config = memkind_config_new();

        cr_assert_not_null(config);
        memkind_config_set_path(config, "/tmp");
        memkind_config_set_size(config, MEMKIND_PMEM_MIN_SIZE);
        memkind_config_set_memory_usage_policy(config, MEMKIND_MEM_USAGE_POLICY_CONSERVATIVE);
        memkind_config_delete(config);
    }
    memkind_config_delete(NULL);
}

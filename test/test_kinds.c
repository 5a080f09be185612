/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_kinds: what a kind is. The static kinds and their numbers, which are available and why not,
 * capacity, where their pages are and under which policy by the kernel's word; what create_kind
 * accepts, and that nothing is left of a kind that is destroyed; statistics, defragmentation and
 * error texts.
 */
#include "support.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <linux/mempolicy.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

TestSuite(kinds, .init = test_with_nodes, .timeout = 120);

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

    cr_assert_eq(
        memkind_create_kind(MEMKIND_MEMTYPE_DEFAULT, MEMKIND_POLICY_PREFERRED_LOCAL, 0, &created),
        MEMKIND_SUCCESS);
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

/* A container's EPERM or a kernel's ENOSYS is a clear error and not a kind without placement. */
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
            if (test_kinds[i].policy == MPOL_DEFAULT) {
                cr_assert_eq(seen->code[i], MEMKIND_SUCCESS);
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

/* What memkind_create_kind() accepts, as memkind.h has it. */
static const struct {
    unsigned memtype;
    memkind_policy_t policy;
    bool huge;        /* also with 2 MiB pages */
    bool needs_hbw;   /* fails without HBW nodes */
    memkind_t *alike; /* works like this kind */
} combinations[] = {
    {1, MEMKIND_POLICY_PREFERRED_LOCAL, true, false, &MEMKIND_DEFAULT},
    {2, MEMKIND_POLICY_BIND_LOCAL, true, true, &MEMKIND_HBW},
    {2, MEMKIND_POLICY_BIND_ALL, true, true, &MEMKIND_HBW_ALL},
    {2, MEMKIND_POLICY_PREFERRED_LOCAL, true, false, &MEMKIND_HBW_PREFERRED},
    {2, MEMKIND_POLICY_INTERLEAVE_ALL, false, true, &MEMKIND_HBW_INTERLEAVE},
    {3, MEMKIND_POLICY_INTERLEAVE_ALL, false, false, &MEMKIND_INTERLEAVE},
};

static int expected_creation(int memtype, int policy, int flags, bool hbw)
{
    for (size_t i = 0; i < LENGTH(combinations); i++) {
        if (combinations[i].memtype != (unsigned)memtype ||
            combinations[i].policy != (memkind_policy_t)policy)
            continue;
        if (flags != 0 && (flags != MEMKIND_MASK_PAGE_SIZE_2MB || !combinations[i].huge))
            return MEMKIND_ERROR_INVALID;
        return combinations[i].needs_hbw && !hbw ? MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE
                                                 : MEMKIND_SUCCESS;
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
        int expected = expected_creation(memtype, policy, flag, hbw), code;
        memkind_t kind = (memkind_t)(void *)&expected;

        code = memkind_create_kind((memkind_memtype_t)memtype, (memkind_policy_t)policy,
                                   (memkind_bits_t)flag, &kind);
        cr_assert_eq(code, expected, "types %d, policy %d, flags %d: %d, expected %d", memtype,
                     policy, flag, code, expected);
        cr_assert_eq(memkind_create_kind((memkind_memtype_t)memtype, (memkind_policy_t)policy,
                                         (memkind_bits_t)flag, NULL),
                     MEMKIND_ERROR_INVALID);
        if (code) {
            cr_assert_eq(kind, (memkind_t)(void *)&expected, "a failure changed the handle");
            continue;
        }
        if (!flag) {
            void *block = memkind_malloc(kind, 1000);

            cr_assert(block, "types %d, policy %d: no block", memtype, policy);
            cr_assert_eq(memkind_detect_kind(block), kind);
        }
        cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
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

static memkind_t create_simple(void)
{
    memkind_t kind = NULL;
    int code =
        memkind_create_kind(MEMKIND_MEMTYPE_DEFAULT, MEMKIND_POLICY_PREFERRED_LOCAL, 0, &kind);

    cr_assert_eq(code, MEMKIND_SUCCESS, "create_kind: %d", code);
    return kind;
}

/* Handles are reused, what a former kind was set to is not. */
Test(kinds, reused_handle_starts_anew)
{
    memkind_t kind = create_simple(), next;
    size_t value = 1;

    memkind_set_allow_zero_allocs(kind, true);
    cr_assert_not_null(memkind_malloc(kind, 0));
    cr_assert_not_null(memkind_malloc(kind, 4 * MIB));
    cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
    next = create_simple();
    cr_assert_eq(next, kind, "the handle is not reused: this proves nothing");
    cr_assert_null(memkind_malloc(next, 0));
    memkind_update_cached_stats();
    cr_assert_eq(memkind_get_stat(next, MEMKIND_STAT_TYPE_ALLOCATED, &value), MEMKIND_SUCCESS);
    cr_assert_eq(value, 0);
}

#define ROUNDS 2000
#define WARM_UP 200

Test(kinds, creating_and_destroying_leaves_nothing)
{
    size_t resident = 0, address_space = 0, mappings = 0;

    for (int round = 0; round < ROUNDS; round++) {
        size_t i = (size_t)round % LENGTH(combinations);
        memkind_t kind;

        if (round == WARM_UP) {
            resident = test_resident();
            address_space = test_virtual();
            mappings = test_mappings();
        }
        cr_assert_eq(memkind_create_kind(combinations[i].memtype, combinations[i].policy, 0, &kind),
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

Test(kinds, as_many_as_promised_and_no_more)
{
    static memkind_t kinds[MEMKIND_MAX_KIND];
    static char *blocks[MEMKIND_MAX_KIND];

    for (int round = 0; round < 2; round++) {
        memkind_t kind = MEMKIND_HBW;

        for (size_t i = 0; i < LENGTH(kinds); i++) {
            kinds[i] = create_simple();
            blocks[i] = memkind_malloc(kinds[i], 100);
            cr_assert(blocks[i], "kind %zu has no block", i);
            test_fill(blocks[i], 100, i);
        }
        for (int i = 0; i < 3; i++)
            cr_assert_eq(memkind_create_kind(MEMKIND_MEMTYPE_DEFAULT,
                                             MEMKIND_POLICY_PREFERRED_LOCAL, 0, &kind),
                         MEMKIND_ERROR_TOOMANY);
        cr_assert_eq(kind, MEMKIND_HBW, "a failure changed the handle");
        for (size_t i = 0; i < LENGTH(kinds); i++) {
            cr_assert_eq(memkind_detect_kind(blocks[i]), kinds[i]);
            cr_assert(test_holds(blocks[i], 100, i));
        }
        /* One in the middle makes room for exactly one. */
        cr_assert_eq(memkind_destroy_kind(kinds[300]), MEMKIND_SUCCESS);
        kinds[300] = create_simple();
        cr_assert_eq(
            memkind_create_kind(MEMKIND_MEMTYPE_DEFAULT, MEMKIND_POLICY_PREFERRED_LOCAL, 0, &kind),
            MEMKIND_ERROR_TOOMANY);
        for (size_t i = 0; i < LENGTH(kinds); i++)
            cr_assert_eq(memkind_destroy_kind(kinds[i]), MEMKIND_SUCCESS);
    }
}

static void *create_and_destroy(void *argument)
{
    for (int i = 0; i < 200; i++) {
        memkind_t kind = NULL;
        char *block;

        if (memkind_create_kind(MEMKIND_MEMTYPE_HIGH_BANDWIDTH, MEMKIND_POLICY_BIND_ALL, 0, &kind))
            return "create_kind failed";
        block = memkind_malloc(kind, 10000);
        if (!block || memkind_detect_kind(block) != kind)
            return "wrong kind";
        test_fill(block, 10000, (uintptr_t)argument);
        sched_yield();
        if (!test_holds(block, 10000, (uintptr_t)argument))
            return "lost content";
        if (memkind_destroy_kind(kind))
            return "destroy_kind failed";
    }
    return NULL;
}

Test(kinds, threads_create_and_destroy)
{
    pthread_t threads[4];

    for (size_t i = 0; i < LENGTH(threads); i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, create_and_destroy, (void *)(i + 1)), 0);
    for (size_t i = 0; i < LENGTH(threads); i++) {
        void *wrong = NULL;

        pthread_join(threads[i], &wrong);
        cr_assert_null(wrong, "%s", (const char *)wrong);
    }
}

/* --- destroying ------------------------------------------------------------------------------- */

Test(kinds, destroy_gives_memory_back)
{
    enum { BLOCKS = 64 };
    memkind_t kind = create_simple();
    char *blocks[BLOCKS], *small = memkind_malloc(kind, 10);
    size_t before = test_resident(), full;

    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = memkind_malloc(kind, MIB);
        memset(blocks[i], 1, MIB);
    }
    full = test_resident();
    cr_assert(TEST_SANITIZED || full >= before + BLOCKS * MIB);
    memkind_free(kind, blocks[5]);
    cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
    for (size_t i = 0; i < BLOCKS; i++)
        cr_assert(!test_is_mapped(blocks[i]), "block %zu is still mapped", i);
    cr_assert(!test_is_mapped(small));
    cr_assert(TEST_SANITIZED || test_resident() <= before + MIB,
              "resident: %zu, full %zu, then %zu", before, full, test_resident());
}

Test(kinds, destroy_refuses_what_was_not_created)
{
    memkind_t kind;

    cr_assert_eq(memkind_destroy_kind(NULL), MEMKIND_ERROR_INVALID);
    for (int used = 0; used < 2; used++)
        for (size_t i = 0; i < LENGTH(test_kinds); i++) {
            cr_assert_eq(memkind_destroy_kind(*test_kinds[i].variable), MEMKIND_ERROR_INVALID);
            memkind_free(NULL, memkind_malloc(*test_kinds[i].variable, 1));
        }
    kind = create_simple();
    cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
    cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_ERROR_INVALID);
    errno = TEST_ERRNO;
    cr_assert_null(memkind_malloc(kind, 10));
    cr_assert_eq(errno, EINVAL);
}

/*
 * A thread keeps a cache for each kind it has used. When the kind is destroyed by another thread
 * and its handle lives again, the cache must be gone: its blocks are unmapped.
 */
struct handover {
    pthread_barrier_t barrier;
    memkind_t kind;
    const char *wrong;
};

static const size_t cached_sizes[] = {8, 64, 100, 1000, 5000, 16384, 30000};

#define CACHED 20
#define HANDOVERS 100

static void *use_each_kind(void *argument)
{
    struct handover *handover = argument;

    for (int round = 0; round < HANDOVERS; round++) {
        char *blocks[LENGTH(cached_sizes) * CACHED];

        pthread_barrier_wait(&handover->barrier); /* there is a kind */
        for (size_t i = 0; i < LENGTH(blocks); i++) {
            size_t size = cached_sizes[i / CACHED];

            blocks[i] = memkind_malloc(handover->kind, size);
            if (!blocks[i] || memkind_detect_kind(blocks[i]) != handover->kind)
                handover->wrong = "a block of a former kind";
            test_fill(blocks[i], size, i);
        }
        for (size_t i = 0; i < LENGTH(blocks); i++)
            if (!test_holds(blocks[i], cached_sizes[i / CACHED], i))
                handover->wrong = "a block was given out twice";
        for (size_t i = 0; i < LENGTH(blocks); i++)
            memkind_free(handover->kind, blocks[i]); /* fills the cache */
        pthread_barrier_wait(&handover->barrier);    /* not used any more */
    }
    return NULL;
}

Test(kinds, caches_of_destroyed_kinds_are_gone)
{
    struct handover handover = {.wrong = NULL};
    memkind_t first = NULL;
    pthread_t threads[2];

    pthread_barrier_init(&handover.barrier, NULL, LENGTH(threads) + 1);
    for (size_t i = 0; i < LENGTH(threads); i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, use_each_kind, &handover), 0);
    for (int round = 0; round < HANDOVERS; round++) {
        handover.kind = create_simple();
        first = first ? first : handover.kind;
        cr_assert_eq(handover.kind, first, "the handle is not reused: this proves nothing");
        pthread_barrier_wait(&handover.barrier);
        pthread_barrier_wait(&handover.barrier);
        cr_assert_eq(memkind_destroy_kind(handover.kind), MEMKIND_SUCCESS);
    }
    for (size_t i = 0; i < LENGTH(threads); i++)
        pthread_join(threads[i], NULL);
    cr_assert_null(handover.wrong, "%s", handover.wrong);
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

static const struct test_kind *row_of(memkind_t kind)
{
    for (size_t i = 0; i < LENGTH(test_kinds); i++)
        if (*test_kinds[i].variable == kind)
            return &test_kinds[i];
    return NULL;
}

Test(kinds, created_kinds_work_like_static_ones)
{
    for (size_t i = 0; i < LENGTH(combinations); i++) {
        const struct test_kind *alike = row_of(*combinations[i].alike);
        struct test_mask nodes = nodes_of(alike);
        char name[100];
        memkind_t kind;

        cr_assert_eq(memkind_create_kind(combinations[i].memtype, combinations[i].policy, 0, &kind),
                     MEMKIND_SUCCESS);
        snprintf(name, sizeof name, "created like %s", alike->name);
        check_placement(name, kind, alike->policy, &nodes);
        cr_assert_eq(memkind_check_available(kind), MEMKIND_SUCCESS);
        cr_assert_gt(memkind_get_capacity(kind), 0);
    }
}

/* Preferred HBW memory that does not exist is ordinary memory, without a policy of its own. */
Test(kinds, created_preferred_without_nodes_is_ordinary, .init = test_bare)
{
    struct test_mask nodes = test_nodes_file("has_memory");
    memkind_t kind;

    if (test_has_figures())
        test_skip("this machine may have HBW nodes");
    cr_assert_eq(memkind_create_kind(MEMKIND_MEMTYPE_HIGH_BANDWIDTH, MEMKIND_POLICY_PREFERRED_LOCAL,
                                     0, &kind),
                 MEMKIND_SUCCESS);
    check_placement("preferred", kind, MPOL_DEFAULT, &nodes);
    cr_assert_eq(memkind_check_available(kind), MEMKIND_SUCCESS);
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

/* --- statistics ------------------------------------------------------------------------------- */

static size_t stat_of(memkind_t kind, memkind_stat_type type)
{
    size_t value = SIZE_MAX;

    cr_assert_eq(memkind_get_stat(kind, type, &value), MEMKIND_SUCCESS);
    return value;
}

static size_t fresh_stat(memkind_t kind, memkind_stat_type type)
{
    cr_assert_eq(memkind_update_cached_stats(), MEMKIND_SUCCESS);
    return stat_of(kind, type);
}

Test(kinds, statistics_follow_large_blocks)
{
    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;) {
        size_t empty = fresh_stat(*kind->variable, MEMKIND_STAT_TYPE_ALLOCATED), full, usable;
        char *block = memkind_malloc(*kind->variable, 4 * MIB);

        usable = memkind_malloc_usable_size(NULL, block);
        cr_assert_eq(stat_of(*kind->variable, MEMKIND_STAT_TYPE_ALLOCATED), empty,
                     "%s: figures changed without an update", kind->name);
        full = fresh_stat(*kind->variable, MEMKIND_STAT_TYPE_ALLOCATED);
        cr_assert_eq(full, empty + usable, "%s: %zu after a block of %zu, %zu before", kind->name,
                     full, usable, empty);
        cr_assert_geq(stat_of(NULL, MEMKIND_STAT_TYPE_ALLOCATED), full);
        cr_assert_geq(stat_of(*kind->variable, MEMKIND_STAT_TYPE_ACTIVE), full);
        cr_assert_eq(stat_of(*kind->variable, MEMKIND_STAT_TYPE_ACTIVE) % 4096, 0);
        cr_assert_geq(stat_of(*kind->variable, MEMKIND_STAT_TYPE_RESIDENT),
                      stat_of(*kind->variable, MEMKIND_STAT_TYPE_ACTIVE));
        memkind_free(*kind->variable, block);
        cr_assert_eq(fresh_stat(*kind->variable, MEMKIND_STAT_TYPE_ALLOCATED), empty, "%s",
                     kind->name);
    }
}

#define SMALL_BLOCKS 20000

static void *allocate_small(void *argument)
{
    void **blocks = argument;

    for (size_t i = 0; i < SMALL_BLOCKS; i++)
        blocks[i] = memkind_malloc(MEMKIND_REGULAR, 100);
    return NULL;
}

/* Blocks of a thread that has ended still count, freed ones do not but for what a cache keeps. */
Test(kinds, statistics_follow_small_blocks)
{
    static void *blocks[SMALL_BLOCKS];
    size_t least = SMALL_BLOCKS * (size_t)100, full;
    pthread_t thread;

    cr_assert_eq(stat_of(MEMKIND_REGULAR, MEMKIND_STAT_TYPE_ALLOCATED), 0, "never used");
    cr_assert_eq(pthread_create(&thread, NULL, allocate_small, blocks), 0);
    pthread_join(thread, NULL);
    full = fresh_stat(MEMKIND_REGULAR, MEMKIND_STAT_TYPE_ALLOCATED);
    cr_assert(full >= least && full < least + least / 4, "%zu", full);
    cr_assert_geq(stat_of(MEMKIND_REGULAR, MEMKIND_STAT_TYPE_ACTIVE), full);
    for (size_t i = 0; i < SMALL_BLOCKS; i++)
        memkind_free(MEMKIND_REGULAR, blocks[i]);
    cr_assert_lt(fresh_stat(MEMKIND_REGULAR, MEMKIND_STAT_TYPE_ALLOCATED), least / 8);
    if (!test_tbb()) /* a pool keeps slabs without blocks */
        cr_assert_lt(stat_of(MEMKIND_REGULAR, MEMKIND_STAT_TYPE_ACTIVE), least / 4);
}

Test(kinds, statistics_refuse_wrong_arguments)
{
    static const int types[] = {-1, MEMKIND_STAT_TYPE_MAX_VALUE, 100};
    memkind_t kinds[] = {NULL, MEMKIND_DEFAULT, MEMKIND_HBW};
    size_t value = 77;

    for (size_t i = 0; i < LENGTH(kinds); i++) {
        for (size_t j = 0; j < LENGTH(types); j++)
            cr_assert_eq(memkind_get_stat(kinds[i], (memkind_stat_type)types[j], &value),
                         MEMKIND_ERROR_INVALID);
        cr_assert_eq(memkind_get_stat(kinds[i], MEMKIND_STAT_TYPE_ACTIVE, NULL),
                     MEMKIND_ERROR_INVALID);
    }
    cr_assert_eq(value, 77);
}

/* --- background threads ----------------------------------------------------------------------- */

Test(kinds, background_threads_come_and_go)
{
    size_t before = test_threads();

    if (TEST_THREAD_SANITIZED && !test_tbb())
        test_skip("jemalloc's background threads start without ThreadSanitizer's knowledge");
    for (int round = 0; round < 3; round++) {
        cr_assert_eq(memkind_set_bg_threads(true), MEMKIND_SUCCESS);
        cr_assert_eq(memkind_set_bg_threads(true), MEMKIND_SUCCESS);
        for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;)
            memkind_free(NULL, memkind_malloc(*kind->variable, MIB));
        cr_assert(test_tbb() ? test_threads() == before : test_threads() > before);
        cr_assert_eq(memkind_set_bg_threads(false), MEMKIND_SUCCESS);
        cr_assert_eq(test_threads(), before);
    }
}

/* --- defragmentation -------------------------------------------------------------------------- */

Test(kinds, defrag_makes_the_heap_denser)
{
    if (test_tbb())
        test_skip("TBB moves nothing: it does not tell how full its slabs are");
    enum { BLOCKS = 40000, KEPT = 20, SIZE = 100 };
    static char *blocks[BLOCKS];

    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;) {
        size_t sparse, dense, moved = 0;

        for (size_t i = 0; i < BLOCKS; i++) {
            blocks[i] = memkind_malloc(*kind->variable, SIZE);
            test_fill(blocks[i], SIZE, i);
        }
        for (size_t i = 0; i < BLOCKS; i++)
            if (i % KEPT)
                memkind_free(*kind->variable, blocks[i]);
        sparse = fresh_stat(*kind->variable, MEMKIND_STAT_TYPE_ACTIVE);
        for (size_t i = 0; i < BLOCKS; i += KEPT) {
            char *block = memkind_defrag_reallocate(i % 2 ? NULL : *kind->variable, blocks[i]);

            moved += block != NULL;
            blocks[i] = block ? block : blocks[i];
        }
        dense = fresh_stat(*kind->variable, MEMKIND_STAT_TYPE_ACTIVE);
        cr_assert_gt(moved, BLOCKS / KEPT / 2, "%s: %zu blocks moved", kind->name, moved);
        cr_assert_lt(dense, sparse / 2, "%s: active memory went from %zu to %zu", kind->name,
                     sparse, dense);
        for (size_t i = 0; i < BLOCKS; i += KEPT) {
            cr_assert(test_holds(blocks[i], SIZE, i), "%s: lost content", kind->name);
            cr_assert_eq(memkind_detect_kind(blocks[i]), *kind->variable);
            cr_assert_geq(memkind_malloc_usable_size(NULL, blocks[i]), (size_t)SIZE);
            memkind_free(NULL, blocks[i]);
        }
    }
}

/* Blocks on full pages stay, blocks on empty ones move. */
Test(kinds, defrag_moves_to_fuller_pages)
{
    if (test_tbb())
        test_skip("TBB moves nothing: it does not tell how full its slabs are");
    enum { BLOCKS = 20000, SIZE = 256 };
    static char *blocks[BLOCKS];
    size_t full = 0, full_moved = 0, empty = 0, empty_moved = 0;

    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i] = memkind_malloc(MEMKIND_DEFAULT, SIZE);
    /* Every second page keeps one block, the others lose one. */
    for (size_t i = 0; i < BLOCKS; i++) {
        bool first = (uintptr_t)blocks[i] % 4096 / SIZE == 0;

        if (first == ((uintptr_t)blocks[i] / 4096 % 2 == 0)) {
            memkind_free(MEMKIND_DEFAULT, blocks[i]);
            blocks[i] = NULL;
        }
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        if (!blocks[i] || (uintptr_t)blocks[i] / 4096 % 2)
            continue;
        full++;
        full_moved += memkind_defrag_reallocate(MEMKIND_DEFAULT, blocks[i]) != NULL;
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        if (!blocks[i] || (uintptr_t)blocks[i] / 4096 % 2 == 0)
            continue;
        empty++;
        empty_moved += memkind_defrag_reallocate(MEMKIND_DEFAULT, blocks[i]) != NULL;
    }
    cr_assert(full > BLOCKS / 3 && empty > BLOCKS / 50, "%zu full, %zu empty", full, empty);
    cr_assert_lt(full_moved, full / 50, "%zu of %zu blocks on full pages moved", full_moved, full);
    cr_assert_gt(empty_moved, empty / 2, "%zu of %zu blocks on empty pages moved", empty_moved,
                 empty);
}

Test(kinds, defrag_leaves_a_dense_heap)
{
    enum { BLOCKS = 10000 };
    size_t moved = 0;
    char *large;

    cr_assert_null(memkind_defrag_reallocate(MEMKIND_DEFAULT, NULL));
    cr_assert_null(memkind_defrag_reallocate(NULL, NULL));
    for (size_t i = 0; i < BLOCKS; i++)
        moved += memkind_defrag_reallocate(NULL, memkind_malloc(MEMKIND_DEFAULT, 64)) != NULL;
    cr_assert_lt(moved, BLOCKS / 10, "%zu moved", moved);
    large = memkind_malloc(MEMKIND_DEFAULT, MIB);
    cr_assert_null(memkind_defrag_reallocate(MEMKIND_DEFAULT, large));
    cr_assert_eq(memkind_detect_kind(large), MEMKIND_DEFAULT);
}

/* --- error texts ------------------------------------------------------------------------------ */

Test(kinds, every_code_has_a_text)
{
    static const int codes[] = {
        MEMKIND_SUCCESS,
        MEMKIND_ERROR_UNAVAILABLE,
        MEMKIND_ERROR_MBIND,
        MEMKIND_ERROR_MMAP,
        MEMKIND_ERROR_MALLOC,
        MEMKIND_ERROR_ENVIRON,
        MEMKIND_ERROR_INVALID,
        MEMKIND_ERROR_TOOMANY,
        MEMKIND_ERROR_BADOPS,
        MEMKIND_ERROR_HUGETLB,
        MEMKIND_ERROR_RUNTIME,
        MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE,
        MEMKIND_ERROR_OPERATION_FAILED,
        MEMKIND_ERROR_ARENAS_CREATE,
    };
    char texts[LENGTH(codes)][MEMKIND_ERROR_MESSAGE_SIZE + 100], number[32];

    for (size_t i = 0; i < LENGTH(codes); i++) {
        memset(texts[i], 'x', sizeof texts[i]);
        memkind_error_message(codes[i], texts[i], sizeof texts[i]);
        snprintf(number, sizeof number, "%d", codes[i]);
        cr_assert_gt(strnlen(texts[i], MEMKIND_ERROR_MESSAGE_SIZE), 8);
        cr_assert_lt(strnlen(texts[i], sizeof texts[i]), (size_t)MEMKIND_ERROR_MESSAGE_SIZE);
        cr_assert_null(strstr(texts[i], number), "not a text of its own: %s", texts[i]);
        for (size_t j = 0; j < i; j++)
            cr_assert_str_neq(texts[i], texts[j]);
    }
}

Test(kinds, other_codes_are_named_by_number)
{
    static const int codes[] = {1, -4, -5, -14, -16, -256, 12345, INT_MAX, INT_MIN};

    for (size_t i = 0; i < LENGTH(codes); i++) {
        char text[MEMKIND_ERROR_MESSAGE_SIZE], number[32];

        memkind_error_message(codes[i], text, sizeof text);
        snprintf(number, sizeof number, "%d", codes[i]);
        cr_assert_not_null(strstr(text, number), "%d: %s", codes[i], text);
    }
}

Test(kinds, error_texts_are_cut_to_the_buffer)
{
    for (size_t size = 0; size < 40; size++) {
        char whole[MEMKIND_ERROR_MESSAGE_SIZE], cut[64];

        memset(cut, 'x', sizeof cut);
        memkind_error_message(MEMKIND_ERROR_HUGETLB, whole, sizeof whole);
        memkind_error_message(MEMKIND_ERROR_HUGETLB, cut, size);
        cr_assert_eq(cut[size], 'x', "%zu bytes: written beyond", size);
        if (size) {
            cr_assert_eq(cut[size - 1] == '\0' || strlen(whole) < size, 1);
            cr_assert_eq(strncmp(cut, whole, size - 1), 0);
        }
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

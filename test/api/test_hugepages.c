/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_hugepages: kinds whose pages the administrator reserves, 2 MiB and 1 GiB. With pages, blocks
 * really lie in pages of that size; without, and when they are used up, the answer is NULL with
 * ENOMEM and never a SIGBUS, also for pages that were given back in between; freed memory serves
 * again; a destroyed kind returns its pages to the machine.
 *
 * Kernels that refuse: test_hugepages_kernel.c. Children of fork: test_hugepages_fork.c. Through
 * hbwmalloc.h: test_hugepages_hbw.c.
 *
 * The tests set the machine's pools to what they need and restore them: only as root, and one at a
 * time.
 */
#include "support.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <string.h>
#include <sys/mman.h>

TestSuite(hugepages, .init = test_with_nodes, .fini = test_pool_restore, .timeout = 120);

#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif
#define MAP_HUGE_2M (21 << MAP_HUGE_SHIFT)

/* The kinds of huge pages of that size that follow. */
static const struct test_kind *next_huge(const struct test_kind *kind, size_t page_size)
{
    for (kind = kind ? kind + 1 : test_kinds; kind < test_kinds + LENGTH(test_kinds); kind++)
        if (kind->page_size == page_size)
            return kind;
    return NULL;
}

static memkind_t create_huge(memkind_policy_t policy)
{
    memkind_t kind = NULL;
    int code = memkind_create_nodes("0", policy, MEMKIND_MASK_PAGE_SIZE_2MB, &kind);

    cr_assert_eq(code, MEMKIND_SUCCESS, "create_nodes: %d", code);
    return kind;
}

static memkind_t create_simple(void)
{
    return create_huge(MEMKIND_POLICY_PREFERRED_LOCAL);
}

/* --- without pages ---------------------------------------------------------------------------- */

static void expect_no_memory(const char *name, memkind_t kind)
{
    static const size_t sizes[] = {1, 100, 20000, MIB, 2 * MIB, 5 * MIB};
    void *block = &block;

    for (size_t i = 0; i < LENGTH(sizes); i++) {
        errno = TEST_ERRNO;
        cr_assert_null(memkind_malloc(kind, sizes[i]), "%s", name);
        cr_assert_eq(errno, ENOMEM, "%s: malloc, errno %d", name, errno);
        errno = TEST_ERRNO;
        cr_assert_null(memkind_calloc(kind, 1, sizes[i]), "%s", name);
        cr_assert_eq(errno, ENOMEM, "%s: calloc, errno %d", name, errno);
        errno = TEST_ERRNO;
        cr_assert_eq(memkind_posix_memalign(kind, &block, 64, sizes[i]), ENOMEM, "%s", name);
        cr_assert_eq(block, (void *)&block);
        cr_assert_eq(errno, TEST_ERRNO, "%s: posix_memalign, errno %d", name, errno);
    }
}

static void expect_block(const char *name, memkind_t kind, size_t size)
{
    char *block = memkind_malloc(kind, size);

    cr_assert(block, "%s: no block of %zu bytes", name, size);
    test_fill(block, size, size);
    cr_assert(test_holds(block, size, size));
    cr_assert_eq(memkind_detect_kind(block), kind);
    memkind_free(kind, block);
}

/* No page is reserved: the kinds say so, and work as soon as there are pages. */
Test(hugepages, without_pages_there_is_no_memory)
{
    static const size_t page_sizes[] = {2 * MIB, GIB};

    test_pool_set(2 * MIB, 0);
    for (size_t i = 0; i < LENGTH(page_sizes); i++) {
        for (const struct test_kind *kind = NULL; (kind = next_huge(kind, page_sizes[i]));) {
            if (page_sizes[i] == GIB && test_pool_free(GIB))
                continue;
            cr_assert_eq(memkind_check_available(*kind->variable), MEMKIND_ERROR_HUGETLB, "%s: %d",
                         kind->name, memkind_check_available(*kind->variable));
            cr_assert_eq(memkind_get_capacity(*kind->variable), -1, "%s", kind->name);
            expect_no_memory(kind->name, *kind->variable);
        }
    }
    test_pool_set(2 * MIB, 8);
    for (const struct test_kind *kind = NULL; (kind = next_huge(kind, 2 * MIB));) {
        cr_assert_eq(memkind_check_available(*kind->variable), MEMKIND_SUCCESS, "%s", kind->name);
        expect_block(kind->name, *kind->variable, MIB);
    }
}

/* Nodes come before pages: a kind without nodes is not short of pages. */
Test(hugepages, nodes_are_checked_first, .init = test_bare)
{
    test_pool_set(2 * MIB, 0);
    for (const struct test_kind *kind = NULL; (kind = next_huge(kind, 2 * MIB));) {
        int code = memkind_check_available(*kind->variable);

        cr_assert_eq(code,
                     kind->nodes == NODES_HBW && memkind_check_available(MEMKIND_HBW_ALL)
                         ? MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE
                         : MEMKIND_ERROR_HUGETLB,
                     "%s: %d", kind->name, code);
    }
}

static const struct {
    const char *name;
    memkind_policy_t policy;
    int kernel; /* MPOL_... */
} created[] = {
    {"BIND_LOCAL", MEMKIND_POLICY_BIND_LOCAL, MPOL_BIND},
    {"BIND_ALL", MEMKIND_POLICY_BIND_ALL, MPOL_BIND},
    {"PREFERRED_LOCAL", MEMKIND_POLICY_PREFERRED_LOCAL, MPOL_PREFERRED},
};

/* A kind of huge pages can be created before there are any. */
Test(hugepages, created_without_pages_works_later)
{
    memkind_t kinds[LENGTH(created)];

    test_pool_set(2 * MIB, 0);
    for (size_t i = 0; i < LENGTH(created); i++) {
        kinds[i] = create_huge(created[i].policy);
        expect_no_memory(created[i].name, kinds[i]);
        cr_assert_eq(memkind_check_available(kinds[i]), MEMKIND_ERROR_HUGETLB);
    }
    test_pool_set(2 * MIB, 8);
    for (size_t i = 0; i < LENGTH(created); i++) {
        expect_block(created[i].name, kinds[i], MIB);
        cr_assert_eq(memkind_check_available(kinds[i]), MEMKIND_SUCCESS);
        cr_assert_eq(memkind_get_capacity(kinds[i]), (ssize_t)(8 * 2 * MIB));
        cr_assert_eq(memkind_destroy_kind(kinds[i]), MEMKIND_SUCCESS);
    }
}

static const struct {
    memkind_memtype_t memtype;
    memkind_policy_t policy;
    memkind_t *kind;
} combinations[] = {
    {MEMKIND_MEMTYPE_DEFAULT, MEMKIND_POLICY_PREFERRED_LOCAL, &MEMKIND_HUGETLB},
    {MEMKIND_MEMTYPE_HIGH_BANDWIDTH, MEMKIND_POLICY_BIND_LOCAL, &MEMKIND_HBW_HUGETLB},
    {MEMKIND_MEMTYPE_HIGH_BANDWIDTH, MEMKIND_POLICY_BIND_ALL, &MEMKIND_HBW_ALL_HUGETLB},
    {MEMKIND_MEMTYPE_HIGH_BANDWIDTH, MEMKIND_POLICY_PREFERRED_LOCAL,
     &MEMKIND_HBW_PREFERRED_HUGETLB},
};

/* Where pages are missing, preferred kinds do without, and bound ones do not exist. */
Test(hugepages, create_kind_goes_by_the_pages_there_are)
{
    for (size_t pages = 0; pages <= 8; pages += 8) {
        test_pool_set(2 * MIB, pages);
        for (size_t i = 0; i < LENGTH(combinations); i++) {
            bool preferred = combinations[i].policy == MEMKIND_POLICY_PREFERRED_LOCAL;
            memkind_t kind = NULL, wanted = pages       ? *combinations[i].kind
                                            : preferred ? MEMKIND_DEFAULT
                                                        : NULL;

            cr_assert_eq(memkind_create_kind(combinations[i].memtype, combinations[i].policy,
                                             MEMKIND_MASK_PAGE_SIZE_2MB, &kind),
                         wanted ? MEMKIND_SUCCESS : MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE);
            cr_assert_eq(kind, wanted, "row %zu with %zu pages", i, pages);
        }
    }
}

/* --- with pages ------------------------------------------------------------------------------- */

static void check_pages(const char *name, memkind_t kind, size_t page_size, int policy)
{
    static const size_t sizes[] = {1, 100, 5000, 100000, MIB, 3 * MIB};

    for (size_t i = 0; i < LENGTH(sizes); i++) {
        char *block = memkind_malloc(kind, sizes[i]);
        struct test_mapping mapping;
        struct test_mask nodes;

        cr_assert(block, "%s: no block of %zu bytes", name, sizes[i]);
        test_fill(block, sizes[i], i);
        cr_assert(test_find_mapping(block, &mapping));
        cr_assert_eq(mapping.page_size, page_size, "%s: pages of %zu", name, mapping.page_size);
        cr_assert(test_find_mapping(block + sizes[i] - 1, &mapping));
        cr_assert_eq(mapping.page_size, page_size, "%s: pages of %zu", name, mapping.page_size);
        cr_assert_eq(test_policy(block, &nodes), policy, "%s", name);
        if (policy != MPOL_DEFAULT)
            cr_assert(nodes.bits[0] == 1 && test_page_node(block) == 0, "%s", name);
        cr_assert(test_holds(block, sizes[i], i));
        memkind_free(NULL, block);
    }
}

Test(hugepages, blocks_lie_in_pages_of_2m)
{
    test_pool_set(2 * MIB, 48);
    for (const struct test_kind *kind = NULL; (kind = next_huge(kind, 2 * MIB));) {
        cr_assert_eq(memkind_get_capacity(*kind->variable), (ssize_t)(48 * 2 * MIB));
        check_pages(kind->name, *kind->variable, 2 * MIB, kind->policy);
    }
    for (size_t i = 0; i < LENGTH(created); i++)
        check_pages(created[i].name, create_huge(created[i].policy), 2 * MIB, created[i].kernel);
}

Test(hugepages, blocks_lie_in_pages_of_1g)
{
    test_pool_set(GIB, 1);
    for (const struct test_kind *kind = NULL; (kind = next_huge(kind, GIB));) {
        cr_assert_eq(memkind_check_available(*kind->variable), MEMKIND_SUCCESS, "%s", kind->name);
        cr_assert_eq(memkind_get_capacity(*kind->variable), (ssize_t)GIB);
    }
    check_pages("MEMKIND_HBW_GBTLB", MEMKIND_HBW_GBTLB, GIB, MPOL_BIND);
    cr_assert_eq(test_pool_free(GIB), 0);
    /* The only page serves many blocks; what does not fit is refused. */
    expect_block("MEMKIND_HBW_GBTLB", MEMKIND_HBW_GBTLB, 100 * MIB);
    errno = TEST_ERRNO;
    cr_assert_null(memkind_malloc(MEMKIND_HBW_GBTLB, GIB + 1));
    cr_assert_eq(errno, ENOMEM);
    expect_no_memory("MEMKIND_GBTLB", MEMKIND_GBTLB);
}

/* --- alignment, realloc and calloc, which other files prove for base pages -------------------- */

Test(hugepages, alignment_is_honoured)
{
    test_pool_set(2 * MIB, 64);
    for (size_t alignment = 8; alignment <= 8 * MIB; alignment *= 2) {
        static const size_t sizes[] = {1, 100, 20000, MIB, 2 * MIB, 3 * MIB};

        for (size_t i = 0; i < LENGTH(sizes); i++) {
            void *block = NULL;
            int result = memkind_posix_memalign(MEMKIND_HBW_HUGETLB, &block, alignment, sizes[i]);

            cr_assert_eq(result, 0, "alignment %zu, size %zu: %d", alignment, sizes[i], result);
            cr_assert_eq((uintptr_t)block % alignment, 0, "alignment %zu: %p", alignment, block);
            test_fill(block, sizes[i], i);
            cr_assert(test_holds(block, sizes[i], i));
            memkind_free(MEMKIND_HBW_HUGETLB, block);
        }
    }
}

Test(hugepages, realloc_keeps_content)
{
    static const size_t steps[] = {1, 100, 20000, MIB, 100000, 3 * MIB, 6 * MIB, 5 * MIB, MIB, 10};
    size_t old_size = 10;
    char *block;

    test_pool_set(2 * MIB, 24);
    block = memkind_malloc(MEMKIND_HUGETLB, old_size);
    test_fill(block, old_size, 0);
    for (size_t i = 0; i < LENGTH(steps); i++) {
        size_t kept = steps[i] < old_size ? steps[i] : old_size;

        block = memkind_realloc(i % 2 ? NULL : MEMKIND_HUGETLB, block, steps[i]);
        cr_assert(block && test_holds(block, kept, i), "to %zu bytes", steps[i]);
        old_size = steps[i];
        test_fill(block, old_size, i + 1);
    }
    errno = TEST_ERRNO;
    cr_assert_null(memkind_realloc(NULL, block, 100 * MIB));
    cr_assert_eq(errno, ENOMEM);
    cr_assert(test_holds(block, old_size, LENGTH(steps)), "a failed realloc lost the content");
}

/* --- used up ---------------------------------------------------------------------------------- */

#define MOST_BLOCKS 256

/* Allocates until nothing is left, fills all blocks and checks them. Returns their number. */
static size_t use_up(memkind_t kind, size_t size, char **blocks)
{
    size_t count = 0;

    for (; count < MOST_BLOCKS; count++) {
        errno = TEST_ERRNO;
        blocks[count] = memkind_malloc(kind, size);
        if (!blocks[count])
            break;
        cr_assert_eq(errno, TEST_ERRNO, "a success changed errno to %d", errno);
        test_fill(blocks[count], size, count);
    }
    cr_assert_lt(count, MOST_BLOCKS, "%zu blocks of %zu bytes: where do they come from?", count,
                 size);
    cr_assert_eq(errno, ENOMEM, "errno %d", errno);
    for (size_t i = 0; i < count; i++)
        cr_assert(test_holds(blocks[i], size, i), "block %zu of %zu bytes", i, size);
    return count;
}

static void free_all(char **blocks, size_t count)
{
    while (count > 0)
        memkind_free(NULL, blocks[--count]);
}

/* Every page can be used, the page after the last is NULL, and freed memory serves again. */
Test(hugepages, used_up_is_enomem)
{
    static char *blocks[MOST_BLOCKS];

    test_pool_set(2 * MIB, 10);
    for (const struct test_kind *kind = NULL; (kind = next_huge(kind, 2 * MIB));) {
        struct test_mask nodes = test_nodes_file("online");
        size_t first, again;
        /* A static kind would keep its pages: a created twin of it gives them back. */
        memkind_t twin = create_huge(kind->policy == MPOL_BIND ? MEMKIND_POLICY_BIND_ALL
                                                               : MEMKIND_POLICY_PREFERRED_LOCAL);

        first = use_up(twin, MIB, blocks);
        cr_assert(first >= 16 || test_mask_count(&nodes) > 1, "%s: only %zu MiB of 20 MiB",
                  kind->name, first);
        cr_assert_eq(test_pool_free(2 * MIB), 0);
        expect_no_memory(kind->name, *kind->variable);
        free_all(blocks, first);
        again = use_up(twin, MIB, blocks);
        cr_assert_eq(again, first, "%s: %zu blocks at first, then %zu", kind->name, first, again);
        cr_assert_eq(memkind_destroy_kind(twin), MEMKIND_SUCCESS);
        cr_assert_eq(test_pool_free(2 * MIB), 10, "%zu pages came back", test_pool_free(2 * MIB));
    }
}

/* Pages of one static kind are not lost for good: unused ones go back and serve another kind. */
Test(hugepages, unused_pages_go_back)
{
    static char *blocks[MOST_BLOCKS];
    size_t count;

    test_pool_set(2 * MIB, 10);
    count = use_up(MEMKIND_HUGETLB, MIB, blocks);
    free_all(blocks, count);
    test_decay(MEMKIND_HUGETLB);
    cr_assert_geq(test_pool_free(2 * MIB), 7, "%zu pages came back", test_pool_free(2 * MIB));
    count = use_up(MEMKIND_HBW_HUGETLB, MIB, blocks);
    cr_assert_geq(count, 12);
    free_all(blocks, count);
    test_decay(MEMKIND_HBW_HUGETLB);
    count = use_up(MEMKIND_HUGETLB, MIB, blocks);
    cr_assert_geq(count, 12);
}

/* Another program takes the pages that went back: NULL again, not a SIGBUS. */
Test(hugepages, pages_taken_by_others_are_enomem)
{
    static char *blocks[MOST_BLOCKS];
    size_t count, left, after;
    char *others;

    test_pool_set(2 * MIB, 12);
    count = use_up(MEMKIND_HBW_HUGETLB, 500000, blocks);
    /* Every third block stays, so that most pages are used in part. */
    for (size_t i = 0; i < count; i++)
        if (i % 12 >= 3)
            memkind_free(NULL, blocks[i]);
    test_decay(MEMKIND_HBW_HUGETLB);
    left = test_pool_free(2 * MIB);
    cr_assert_gt(left, 0, "no page went back: this proves nothing");
    others = mmap(NULL, left * 2 * MIB, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_2M, -1, 0);
    cr_assert_neq(others, MAP_FAILED, "%zu pages: %s", left, strerror(errno));
    memset(others, 1, left * 2 * MIB);
    cr_assert_eq(test_pool_free(2 * MIB), 0);
    for (size_t size = 64; size <= 4 * MIB; size *= 4) {
        static char *more[1 << 16];
        size_t taken = 0;

        while (taken < LENGTH(more) && (more[taken] = memkind_malloc(MEMKIND_HBW_HUGETLB, size))) {
            test_fill(more[taken], size, taken);
            taken++;
        }
        cr_assert(taken == LENGTH(more) || errno == ENOMEM);
        while (taken > 0)
            memkind_free(NULL, more[--taken]);
    }
    for (size_t i = 0; i < count; i++)
        if (i % 12 < 3)
            cr_assert(test_holds(blocks[i], 500000, i), "block %zu", i);
    munmap(others, left * 2 * MIB);
    for (size_t i = 0; i < count; i++)
        if (i % 12 < 3)
            memkind_free(NULL, blocks[i]);
    after = use_up(MEMKIND_HBW_HUGETLB, 500000, blocks);
    cr_assert_geq(after, count - 4, "%zu blocks of %zu again", after, count);
}

/* Zeroes: from pages never used, from memory kept, and from pages given back and taken again. */
Test(hugepages, calloc_zeroes)
{
    static const size_t sizes[] = {100, 20000, 100000, MIB, 3 * MIB, 5 * MIB + 1};
    memkind_t kind;

    test_pool_set(2 * MIB, 64);
    kind = create_simple();
    for (size_t i = 0; i < 3 * LENGTH(sizes); i++) {
        size_t size = sizes[i % LENGTH(sizes)];
        char *blocks[4];

        for (size_t j = 0; j < LENGTH(blocks); j++) {
            blocks[j] = memkind_malloc(kind, size);
            cr_assert(blocks[j], "no block of %zu bytes", size);
            memset(blocks[j], 0xff, memkind_malloc_usable_size(kind, blocks[j]));
        }
        for (size_t j = 0; j < LENGTH(blocks); j++)
            memkind_free(kind, blocks[j]);
        if (i >= LENGTH(sizes))
            test_decay(kind);
        for (size_t j = 0; j < LENGTH(blocks); j++) {
            blocks[j] = memkind_calloc(kind, size, 1);
            cr_assert(blocks[j] && test_is_zero(blocks[j], size), "%zu bytes", size);
        }
        for (size_t j = 0; j < LENGTH(blocks); j++)
            memkind_free(kind, blocks[j]);
    }
}

/* A freed range that begins and ends inside huge pages: the parts of pages read as zeroes, too, and
 * the neighbours keep their content. */
Test(hugepages, calloc_zeroes_parts_of_pages)
{
    enum { PARTS = 9 };

    test_pool_set(2 * MIB, 64);
    for (size_t keep = 0; keep < PARTS - 6; keep++) {
        memkind_t kind = create_simple();
        char *whole = memkind_malloc(kind, PARTS * MIB), *parts[PARTS];
        size_t count = 0, zeroed = 0;

        /* One region, cut into blocks of 1 MiB with a hole of 5 MiB somewhere. */
        cr_assert(whole);
        memkind_free(kind, whole);
        while (count < PARTS && (parts[count] = memkind_malloc(kind, MIB)) != NULL) {
            test_fill(parts[count], MIB, count);
            count++;
        }
        cr_assert_eq(count, PARTS);
        for (size_t i = 0; i < PARTS; i++) {
            if (i >= keep && i < keep + 5) {
                memset(parts[i], 0xff, MIB);
                memkind_free(kind, parts[i]);
            }
        }
        test_decay(kind);
        for (size_t i = keep; i < keep + 5; i++) {
            parts[i] = memkind_calloc(kind, 1, MIB);
            cr_assert(parts[i] && test_is_zero(parts[i], MIB), "%zu kept, part %zu", keep, i);
            zeroed += parts[i] >= whole && parts[i] < whole + PARTS * MIB;
        }
        cr_assert_gt(zeroed, 2, "other memory was used: this proves nothing");
        for (size_t i = 0; i < PARTS; i++)
            if (i < keep || i >= keep + 5)
                cr_assert(test_holds(parts[i], MIB, i), "%zu kept, block %zu", keep, i);
        cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
    }
}

Test(hugepages, destroyed_kind_returns_its_pages)
{
    test_pool_set(2 * MIB, 12);
    for (size_t i = 0; i < 4 * LENGTH(created); i++) {
        memkind_t kind = create_huge(created[i % LENGTH(created)].policy);

        for (size_t j = 0; j < 7; j++) {
            char *block = memkind_malloc(kind, MIB);

            cr_assert(block);
            memset(block, 1, MIB);
            if (j == 3)
                memkind_free(kind, block);
        }
        cr_assert_leq(test_pool_free(2 * MIB), 9);
        cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
        cr_assert_eq(test_pool_free(2 * MIB), 12, "%s: %zu pages came back",
                     created[i % LENGTH(created)].name, test_pool_free(2 * MIB));
    }
}

/* No page is reserved, but the kernel may make some on demand: they count. */
Test(hugepages, overcommitted_pages_serve)
{
    static char *blocks[MOST_BLOCKS];

    test_pool_set(2 * MIB, 0);
    test_pool_overcommit(2 * MIB, 6);
    cr_assert_eq(memkind_check_available(MEMKIND_HUGETLB), MEMKIND_SUCCESS);
    cr_assert_geq(use_up(MEMKIND_HUGETLB, MIB, blocks), 4);
}

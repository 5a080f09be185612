/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_hugepages, continued: kernels that have no page where it is needed, or do not know how to
 * populate without a signal.
 */
#include "support.h"

#include <errno.h>
#include <sys/syscall.h>

#define MOST_BLOCKS 256

/* --- a node without pages --------------------------------------------------------------------- */

struct unpopulated {
    size_t reserved_before, reserved_after;
    int error;
    bool fresh_refused, purged_refused, content;
};

static void use_without_pages(void *argument)
{
    enum { PARTS = 8 };
    struct unpopulated *seen = argument;
    memkind_t kind = NULL;
    char *parts[PARTS], *block;

    if (test_create_kind(MEMKIND_MASK_PAGE_SIZE_2MB, &kind))
        return;
    memkind_free(kind, memkind_malloc(kind, PARTS * MIB));
    for (size_t i = 0; i < PARTS; i++) {
        parts[i] = memkind_malloc(kind, MIB);
        test_fill(parts[i], MIB, i);
    }
    for (size_t i = 1; i < PARTS - 1; i++)
        memkind_free(kind, parts[i]);
    test_decay(kind); /* all in between, but the block that test_decay() itself used last */
    (void)memkind_malloc(kind, 64 * KIB);
    seen->reserved_before = test_pool_free(2 * MIB);
    test_refuse(SYS_madvise, EFAULT, 2, 23); /* what MADV_POPULATE_WRITE says without pages */
    errno = TEST_ERRNO;
    block = memkind_malloc(kind, 3 * MIB);
    seen->purged_refused = !block;
    seen->error = errno;
    seen->fresh_refused =
        !memkind_malloc(MEMKIND_HBW_HUGETLB, 100) && !memkind_calloc(MEMKIND_HUGETLB, 1, 4 * MIB);
    seen->reserved_after = test_pool_free(2 * MIB);
    seen->content = test_holds(parts[0], MIB, 0) && test_holds(parts[PARTS - 1], MIB, PARTS - 1);
}

/*
 * The machine may have pages where the kind's nodes have none: mmap(2) succeeds, and only
 * populating tells. Neither a new region nor purged pages may be handed out then, and nothing is
 * kept.
 */
Test(hugepages, pages_that_cannot_be_populated_are_enomem)
{
    struct unpopulated *seen = test_shared(sizeof *seen);
    struct test_child child;

    test_pool_set(2 * MIB, 16);
    test_run_well(&child, use_without_pages, seen, NULL);
    cr_assert(seen->fresh_refused, "a block in a region that is not populated");
    cr_assert(seen->purged_refused, "a block in purged pages that are not populated");
    cr_assert_eq(seen->error, ENOMEM);
    cr_assert_eq(seen->reserved_after, seen->reserved_before, "pages free: %zu, then %zu",
                 seen->reserved_before, seen->reserved_after);
    cr_assert(seen->content);
}

/* --- an older kernel -------------------------------------------------------------------------- */

struct old_kernel {
    size_t count, again;
    int error;
    bool content;
};

static void use_up_without_populate(void *argument)
{
    struct old_kernel *seen = argument;
    static char *blocks[MOST_BLOCKS];

    test_refuse(SYS_madvise, EINVAL, 2, 23); /* MADV_POPULATE_WRITE and younger advice */
    while (seen->count < MOST_BLOCKS) {
        errno = TEST_ERRNO;
        blocks[seen->count] = memkind_malloc(MEMKIND_HBW_HUGETLB, MIB);
        if (!blocks[seen->count])
            break;
        test_fill(blocks[seen->count], MIB, seen->count);
        seen->count++;
    }
    seen->error = errno;
    seen->content = true;
    for (size_t i = 0; i < seen->count; i++)
        seen->content = seen->content && test_holds(blocks[i], MIB, i);
    for (size_t i = 0; i < seen->count; i++)
        memkind_free(MEMKIND_HBW_HUGETLB, blocks[i]);
    test_decay(MEMKIND_HBW_HUGETLB);
    for (size_t i = 0; i < seen->count; i++) {
        blocks[i] = memkind_calloc(MEMKIND_HBW_HUGETLB, 1, MIB);
        seen->content = seen->content && (!blocks[i] || test_is_zero(blocks[i], MIB));
        seen->again += blocks[i] != NULL;
    }
}

/* Before Linux 5.14 pages cannot be populated without a signal: they are counted beforehand. */
Test(hugepages, no_signal_on_an_old_kernel)
{
    struct old_kernel *seen = test_shared(sizeof *seen);
    struct test_child child;

    test_pool_set(2 * MIB, 8);
    test_run_well(&child, use_up_without_populate, seen, NULL);
    cr_assert(seen->count >= 6 && seen->count < MOST_BLOCKS, "%zu blocks", seen->count);
    cr_assert_eq(seen->error, ENOMEM);
    cr_assert_geq(seen->again, seen->count - 2, "%zu blocks, then %zu", seen->count, seen->again);
    cr_assert(seen->content);
}

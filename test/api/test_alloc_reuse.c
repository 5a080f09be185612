/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_alloc, continued: zeroes, whatever the memory held before, products that wrap, and
 * errno when pages go back.
 */
#include "support.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

/* --- calloc ----------------------------------------------------------------------------------- */

Test(alloc, calloc_overflow_is_enomem)
{
    /* Most of these products wrap around to something small. */
    static const size_t factors[][2] = {
        {SIZE_MAX, 2},
        {SIZE_MAX, SIZE_MAX},
        {SIZE_MAX / 2 + 1, 2},
        {SIZE_MAX / 2 + 2, 2},
        {SIZE_MAX / 4 + 2, 4},
        {SIZE_MAX / 16 + 2, 16},
        {SIZE_MAX / 3 + 2, 3},
        {(size_t)1 << 32, (size_t)1 << 32},
        {((size_t)1 << 32) + 1, ((size_t)1 << 32) + 1},
        {((size_t)1 << 63) + 1, 2},
        {((size_t)1 << 60) + 1, 48},
        {0x100000001, 0xffffffff}, /* SIZE_MAX: fits, but is too large */
        {SIZE_MAX / 4, 4},
    };

    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;) {
        for (size_t i = 0; i < 2 * LENGTH(factors); i++) {
            const size_t *pair = factors[i / 2];

            errno = TEST_ERRNO;
            cr_assert_null(memkind_calloc(*kind->variable, pair[i % 2], pair[!(i % 2)]),
                           "%s: calloc(%zx, %zx)", kind->name, pair[i % 2], pair[!(i % 2)]);
            cr_assert_eq(errno, ENOMEM);
        }
    }
}

/* Zeroes, whatever the memory held before: a cached block, a page kept, a page given back. */
#define REUSED 12

struct reuse {
    unsigned blocks; /* that lie upon a dirtied one */
    unsigned purged; /* dirtied ones that the kernel took back */
};

static void dirty_then_calloc(struct reuse *reuse, const struct test_kind *kind, size_t size,
                              bool purge)
{
    uintptr_t dirtied[REUSED];
    void *blocks[REUSED];

    for (size_t i = 0; i < REUSED; i++) {
        blocks[i] = memkind_malloc(*kind->variable, size);
        cr_assert(blocks[i], "%s: malloc(%zu)", kind->name, size);
        memset(blocks[i], 0xff, memkind_malloc_usable_size(NULL, blocks[i]));
    }
    for (size_t i = 0; i < REUSED; i++) {
        dirtied[i] = (uintptr_t)blocks[i];
        memkind_free(*kind->variable, blocks[i]);
    }
    if (purge)
        test_decay(*kind->variable);
    for (size_t i = 0; i < REUSED; i++)
        reuse->purged += test_page_node((void *)dirtied[i]) < 0;
    for (size_t i = 0; i < REUSED; i++) {
        blocks[i] = memkind_calloc(*kind->variable, i % 2 ? size : 1, i % 2 ? 1 : size);
        cr_assert(blocks[i] && test_is_zero(blocks[i], size), "%s: calloc of %zu bytes%s",
                  kind->name, size, purge ? " after purge" : "");
        for (size_t j = 0; j < REUSED; j++)
            reuse->blocks += (uintptr_t)blocks[i] < dirtied[j] + size &&
                             dirtied[j] < (uintptr_t)blocks[i] + size;
    }
    for (size_t i = 0; i < REUSED; i++)
        memkind_free(*kind->variable, blocks[i]);
}

Test(alloc, calloc_zeroes_reused_memory)
{
    static const size_t sizes[] = {1,     8,     64,    100,   1000, 4096,       14336,
                                   14337, 20000, 32768, 40000, MIB,  2 * MIB + 1};

    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;) {
        struct reuse reuse = {0};

        for (size_t i = 0; i < LENGTH(sizes); i++)
            dirty_then_calloc(&reuse, kind, sizes[i], false);
        cr_assert_gt(reuse.blocks, 0, "no memory was reused: this test proves nothing");
    }
}

Test(alloc, calloc_zeroes_purged_memory)
{
    static const size_t sizes[] = {64, 14337, 40000, MIB};

    for (const struct test_kind *kind = NULL; (kind = test_next_kind(kind)) != NULL;) {
        struct reuse reuse = {0};

        for (size_t i = 0; i < LENGTH(sizes); i++)
            dirty_then_calloc(&reuse, kind, sizes[i], true);
        cr_assert(reuse.blocks && (reuse.purged || test_tbb()), /* TBB purges nothing */
                  "%s: %u reused, %u purged: this proves nothing", kind->name, reuse.blocks,
                  reuse.purged);
    }
}

/* Blocks above 8 MiB, which jemalloc treats in a way of its own by default. */
Test(alloc, calloc_zeroes_huge_blocks)
{
    struct reuse reuse = {0};

    dirty_then_calloc(&reuse, &test_kinds[0], 8 * MIB + 1, false);
    dirty_then_calloc(&reuse, &test_kinds[1], 10 * MIB, false);
    dirty_then_calloc(&reuse, &test_kinds[1], 10 * MIB, true);
    cr_assert(reuse.blocks && (reuse.purged || test_tbb()),
              "%u reused, %u purged: this proves nothing", reuse.blocks, reuse.purged);
}

/* --- free ------------------------------------------------------------------------------------- */

/* Pages go back at once from such a kind, and the kernel refuses that. */
Test(alloc, errno_after_free)
{
    struct memkind_config *config = memkind_config_new();
    void *blocks[8];
    memkind_t kind;

    memkind_config_set_path(config, "/tmp");
    memkind_config_set_memory_usage_policy(config, MEMKIND_MEM_USAGE_POLICY_CONSERVATIVE);
    cr_assert_eq(memkind_create_pmem_with_config(config, &kind), MEMKIND_SUCCESS);
    for (size_t i = 0; i < LENGTH(blocks); i++)
        cr_assert_not_null(blocks[i] = memkind_malloc(kind, 4 * MIB));
    test_refuse(SYS_fallocate, EPERM, 1, 1); /* holes */
    for (size_t i = 0; i < LENGTH(blocks); i++) {
        errno = TEST_ERRNO;
        if (i % 2)
            memkind_free(kind, blocks[i]);
        else
            cr_assert_null(memkind_realloc(NULL, blocks[i], 0));
        cr_assert_eq(errno, TEST_ERRNO, "block %zu: errno is %d", i, errno);
    }
    memkind_config_delete(config);
    cr_assert_eq(memkind_destroy_kind(kind), MEMKIND_SUCCESS);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Operations on kinds as a whole: placement, exhaustion, giving back, statistics, the end of a
 * kind. See matrix.h; threads and fork are in matrix_processes.c. */
#include "matrix.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PREFERRED_MANY 5      /* MPOL_PREFERRED_MANY, Linux 5.15 */
#define WEIGHTED_INTERLEAVE 6 /* MPOL_WEIGHTED_INTERLEAVE, Linux 6.9 */

/* --- questions -------------------------------------------------------------------------------- */

static void op_check_available(struct cell *cell)
{
    NEED(memkind_check_available(cell->kind) == MEMKIND_SUCCESS, "%d",
         memkind_check_available(cell->kind));
    NEED(memkind_check_available(NULL) == MEMKIND_ERROR_INVALID, "of NULL");
}

/* The size of the file system, where a PMEM kind has no limit. */
static size_t directory_size(void)
{
    struct statvfs system;

    return statvfs(recipe_directory(), &system) ? 0 : (size_t)system.f_blocks * system.f_frsize;
}

static void op_get_capacity(struct cell *cell)
{
    const struct recipe *recipe = cell->recipe;
    ssize_t capacity = memkind_get_capacity(cell->kind);
    size_t least = 1, most = (size_t)1 << 50;

    if (recipe->sort == RECIPE_FIXED) {
        most = cell->made.area_size;
        least = most - 2 * 4096; /* whole pages of it */
    } else if (recipe->sort == RECIPE_PMEM) {
        least = most = recipe->limit ? recipe->limit : directory_size();
    } else if (recipe->page_size) {
        least = most = cell->room; /* the pool */
    }
    NEED(capacity >= (ssize_t)least && capacity <= (ssize_t)most, "%zd, expected %zu to %zu",
         capacity, least, most);
    NEED(memkind_get_capacity(NULL) == -1, "of NULL");
}

/* --- placement -------------------------------------------------------------------------------- */

static int expected_policy(const struct recipe *recipe)
{
    if (recipe->sort > RECIPE_NODES)
        return MPOL_DEFAULT;
    for (size_t i = 0; i < LENGTH(test_kinds); i++)
        if (recipe->variable == test_kinds[i].variable)
            return test_kinds[i].policy;
    switch (recipe->policy) {
    case MEMKIND_POLICY_PREFERRED_LOCAL:
        return MPOL_PREFERRED;
    case MEMKIND_POLICY_INTERLEAVE_ALL:
        return MPOL_INTERLEAVE;
    case MEMKIND_POLICY_WEIGHTED_INTERLEAVE_ALL:
        return WEIGHTED_INTERLEAVE;
    default:
        return MPOL_BIND;
    }
}

/* The kernel's word: page size and policy of the block's mapping. */
static void op_placement(struct cell *cell)
{
    static const size_t sizes[] = {64, 20000, 5 * MIB};
    size_t page_size = cell->recipe->page_size ? cell->recipe->page_size : 4096;

    for (size_t i = 0; i < LENGTH(sizes); i++) {
        struct test_mapping mapping;
        struct test_mask nodes;
        char *block = memkind_malloc(cell->kind, sizes[i]);
        int policy, expected = expected_policy(cell->recipe);

        NEED(block, "malloc(%zu)", sizes[i]);
        memset(block, 1, sizes[i]);
        NEED(recipe_covers(&cell->made, block), "%p is not in the kind's memory", (void *)block);
        NEED(test_find_mapping(block, &mapping), "%p is not mapped", (void *)block);
        NEED(mapping.page_size == page_size, "pages of %zu bytes", mapping.page_size);
        policy = test_policy(block, &nodes);
        if (policy == PREFERRED_MANY)
            policy = MPOL_PREFERRED;
        if (policy == MPOL_INTERLEAVE && expected == WEIGHTED_INTERLEAVE)
            policy = WEIGHTED_INTERLEAVE; /* the kernel has no other */
        NEED(policy == expected, "policy %d, expected %d", policy, expected);
        if (cell->recipe->sort == RECIPE_PMEM)
            NEED(strstr(mapping.name, "(deleted)"), "the mapping is \"%s\"", mapping.name);
        memkind_free(cell->kind, block);
    }
}

/* --- exhaustion ------------------------------------------------------------------------------- */

#define MOST_BLOCKS 16384

/* Both ends of a block tell whether another one lies upon it. */
#define END_SIZE 64

static void ends_set(struct block *block, size_t seed)
{
    size_t end = block->size < END_SIZE ? block->size : END_SIZE;

    block->seed = seed;
    test_fill(block->at, end, seed);
    test_fill(block->at + block->size - end, end, seed);
}

static bool ends_hold(const struct block *block)
{
    size_t end = block->size < END_SIZE ? block->size : END_SIZE;

    return test_holds(block->at + block->size - end, end, block->seed) &&
           (block->size < 2 * end || test_holds(block->at, end, block->seed));
}

/* Takes blocks into the free places until there are no more; the sum of usable bytes. */
static size_t take_all(struct cell *cell, struct block *blocks, size_t size)
{
    size_t sum = 0;

    for (size_t i = 0; i < MOST_BLOCKS; i++) {
        if (blocks[i].at)
            continue;
        errno = TEST_ERRNO;
        blocks[i].at = memkind_malloc(cell->kind, size);
        if (!blocks[i].at) {
            NEED(errno == ENOMEM, "no block: errno %d", errno);
            return sum;
        }
        NEED(recipe_covers(&cell->made, blocks[i].at), "not in the kind's memory");
        blocks[i].size = size;
        ends_set(&blocks[i], i);
        sum += memkind_malloc_usable_size(cell->kind, blocks[i].at);
    }
    NEED(false, "%zu blocks of %zu bytes and no end", (size_t)MOST_BLOCKS, size);
    return 0;
}

static size_t free_every(struct cell *cell, struct block *blocks, size_t step)
{
    size_t sum = 0;

    for (size_t i = 0; i < MOST_BLOCKS; i += step) {
        if (!blocks[i].at)
            continue;
        NEED(ends_hold(&blocks[i]), "block %zu was overwritten", i);
        sum += memkind_malloc_usable_size(cell->kind, blocks[i].at);
        memkind_free(i % 3 ? cell->kind : NULL, blocks[i].at);
        blocks[i].at = NULL;
    }
    return sum;
}

/* A kind without a limit of its own meets one of the kernel's. */
static void restrict_process(struct cell *cell)
{
    struct rlimit file_size = {64 * MIB, 64 * MIB};

    if (cell->recipe->sort == RECIPE_PMEM)
        NEED(setrlimit(RLIMIT_FSIZE, &file_size) == 0, "setrlimit: %s", strerror(errno));
    else
        test_refuse(SYS_mmap, ENOMEM, 1, MIB);
}

/* How full blocks of 64 KiB make a kind. Where TBB knows of no limit, it takes 72 KiB for one. */
static size_t fill_percent(const struct cell *cell)
{
    return cell->tbb && cell->recipe->sort == RECIPE_CUSTOM ? 80 : 90;
}

static void op_exhaustion(struct cell *cell)
{
    bool unlimited = !cell->recipe->limit && !cell->recipe->page_size;
    size_t size = cell->recipe->page_size == GIB ? 200 * MIB : 64 * KIB;
    struct block *blocks = blocks_new(cell, MOST_BLOCKS);
    size_t first, half, again;
    struct block large;

    if (unlimited) {
        for (size_t i = 0; i < 256; i++) /* what it has then, it still has */
            blocks[i].at = memkind_malloc(cell->kind, blocks[i].size = size);
        for (size_t i = 0; i < 256; i++) {
            memkind_free(cell->kind, blocks[i].at);
            blocks[i].at = NULL;
        }
        restrict_process(cell);
    }
    first = take_all(cell, blocks, size);
    NEED(unlimited || first >= cell->room / 100 * (size < MIB ? fill_percent(cell) : 50),
         "%zu bytes in blocks of %zu, of %zu", first, size, cell->room);
    NEED(first >= 128 * size || cell->recipe->page_size == GIB,
         "%zu bytes, although 256 blocks of %zu were freed before", first, size);
    half = free_every(cell, blocks, 2);
    again = take_all(cell, blocks, size);
    NEED(again >= half / 100 * 95, "%zu bytes freed, %zu had again", half, again);
    free_every(cell, blocks, 1);
    if (!unlimited) { /* serves for what is larger: at once, or when whole regions went back */
        void *at = memkind_malloc(cell->kind, 64 * MIB);

        if (!at && cell->recipe->sort != RECIPE_FIXED && cell->recipe->sort != RECIPE_PMEM) {
            test_decay(cell->kind);
            at = memkind_malloc(cell->kind, 64 * MIB);
        }
        block_set(cell, &large, at, 64 * MIB, 5);
        block_end(cell, &large, false);
    }
    again = take_all(cell, blocks, size);
    /* Of two pages a block is an eighth, and one of 64 MiB may have left them apart. */
    if (cell->recipe->page_size == GIB && again < first)
        again += first / 8;
    NEED(again >= first / 100 * 90, "%zu bytes at first, %zu later", first, again);
    free_every(cell, blocks, 1);
}

/* --- giving back ------------------------------------------------------------------------------ */

#define GIVEN 48

static void op_give_back(struct cell *cell)
{
    const struct recipe *recipe = cell->recipe;
    bool conservative = recipe->conservative && !cell->tbb;
    struct block blocks[GIVEN];
    void *addresses[GIVEN];
    size_t present = 0, pool = 0;

    if (recipe->page_size && recipe->sort != RECIPE_FIXED)
        pool = test_pool_free(recipe->page_size);
    for (size_t i = 0; i < GIVEN; i++) {
        block_set(cell, &blocks[i], memkind_malloc(cell->kind, MIB), MIB, i);
        addresses[i] = blocks[i].at;
    }
    for (size_t i = 0; i < GIVEN; i++)
        block_end(cell, &blocks[i], i % 2);
    if (!conservative)
        test_decay(cell->kind);
    for (size_t i = 0; i < GIVEN; i++)
        present += test_page_node(addresses[i]) >= 0;
    if (recipe->sort == RECIPE_FIXED)
        NEED(present == GIVEN, "pages of the caller's area were discarded");
    else if (recipe->page_size == 2 * MIB)
        NEED(test_pool_free(2 * MIB) + GIVEN / 4 >= pool, "%zu huge pages free before, %zu after",
             pool, test_pool_free(2 * MIB));
    else if (!recipe->page_size && (recipe->sort != RECIPE_CUSTOM || recipe->purge))
        NEED(present <= GIVEN / 4, "%zu of %d blocks still have their pages", present, GIVEN);
    block_set(cell, &blocks[0], memkind_malloc(cell->kind, 20 * MIB), 20 * MIB, 1);
    block_end(cell, &blocks[0], false);
}

/* --- defragmentation, background threads ------------------------------------------------------ */

#define SPARSE 20000

static void op_defrag(struct cell *cell)
{
    struct block *blocks = blocks_new(cell, SPARSE);
    size_t moved = 0;

    NEED(!memkind_defrag_reallocate(cell->kind, NULL), "of NULL");
    for (size_t i = 0; i < SPARSE; i++)
        block_set(cell, &blocks[i], memkind_malloc(cell->kind, 200), 200, i);
    for (size_t i = 0; i < SPARSE; i++)
        if (i % 10 != i / 1000 % 10)
            block_end(cell, &blocks[i], false);
    for (size_t i = 0; i < SPARSE; i++) {
        size_t usable = blocks[i].at ? memkind_malloc_usable_size(NULL, blocks[i].at) : 0;
        void *at = blocks[i].at ? memkind_defrag_reallocate(i % 3 ? cell->kind : NULL, blocks[i].at)
                                : NULL;

        if (!at)
            continue;
        NEED(at != blocks[i].at && memkind_detect_kind(at) == cell->kind, "moved to %p", at);
        NEED(memkind_malloc_usable_size(NULL, at) == usable, "another size");
        blocks[i].at = at;
        moved++;
    }
    /* libtbbmalloc does not tell how full its slabs are. */
    NEED(cell->tbb || moved > 0, "no block was moved");
    for (size_t i = 0; i < SPARSE; i++)
        block_end(cell, &blocks[i], i % 2);
}

static void op_background_threads(struct cell *cell)
{
    struct block block;

    for (int round = 0; round < 2; round++) {
        NEED(memkind_set_bg_threads(true) == MEMKIND_SUCCESS, "on, round %d", round);
        block_set(cell, &block, memkind_malloc(cell->kind, 3 * MIB), 3 * MIB, 1);
        block_end(cell, &block, false);
        NEED(memkind_set_bg_threads(false) == MEMKIND_SUCCESS, "off, round %d", round);
    }
}

/* --- the end of a kind ------------------------------------------------------------------------ */

static void use_and_leave(struct cell *cell, size_t round)
{
    for (size_t i = 0; i < 300; i++) {
        size_t size = i % 100 ? 1 + (i * round * 37) % 20000 : MIB;
        char *block = memkind_malloc(cell->kind, size);

        NEED(block, "round %zu: malloc(%zu)", round, size);
        memset(block, 0x55, size);
        if (i % 3 == 0)
            memkind_free(cell->kind, block);
    }
}

static void op_destroy(struct cell *cell)
{
    size_t descriptors = 0, mappings = 0;

    if (cell->recipe->sort == RECIPE_STATIC) {
        struct block block;

        block_set(cell, &block, memkind_malloc(cell->kind, 1000), 1000, 1);
        NEED(memkind_destroy_kind(cell->kind) == MEMKIND_SUCCESS, "a static kind");
        NEED(memkind_check_available(cell->kind) == MEMKIND_SUCCESS,
             "it is not available any more");
        block_end(cell, &block, true);
        return;
    }
    for (size_t round = 1; round <= 12; round++) {
        memkind_t old = cell->kind;
        const char *wrong;
        int code;

        use_and_leave(cell, round);
        wrong = recipe_unmake(&cell->made);
        NEED(!wrong, "%s", wrong);
        NEED(memkind_destroy_kind(old) == MEMKIND_ERROR_INVALID, "destroyed twice");
        if (round == 3) {
            descriptors = test_descriptors();
            mappings = test_mappings();
        }
        if (round == 12) {
            NEED(test_descriptors() == descriptors, "%zu descriptors, later %zu", descriptors,
                 test_descriptors());
            NEED(TEST_SANITIZED || test_mappings() <= mappings + 3, "%zu mappings, later %zu",
                 mappings, test_mappings());
        }
        code = recipe_make(cell->recipe, &cell->made);
        NEED(code == MEMKIND_SUCCESS, "round %zu: created again: %d", round, code);
        cell->kind = cell->made.kind;
        NEED(cell_stat(cell, cell->kind, MEMKIND_STAT_TYPE_ALLOCATED) == 0,
             "blocks of another kind");
    }
}

/* --- limits, trimming, a machine that changes ------------------------------------------------- */

#define MORE_THAN_ANY_LIMIT ((size_t)3 * GIB)

static void op_set_limit(struct cell *cell)
{
    ssize_t capacity = memkind_get_capacity(cell->kind);
    struct block before, after;

    block_set(cell, &before, memkind_malloc(cell->kind, 1000), 1000, 1);
    NEED(memkind_set_limit(cell->kind, MIB) == MEMKIND_SUCCESS, "a limit of 1 MiB");
    NEED(memkind_get_capacity(cell->kind) <= (ssize_t)MIB, "a capacity of %zd",
         memkind_get_capacity(cell->kind));
    errno = 0;
    NEED(!memkind_malloc(cell->kind, MORE_THAN_ANY_LIMIT) && errno == ENOMEM, "errno %d", errno);
    NEED(memkind_set_limit(cell->kind, 0) == MEMKIND_SUCCESS, "no limit");
    NEED(memkind_get_capacity(cell->kind) == capacity, "%zd is not %zd again",
         memkind_get_capacity(cell->kind), capacity);
    block_set(cell, &after, memkind_malloc(cell->kind, 1000), 1000, 2);
    block_end(cell, &before, false);
    block_end(cell, &after, true);
    NEED(memkind_set_limit(NULL, MIB) == MEMKIND_ERROR_INVALID, "of NULL");
}

static void op_trim(struct cell *cell)
{
    size_t size = cell->room / 4 < 4 * MIB ? cell->room / 4 : 4 * MIB;
    struct block kept, freed;

    block_set(cell, &kept, memkind_malloc(cell->kind, 1000), 1000, 1);
    block_set(cell, &freed, memkind_malloc(cell->kind, size), size, 2);
    block_end(cell, &freed, false);
    NEED(memkind_trim(cell->kind) >= 0, "of the kind");
    NEED(memkind_trim(NULL) >= 0, "of all");
    block_set(cell, &freed, memkind_calloc(cell->kind, 1, size), size, 3);
    block_end(cell, &freed, true);
    block_end(cell, &kept, false);
}

static void op_refresh(struct cell *cell)
{
    struct block before, after;

    block_set(cell, &before, memkind_malloc(cell->kind, 1000), 1000, 1);
    NEED(memkind_refresh() == MEMKIND_SUCCESS, "%d", memkind_refresh());
    block_set(cell, &after, memkind_malloc(cell->kind, 1000), 1000, 2);
    block_end(cell, &before, true);
    block_end(cell, &after, false);
}

const struct operation matrix_kind_operations[] = {
    {"check_available", " check_available ", op_check_available},
    {"get_capacity", " get_capacity ", op_get_capacity},
    {"placement of pages", " create_kind create_nodes create_pmem create_fixed create_custom ",
     op_placement},
    {"exhaustion", " malloc free ", op_exhaustion},
    {"giving back", " free create_pmem_with_config ", op_give_back},
    {"defrag_reallocate", " defrag_reallocate ", op_defrag},
    {"set_bg_threads", " set_bg_threads ", op_background_threads},
    {"set_limit", " set_limit ", op_set_limit},
    {"trim", " trim ", op_trim},
    {"refresh", " refresh ", op_refresh},
    {"destroy_kind with blocks", " destroy_kind ", op_destroy},
};
const size_t matrix_kind_operation_count = LENGTH(matrix_kind_operations);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_leftovers: a create function that fails leaves nothing behind: no kind, no descriptor, no
 * mapping. It fails over wrong arguments, and, for every way of creating, over limits of the
 * process that stop it, or the kind's first block, at any step.
 */
#include "recipes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(leftovers, .init = test_with_nodes, .timeout = 280);

/* --- what there is ---------------------------------------------------------------------------- */

struct inventory {
    size_t descriptors, mappings, address_space;
};

static struct inventory take_stock(void)
{
    return (struct inventory){test_descriptors(), test_mappings(), test_virtual()};
}

/* NULL, or what is more than before. */
static const char *more_than(const struct inventory *before)
{
    static char text[160];
    struct inventory now = take_stock();

    if (now.descriptors == before->descriptors &&
        (TEST_SANITIZED ||
         (now.mappings <= before->mappings && now.address_space <= before->address_space)))
        return NULL;
    snprintf(text, sizeof text, "%zu descriptors, %zu mappings, %zu bytes; now %zu, %zu, %zu",
             before->descriptors, before->mappings, before->address_space, now.descriptors,
             now.mappings, now.address_space);
    return text;
}

/* --- wrong arguments -------------------------------------------------------------------------- */

static char area[20 * MIB] __attribute__((aligned(4096)));
static const struct memkind_page_ops no_functions;

static int wrong_kind(int row, memkind_t *kind)
{
    static const struct {
        int memtype, policy, flags;
    } rows[] = {{0, 0, 0}, {1, 0, 0}, {2, 3, 0}, {4, 0, 0}, {1, 2, 1}, {1, 2, 256}, {3, 4, 21}};

    if (row == 7)
        return memkind_create_kind(MEMKIND_MEMTYPE_DEFAULT, MEMKIND_POLICY_PREFERRED_LOCAL,
                                   (memkind_bits_t)0, NULL);
    return row > 7 ? 1
                   : memkind_create_kind((memkind_memtype_t)rows[row].memtype,
                                         (memkind_policy_t)rows[row].policy,
                                         (memkind_bits_t)rows[row].flags, kind);
}

static int wrong_nodes(int row, memkind_t *kind)
{
    static const char *const lists[] = {NULL, "", "x", "0-", "-1", "1023", "0,,1", "99999999999"};

    if (row == 8)
        return memkind_create_nodes("all", MEMKIND_POLICY_BIND_ALL, (memkind_bits_t)0, NULL);
    if (row == 9)
        return memkind_create_nodes("all", MEMKIND_POLICY_MAX_VALUE, (memkind_bits_t)0, kind);
    if (row == 10)
        return memkind_create_nodes("all", MEMKIND_POLICY_INTERLEAVE_ALL,
                                    MEMKIND_MASK_PAGE_SIZE_2MB, kind);
    return row > 10
               ? 1
               : memkind_create_nodes(lists[row], MEMKIND_POLICY_BIND_ALL, (memkind_bits_t)0, kind);
}

static int wrong_pmem(int row, memkind_t *kind)
{
    static const char *const directories[] = {NULL, "/nonexistent", "/dev/null", "/proc", ""};

    if (row == 5)
        return memkind_create_pmem(recipe_directory(), 0, NULL);
    if (row == 6)
        return memkind_create_pmem(recipe_directory(), MEMKIND_PMEM_MIN_SIZE - 1, kind);
    return row > 6 ? 1 : memkind_create_pmem(directories[row], 0, kind);
}

static int wrong_config(int row, memkind_t *kind)
{
    struct memkind_config *config = row ? memkind_config_new() : NULL;
    int code;

    if (row > 4) {
        memkind_config_delete(config);
        return 1;
    }
    if (row > 1)
        memkind_config_set_path(config, row == 2 ? "/nonexistent" : recipe_directory());
    if (row == 3)
        memkind_config_set_size(config, 5);
    if (row == 4)
        memkind_config_set_memory_usage_policy(config, MEMKIND_MEM_USAGE_POLICY_MAX_VALUE);
    code = memkind_create_pmem_with_config(config, kind);
    memkind_config_delete(config);
    return code;
}

static int wrong_fixed(int row, memkind_t *kind)
{
    static const char constant[4096] = "not writable";

    switch (row) {
    case 0:
        return memkind_create_fixed(NULL, sizeof area, kind);
    case 1:
        return memkind_create_fixed(area, MEMKIND_FIXED_MIN_SIZE - 1, kind);
    case 2:
        return memkind_create_fixed(area, 0, kind);
    case 3:
        return memkind_create_fixed(area, SIZE_MAX, kind);
    case 4:
        return memkind_create_fixed((void *)(uintptr_t)4096, sizeof area, kind);
    case 5:
        return memkind_create_fixed((void *)(UINTPTR_MAX - MIB), sizeof area, kind);
    case 6:
        return memkind_create_fixed(area, sizeof area, NULL);
    case 7:
        return memkind_create_fixed((void *)(uintptr_t)constant, sizeof area, kind);
    case 8:
        return memkind_create_fixed((void *)(uintptr_t)0xffff800000000000, sizeof area, kind);
    default:
        return 1;
    }
}

static void *give(void *context, size_t size, size_t alignment)
{
    (void)context;
    (void)size;
    (void)alignment;
    return NULL;
}

static void take(void *context, void *address, size_t size)
{
    (void)context;
    (void)address;
    (void)size;
}

static int wrong_custom(int row, memkind_t *kind)
{
    const struct memkind_page_ops rows[] = {no_functions, {give, NULL, NULL}, {NULL, take, NULL}};
    const struct memkind_page_ops good = {give, take, NULL};

    if (row == 3)
        return memkind_create_custom(NULL, NULL, kind);
    if (row == 4)
        return memkind_create_custom(&good, NULL, NULL);
    return row > 4 ? 1 : memkind_create_custom(&rows[row], NULL, kind);
}

/* Rows count up from 0 and end with a positive result. */
static const struct {
    const char *name;
    int (*create)(int row, memkind_t *kind);
} wrongs[] = {
    {"create_kind", wrong_kind},   {"create_nodes", wrong_nodes},
    {"create_pmem", wrong_pmem},   {"create_pmem_with_config", wrong_config},
    {"create_fixed", wrong_fixed}, {"create_custom", wrong_custom},
};

static memkind_t make_simple(void)
{
    memkind_t kind = NULL;

    cr_assert_eq(test_create_kind((memkind_bits_t)0, &kind), MEMKIND_SUCCESS);
    return kind;
}

Test(leftovers, wrong_arguments)
{
    struct inventory before = {0};
    memkind_t first = make_simple(), untouched = (memkind_t)(void *)area;

    memkind_destroy_kind(first);
    for (int round = 0; round < 30; round++) {
        if (round == 2)
            before = take_stock();
        for (size_t i = 0; i < LENGTH(wrongs); i++) {
            int code = -1;

            for (int row = 0; code <= 0; row++) {
                memkind_t kind = untouched;

                code = wrongs[i].create(row, &kind);
                cr_assert_neq(code, MEMKIND_SUCCESS, "%s, row %d", wrongs[i].name, row);
                cr_assert(code > 0 || code == MEMKIND_ERROR_INVALID ||
                              code == MEMKIND_ERROR_UNAVAILABLE,
                          "%s, row %d: %d", wrongs[i].name, row, code);
                cr_assert_eq(kind, untouched, "%s, row %d: a handle", wrongs[i].name, row);
            }
        }
    }
    cr_assert(!more_than(&before), "%s", more_than(&before));
    cr_assert_eq(make_simple(), first, "a failed create took the place of a kind");
    for (size_t i = 1; i < MEMKIND_MAX_KIND; i++)
        make_simple();
}

static void create_with_wrong_arenas(void *argument)
{
    int *codes = argument;
    struct inventory before = {0};

    for (int round = 0; round < 5; round++) {
        if (round == 1)
            before = take_stock();
        for (size_t i = 0; i < recipe_count; i++) {
            struct made made;

            if (recipes[i].sort != RECIPE_STATIC && !recipes[i].page_size)
                codes[i] = recipe_make(&recipes[i], &made);
        }
    }
    if (more_than(&before)) {
        fputs(more_than(&before), stderr);
        _exit(1);
    }
}

Test(leftovers, wrong_environment)
{
    static const char *const environment[] = {"MEMKIND_ARENA_NUM_PER_KIND=0", NULL};
    int *codes = test_shared(recipe_count * sizeof *codes);
    struct test_child child;

    test_run_well(&child, create_with_wrong_arenas, codes, environment);
    for (size_t i = 0; i < recipe_count; i++)
        if (recipes[i].sort != RECIPE_STATIC && !recipes[i].page_size)
            cr_assert_eq(codes[i], MEMKIND_ERROR_ENVIRON, "%s: %d", recipes[i].name, codes[i]);
}

/* --- limits of the process -------------------------------------------------------------------- */

struct attempt {
    const struct recipe *recipe;
    int resource;
    char wrong[256];
    unsigned refused, no_block, worked;
};

static void *area_kept; /* fixed: made before the limit, so that the library is what it stops */

static int make_limited(const struct recipe *recipe, struct made *made)
{
    if (recipe->sort != RECIPE_FIXED)
        return recipe_make(recipe, made);
    memset(made, 0, sizeof *made);
    made->recipe = recipe;
    return memkind_create_fixed(area_kept, 64 * MIB, &made->kind);
}

static const char *unmake_limited(struct made *made)
{
    if (made->recipe->sort != RECIPE_FIXED)
        return recipe_unmake(made);
    return memkind_destroy_kind(made->kind) ? "destroy_kind failed" : NULL;
}

/* The number that the next open(2) gives: those that are smaller are no help against a limit. */
static rlim_t first_descriptor(void)
{
    int file = dup(STDERR_FILENO);

    close(file);
    return (rlim_t)file;
}

/* Creates a kind and uses it with so much more of the resource than there is now. */
static void try_with(struct attempt *attempt, rlim_t more)
{
    static const size_t sizes[] = {100, 5000, 100000, 3 * MIB};
    struct rlimit old, limited;
    struct made made;
    bool all = true;
    int code;

    getrlimit((__rlimit_resource_t)attempt->resource, &old);
    limited = old;
    if (attempt->resource == RLIMIT_AS)
        more += test_virtual();
    else if (attempt->resource == RLIMIT_NOFILE)
        more += first_descriptor();
    limited.rlim_cur = more;
    setrlimit((__rlimit_resource_t)attempt->resource, &limited);
    code = make_limited(attempt->recipe, &made);
    for (size_t i = 0; i < LENGTH(sizes) && !code; i++) {
        char *block;

        errno = TEST_ERRNO;
        block = memkind_malloc(made.kind, sizes[i]);
        if (block) {
            memset(block, 1, sizes[i]);
            if (i % 2)
                memkind_free(made.kind, block);
            continue;
        }
        all = false;
        if (errno != ENOMEM)
            snprintf(attempt->wrong, sizeof attempt->wrong, "no block: errno %d", errno);
    }
    setrlimit((__rlimit_resource_t)attempt->resource, &old);
    attempt->refused += code != 0;
    attempt->no_block += !code && !all;
    attempt->worked += !code && all;
    if (code == MEMKIND_ERROR_TOOMANY || code > 0)
        snprintf(attempt->wrong, sizeof attempt->wrong, "created: %d", code);
    if (!code && unmake_limited(&made))
        snprintf(attempt->wrong, sizeof attempt->wrong, "not destroyed");
}

static void attempt_all(void *argument)
{
    static const rlim_t steps[][12] = {
        {0, 64 * KIB, 256 * KIB, MIB, 2 * MIB, 3 * MIB, 4 * MIB, 6 * MIB, 8 * MIB, 16 * MIB,
         64 * MIB, 1024 * GIB},
        {0, 1, 2, 3, 100, 100, 100, 100, 100, 100, 100, 100},
        {0, 4096, MIB, 2 * MIB, 3 * MIB, 4 * MIB, 6 * MIB, 8 * MIB, 16 * MIB, 32 * MIB, 64 * MIB,
         1024 * GIB},
    };
    struct attempt *attempt = argument;
    const rlim_t *row = steps[attempt->resource == RLIMIT_AS       ? 0
                              : attempt->resource == RLIMIT_NOFILE ? 1
                                                                   : 2];
    struct inventory before = {0};

    area_kept = mmap(NULL, 64 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int round = 0; round < 4 && !attempt->wrong[0]; round++) {
        if (round == 2)
            before = take_stock();
        for (size_t i = LENGTH(steps[0]); i-- > 0 && !attempt->wrong[0];)
            try_with(attempt, row[i]);
    }
    if (!attempt->wrong[0] && more_than(&before))
        snprintf(attempt->wrong, sizeof attempt->wrong, "%s", more_than(&before));
}

static void try_all(int resource, const char *name, bool only_files)
{
    struct attempt *attempt = test_shared(sizeof *attempt);
    unsigned failures = 0;

    for (size_t i = 0; i < recipe_count; i++) {
        static struct test_child child;

        if (recipes[i].sort == RECIPE_STATIC || recipes[i].page_size)
            continue;
        memset(attempt, 0, sizeof *attempt);
        attempt->recipe = &recipes[i];
        attempt->resource = resource;
        test_run_well(&child, attempt_all, attempt, NULL);
        cr_expect(!attempt->wrong[0], "%s, %s: %s", recipes[i].name, name, attempt->wrong);
        cr_expect_gt(attempt->worked, 0, "%s, %s: never worked", recipes[i].name, name);
        if (!only_files || recipes[i].sort == RECIPE_PMEM)
            failures += attempt->refused + attempt->no_block;
    }
    cr_assert_gt(failures, 0, "%s stopped nothing: this test proves nothing", name);
}

Test(leftovers, address_space)
{
    if (TEST_SANITIZED)
        test_skip("sanitizers cannot live with a limit of the address space");
    try_all(RLIMIT_AS, "RLIMIT_AS", false);
}

Test(leftovers, descriptors)
{
    try_all(RLIMIT_NOFILE, "RLIMIT_NOFILE", true);
}

Test(leftovers, file_size)
{
    try_all(RLIMIT_FSIZE, "RLIMIT_FSIZE", true);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_misuse: what MEMKIND_CHECK finds. Each row is a run of misuse_program, which does one thing
 * wrong, and the line that it has to end in; nothing else may be told. docs/check.md has the same
 * table for readers.
 */
#include "support.h"

#include <memkind.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

TestSuite(misuse, .init = test_bare, .timeout = 120);

/* --- the program ------------------------------------------------------------------------------ */

struct run {
    const char *misuse, *kind;
};

static void run_program(void *argument)
{
    const struct run *run = argument;

    execl(MEMKIND_TEST_MISUSE, MEMKIND_TEST_MISUSE, run->misuse, run->kind, NULL);
    _exit(127);
}

/* The first lines of reports, without their common beginning, a line each. */
static void find_reports(const char *errors, char *found, size_t size)
{
    static const char mark[] = "MEMKIND: check: ";

    *found = '\0';
    while ((errors = strstr(errors, mark)) != NULL && strlen(found) < size / 2) {
        size_t length;

        errors += sizeof mark - 1;
        length = strcspn(errors, "\n");
        snprintf(found + strlen(found), size - strlen(found), "%.*s\n", (int)length, errors);
    }
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;

    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

static void expect(const char *level, const struct run *run, int status, size_t reports,
                   const char *expression)
{
    const char *const environment[] = {level, NULL};
    static struct test_child child;
    char found[2048];

    test_run(&child, run_program, (void *)run, environment);
    find_reports(child.errors, found, sizeof found);
    cr_expect_eq(child.status, status, "%s, %s: ended with %#x\n%s", run->misuse, run->kind,
                 child.status, child.errors);
    cr_expect_eq(count_lines(found), reports, "%s, %s: %zu reports wanted\n%s", run->misuse,
                 run->kind, reports, child.errors);
    cr_expect(!expression || test_line(found, expression), "%s, %s: nothing like %s in\n%s",
              run->misuse, run->kind, expression, child.errors);
}

/* --- level 2 ---------------------------------------------------------------------------------- */

#define BLOCK "a block of 100 bytes of "

static const struct {
    const char *misuse;
    size_t reports;
    const char *expression;
} all[] = {
    {"overflow", 1, "^overflow: 0x[0-9a-f]+, 0 bytes after the end of " BLOCK},
    {"overflow_far", 1, "^overflow: .*, 20 bytes after the end of " BLOCK},
    {"overflow_large", 1, "^overflow: .*, 0 bytes after the end of a block of 3000001 bytes of "},
    {"overflow_aligned", 1, "^overflow: .*, 0 bytes after the end of " BLOCK},
    {"overflow_calloc", 1, "^overflow: .*, 0 bytes after the end of a block of 300 bytes of "},
    {"overflow_realloc", 1, "^overflow: .*, 0 bytes after the end of a block of 2000 bytes of "},
    {"overflow_unfreed", 2, "^overflow: .*, 0 bytes after the end of " BLOCK},
    {"overflow_destroyed", 1, "^overflow: .*, 0 bytes after the end of " BLOCK "nodes:"},
    {"underflow", 1, "^underflow: .*, 1 bytes before " BLOCK},
    {"write_after_free", 1, "^write after free: .*, 10 bytes into " BLOCK},
    {"write_after_free_at_exit", 1, "^write after free: .*, 10 bytes into " BLOCK},
    {"write_after_realloc", 1, "^write after free: .*, the start of " BLOCK},
    {"double_free", 1, "^double free: 0x[0-9a-f]+, the start of " BLOCK},
    {"double_free_unknown", 1, "^double free: .*, the start of " BLOCK},
    {"double_free_later", 1, "^double free: .*, the start of " BLOCK},
    {"double_free_gone", 1, "^double free: .*, the start of a block of 5000 bytes of "},
    {"double_free_thread", 1, "^double free: .*, the start of " BLOCK},
    {"double_free_hbw", 1, "^double free: .*, the start of " BLOCK},
    {"double_free_memtier", 1, "^double free: .*, the start of " BLOCK},
    {"double_free_child", 1, "^double free: .*, the start of " BLOCK},
    {"free_after_realloc", 1, "^double free: .*, the start of " BLOCK},
    {"interior", 1, "^free of an interior pointer: .*, 8 bytes into " BLOCK},
    {"interior_unknown", 1, "^free of an interior pointer: .*, 16 bytes into " BLOCK},
    {"interior_large", 1, "^free of an interior pointer: .*, 4096 bytes into a block of 3000000 "},
    {"before", 1, "^free of an interior pointer: .*, 16 bytes before " BLOCK},
    {"foreign", 1, "^free of what is no block: 0x[0-9a-f]+$"},
    {"foreign_unknown", 1, "^free of what is no block: 0x[0-9a-f]+$"},
    {"realloc_freed", 1, "^double free: .*, the start of " BLOCK},
    {"realloc_interior", 1, "^free of an interior pointer: .*, 16 bytes into " BLOCK},
    {"wrong_kind", 1, "^free with the wrong kind: .*, the start of " BLOCK},
    {"wrong_kind_unused", 1, "^free with the wrong kind: .*, the start of " BLOCK},
    {"leak", 1, "^leak: 3 blocks, 60 bytes of .*; the largest is a block of 30 bytes of "},
    {"leak_child", 0, NULL},
    {"leak_destroyed", 0, NULL},
    {"none", 0, NULL},
};

Test(misuse, level_2_finds_all)
{
    for (size_t i = 0; i < LENGTH(all); i++)
        expect("MEMKIND_CHECK=2", &(struct run){all[i].misuse, "DEFAULT"}, 0, all[i].reports,
               all[i].expression);
}

/* What depends on the pages of a kind. */
Test(misuse, level_2_works_in_every_sort_of_kind)
{
    static const char *const kinds[] = {"REGULAR", "PMEM", "FIXED", "CUSTOM"};
    static const char *const misuses[] = {"overflow",  "overflow_large",   "overflow_aligned",
                                          "underflow", "double_free",      "write_after_free",
                                          "interior",  "wrong_kind",       "wrong_kind_unused",
                                          "leak",      "double_free_gone", "none"};

    for (size_t k = 0; k < LENGTH(kinds); k++)
        for (size_t m = 0; m < LENGTH(misuses); m++)
            for (size_t i = 0; i < LENGTH(all); i++)
                if (strcmp(all[i].misuse, misuses[m]) == 0)
                    expect("MEMKIND_CHECK=2", &(struct run){misuses[m], kinds[k]}, 0,
                           all[i].reports, all[i].expression);
}

Test(misuse, freed_blocks_have_other_content)
{
    static struct test_child child;
    const char *const environment[] = {"MEMKIND_CHECK=2", NULL};
    struct run run = {"read_after_free", "DEFAULT"};

    test_run_well(&child, run_program, &run, environment);
    cr_assert_str_eq(child.errors, "other content\n");
}

/* Who allocated, who freed, who does it now: each with the program's own code. */
Test(misuse, reports_have_back_traces)
{
    static struct test_child child;
    const char *const environment[] = {"MEMKIND_CHECK=2", NULL};
    static const char *const parts[] = {"found by thread ", "allocated by thread ",
                                        "freed by thread "};
    struct run run = {"double_free", "DEFAULT"};
    char *at;

    test_run_well(&child, run_program, &run, environment);
    at = child.errors;
    for (size_t i = 0; i < LENGTH(parts); i++) {
        at = strstr(at, parts[i]);
        cr_assert_not_null(at, "%s is missing:\n%s", parts[i], child.errors);
        cr_assert_not_null(strstr(at, "misuse_program+0x"), "%s", child.errors);
    }
}

/* --- level 2 where memory is short, and another thread frees ---------------------------------- */

#define BUDGET ((size_t)24 << 20)
#define BLOCKS 32

static struct {
    memkind_t kind;
    size_t given;
    void *blocks[BLOCKS];
    int live;
    bool frees;
} budget;

static void *free_one(void *nothing)
{
    if (budget.live)
        memkind_free(budget.kind, budget.blocks[--budget.live]);
    return nothing;
}

/* Each time there is nothing left a block is freed, too late for this call. */
static void *map_in_budget(void *context, size_t size, size_t alignment)
{
    pthread_t other;

    (void)context;
    if (budget.given + size <= BUDGET) {
        budget.given += size;
        return aligned_alloc(alignment, size);
    }
    if (budget.frees && pthread_create(&other, NULL, free_one, NULL) == 0)
        pthread_join(other, NULL);
    return NULL;
}

static void unmap_in_budget(void *context, void *address, size_t size)
{
    (void)context;
    budget.given -= size;
    free(address);
}

static void allocate_in_budget(void *nothing)
{
    static const struct memkind_page_ops ops = {.map = map_in_budget, .unmap = unmap_in_budget};
    void *block;

    (void)nothing;
    if (memkind_create_custom(&ops, NULL, &budget.kind))
        abort();
    while (budget.live < BLOCKS &&
           (budget.blocks[budget.live] = memkind_malloc(budget.kind, (size_t)1 << 20)))
        budget.live++;
    budget.frees = true;
    block = memkind_malloc(budget.kind, BUDGET / 2);
    if (!block)
        abort();
    memkind_free(budget.kind, block);
    while (budget.live)
        free_one(NULL);
}

Test(misuse, level_2_holds_no_block_that_is_needed)
{
    const char *const environment[] = {"MEMKIND_CHECK=2", NULL};
    static struct test_child child;

    test_run_well(&child, allocate_in_budget, NULL, environment);
    cr_assert_str_empty(child.errors);
}

/* --- level 1: of guarded blocks --------------------------------------------------------------- */

#define FAULT SIGSEGV
#define EXIT_3 (3 << 8)

static const struct {
    const char *misuse;
    int status;
    size_t reports;
    const char *expression;
} guarded[] = {
    {"overflow", 0, 1, "^overflow: 0x[0-9a-f]+, 0 bytes after the end of " BLOCK},
    {"overflow_far", FAULT, 1, "^overflow: .*, 20 bytes after the end of " BLOCK},
    {"underflow", 0, 1, "^underflow: .*, 1 bytes before " BLOCK},
    {"write_after_free", FAULT, 1, "^use after free: .*, 10 bytes into " BLOCK},
    {"read_after_free", FAULT, 1, "^use after free: .*, 10 bytes into " BLOCK},
    {"write_after_realloc", FAULT, 1, "^use after free: .*, the start of " BLOCK},
    {"double_free", 0, 1, "^double free: .*, the start of " BLOCK},
    {"double_free_unknown", 0, 1, "^double free: .*, the start of " BLOCK},
    {"double_free_later", 0, 1, "^double free: .*, the start of " BLOCK},
    {"double_free_thread", 0, 1, "^double free: .*, the start of " BLOCK},
    {"free_after_realloc", 0, 1, "^double free: .*, the start of " BLOCK},
    {"interior", 0, 1, "^free of an interior pointer: .*, 8 bytes into " BLOCK},
    {"interior_unknown", 0, 1, "^free of an interior pointer: .*, 16 bytes into " BLOCK},
    {"before", 0, 1, "^free of an interior pointer: .*, 16 bytes before " BLOCK},
    {"realloc_freed", 0, 1, "^double free: .*, the start of " BLOCK},
    {"realloc_interior", 0, 1, "^free of an interior pointer: .*, 16 bytes into " BLOCK},
    {"chained", EXIT_3, 1, "^use after free: .*, 10 bytes into " BLOCK},
    {"guarded_destroyed", 0, 0, NULL},
    {"guarded_is_a_block", 0, 0, NULL},
    {"none", 0, 0, NULL},
};

Test(misuse, level_1_finds_what_guarded_blocks_show)
{
    static const char *const kinds[] = {"DEFAULT", "REGULAR", "PMEM"};
    const struct rlimit no_core = {0, 0};

    setrlimit(RLIMIT_CORE, &no_core);
    for (size_t k = 0; k < LENGTH(kinds); k++)
        for (size_t i = 0; i < LENGTH(guarded); i++)
            if (k == 0 || i % 3 == 0) /* the others have nothing to do with the pages */
                expect("MEMKIND_CHECK=1", &(struct run){guarded[i].misuse, kinds[k]},
                       guarded[i].status, guarded[i].reports, guarded[i].expression);
}

/* --- not asked for ---------------------------------------------------------------------------- */

Test(misuse, nothing_is_told_that_is_not_asked_for)
{
    const char *const environment[] = {"MEMKIND_CHECK=0", NULL};
    struct run run = {"leak", "DEFAULT"};
    static struct test_child child;

    test_run_well(&child, run_program, &run, environment);
    cr_assert_str_empty(child.errors);
}

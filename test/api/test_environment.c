/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_environment: the table of variables in memkind.h. Every wrong value is one line on stderr
 * that names the variable, its value and what is accepted, and has the effect that the table says;
 * right values are silent and work; variables are read at first use, not at load; without
 * MEMKIND_DEBUG nothing is printed, and with it the log tells what a reader needs.
 *
 * Each case runs in a child of its own, since the environment is read once.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <hbwmalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

TestSuite(environment, .init = test_with_nodes, .timeout = 120);

/* --- wrong values ----------------------------------------------------------------------------- */

/* What a child of any environment finds out about the library. */
struct outcome {
    int code[MEMKIND_NUM_BASE_KIND];
    bool block[MEMKIND_NUM_BASE_KIND];
    ssize_t capacity[MEMKIND_NUM_BASE_KIND];
    int error; /* errno after all of that */
    int created_default, created_hbw;
    int hbw, background;
};

static void use_everything(void *argument)
{
    struct outcome *outcome = argument;

    errno = TEST_ERRNO;
    for (int round = 0; round < 2; round++) {
        memkind_t kind;

        for (size_t i = 0; i < LENGTH(test_kinds); i++) {
            memkind_t static_kind = *test_kinds[i].variable;
            void *block;

            if (test_kinds[i].page_size)
                continue;
            outcome->code[i] = memkind_check_available(static_kind);
            outcome->capacity[i] = memkind_get_capacity(static_kind);
            block = outcome->code[i] ? NULL : memkind_malloc(static_kind, 100);
            outcome->block[i] = block != NULL;
            memkind_free(NULL, block);
        }
        outcome->created_default =
            memkind_create_kind(MEMKIND_MEMTYPE_DEFAULT, MEMKIND_POLICY_PREFERRED_LOCAL, 0, &kind);
        outcome->created_hbw =
            memkind_create_kind(MEMKIND_MEMTYPE_HIGH_BANDWIDTH, MEMKIND_POLICY_BIND_ALL, 0, &kind);
        outcome->hbw = hbw_check_available();
    }
    outcome->error = errno;
    outcome->background = memkind_set_bg_threads(true);
    memkind_set_bg_threads(false);
}

enum effect {
    EFFECT_NONE,   /* as if it were unset */
    EFFECT_HBW,    /* HBW kinds report MEMKIND_ERROR_ENVIRON */
    EFFECT_DAX,    /* DAX KMEM kinds do */
    EFFECT_CREATE, /* the create functions do */
};

static void check_outcome(const char *setting, const struct outcome *outcome, enum effect effect)
{
    for (size_t i = 0; i < LENGTH(test_kinds); i++) {
        const struct test_kind *kind = &test_kinds[i];
        bool wrong = (effect == EFFECT_HBW && kind->nodes == NODES_HBW) ||
                     (effect == EFFECT_DAX && kind->nodes == NODES_DAX);
        int expected = wrong ? MEMKIND_ERROR_ENVIRON : MEMKIND_SUCCESS;

        if (kind->page_size || kind->nodes > NODES_LARGEST)
            continue;
        cr_assert_eq(outcome->code[i], expected, "%s: %s is %d, expected %d", setting, kind->name,
                     outcome->code[i], expected);
        cr_assert_eq(outcome->block[i], !wrong, "%s: %s", setting, kind->name);
        cr_assert_eq(outcome->capacity[i] == -1, wrong, "%s: %s", setting, kind->name);
    }
    cr_assert_eq(outcome->created_default,
                 effect == EFFECT_CREATE ? MEMKIND_ERROR_ENVIRON : MEMKIND_SUCCESS, "%s: %d",
                 setting, outcome->created_default);
    cr_assert_eq(outcome->created_hbw,
                 effect == EFFECT_CREATE || effect == EFFECT_HBW ? MEMKIND_ERROR_ENVIRON
                                                                 : MEMKIND_SUCCESS,
                 "%s: %d", setting, outcome->created_hbw);
    cr_assert_eq(outcome->hbw, effect == EFFECT_HBW ? ENODEV : 0, "%s: %d", setting, outcome->hbw);
    cr_assert_eq(outcome->background, MEMKIND_SUCCESS, "%s: %d", setting, outcome->background);
}

#define VALUES 24

static const struct {
    const char *name;
    const char *accepted; /* an expression for the words that say what is accepted */
    enum effect effect;
    const char *wrong[VALUES];
    const char *right[VALUES];
} variables[] = {
    {"MEMKIND_HEAP_MANAGER",
     "JEMALLOC.*TBB",
     EFFECT_NONE,
     {"", "jemalloc", "Jemalloc", "TBBX", "JEMALLOC ", " TBB", "JEMALLOC,TBB", "0", "foo"},
     {"JEMALLOC"}},
    {"MEMKIND_HBW_NODES",
     "nodes.*(numactl|0,2-3)",
     EFFECT_HBW,
     {"",
      "abc",
      "0,",
      ",0",
      "0,,0",
      "-1",
      "0-",
      "-",
      "1-0",
      "999999",
      "4096",
      "0x",
      "0;",
      "0 0",
      " ",
      "!",
      "+",
      "+999",
      "all,",
      "ALL",
      "0-999999",
      "1e0",
      "99999999999999999999"},
     {"0", "0-0", "all", "0,0", "+0", "0,0-0", "00"}},
    {"MEMKIND_DAX_KMEM_NODES",
     "nodes.*(numactl|0,2-3)",
     EFFECT_DAX,
     {"", "abc", "0,", "-1", "1-0", "999999", "0x", "!", "+", "all,"},
     {"0", "0-0", "all", "0,0", "+0"}},
    {"MEMKIND_HBW_THRESHOLD", /* MEMKIND_HBW_NODES is set; otherwise: test_machines.c */
     "whole number",
     EFFECT_NONE,
     {"", "abc", "-1", "1.5", "200000MB", "0x10", " 5", "5 "},
     {"200000", "1"}},
    {"MEMKIND_ARENA_NUM_PER_KIND",
     "1 to 4094",
     EFFECT_CREATE,
     {"", "0", "-1", "4095", "abc", "1.5", "1 ", " 1", "+1", "0x1", "1e3", "99999999999999999999"},
     {"1", "2", "4094", "0004"}},
    {"MEMKIND_HOG_MEMORY",
     "0 or 1",
     EFFECT_NONE,
     {"", "2", "yes", "true", "01", "-1", "1 ", "10"},
     {"0", "1"}},
    {"MEMKIND_BACKGROUND_THREADS",
     "0 or 1",
     EFFECT_NONE,
     {"", "2", "yes", "true", "01", "-1", "1 ", "10"},
     {"0", "1"}},
    {"MEMKIND_BACKGROUND_THREAD_LIMIT",
     "from 1|1 and more|at least 1",
     EFFECT_NONE,
     {"", "0", "-1", "abc", "1.5", "1 ", " 1", "0x10"},
     {"1", "2", "4", "5", "64", "1000000"}},
    {"MEMKIND_CHECK",
     "0, 1 or 2",
     EFFECT_NONE,
     {"", "3", "yes", "true", "02", "-1", "2 ", "20"},
     {"0", "1", "2"}},
    {"MEMKIND_DEBUG",
     "0 or 1",
     EFFECT_NONE,
     {"", "2", "yes", "true", "01", "-1", "1 ", "10"},
     {"0"}},
};

static void run_with(struct test_child *child, struct outcome *outcome, const char *name,
                     const char *value)
{
    char setting[4096];
    const char *const environment[] = {setting, NULL};

    snprintf(setting, sizeof setting, "%s=%s", name, value);
    memset(outcome, 0, sizeof *outcome);
    test_run_well(child, use_everything, outcome, environment);
}

/* One line, once: the variable, its value, what is accepted. */
static void check_message(const struct test_child *child, const char *name, const char *value,
                          const char *accepted)
{
    cr_expect_eq(child->lines, 1, "%s=\"%s\": %zu lines on stderr\n%s", name, value, child->lines,
                 child->errors);
    cr_expect(strstr(child->errors, name) && strstr(child->errors, value) &&
                  test_line(child->errors, accepted),
              "%s=\"%s\": %s", name, value, child->errors);
}

Test(environment, wrong_values_are_reported)
{
    struct outcome *outcome = test_shared(sizeof *outcome);
    static struct test_child child;

    for (size_t i = 0; i < LENGTH(variables); i++) {
        for (const char *const *value = variables[i].wrong; *value; value++) {
            char setting[128];

            run_with(&child, outcome, variables[i].name, *value);
            check_message(&child, variables[i].name, *value, variables[i].accepted);
            snprintf(setting, sizeof setting, "%s=\"%s\"", variables[i].name, *value);
            check_outcome(setting, outcome, variables[i].effect);
        }
    }
}

Test(environment, right_values_are_silent)
{
    struct outcome *outcome = test_shared(sizeof *outcome);
    static struct test_child child;

    for (size_t i = 0; i < LENGTH(variables); i++) {
        for (const char *const *value = variables[i].right; *value; value++) {
            char setting[128];

            run_with(&child, outcome, variables[i].name, *value);
            snprintf(setting, sizeof setting, "%s=\"%s\"", variables[i].name, *value);
            cr_assert_eq(child.lines, 0, "%s: %s", setting, child.errors);
            check_outcome(setting, outcome, EFFECT_NONE);
            cr_assert_eq(outcome->error, TEST_ERRNO, "%s: errno %d", setting, outcome->error);
        }
    }
}

/* A node that does not exist is no node, whatever the machine; on one of one node, !0 is nothing.
 */
Test(environment, nodes_must_exist)
{
    struct outcome *outcome = test_shared(sizeof *outcome);
    struct test_mask online = test_nodes_file("online");
    static struct test_child child;
    char value[32];
    int next = 0;

    while (test_mask_has(&online, next))
        next++;
    for (int form = 0; form < 4; form++) {
        static const char *const forms[] = {"%d", "0,%d", "0-%d", "!%d"};

        snprintf(value, sizeof value, forms[form], next);
        run_with(&child, outcome, "MEMKIND_HBW_NODES", value);
        check_message(&child, "MEMKIND_HBW_NODES", value, "nodes");
        check_outcome(value, outcome, EFFECT_HBW);
    }
    run_with(&child, outcome, "MEMKIND_HBW_NODES", "!0");
    if (test_mask_count(&online) == 1)
        check_outcome("!0", outcome, EFFECT_HBW);
    else
        cr_assert_eq(child.lines, 0, "%s", child.errors);
}

/* Even a value longer than a line of the log is one line that names the variable. */
Test(environment, long_values_are_one_line)
{
    struct outcome *outcome = test_shared(sizeof *outcome);
    static struct test_child child;
    static char value[3000];

    memset(value, 'x', sizeof value - 1);
    for (size_t i = 0; i < LENGTH(variables); i++) {
        run_with(&child, outcome, variables[i].name, value);
        cr_assert_eq(child.lines, 1, "%s: %zu lines", variables[i].name, child.lines);
        cr_assert(strstr(child.errors, variables[i].name));
        cr_expect(test_line(child.errors, variables[i].accepted), "%s: not said what is accepted",
                  variables[i].name);
        cr_assert_lt(strlen(child.errors), 1024);
    }
}

/* All wrong at once: a line for each, and ordinary memory still works. */
Test(environment, all_wrong_at_once)
{
    static const char *const environment[] = {"MEMKIND_HEAP_MANAGER=X",
                                              "MEMKIND_HBW_NODES=X",
                                              "MEMKIND_DAX_KMEM_NODES=X",
                                              "MEMKIND_ARENA_NUM_PER_KIND=X",
                                              "MEMKIND_HOG_MEMORY=X",
                                              "MEMKIND_BACKGROUND_THREAD_LIMIT=X",
                                              "MEMKIND_DEBUG=X",
                                              "MEMKIND_BACKGROUND_THREADS=X",
                                              NULL};
    struct outcome *outcome = test_shared(sizeof *outcome);
    static struct test_child child;

    test_run_well(&child, use_everything, outcome, environment);
    cr_assert_eq(child.lines, 8, "%zu lines:\n%s", child.lines, child.errors);
    cr_assert(outcome->block[0] && outcome->block[1]);
    cr_assert_eq(outcome->error, TEST_ERRNO, "errno %d", outcome->error);
}

/* --- the heap manager ------------------------------------------------------------------------- */

static void use_without_files(void *argument)
{
    (void)argument;
    test_refuse(SYS_openat, EACCES, 2, 0);
    memkind_free(MEMKIND_DEFAULT, memkind_malloc(MEMKIND_DEFAULT, 1));
}

/* The line says what is missing, and why. */
Test(environment, tbb_that_cannot_be_loaded)
{
    static const char *const environment[] = {"MEMKIND_HEAP_MANAGER=TBB", NULL};
    struct test_child child;

    test_run_well(&child, use_without_files, NULL, environment);
    cr_expect_eq(child.lines, 1);
    cr_expect(test_line(child.errors, "^MEMKIND: MEMKIND_HEAP_MANAGER=TBB cannot be loaded: "
                                      "libtbbmalloc.so.2: .*; JEMALLOC is used instead$"),
              "%s", child.errors);
}

/* Errors and limits are words in the log, and what is no failure is no line. */
static void create_in_words(void *argument)
{
    static char area[4096];
    memkind_t kind;

    (void)argument;
    if (memkind_create_fixed(area, sizeof area, &kind) == MEMKIND_ERROR_INVALID &&
        memkind_create_pmem("/tmp", 0, &kind) == MEMKIND_SUCCESS)
        memkind_destroy_kind(kind);
}

Test(environment, the_log_is_in_words)
{
    static const char *const environment[] = {"MEMKIND_DEBUG=1", NULL};
    struct test_child child;

    test_run_well(&child, create_in_words, NULL, environment);
    cr_expect(
        test_line(child.errors,
                  "fixed: cannot open its pages \\(page source fixed\\): .*invalid argument$"),
        "%s", child.errors);
    cr_expect(test_line(child.errors, "created a file in /tmp \\((no )?DAX\\) without a limit$"),
              "%s", child.errors);
    cr_expect(!test_line(child.errors, "MAP_SYNC"), "%s", child.errors);
}

/* TBB works or, with a line that says so, JEMALLOC is used. */
Test(environment, tbb_works_or_is_replaced)
{
    struct outcome *outcome = test_shared(sizeof *outcome);
    static struct test_child child;

    run_with(&child, outcome, "MEMKIND_HEAP_MANAGER", "TBB");
    cr_assert_leq(child.lines, 1, "%s", child.errors);
    if (child.lines) {
        cr_assert(test_line(child.errors, "MEMKIND_HEAP_MANAGER.*TBB.*JEMALLOC"), "%s",
                  child.errors);
        check_outcome("MEMKIND_HEAP_MANAGER=TBB", outcome, EFFECT_NONE);
    }
    cr_assert(outcome->block[0] && outcome->block[1]);
}

/* --- when they are read ----------------------------------------------------------------------- */

static void set_and_use(void *argument)
{
    struct outcome *outcome = argument;

    setenv("MEMKIND_HBW_NODES", "0", 1);
    setenv("MEMKIND_DAX_KMEM_NODES", "0", 1);
    use_everything(outcome);
    /* Too late. */
    setenv("MEMKIND_HBW_NODES", "wrong", 1);
    setenv("MEMKIND_DAX_KMEM_NODES", "wrong", 1);
    setenv("MEMKIND_ARENA_NUM_PER_KIND", "wrong", 1);
    setenv("MEMKIND_DEBUG", "1", 1);
    use_everything(outcome);
}

Test(environment, variables_are_read_at_first_use, .init = test_bare)
{
    struct outcome *outcome = test_shared(sizeof *outcome);
    static struct test_child child;

    test_run_well(&child, set_and_use, outcome, NULL);
    check_outcome("setenv() in main()", outcome, EFFECT_NONE);
    cr_assert_eq(child.lines, 0, "%s", child.errors);
}

/* --- the log ---------------------------------------------------------------------------------- */

static void use_all_kinds_loudly(void *argument)
{
    memkind_t kind;

    use_everything(argument);
    test_create_kind((memkind_bits_t)0, &kind);
    memkind_destroy_kind(kind);
    memkind_destroy_kind(MEMKIND_REGULAR);
    for (size_t i = 0; i < LENGTH(test_kinds); i++)
        if (memkind_check_available(*test_kinds[i].variable))
            (void)memkind_malloc(*test_kinds[i].variable, 100);
}

static const char *const debug[] = {"MEMKIND_DEBUG=1", NULL};

static void check_lines(const struct test_child *child)
{
    cr_assert_gt(child->lines, 0);
    for (const char *line = child->errors; *line; line = strchr(line, '\n') + 1) {
        cr_assert_eq(strncmp(line, "MEMKIND: ", 9), 0, "%s", line);
        cr_assert_not_null(strchr(line, '\n'), "%s", line);
    }
}

static size_t count_lines(const char *text, const char *part)
{
    size_t count = 0;

    for (; (text = strstr(text, part)) != NULL; text++)
        count++;
    return count;
}

/* Environment, nodes, first uses and why a kind is unavailable. */
Test(environment, log_tells_what_happens)
{
    static const char *const expected[] = {
        "environment: MEMKIND_DEBUG=1$",
        "environment: MEMKIND_HBW_NODES=0$",
        "environment: MEMKIND_DAX_KMEM_NODES=0$",
        "heap manager: JEMALLOC",
        "nodes found: online 0",
        "high-bandwidth nodes: 0 \\(MEMKIND_HBW_NODES\\)",
        "DAX nodes: 0 \\(MEMKIND_DAX_KMEM_NODES\\)",
        "MEMKIND_DEFAULT, first use: .*policy process, pages of (4|16|64) KiB",
        "MEMKIND_REGULAR, first use: .*policy bind, pages of (4|16|64) KiB",
        "MEMKIND_HBW, first use: .*MEMKIND_HBW_NODES.*policy bind, pages of (4|16|64) KiB",
        "MEMKIND_HBW_PREFERRED, first use: .*policy preferred, pages of (4|16|64) KiB",
        "MEMKIND_INTERLEAVE, first use: .*policy interleave, pages of (4|16|64) KiB",
        "kind .* is created$",
        "kind .* is destroyed$",
        "kind MEMKIND_REGULAR is static and is not destroyed$",
    };
    struct outcome *outcome = test_shared(sizeof *outcome);
    static struct test_child child;

    test_run_well(&child, use_all_kinds_loudly, outcome, debug);
    check_lines(&child);
    for (size_t i = 0; i < LENGTH(expected); i++)
        cr_expect(test_line(child.errors, expected[i]), "no line \"%s\" in\n%s", expected[i],
                  child.errors);
    cr_assert_eq(count_lines(child.errors, "MEMKIND_REGULAR, first use"), 1);
    cr_assert_eq(count_lines(child.errors, "nodes found"), 1);
    cr_assert_eq(outcome->error, TEST_ERRNO, "the log changed errno to %d", outcome->error);
    check_outcome("MEMKIND_DEBUG=1", outcome, EFFECT_NONE);
}

static void use_kind(void *argument)
{
    memkind_t kind = *(memkind_t *)argument;

    memkind_free(kind, memkind_malloc(kind, 100));
}

/* The nodes are a dozen files, and most programs never use a kind that is about them. */
Test(environment, only_kinds_of_nodes_look_for_nodes)
{
    static struct test_child child;

    test_run_well(&child, use_kind, &MEMKIND_DEFAULT, debug);
    cr_expect_eq(count_lines(child.errors, "nodes found"), 0, "%s", child.errors);
    test_run_well(&child, use_kind, &MEMKIND_REGULAR, debug);
    cr_expect_eq(count_lines(child.errors, "nodes found"), 1, "%s", child.errors);
}

Test(environment, log_tells_why_a_kind_is_unavailable, .init = test_bare)
{
    struct outcome *outcome = test_shared(sizeof *outcome);
    static struct test_child child;

    test_run_well(&child, use_all_kinds_loudly, outcome, debug);
    check_lines(&child);
    for (size_t i = 0; i < LENGTH(test_kinds); i++) {
        char expression[128];

        snprintf(expression, sizeof expression, "%s is unavailable: [^ ].*", test_kinds[i].name);
        if (outcome->code[i])
            cr_assert(test_line(child.errors, expression), "no line \"%s\" in\n%s", expression,
                      child.errors);
    }
}

static void fail_system_calls(void *argument)
{
    long call = *(long *)argument;

    memkind_free(MEMKIND_REGULAR, memkind_malloc(MEMKIND_REGULAR, 64 * MIB));
    if (call == SYS_mmap)
        test_refuse(call, ENOMEM, 1, 64 * MIB);
    else if (call == SYS_madvise)
        test_refuse(call, EPERM, 0, 0);
    else
        test_refuse(call, EPERM, 0, 0);
    for (int i = 0; i < 3; i++)
        (void)memkind_malloc(MEMKIND_REGULAR, 128 * MIB);
    (void)memkind_check_available(MEMKIND_HBW);
    test_decay(MEMKIND_REGULAR);
}

static void exceed_address_space(void *argument)
{
    struct rlimit limit = {test_virtual() + 100 * MIB, test_virtual() + 100 * MIB};

    (void)argument;
    setrlimit(RLIMIT_AS, &limit);
    (void)memkind_malloc(MEMKIND_REGULAR, 512 * MIB);
}

/* Each failed system call is in the log with its errno. */
Test(environment, log_tells_failed_system_calls)
{
    static const struct {
        long call;
        const char *line;
    } rows[] = {
        {SYS_mmap, "mmap of [0-9]+ bytes: Cannot allocate memory \\(errno 12\\)"},
        {SYS_mbind, "mbind of [0-9]+ bytes: Operation not permitted \\(errno 1\\)"},
        {SYS_madvise, "madvise.* of [0-9]+ bytes: Operation not permitted \\(errno 1\\)"},
    };
    long *call = test_shared(sizeof *call);
    static struct test_child child;

    for (size_t i = 0; i < LENGTH(rows); i++) {
        *call = rows[i].call;
        test_run_well(&child, fail_system_calls, call, debug);
        check_lines(&child);
        cr_assert(test_line(child.errors, rows[i].line), "no line \"%s\" in\n%s", rows[i].line,
                  child.errors);
    }
    if (!TEST_SANITIZED) {
        test_run_well(&child, exceed_address_space, NULL, debug);
        cr_assert(test_line(child.errors, rows[0].line), "%s", child.errors);
    }
}

/* Without MEMKIND_DEBUG the library is silent, whatever goes wrong. */
Test(environment, silent_without_debug)
{
    static const char *const off[] = {"MEMKIND_DEBUG=0", NULL};
    struct outcome *outcome = test_shared(sizeof *outcome);
    long *call = test_shared(sizeof *call);
    static struct test_child child;

    *call = SYS_mbind;
    for (int i = 0; i < 2; i++) {
        test_run_well(&child, use_all_kinds_loudly, outcome, i ? off : NULL);
        cr_assert_eq(child.lines, 0, "%s", child.errors);
        test_run_well(&child, fail_system_calls, call, i ? off : NULL);
        cr_assert_eq(child.lines, 0, "%s", child.errors);
    }
}

static void use_without_stderr(void *argument)
{
    close(STDERR_FILENO);
    use_everything(argument);
}

/* A log that cannot be written harms nobody. */
Test(environment, log_without_stderr)
{
    struct outcome *outcome = test_shared(sizeof *outcome);
    static struct test_child child;

    test_run_well(&child, use_without_stderr, outcome, debug);
    check_outcome("MEMKIND_DEBUG=1 without stderr", outcome, EFFECT_NONE);
    cr_assert_eq(outcome->error, TEST_ERRNO);
}

/* The log goes to a file that may not get larger. */
static void log_to_full_file(void *argument)
{
    const struct rlimit none = {0, RLIM_INFINITY};
    int file = open("/tmp", O_RDWR | O_TMPFILE, 0600);

    (void)argument;
    if (file < 0 || dup2(file, STDERR_FILENO) < 0 || setrlimit(RLIMIT_FSIZE, &none))
        _exit(1);
    memkind_free(MEMKIND_DEFAULT, memkind_malloc(MEMKIND_DEFAULT, 100));
}

Test(environment, the_log_ends_no_process)
{
    static const char *const environment[] = {"MEMKIND_DEBUG=1", NULL};
    struct test_child child;

    test_run_well(&child, log_to_full_file, NULL, environment);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_matrix: every operation, for every kind, with the heap manager of TEST_HEAP_MANAGER. Both
 * are tables: recipes.c has the kinds, matrix_*.c the operations. Each cell is run in a child of
 * its own, so that a crash is that cell's failure and hides no other.
 *
 * The result is a table in MEMKIND_TEST_MATRIX, a file that scripts/test prints. A cell is "ok",
 * "FAIL", or a number in parentheses where the machine does not have the kind; the numbers'
 * reasons stand below.
 */
#include "matrix.h"

#include <criterion/parameterized.h>
#include <errno.h>
#include <linux/mman.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(matrix, .init = test_with_nodes, .fini = test_pool_restore, .timeout = 840);

#define MOST_OPERATIONS 64
#define MOST_KINDS 96

#define POOL_2M 320 /* huge pages: two areas and some more */
#define POOL_1G 4   /* a parent, its child, and new memory of both */

enum result { EMPTY, OK, FAIL, UNAVAILABLE };

static const struct operation *operations[MOST_OPERATIONS];
static size_t operation_count;

static enum result results[MOST_KINDS][MOST_OPERATIONS];
static unsigned reason_of[MOST_KINDS][MOST_OPERATIONS];
static char reasons[16][160];
static unsigned reason_count;
static size_t pool_1g; /* pages */

static void list_operations(void)
{
    const struct {
        const struct operation *table;
        size_t count;
    } tables[] = {
        {matrix_block_operations, matrix_block_operation_count},
        {matrix_error_operations, matrix_error_operation_count},
        {matrix_kind_operations, matrix_kind_operation_count},
        {matrix_stat_operations, matrix_stat_operation_count},
        {matrix_process_operations, matrix_process_operation_count},
    };

    operation_count = 0;
    for (size_t i = 0; i < LENGTH(tables); i++)
        for (size_t j = 0; j < tables[i].count; j++)
            operations[operation_count++] = &tables[i].table[j];
    cr_assert_leq(operation_count, MOST_OPERATIONS);
    cr_assert_leq(recipe_count, MOST_KINDS);
}

/* --- the child's side ------------------------------------------------------------------------- */

struct report {
    char why[CELL_TEXT];
    size_t next; /* operation; those before are done */
    size_t end;  /* of operations */
    size_t others;
    int available;
    bool together; /* all operations in one process */
    const struct recipe *recipe;
};

/* What is wrong stands in the report, and on stderr for whoever has no part in that. */
static void give_up(const char *why) __attribute__((noreturn));
static void give_up(const char *why)
{
    fprintf(stderr, "%s\n", why);
    _exit(1);
}

void cell_fail(struct cell *cell, int line, const char *format, ...)
{
    if (!cell->why[0]) {
        va_list arguments;
        int length = snprintf(cell->why, CELL_TEXT, "line %d: ", line);

        va_start(arguments, format);
        vsnprintf(cell->why + length, CELL_TEXT - (size_t)length, format, arguments);
        va_end(arguments);
    }
    if (cell->recipe->page_size)
        *cell->others = test_pool_of_others(cell->recipe->page_size);
    give_up(cell->why);
}

size_t cell_log_end(void)
{
    off_t end = lseek(STDERR_FILENO, 0, SEEK_END);

    return end < 0 ? 0 : (size_t)end;
}

const char *cell_log(size_t from)
{
    static char text[65536];
    ssize_t length = pread(STDERR_FILENO, text, sizeof text - 1, (off_t)from);

    text[length < 0 ? 0 : length] = '\0';
    return text;
}

static size_t room_of(const struct recipe *recipe)
{
    if (recipe->limit)
        return recipe->limit;
    if (recipe->page_size)
        return recipe->page_size == GIB ? pool_1g * GIB : POOL_2M * recipe->page_size;
    return SIZE_MAX;
}

static void run_operations(void *argument)
{
    struct report *report = argument;
    struct cell cell = {
        .recipe = report->recipe, .tbb = test_tbb(), .why = report->why, .others = &report->others};
    int code = recipe_make(cell.recipe, &cell.made);
    const char *wrong;

    if (code) {
        snprintf(report->why, CELL_TEXT, "created: %d", code);
        give_up(report->why);
    }
    cell.kind = cell.made.kind;
    cell.room = room_of(cell.recipe);
    do {
        alarm(120);
        operations[report->next]->run(&cell);
        report->next++;
    } while (report->together && report->next < report->end);
    memkind_check_available(cell.kind); /* a kind that only refused has not begun yet */
    wrong = recipe_unmake(&cell.made);
    if (wrong) {
        report->next--;
        snprintf(report->why, CELL_TEXT, "%s", wrong);
        give_up(report->why);
    }
}

static void look(void *argument)
{
    struct report *report = argument;
    struct made made;

    report->available = recipe_make(report->recipe, &made);
    if (report->available)
        return;
    report->available = memkind_check_available(made.kind);
    if (report->available) { /* what such a kind promises */
        errno = TEST_ERRNO;
        if (memkind_malloc(made.kind, 100) || errno != ENOMEM)
            snprintf(report->why, CELL_TEXT, "not available, but malloc works");
        if (memkind_get_capacity(made.kind) != -1)
            snprintf(report->why, CELL_TEXT, "not available, but it has a capacity");
    }
    recipe_unmake(&made);
}

/* --- the test's side -------------------------------------------------------------------------- */

static const char *const debug[] = {"MEMKIND_DEBUG=1", NULL};

static const char *manager_name(void)
{
    return test_tbb() ? "TBB" : "JEMALLOC";
}

/* Why the machine does not have this kind; NULL: it must be there. */
static const char *absent(const struct recipe *recipe, int code)
{
    static char text[160];
    bool by_figures = false;

    for (size_t i = 0; i < LENGTH(test_kinds); i++)
        if (recipe->variable == test_kinds[i].variable)
            by_figures = test_kinds[i].nodes >= NODES_LATENCY;
    if (code != MEMKIND_ERROR_MEMTYPE_NOT_AVAILABLE || !by_figures || test_has_figures())
        return NULL;
    snprintf(text, sizeof text,
             "the kernel of this machine publishes no latencies and bandwidths (code %d)", code);
    return text;
}

static void set_reason(size_t kind, size_t operation, const char *text)
{
    unsigned i = 0;

    while (i < reason_count && strcmp(reasons[i], text) != 0)
        i++;
    if (i == reason_count && reason_count < LENGTH(reasons))
        snprintf(reasons[reason_count++], sizeof reasons[0], "%s", text);
    reason_of[kind][operation] = i + 1;
    results[kind][operation] = UNAVAILABLE;
}

static void set_reasons(size_t kind, const char *text)
{
    for (size_t i = 0; i < operation_count; i++)
        set_reason(kind, i, text);
}

/* Some kernels (seen: 6.18 in a virtual machine) give a forked child an empty page in place of a
 * copy every other time. Asked without the library. */
static bool kernel_copies_once(size_t page_size)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | (30 << MAP_HUGE_SHIFT), status = 0;
    char *page = mmap(NULL, page_size, PROT_READ | PROT_WRITE, flags, -1, 0);
    pid_t child;

    if (page == MAP_FAILED)
        return true;
    *page = 1;
    child = fork();
    if (child == 0)
        _exit(*page != 1);
    if (child > 0)
        waitpid(child, &status, 0);
    munmap(page, page_size);
    return child < 0 || status == 0;
}

/* Losses come in clusters: what was not seen once may be seen later, and only a loss is certain. */
static bool kernel_copies(size_t page_size, int tries)
{
    static bool lost;

    while (tries-- > 0 && !lost)
        lost = !kernel_copies_once(page_size);
    return !lost;
}

#define KERNEL_LOSES "its kernel copies no huge pages of 1 GiB at fork"

/* Why the last operation, which is fork, cannot be tried; NULL: it can. */
static const char *why_no_fork(const struct recipe *recipe)
{
    if (recipe->page_size != GIB)
        return NULL;
    /* The kernel copies pages that a parent or its child writes, and ends the child with SIGBUS
     * where it has none left. */
    if (TEST_SANITIZED)
        return "a kernel that loses huge pages of 1 GiB at fork is not told apart by a sanitized "
               "test";
    if (pool_1g != POOL_1G)
        return "fork needs more huge pages of 1 GiB than it can give";
    return kernel_copies(GIB, 12) ? NULL : KERNEL_LOSES;
}

/* Whether the kernel alone loses what the failed operation missed. */
static bool kernel_is_to_blame(const struct recipe *recipe, size_t operation)
{
    return recipe->page_size == GIB && operation + 1 == operation_count && !TEST_SANITIZED &&
           !kernel_copies(GIB, 60);
}

static char last_failure[CELL_TEXT + 256];

static void failed(size_t kind, size_t operation, const char *why, const struct test_child *child)
{
    char how[64] = "";

    results[kind][operation] = FAIL;
    if (WIFSIGNALED(child->status))
        snprintf(how, sizeof how, "signal %d; ", WTERMSIG(child->status));
    else if (WEXITSTATUS(child->status) > 1)
        snprintf(how, sizeof how, "status %d; ", WEXITSTATUS(child->status));
    snprintf(last_failure, sizeof last_failure, "%s x %s x %s (%s): %s%s",
             operations[operation]->name, recipes[kind].name, manager_name(), recipes[kind].group,
             how, why);
    fprintf(stderr, "%s\n", last_failure);
}

static bool asked_for(const char *variable, const char *name)
{
    const char *wanted = getenv(variable);

    return !wanted || strstr(name, wanted);
}

/* Other tests use kinds of huge pages, too, where a pool has some: an operation that is done again
 * as often as this had its turn without them. */
#define OTHERS_MOST 20

static void run_kind(size_t kind, struct report *report)
{
    static struct test_child child;
    const char *no_fork;
    char expected[64];
    int again = 0;

    snprintf(expected, sizeof expected, "heap manager: %s", manager_name());
    memset(report, 0, sizeof *report);
    report->recipe = &recipes[kind];
    report->together = recipes[kind].page_size == GIB;
    test_run(&child, look, report, debug);
    if (child.status || report->why[0] || report->available) {
        const char *reason =
            child.status || report->why[0] ? NULL : absent(report->recipe, report->available);

        if (reason) {
            set_reasons(kind, reason);
            return;
        }
        if (!report->why[0])
            snprintf(report->why, CELL_TEXT, "not available: code %d", report->available);
        for (size_t i = 0; i < operation_count; i++)
            failed(kind, i, report->why, &child);
        return;
    }
    report->end = operation_count;
    no_fork = why_no_fork(report->recipe);
    if (no_fork)
        set_reason(kind, --report->end, no_fork);
    while (report->next < report->end) {
        size_t first = report->next;

        if (!asked_for("MEMKIND_TEST_OPERATION", operations[first]->name)) {
            report->next++;
            continue;
        }
        report->why[0] = '\0';
        report->others = 0;
        test_run(&child, run_operations, report, debug);
        for (; first < report->next; first++)
            results[kind][first] = OK;
        if (child.status && kernel_is_to_blame(report->recipe, report->next)) {
            set_reason(kind, report->next++, KERNEL_LOSES);
            continue;
        }
        if (child.status && report->others && again++ < OTHERS_MOST) {
            fprintf(stderr, "%s x %s: %s; again, since others have %zu huge pages\n",
                    operations[report->next]->name, recipes[kind].name, report->why,
                    report->others);
            sleep(1);
            continue;
        }
        again = 0;
        if (child.status) {
            failed(kind, report->next++, report->why, &child);
            continue;
        }
        if (!strstr(child.errors, expected))
            failed(kind, first - 1, "another heap manager was used", &child);
    }
}

/* Ends where the pool of huge pages that this kind needs is not to be had. */
static const char *pool_for(const struct recipe *recipe)
{
    static size_t page_size = 0;
    static const char *reason = NULL;

    if (recipe->page_size != page_size) {
        if (page_size)
            test_pool_try(page_size, 0);
        page_size = recipe->page_size;
        reason = page_size ? test_pool_try(page_size, page_size == GIB ? POOL_1G : POOL_2M) : NULL;
        for (pool_1g = POOL_1G; page_size == GIB && reason && pool_1g > 2;)
            reason = test_pool_try(GIB, --pool_1g);
    }
    return reason;
}

/* --- the printed table ------------------------------------------------------------------------ */

static void print_cell(FILE *file, size_t kind, size_t operation)
{
    static const char *const texts[] = {"", "ok", "FAIL", ""};
    char number[16];

    snprintf(number, sizeof number, "(%u)", reason_of[kind][operation]);
    fprintf(file, " %-10s",
            results[kind][operation] == UNAVAILABLE ? number : texts[results[kind][operation]]);
}

static void print_group(FILE *file, size_t first, size_t last)
{
    fprintf(file, "\n%s\n%-26s", recipes[first].group, "");
    for (size_t i = first; i < last; i++)
        fprintf(file, " %-10s", recipes[i].name);
    for (size_t j = 0; j < operation_count; j++) {
        fprintf(file, "\n%-26s", operations[j]->name);
        for (size_t i = first; i < last; i++)
            print_cell(file, i, j);
    }
    fputc('\n', file);
}

#define COLUMNS 11

static void print_table(FILE *file)
{
    size_t count[4] = {0};

    fprintf(file, "Heap manager %s: operations (rows) and kinds (columns)\n", manager_name());
    for (size_t first = 0, last; first < recipe_count; first = last) {
        for (last = first + 1; last < recipe_count && last - first < COLUMNS; last++)
            if (strcmp(recipes[last].group, recipes[first].group) != 0)
                break;
        print_group(file, first, last);
    }
    fputc('\n', file);
    for (unsigned i = 0; i < reason_count; i++)
        fprintf(file, "(%u) not on this machine: %s\n", i + 1, reasons[i]);
    for (size_t i = 0; i < recipe_count; i++)
        for (size_t j = 0; j < operation_count; j++)
            count[results[i][j]]++;
    fprintf(file,
            "Heap manager %s: %zu operations x %zu kinds: %zu ok, %zu failed, %zu not on this "
            "machine, %zu empty\n",
            manager_name(), operation_count, recipe_count, count[OK], count[FAIL],
            count[UNAVAILABLE], count[EMPTY]);
}

/* The page source decides which code runs; nodes, policies and limits have tests of their own in
 * every build. */
static bool is_alike(const struct recipe *a, const struct recipe *b)
{
    bool anonymous = a->sort <= RECIPE_NODES && b->sort <= RECIPE_NODES;

    return (anonymous || a->sort == b->sort) && a->page_size == b->page_size;
}

static bool is_alike_to_an_earlier_one(size_t kind)
{
    for (size_t i = 0; i < kind; i++)
        if (is_alike(&recipes[i], &recipes[kind]))
            return true;
    return false;
}

/* Why a kind has no cells; NULL: it has. */
static const char *why_left_out(size_t kind)
{
    if (!MEMKIND_TEST_EVERY_KIND && is_alike_to_an_earlier_one(kind))
        return "an earlier kind is alike, and only the release build has them all";
    return pool_for(&recipes[kind]);
}

/* For whoever looks for one failure: MEMKIND_TEST_KIND and MEMKIND_TEST_OPERATION hold a part of
 * the names; the cells of the others stay empty. */
Test(matrix, every_cell)
{
    struct report *report = test_shared(sizeof *report);
    size_t bad = 0, empty = 0;
    FILE *file;

    if (TEST_THREAD_SANITIZED)
        test_skip("ThreadSanitizer sees nothing in forked children, and every cell is one");
    list_operations();
    for (size_t i = 0; i < recipe_count; i++) {
        const char *reason;

        if (!asked_for("MEMKIND_TEST_KIND", recipes[i].name))
            continue;
        reason = why_left_out(i);
        if (reason)
            set_reasons(i, reason);
        else
            run_kind(i, report);
    }
    test_pool_restore();
    print_table(stdout);
    fflush(stdout); /* before what Criterion says of this test */
    file = fopen(test_tbb() ? MEMKIND_TEST_MATRIX "-TBB.txt" : MEMKIND_TEST_MATRIX "-JEMALLOC.txt",
                 "we");
    cr_assert(file, MEMKIND_TEST_MATRIX ": %s", strerror(errno));
    print_table(file);
    fclose(file);
    for (size_t i = 0; i < recipe_count; i++)
        for (size_t j = 0; j < operation_count; j++) {
            bad += results[i][j] == FAIL;
            empty += results[i][j] == EMPTY;
        }
    cr_assert_eq(bad, 0, "%zu cells failed, the last: %s", bad, last_failure);
    cr_assert_eq(empty, 0, "%zu cells are empty", empty);
}

/* --- ThreadSanitizer -------------------------------------------------------------------------- */

/* It looks away in the child of a process with threads, which each test is: the operations with
 * threads run here in the tests themselves, a test for each kind; of those that are alike, the
 * first. */
#ifdef __SANITIZE_THREAD__

ParameterizedTestParameters(matrix, threads)
{
    static size_t kinds[MOST_KINDS];
    size_t count = 0;

    for (size_t i = 0, j; i < recipe_count; i++) {
        for (j = 0; j < count && !is_alike(&recipes[kinds[j]], &recipes[i]); j++)
            ;
        if (j == count)
            kinds[count++] = i;
    }
    return cr_make_param_array(size_t, kinds, count);
}

ParameterizedTest(size_t *kind, matrix, threads)
{
    static struct report report = {.together = true};
    const char *reason;

    list_operations();
    report.recipe = &recipes[*kind];
    report.next = operation_count - matrix_process_operation_count;
    report.end = operation_count - 1; /* the last is fork, whose child it does not see either */
    if (!asked_for("MEMKIND_TEST_KIND", report.recipe->name))
        return;
    reason = pool_for(report.recipe);
    if (!reason) {
        look(&report);
        cr_assert_not(report.why[0], "%s: %s", report.recipe->name, report.why);
        if (report.available)
            reason = absent(report.recipe, report.available);
        cr_assert(reason || !report.available, "%s: not available: code %d", report.recipe->name,
                  report.available);
    }
    if (reason)
        fprintf(stderr, "%s is not on this machine: %s\n", report.recipe->name, reason);
    else
        run_operations(&report);
}

#endif

/* --- nothing is left out of the tables -------------------------------------------------------- */

Test(matrix, every_static_kind_has_a_column)
{
    for (size_t i = 0; i < LENGTH(test_kinds); i++) {
        size_t found = 0;

        for (size_t j = 0; j < recipe_count; j++)
            found += recipes[j].variable == test_kinds[i].variable;
        cr_assert_eq(found, 1, "%s", test_kinds[i].name);
    }
}

/* Functions that are not about a kind, whose kind is ignored, or that only the libraries for whole
 * programs call, which have tests of their own. */
static bool is_about_a_kind(const char *function)
{
    static const char *const others[] = {
        "check_dax_path", "config_",      "error_message", "get_version", "get_kind_by_partition",
        "take_foreign",   "copy_at_fork", "free_trusted",  "sizes_",      "trust_frees",
        "usable_size_or"};

    for (size_t i = 0; i < LENGTH(others); i++)
        if (strncmp(function, others[i], strlen(others[i])) == 0)
            return false;
    return !strstr(function, "_get_mbind_nodemask");
}

Test(matrix, every_function_has_a_row)
{
    FILE *file = fopen(MEMKIND_TEST_SOURCE_DIR "/test/system/abi/libmemkind.abi", "re");
    char line[256], name[200], wanted[208];
    size_t functions = 0;

    cr_assert(file, "libmemkind.abi: %s", strerror(errno));
    list_operations();
    while (fgets(line, sizeof line, file)) {
        bool found = false;

        if (sscanf(line, "symbol T memkind_%199s", name) != 1 || !is_about_a_kind(name))
            continue;
        snprintf(wanted, sizeof wanted, " %s ", name);
        for (size_t i = 0; i < operation_count && !found; i++)
            found = strstr(operations[i]->functions, wanted) != NULL;
        cr_assert(found, "no operation is about memkind_%s()", name);
        functions++;
    }
    fclose(file);
    cr_assert_gt(functions, 20);
}

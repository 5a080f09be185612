/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_failures: whatever the system refuses is an error code, and nothing is lost.
 *
 * As SQLite does it: an operation is repeated with its first system call failing, then with its
 * second, and so on until it gets through without a failure; then the same with all calls failing
 * from the N-th on. Whatever fails, an operation works, or it says so: NULL with errno ENOMEM, or
 * an error code. It never crashes, aborts or hangs; what was there before is unharmed; the same
 * operation works as soon as the system does; and nothing is lost on the way: four failures take
 * no more address space than one.
 *
 * The library's calls are caught by failing_calls.c, so this program is linked to the static
 * library. Each attempt is a child of its own: most failures matter at first use.
 */
#include "failing_calls.h"
#include "failing_operations.h"
#include "failures.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALLS_MOST 500 /* no operation makes more calls */
#define REPETITIONS 4  /* of a failure, to see a leak */

TestSuite(failures, .init = test_with_nodes, .timeout = 280);
/* A test of its own for ctest, which lets only one program at a time reserve huge pages. */
TestSuite(failures_huge_pages, .init = test_with_nodes, .fini = test_pool_restore, .timeout = 280);

/* --- one attempt: a child --------------------------------------------------------------------- */

struct attempt {
    const char *(*operation)(void);
    bool warm;                         /* the operation has worked before */
    const struct injection *injection; /* NULL: none */
    bool stays;
    long nth;
};

static const char *attempt_once(const struct attempt *attempt)
{
    const char *wrong;

    calls_fail(attempt->injection, attempt->nth, attempt->stays);
    wrong = attempt->operation();
    calls_work();
    return wrong;
}

/* Failure upon failure takes no address space; where munmap() fails that cannot be asked for. */
static void look_for_leak(const struct attempt *attempt, struct outcome *outcome)
{
    size_t space = test_virtual(), after;

    for (int i = 0; i < REPETITIONS; i++)
        (void)attempt_once(attempt);
    after = test_virtual();
    if (after > space + 6 * MIB)
        SAY(outcome, "%d failures take %zu MiB of address space", REPETITIONS,
            (after - space) / MIB);
}

static void child(const struct attempt *attempt, struct outcome *outcome)
{
    static unsigned char *kept;
    const char *wrong = NULL;

    alarm(CHILD_SECONDS);
    if (attempt->warm) {
        kept = memkind_malloc(MEMKIND_REGULAR, 3000);
        wrong = kept ? attempt->operation() : "no memory";
        if (wrong) {
            SAY(outcome, "without any failure: %s", wrong);
            return;
        }
        test_fill(kept, 3000, 99);
    }
    wrong = attempt_once(attempt);
    outcome->failed = calls_failed();
    if (wrong == REFUSED && !calls_failed())
        wrong = "refused although no call failed";
    if (wrong && wrong != REFUSED) {
        SAY(outcome, "%s", wrong);
        return;
    }
    wrong = attempt->operation();
    if (wrong) {
        SAY(outcome, "the system works again, the operation does not: %s", wrong);
        return;
    }
    if (attempt->warm && !test_holds(kept, 3000, 99))
        SAY(outcome, "a block from before was changed");
    if (attempt->warm && !TEST_SANITIZED && outcome->failed &&
        !(attempt->injection->calls & CALL_MUNMAP))
        look_for_leak(attempt, outcome);
}

/* Whether a call failed; the test fails when something else is wrong. */
static bool run(const char *name, const struct attempt *attempt)
{
    static struct outcome *outcome;
    const char *how = attempt->stays ? "and all after it" : "alone";
    int status = 0;
    pid_t process;

    process = outcome_fork(&outcome);
    if (process == 0) {
        child(attempt, outcome);
        _exit(0);
    }
    cr_assert_gt(process, 0);
    cr_assert_eq(waitpid(process, &status, 0), process);
    cr_expect(status == 0, "%s%s, %s number %ld %s: status %#x%s", attempt->warm ? "warm " : "",
              name, attempt->injection->name, attempt->nth, how, (unsigned)status,
              WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? ", it hung" : "");
    cr_expect(!outcome->wrong[0], "%s%s, %s number %ld %s: %s", attempt->warm ? "warm " : "", name,
              attempt->injection->name, attempt->nth, how, outcome->wrong);
    return status != 0 || outcome->failed;
}

/* The operation, with each of its calls failing in turn. */
static void run_table(const char *name, const char *(*operation)(void),
                      const struct injection *table, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        for (int variant = 0; variant < 4; variant++) {
            struct attempt attempt = {.operation = operation,
                                      .injection = &table[i],
                                      .stays = variant & 1,
                                      .warm = variant & 2,
                                      .nth = 0};

            while (++attempt.nth <= CALLS_MOST && run(name, &attempt))
                ;
            cr_assert_leq(attempt.nth, CALLS_MOST, "%s never gets through", name);
        }
    }
}

static void run_all(const char *name, const char *(*operation)(void))
{
    run_table(name, operation, injections, injection_count);
}

#define OPERATION(NAME)            \
    Test(failures, NAME)           \
    {                              \
        run_all(#NAME, op_##NAME); \
    }

OPERATION(malloc_default)
OPERATION(malloc_regular)
OPERATION(malloc_interleave)
OPERATION(malloc_hbw)
OPERATION(malloc_dax_preferred)
OPERATION(malloc_large)
OPERATION(malloc_many_sizes)
OPERATION(calloc_large)
OPERATION(memalign_large)
OPERATION(realloc_growth)
OPERATION(create_and_destroy)
#define FILE_OPERATION(NAME)                                                \
    Test(failures, NAME)                                                    \
    {                                                                       \
        run_all(#NAME, op_##NAME);                                          \
        run_table(#NAME, op_##NAME, file_injections, file_injection_count); \
    }

FILE_OPERATION(pmem_on_tmpfs)
FILE_OPERATION(pmem_on_disk)
FILE_OPERATION(fixed_area)
FILE_OPERATION(questions_about_files)

Test(failures, attach_threads)
{
    if (TEST_THREAD_SANITIZED)
        test_skip("ThreadSanitizer needs a pthread key for every thread itself");
    run_all("attach_threads", op_attach_threads);
}

OPERATION(calloc_after_purge)
OPERATION(ask)
OPERATION(statistics)

Test(failures_huge_pages, malloc_hugetlb)
{
    test_pool_set(2 * MIB, 16);
    run_all("malloc_hugetlb", op_malloc_hugetlb);
}

/* The calls are really caught: without that, this file shows nothing. */
Test(failures, calls_are_caught)
{
    static const struct injection everything = {"all", ~0u, ENOMEM};
    struct attempt attempt = {
        .operation = op_malloc_regular, .injection = &everything, .nth = 1, .stays = true};

    cr_expect_eq(attempt_once(&attempt), REFUSED);
    cr_expect_gt(calls_failed(), 0);
}

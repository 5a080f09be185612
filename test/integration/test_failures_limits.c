/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_failures, continued: real limits. Of address space, mappings, pthread keys and files there
 * are only a few left, at first use; with all of them back, the same works.
 */
#include "failing_operations.h"
#include "failures.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* First uses with `room` bytes of address space left. */
static const char *with_little_space(size_t room)
{
    static const char *(*const operations[])(void) = {
        op_background_threads, op_malloc_default, op_malloc_regular,    op_malloc_hbw,
        op_create_and_destroy, op_realloc_growth, op_background_threads};
    struct rlimit limit, little;
    const char *wrong = NULL;

    EXPECT(getrlimit(RLIMIT_AS, &limit) == 0);
    little = limit;
    little.rlim_cur = test_virtual() + room;
    EXPECT(setrlimit(RLIMIT_AS, &little) == 0);
    for (size_t i = 0; i < LENGTH(operations); i++) {
        wrong = operations[i]();
        if (wrong && wrong != REFUSED)
            return wrong;
    }
    EXPECT(setrlimit(RLIMIT_AS, &limit) == 0);
    for (size_t i = 0; i < LENGTH(operations); i++) {
        wrong = operations[i]();
        if (wrong)
            return wrong;
    }
    return NULL;
}

/* A child for each amount that is left: nothing may be wrong in any. */
static void tighten(const char *(*body)(size_t), size_t most, size_t step, const char *what)
{
    static struct outcome *outcome;

    for (size_t left = 0; left <= most; left += step) {
        int status = 0;
        pid_t process = outcome_fork(&outcome);

        if (process == 0) {
            const char *wrong;

            alarm(CHILD_SECONDS);
            wrong = body(left);
            if (wrong)
                SAY(outcome, "%s", wrong);
            _exit(0);
        }
        cr_assert_gt(process, 0);
        cr_assert_eq(waitpid(process, &status, 0), process);
        cr_expect(!status && !outcome->wrong[0], "%zu %s left: status %#x %s", left, what,
                  (unsigned)status, outcome->wrong);
    }
}

Test(failures, little_address_space)
{
    if (TEST_SANITIZED)
        test_skip("the sanitizer itself needs address space");
    tighten(with_little_space, 40 * MIB, 512 * KIB, "bytes of address space");
}

/* First use with `spare` mappings left of vm.max_map_count. */
static const char *with_few_mappings(size_t spare)
{
    static void *pages[200000];
    size_t page = (size_t)sysconf(_SC_PAGESIZE), taken = 0;
    const char *wrong;

    /* Neighbours that differ in protection are two mappings. */
    while (taken < LENGTH(pages)) {
        void *at =
            mmap(NULL, page, taken % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (at == MAP_FAILED)
            break;
        pages[taken++] = at;
    }
    if (taken == LENGTH(pages))
        return NULL; /* no such limit here */
    for (size_t i = 0; i < 2 * spare && i < taken; i++)
        munmap(pages[--taken], page);
    wrong = op_malloc_regular();
    if (wrong && wrong != REFUSED)
        return wrong;
    while (taken)
        munmap(pages[--taken], page);
    return op_malloc_regular();
}

Test(failures, few_mappings)
{
    if (TEST_SANITIZED)
        test_skip("the sanitizer itself needs mappings");
    tighten(with_few_mappings, 16, 1, "mappings");
}

/* All pthread keys but `spare` are taken. */
static const char *with_few_keys(size_t spare)
{
    pthread_key_t keys[PTHREAD_KEYS_MAX];
    size_t taken = 0;
    const char *wrong;

    while (taken < LENGTH(keys) && pthread_key_create(&keys[taken], NULL) == 0)
        taken++;
    for (size_t i = 0; i < spare; i++)
        pthread_key_delete(keys[--taken]);
    wrong = op_attach_threads();
    if (wrong && wrong != REFUSED)
        return wrong;
    while (taken)
        pthread_key_delete(keys[--taken]);
    return op_attach_threads();
}

Test(failures, few_keys)
{
    if (TEST_THREAD_SANITIZED)
        test_skip("ThreadSanitizer needs a pthread key for every thread itself");
    tighten(with_few_keys, 4, 1, "keys");
}

/* No file can be opened: nothing is known about the machine's nodes. */
static const char *without_files(size_t unused)
{
    struct rlimit limit, none;
    const char *wrong;

    (void)unused;
    EXPECT(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    none = limit;
    none.rlim_cur = 0;
    EXPECT(setrlimit(RLIMIT_NOFILE, &none) == 0);
    wrong = op_malloc_regular();
    if (wrong && wrong != REFUSED)
        return wrong;
    EXPECT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    wrong = op_malloc_regular();
    return wrong ? wrong : op_malloc_hbw();
}

Test(failures, no_files)
{
    tighten(without_files, 0, 1, "files");
}

/* No file may grow: the library's own copy of libtbbmalloc cannot be made, nor can a kind of a
 * file. What the system sends for that, SIGXFSZ, would end the process. */
static const char *with_small_files(size_t limit)
{
    struct rlimit before, small;
    const char *wrong;

    EXPECT(getrlimit(RLIMIT_FSIZE, &before) == 0);
    small = before;
    small.rlim_cur = limit;
    EXPECT(setrlimit(RLIMIT_FSIZE, &small) == 0);
    wrong = op_malloc_regular();
    if (!wrong)
        wrong = op_malloc_hbw();
    EXPECT(setrlimit(RLIMIT_FSIZE, &before) == 0);
    return wrong ? wrong : op_malloc_regular();
}

Test(failures, small_files)
{
    tighten(with_small_files, 64 * KIB, 32 * KIB, "bytes of a file");
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_fork_handlers: handlers of pthread_atfork() may use the whole library, whether they were
 * registered before the library was loaded (they run while its locks are held) or behind it, before
 * its first use or later; they may fork in turn.
 *
 * What hangs is ended by an alarm. Children report by their exit status.
 */
#include "busy.h"

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(fork_handlers, .init = test_with_nodes, .timeout = 280);

enum { PREPARE = 1, PARENT = 2, CHILD = 4, ALWAYS = 7 };

struct handlers {
    int when; /* of the above */
    bool (*what)(void);
    int calls; /* so far */
    bool failed;
};

static struct handlers early, late;

static void call(struct handlers *handlers, int when)
{
    if (!(handlers->when & when) || !handlers->what)
        return;
    handlers->calls++;
    if (!handlers->what())
        handlers->failed = true;
}

static void early_prepare(void)
{
    call(&early, PREPARE);
}

static void early_parent(void)
{
    call(&early, PARENT);
}

static void early_child(void)
{
    call(&early, CHILD);
}

static void late_prepare(void)
{
    call(&late, PREPARE);
}

static void late_parent(void)
{
    call(&late, PARENT);
}

static void late_child(void)
{
    call(&late, CHILD);
}

static void register_early(void)
{
    pthread_atfork(early_prepare, early_parent, early_child);
}

/* Before any constructor of a library. */
static void (*const before_all)(void)
    __attribute__((section(".preinit_array"), used)) = register_early;

/* --- what handlers do ------------------------------------------------------------------------- */

static memkind_t file_kind;

static bool allocate(void)
{
    memkind_t kinds[] = {MEMKIND_DEFAULT, MEMKIND_REGULAR, MEMKIND_HBW, file_kind};
    bool well = true;

    for (size_t k = 0; k < LENGTH(kinds); k++) {
        void *small[TEST_ASSERTIONS ? 30 : 300], *aligned = NULL, *large;

        if (!kinds[k])
            continue;
        for (size_t i = 0; i < LENGTH(small); i++) {
            small[i] = memkind_malloc(kinds[k], 100);
            well = well && small[i] && memkind_detect_kind(small[i]) == kinds[k];
            if (small[i])
                test_fill(small[i], 100, i);
        }
        large = memkind_malloc(kinds[k], 3 * MIB);
        well = well && large && memkind_malloc_usable_size(kinds[k], large) >= 3 * MIB;
        large = memkind_realloc(kinds[k], large, 5 * MIB);
        well = well && large && memkind_posix_memalign(kinds[k], &aligned, 4096, 10000) == 0;
        for (size_t i = 0; i < LENGTH(small); i++) {
            well = well && test_holds(small[i], 100, i);
            memkind_free(i % 2 ? NULL : kinds[k], small[i]);
        }
        memkind_free(NULL, large);
        memkind_free(kinds[k], aligned);
    }
    return well;
}

static bool create_and_destroy(void)
{
    memkind_t created = busy_create();
    size_t value;
    bool well = created && busy_use(created, 7) && memkind_update_cached_stats() == 0 &&
                memkind_get_stat(created, MEMKIND_STAT_TYPE_RESIDENT, &value) == 0 &&
                memkind_refresh() == 0 && memkind_check_available(MEMKIND_REGULAR) == 0;

    return created && memkind_destroy_kind(created) == 0 && well;
}

static bool everything(void)
{
    return allocate() && create_and_destroy();
}

/* The child of a fork in a handler is in the middle of the outer fork, too: it goes on with that,
 * and ends in fork_once(). */
static bool nested;

static bool fork_again(void)
{
    static int depth;
    pid_t child;
    int status;

    if (depth == 2)
        return true;
    if (!allocate())
        return false;
    depth++;
    child = fork();
    if (child == 0) {
        alarm(BUSY_SECONDS);
        nested = true;
        return everything();
    }
    depth--;
    return child > 0 && (waitpid(child, &status, 0) != child || status == 0) && everything();
}

/* --- tests ------------------------------------------------------------------------------------ */

static void fork_once(void)
{
    pid_t child;
    int status;

    alarm(BUSY_SECONDS);
    child = fork();
    if (child == 0) {
        alarm(BUSY_SECONDS);
        early.what = late.what = NULL;
        _exit(early.failed || late.failed ? 1 : !everything() ? 2 : 0);
    }
    if (nested) { /* the outer fork's child is its own if it forked after it was forked itself */
        if (waitpid(child, &status, 0) == child && status)
            _exit(3);
        _exit(early.failed || late.failed ? 4 : !everything() ? 5 : 0);
    }
    cr_assert_gt(child, 0);
    status = busy_status_of(child);
    cr_assert_eq(status, 0, "the child ended with %d", status);
    cr_assert(!early.failed && !late.failed, "a handler failed");
    alarm(0);
}

/* All of them, with each of three handlers alone and with all together. */
static void fork_with(struct handlers *handlers, bool (*what)(void))
{
    const int when[] = {PREPARE, PARENT, CHILD, ALWAYS};

    for (size_t i = 0; i < LENGTH(when); i++) {
        int calls = handlers->calls;

        handlers->when = when[i];
        handlers->what = what;
        fork_once();
        cr_assert(when[i] == CHILD || handlers->calls > calls, "no handler was called");
        handlers->what = NULL;
        cr_assert(everything(), "the parent is not well");
    }
}

Test(fork_handlers, registered_before_first_use)
{
    pthread_atfork(late_prepare, late_parent, late_child);
    fork_with(&late, everything);
}

Test(fork_handlers, registered_before_first_use_and_it_was_used)
{
    pthread_atfork(late_prepare, late_parent, late_child);
    cr_assert(everything());
    fork_with(&late, everything);
}

Test(fork_handlers, registered_later)
{
    cr_assert(everything());
    pthread_atfork(late_prepare, late_parent, late_child);
    fork_with(&late, everything);
}

Test(fork_handlers, registered_before_loading)
{
    fork_with(&early, everything);
}

Test(fork_handlers, registered_before_loading_and_it_was_used)
{
    cr_assert(everything());
    fork_with(&early, everything);
}

Test(fork_handlers, a_first_use_by_the_handler_of_a_child)
{
    early = (struct handlers){.when = CHILD, .what = everything};
    fork_once();
}

Test(fork_handlers, that_fork)
{
    pthread_atfork(late_prepare, late_parent, late_child);
    fork_with(&late, fork_again);
    fork_with(&early, fork_again);
}

Test(fork_handlers, beside_busy_threads)
{
    const int forks = TEST_ASSERTIONS ? 1 : 20;

    early = (struct handlers){.when = ALWAYS, .what = everything};
    busy_start();
    for (int i = 0; i < forks; i++)
        fork_once();
    early.what = NULL;
    busy_end();
}

/* What the child's handlers allocate from a kind of a file is not the parent's memory. */
Test(fork_handlers, in_the_child_of_a_kind_of_a_file)
{
    unsigned char *blocks[3000];

    cr_assert_eq(memkind_create_pmem("/tmp", 64 * MIB, &file_kind), 0);
    for (size_t i = 0; i < LENGTH(blocks); i++)
        cr_assert((blocks[i] = memkind_malloc(file_kind, 100)));
    for (size_t i = 0; i < LENGTH(blocks); i += 2)
        memkind_free(file_kind, blocks[i]);
    early = (struct handlers){.when = CHILD, .what = allocate};
    for (size_t i = 1; i < LENGTH(blocks); i += 2)
        test_fill(blocks[i], 100, i);
    for (size_t i = 0; i < LENGTH(blocks); i += 2) {
        cr_assert((blocks[i] = memkind_malloc(file_kind, 100)));
        test_fill(blocks[i], 100, i);
        if (i % 300 == 0)
            fork_once();
    }
    for (size_t i = 0; i < LENGTH(blocks); i++)
        cr_assert(test_holds(blocks[i], 100, i), "the child wrote to block %zu", i);
}

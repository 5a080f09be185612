/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * fork: the one place that knows in which order locks are taken around fork(2): that of the first
 * use, the background thread's, the registry's, then the heap manager's, then the page layer's.
 *
 * Handlers are registered when the library is loaded, which is the only thing that happens then.
 * Those that are registered later run outside of ours, and find the library as at any time. Those
 * of before, of a program that opens the library with dlopen() or of libraries below it, run while
 * the forking thread holds all locks. What they ask of the library goes through guard.h: before the
 * fork and in the parent the locks are released for the call and taken again; in the child, what is
 * to be done behind a fork is done right then, and our own handler finds nothing left.
 *
 * Such a handler may fork in turn. The locks are taken already then, and the forks are counted: the
 * parent of the inner one holds them until the outer one ends; its child, which is in the middle of
 * the outer one just so, settles and takes them anew.
 *
 * A program's own function that gets pages (callout.h) must not fork: its thread holds locks of
 * ours that cannot be waited for. One that does so all the same is left alone. The child of such a
 * fork has what is served inside of a callout, a reserve; behind it, it may wait for locks of
 * threads that it does not have.
 *
 * Threads: the first-use lock lets one thread at a time fork.
 */
#include "frontend/fork.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "frontend/background.h"
#include "frontend/log.h"
#include "frontend/managers.h"
#include "frontend/registry.h"
#include "kinds/pages/pool.h"
#include "kinds/system/callout.h"
#include "kinds/system/guard.h"
#include "kinds/system/os.h"

/* Guarded by the first-use lock: */
static int forking_process; /* the parent of a fork */
static bool settled;        /* this child is settled, and our handler's turn is still to come */

static void take(unsigned forks)
{
    managers_prefork();
    if (managers_get() && managers_get()->await_thread_exits)
        managers_get()->await_thread_exits();
    background_prefork();
    registry_prefork();
    if (managers_get())
        managers_get()->prefork();
    pool_prefork();
    forking_process = os_process();
    guard_forks = (uint16_t)forks;
}

static void release(bool child)
{
    const struct heap_manager *manager = managers_get();

    guard_forks = 0;
    pool_postfork(child);
    if (manager && child)
        manager->postfork_child();
    else if (manager)
        manager->postfork_parent();
    registry_postfork(child);
    background_postfork(child);
    managers_postfork(child);
}

/* For guard.h: a handler of before ours calls the library. */
static unsigned open_fork(void)
{
    bool child = os_process() != forking_process;
    unsigned forks = guard_forks - child;

    settled = child && forks;
    release(child);
    return forks;
}

static void prefork(void)
{
    if (callout_is_on())
        return;
    if (guard_forks && os_process() != forking_process)
        take(open_fork() + 1); /* a handler of a child forks before it was our turn */
    else if (guard_forks)
        guard_forks++;
    else
        take(1);
}

static void postfork_parent(void)
{
    if (callout_is_on())
        return;
    if (guard_forks > 1)
        guard_forks--;
    else if (guard_forks)
        release(false);
}

static void postfork_child(void)
{
    unsigned outer;

    if (callout_is_on())
        return;
    if (!guard_forks || (settled && os_process() == forking_process)) {
        settled = false;
        return;
    }
    outer = guard_forks - 1;
    release(true);
    if (outer)
        take(outer);
}

/* Before the constructors of a program that the library is linked into. */
__attribute__((constructor(101))) void fork_register(void)
{
    static const struct guard_fork functions = {open_fork, take};

    guard_set_fork(&functions);
    if (pthread_atfork(prefork, postfork_parent, postfork_child))
        log_always("cannot register fork handlers: a forked child must not use memkind");
}

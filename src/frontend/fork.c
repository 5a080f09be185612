/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * fork: the one place that knows in which order locks are taken around fork(2): that of the first
 * use, the registry's, then the heap manager's, then the page layer's.
 *
 * Handlers are registered when the library is loaded, which is the only thing that happens then.
 * Those that a program registers later run outside of ours, and find the library as at any time.
 *
 * Threads: the first-use lock lets one thread at a time fork.
 */
#include "frontend/fork.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "frontend/log.h"
#include "frontend/managers.h"
#include "frontend/registry.h"
#include "kinds/pages/pool.h"

static void prefork(void)
{
    managers_prefork();
    if (managers_get() && managers_get()->await_thread_exits)
        managers_get()->await_thread_exits();
    registry_prefork();
    if (managers_get())
        managers_get()->prefork();
    pool_prefork();
}

static void postfork(void (*manager_postfork)(void), bool child)
{
    pool_postfork(child);
    if (manager_postfork)
        manager_postfork();
    registry_postfork(child);
    managers_postfork();
}

static void postfork_parent(void)
{
    postfork(managers_get() ? managers_get()->postfork_parent : NULL, false);
}

static void postfork_child(void)
{
    postfork(managers_get() ? managers_get()->postfork_child : NULL, true);
}

/* Before the constructors of a program that the library is linked into. */
__attribute__((constructor(101))) void fork_register(void)
{
    if (pthread_atfork(prefork, postfork_parent, postfork_child))
        log_always("cannot register fork handlers: a forked child must not use memkind");
}

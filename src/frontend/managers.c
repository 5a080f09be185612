/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see managers.h. */
#include "frontend/managers.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "frontend/environment.h"
#include "frontend/export.h"
#include "frontend/log.h"
#include "frontend/registry.h"
#include "frontend/version.h"
#include "kinds/system/callbacks.h"
#include "kinds/system/os.h"
#include "kinds/pages/run_cache.h"

/* The first row is the default. A new heap manager is one more row. */
static const struct heap_manager *const table[] = {&heap_manager_jemalloc, &heap_manager_tbb};
#define MANAGERS (sizeof table / sizeof table[0])
#define MANAGERS_ACCEPTED "JEMALLOC or TBB"

const struct heap_manager *_Atomic managers_chosen;

static __thread bool inside __attribute__((tls_model("initial-exec")));
static pthread_mutex_t first_use = PTHREAD_MUTEX_INITIALIZER;
static struct environment environment; /* written under first_use before managers_chosen */

/* --- fork: the first-use lock, the registry's, then the heap manager's, then the page layer's ----
 */

/* The forking thread is between prefork and postfork. */
static __thread bool forking __attribute__((tls_model("initial-exec")));

static void prefork(void)
{
    if (forking)
        return; /* registered twice, see register_fork_handlers() */
    forking = true;
    pthread_mutex_lock(&first_use);
    if (managers_get() && managers_get()->await_thread_exits)
        managers_get()->await_thread_exits();
    registry_prefork();
    if (managers_get())
        managers_get()->prefork();
    run_cache_prefork();
    pool_prefork();
}

static void postfork(void (*manager_postfork)(void), bool child)
{
    forking = false;
    pool_postfork(child);
    run_cache_postfork(child);
    if (manager_postfork)
        manager_postfork();
    registry_postfork(child);
    pthread_mutex_unlock(&first_use);
}

static void postfork_parent(void)
{
    if (forking)
        postfork(managers_get() ? managers_get()->postfork_parent : NULL, false);
}

static void postfork_child(void)
{
    if (forking)
        postfork(managers_get() ? managers_get()->postfork_child : NULL, true);
}

/*
 * Before the first-use lock is taken for the first time: a fork beside another thread's first use
 * has to wait for it, since half a heap manager is of no use to the child. In the moment of
 * registration itself a fork may still come; its child finds another process's number here and
 * registers again, perhaps for the second time.
 */
static void register_fork_handlers(void)
{
    enum { NOT_YET = 0, DONE = -1 };
    static atomic_int state; /* or the process that is at it */
    int self = os_process(), seen = atomic_load(&state);

    while (seen != DONE) {
        if (seen == self) {
            os_yield();
            seen = atomic_load(&state);
        } else if (atomic_compare_exchange_weak(&state, &seen, self)) {
            if (pthread_atfork(prefork, postfork_parent, postfork_child))
                log_always("no memory for fork handlers: a forked child must not use memkind");
            atomic_store(&state, DONE);
            return;
        }
    }
}

/* --- first use ----------------------------------------------------------------------------------
 */

static const struct heap_manager *requested(void)
{
    if (!environment.manager)
        return table[0];
    for (size_t i = 0; i < MANAGERS; i++)
        if (strcmp(environment.manager, table[i]->name) == 0)
            return table[i];
    environment_reject("MEMKIND_HEAP_MANAGER", MANAGERS_ACCEPTED);
    return table[0];
}

static void start(void)
{
    static const struct callbacks services = {environment_get, environment_reject, log_debug};
    const struct heap_manager *manager;
    char why[HEAP_WHY] = "";

    environment_read(&environment);
    callbacks_set(&services);
    log_debug("libmemkind %s", MEMKIND_VERSION_TEXT);
    manager = requested();
    if (manager != table[0] && manager->load(&environment.settings, why)) {
        log_always("MEMKIND_HEAP_MANAGER=%s cannot be loaded: %s; %s is used", manager->name, why,
                   table[0]->name);
        manager = table[0];
    }
    if (manager == table[0])
        (void)manager->load(&environment.settings, why); /* what fails, fails at the first block */
    log_debug("heap manager: %s", manager->name);
    atomic_store_explicit(&managers_chosen, manager, memory_order_release);
}

bool managers_enter(void)
{
    if (inside)
        return false;
    inside = true;
    if (unlikely(!managers_get())) {
        int error = errno;

        register_fork_handlers();
        pthread_mutex_lock(&first_use);
        if (!managers_get())
            start();
        pthread_mutex_unlock(&first_use);
        errno = error;
    }
    return true;
}

void managers_leave(void)
{
    inside = false;
}

bool managers_arenas_rejected(void)
{
    return environment.arenas_rejected;
}

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
#include "kinds/host.h"

/* The first row is the default. A new heap manager is one more row. */
static const struct heap_manager *const table[] = {&heap_manager_jemalloc, &heap_manager_tbb};
#define MANAGERS (sizeof table / sizeof table[0])
#define MANAGERS_ACCEPTED "JEMALLOC or TBB"

const struct heap_manager *_Atomic managers_chosen;

static __thread bool inside __attribute__((tls_model("initial-exec")));
static pthread_mutex_t first_use = PTHREAD_MUTEX_INITIALIZER;
static struct environment environment; /* written under first_use before managers_chosen */

/* --- fork: the registry's lock, then the heap manager's, then the page layer's ------------------
 */

static void prefork(void)
{
    registry_prefork();
    managers_get()->prefork();
}

static void postfork_parent(void)
{
    managers_get()->postfork_parent();
    registry_postfork();
}

static void postfork_child(void)
{
    managers_get()->postfork_child();
    registry_postfork();
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
    static const struct host services = {environment_get, environment_reject, log_debug};
    const struct heap_manager *manager;

    environment_read(&environment);
    host_set(&services);
    log_debug("libmemkind %s", MEMKIND_VERSION_TEXT);
    manager = requested();
    if (manager != table[0] && manager->load(&environment.settings)) {
        log_always("MEMKIND_HEAP_MANAGER=%s cannot be loaded; %s is used", manager->name,
                   table[0]->name);
        manager = table[0];
    }
    if (manager == table[0])
        (void)manager->load(&environment.settings); /* what fails, fails at the first block */
    log_debug("heap manager: %s", manager->name);
    atomic_store_explicit(&managers_chosen, manager, memory_order_release);
    if (pthread_atfork(prefork, postfork_parent, postfork_child))
        log_always("no memory for fork handlers: a forked child must not use memkind");
}

bool managers_enter(void)
{
    if (inside)
        return false;
    inside = true;
    if (unlikely(!managers_get())) {
        int error = errno;

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

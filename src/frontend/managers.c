/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see managers.h. */
#include "frontend/managers.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "check/check.h"
#include "frontend/background.h"
#include "frontend/environment.h"
#include "frontend/export.h"
#include "frontend/hbw_kind.h"
#include "frontend/log.h"
#include "frontend/version.h"
#include "kinds/pages/pool.h"
#include "kinds/system/callbacks.h"
#include "kinds/system/callout.h"
#include "kinds/system/guard.h"
#include "kinds/system/stack.h"

/* The first row is the default. A new heap manager is one more row. */
static const struct heap_manager *const table[] = {&heap_manager_jemalloc, &heap_manager_tbb};
#define MANAGERS (sizeof table / sizeof table[0])
#define ACCEPTED_SIZE 128

const struct heap_manager *_Atomic managers_chosen;

/* The calling thread is inside, with its guard. */
static __thread bool inside __attribute__((tls_model("initial-exec")));
static __thread struct guard entered __attribute__((tls_model("initial-exec")));

static pthread_mutex_t first_use = PTHREAD_MUTEX_INITIALIZER;
static struct environment environment; /* written under first_use before managers_chosen */

/* --- first use -------------------------------------------------------------------------------- */

/* "JEMALLOC or TBB", of as many as there are; cut where it does not fit. */
static void list_accepted(char *text, size_t size)
{
    size_t length = 0;

    for (size_t i = 0; i < MANAGERS && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, "%s%s",
                                   i == 0             ? ""
                                   : i + 1 < MANAGERS ? ", "
                                                      : " or ",
                                   table[i]->name);
}

static const struct heap_manager *requested(void)
{
    char accepted[ACCEPTED_SIZE] = "";

    if (!environment.manager)
        return table[0];
    for (size_t i = 0; i < MANAGERS; i++)
        if (strcmp(environment.manager, table[i]->name) == 0)
            return table[i];
    list_accepted(accepted, sizeof accepted);
    environment_reject("MEMKIND_HEAP_MANAGER", accepted);
    return table[0];
}

static void follow_machine(void)
{
    pool_follow_machine();
    hbw_kind_forget();
}

/* On a stack of its own. */
static void start(void *nothing)
{
    static const struct callbacks services = {environment_get, environment_reject,
                                              log_debug,       background_resume,
                                              log_text,        follow_machine};
    const struct heap_manager *manager;
    char why[HEAP_WHY] = "";

    (void)nothing;
    environment_read(&environment);
    callbacks_set(&services);
    log_debug("libmemkind %s", MEMKIND_VERSION_TEXT);
    manager = requested();
    if (manager != table[0] && manager->load(&environment.settings, why)) {
        log_always("MEMKIND_HEAP_MANAGER=%s cannot be loaded: %s; %s is used instead",
                   manager->name, why, table[0]->name);
        manager = table[0];
    }
    if (manager == table[0])
        /* An error shows again when the first block is allocated. */
        (void)manager->load(&environment.settings, why);
    log_debug("heap manager: %s", manager->name);
    if (environment.background_threads)
        background_want(manager->give_back);
    atomic_store_explicit(&managers_chosen, check_over(manager, environment.check),
                          memory_order_release);
}

bool managers_enter(void)
{
    if (inside || callout_is_on())
        return false;
    guard_enter(&entered);
    inside = true;
    if (unlikely(!managers_get())) {
        int error = errno;

        pthread_mutex_lock(&first_use);
        if (!managers_get())
            stack_run(start, NULL);
        pthread_mutex_unlock(&first_use);
        errno = error;
    }
    background_resume();
    return true;
}

void managers_leave(void)
{
    inside = false;
    guard_leave(&entered);
}

void managers_prefork(void)
{
    pthread_mutex_lock(&first_use);
}

void managers_postfork(void)
{
    pthread_mutex_unlock(&first_use);
}

bool managers_arenas_rejected(void)
{
    return environment.arenas_rejected;
}

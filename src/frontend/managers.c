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
#include "kinds/system/os.h"
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

/* Written under first_use before managers_chosen: */
static struct environment environment;
static const struct heap_manager *wanted; /* NULL: the environment is not read yet */

/* Threads that ask the dynamic loader. It grows under the first-use lock only. */
static atomic_uint opening;
#define OPENING_MILLISECONDS 1000 /* that a fork waits for these */

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

/* With the first-use lock held: the default heap manager takes the place of the wanted one. */
static void fall_back(const char *why)
{
    char unused[HEAP_WHY];

    log_always("MEMKIND_HEAP_MANAGER=%s cannot be loaded: %s; %s is used instead", wanted->name,
               why, table[0]->name);
    wanted = table[0];
    /* An error shows again when the first block is allocated. */
    (void)wanted->load(&environment.settings, unused);
}

/* With the first-use lock held. */
static void want(void)
{
    static const struct callbacks services = {environment_get, environment_reject,
                                              log_debug,       background_resume,
                                              log_text,        follow_machine};
    char why[HEAP_WHY] = "";

    environment_read(&environment);
    callbacks_set(&services);
    log_debug("libmemkind %s", MEMKIND_VERSION_TEXT);
    wanted = requested();
    if (wanted->load(&environment.settings, why) && wanted != table[0])
        fall_back(why);
}

/* What a thread has from the dynamic loader. */
struct opened {
    struct heap_library library;
    char why[HEAP_WHY];
    int error;
};

/* With the first-use lock held. */
static void choose(struct opened *opened)
{
    if (wanted->start && !opened->error)
        opened->error = wanted->start(&opened->library, opened->why);
    if (opened->error) {
        wanted->unload();
        fall_back(opened->why);
    } else {
        opened->library.handle = NULL; /* it stays */
    }
    log_debug("heap manager: %s", wanted->name);
    if (environment.background_threads)
        background_want(wanted->give_back);
    atomic_store_explicit(&managers_chosen, check_over(wanted, environment.check),
                          memory_order_release);
}

static void ask_loader(const struct heap_manager *manager, struct opened *opened)
{
    if (manager->open)
        opened->error = manager->open(&opened->library, opened->why);
    check_open(environment.check);
}

/* The thread is not counted any more. The child of a fork that did not wait for it has set the
 * count to 0. */
static void end_opening(void)
{
    unsigned count = atomic_load(&opening);

    while (count && !atomic_compare_exchange_weak(&opening, &count, count - 1))
        ;
    os_wake(&opening);
}

/* On a stack of its own. */
static void start(void *nothing)
{
    struct opened opened = {.error = 0};
    const struct heap_manager *manager;

    (void)nothing;
    pthread_mutex_lock(&first_use);
    if (managers_get()) { /* while this thread was waiting */
        pthread_mutex_unlock(&first_use);
        return;
    }
    if (!wanted)
        want();
    manager = wanted;
    atomic_fetch_add(&opening, 1);
    pthread_mutex_unlock(&first_use);

    ask_loader(manager, &opened);
    end_opening();

    pthread_mutex_lock(&first_use);
    if (!managers_get())
        choose(&opened);
    pthread_mutex_unlock(&first_use);
    if (opened.library.handle)
        manager->close(&opened.library);
}

bool managers_enter(void)
{
    if (inside || callout_is_on())
        return false;
    guard_enter(&entered);
    inside = true;
    if (unlikely(!managers_get())) {
        int error = errno;

        stack_run(start, NULL);
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

/* Half a library that the loader has opened is of no use to the child. But who waits for the loader
 * may wait for the very thread that forks, as the constructor of a library does: so not for ever.
 */
void managers_prefork(void)
{
    const unsigned pause = 10;
    unsigned count;

    pthread_mutex_lock(&first_use);
    for (unsigned waited = 0; !inside && waited < OPENING_MILLISECONDS; waited += pause) {
        count = atomic_load(&opening);
        if (!count)
            return;
        pthread_mutex_unlock(&first_use);
        os_wait(&opening, count, pause);
        pthread_mutex_lock(&first_use);
    }
}

void managers_postfork(bool child)
{
    if (child)
        atomic_store(&opening, 0);
    pthread_mutex_unlock(&first_use);
}

bool managers_arenas_rejected(void)
{
    return environment.arenas_rejected;
}

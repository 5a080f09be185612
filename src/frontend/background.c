/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see background.h. */
#include "frontend/background.h"

#include <memkind.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "frontend/log.h"
#include "kinds/system/os.h"
#include "kinds/system/stack.h"

#define PAUSE_MILLISECONDS 1000

static atomic_bool is_wanted; /* by background_resume() */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Guarded by the lock: */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER; /* the state, by others */
static enum { NONE, STARTING, RUNNING, ENDING } state;
static pthread_t thread;       /* of the last two states */
static bool (*work_now)(void); /* also the thread's, as long as there is one */

static atomic_uint is_to_end; /* the thread */

/* --- the thread ------------------------------------------------------------------------------- */

static void *run(void *unused)
{
    pthread_setname_np(pthread_self(), "memkind");
    while (!atomic_load_explicit(&is_to_end, memory_order_relaxed))
        if (!work_now())
            os_wait(&is_to_end, 0, PAUSE_MILLISECONDS);
    return unused;
}

/* Runs on a stack of its own. */
static void create(void *error)
{
    *(int *)error = os_create_thread(&thread, run);
}

static void end(void)
{
    os_wake(&is_to_end);
    pthread_join(thread, NULL);
}

/* --- on and off ------------------------------------------------------------------------------- */

/* Waits until nobody starts or ends the thread. True: it is not as it is to be, and this is the
 * caller's to change. False with *error, otherwise. */
static bool change_begin(bool on, bool (*work)(void), int *error)
{
    bool change;

    pthread_mutex_lock(&lock);
    *error = 0;
    /* A custom kind's functions run in the thread: it cannot wait for its own end. */
    if ((state == RUNNING || state == ENDING) && pthread_equal(thread, pthread_self())) {
        *error = on ? 0 : MEMKIND_ERROR_OPERATION_FAILED;
        pthread_mutex_unlock(&lock);
        return false;
    }
    while (state == STARTING || state == ENDING)
        pthread_cond_wait(&changed, &lock);
    atomic_store_explicit(&is_wanted, false, memory_order_relaxed);
    change = on != (state == RUNNING);
    if (change) {
        state = on ? STARTING : ENDING;
        if (on) /* else the thread may be reading it */
            work_now = work;
        atomic_store_explicit(&is_to_end, !on, memory_order_relaxed);
    }
    pthread_mutex_unlock(&lock);
    return change;
}

static void change_end(bool runs)
{
    pthread_mutex_lock(&lock);
    state = runs ? RUNNING : NONE;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

int background_set(bool on, bool (*work)(void))
{
    int error;

    if (!change_begin(on, work, &error))
        return error;
    if (on)
        stack_run(create, &error);
    else
        end();
    change_end(on && !error);
    if (!error)
        return 0;
    log_debug("cannot create the background thread: %s", strerrordesc_np(error));
    return MEMKIND_ERROR_OPERATION_FAILED;
}

void background_want(bool (*work)(void))
{
    work_now = work;
    atomic_store_explicit(&is_wanted, true, memory_order_relaxed);
}

void background_resume(void)
{
    if (atomic_load_explicit(&is_wanted, memory_order_relaxed) &&
        atomic_exchange_explicit(&is_wanted, false, memory_order_relaxed))
        (void)background_set(true, work_now);
}

/* --- fork ------------------------------------------------------------------------------------- */

void background_prefork(void)
{
    pthread_mutex_lock(&lock);
}

void background_postfork(bool child)
{
    if (child) {
        if (state == STARTING || state == RUNNING)
            atomic_store_explicit(&is_wanted, true, memory_order_relaxed);
        state = NONE;
        pthread_cond_init(&changed, NULL);
    }
    pthread_mutex_unlock(&lock);
}

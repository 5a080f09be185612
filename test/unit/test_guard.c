/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_guard: no cancellation reaches a thread inside a guard, also one that was on its way when
 * the thread entered it.
 */
#include "support.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kinds/system/guard.h"

#define SIGNAL_OF_CANCEL 32 /* what pthread_cancel() sends; pthread_sigmask() leaves it alone */

TestSuite(guard, .init = test_bare);

static atomic_bool is_ready, is_sent, is_through, is_left;

static void set_signal(int how)
{
    uint64_t set = (uint64_t)1 << (SIGNAL_OF_CANCEL - 1);

    syscall(SYS_rt_sigprocmask, how, &set, NULL, sizeof set);
}

/* The signal waits from before the guard until the middle of it. */
static void *in_a_guard(void *argument)
{
    struct guard guard, inner;

    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    set_signal(SIG_BLOCK);
    is_ready = true;
    while (!is_sent)
        continue;
    guard_enter(&guard);
    guard_enter(&inner);
    set_signal(SIG_UNBLOCK);
    guard_leave(&inner);
    is_through = true;
    guard_leave(&guard);
    is_left = true;
    return argument;
}

Test(guard, holds_back_a_cancellation_on_its_way)
{
    pthread_t thread;
    void *result = NULL;

    if (TEST_SANITIZED)
        test_skip("AddressSanitizer's marks of a stack stay where a cancellation ends its frames");
    cr_assert_eq(pthread_create(&thread, NULL, in_a_guard, NULL), 0);
    while (!is_ready)
        usleep(100);
    cr_assert_eq(pthread_cancel(thread), 0);
    is_sent = true;
    pthread_join(thread, &result);
    cr_assert(is_through, "the thread ended inside the guard");
    cr_assert(!is_left && result == PTHREAD_CANCELED, "the cancellation was lost");
}

static void *enter_and_leave(void *argument)
{
    struct guard guard;
    int type, *was = argument;

    pthread_setcanceltype(*was, NULL);
    guard_enter(&guard);
    guard_leave(&guard);
    pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type);
    *was = type;
    return NULL;
}

Test(guard, leaves_the_type_as_it_was)
{
    static const int types[] = {PTHREAD_CANCEL_DEFERRED, PTHREAD_CANCEL_ASYNCHRONOUS};

    for (size_t i = 0; i < LENGTH(types); i++) {
        int type = types[i];
        pthread_t thread;

        cr_assert_eq(pthread_create(&thread, NULL, enter_and_leave, &type), 0);
        pthread_join(thread, NULL);
        cr_assert_eq(type, types[i]);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * guard: around every piece of work that takes a lock or makes a system call.
 *
 * Cancellation. malloc() is no cancellation point, and neither is any function of this library; the
 * system calls below it are. A thread that was cancelled in the middle would leave locks taken and
 * counts wrong, for ever. So it cannot be cancelled between guard_enter() and guard_leave(). What a
 * thread's cache answers inline takes no lock and needs no guard.
 *
 * Disabling is not enough for a thread that may be cancelled asynchronously. pthread_cancel() sends
 * it a signal, whose handler asks in glibc before 2.41 for the type of cancellation only, not for
 * the state: a signal that is on its way when we disable ends the thread inside the guard. So the
 * type is deferred there, too. On leaving it comes back before the state, since only enabling with
 * the thread's own type acts on what is pending.
 *
 * Fork. Between its handlers the forking thread holds every lock of the library. Other libraries'
 * handlers may run in between, and call us: guard_enter() then opens what the fork has closed, and
 * guard_leave() closes it again. The frontend, which knows the order of the locks, says how.
 *
 * Threads: any. Guards may lie inside each other; only the outermost does anything.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "kinds/system/compiler.h"

struct guard {
    int cancel_state; /* what it was before */
    int cancel_type;  /* likewise */
    unsigned forks;   /* forks to go on with: 0, or what guard_open() returned */
};

/* How many forks the calling thread is in the middle of, one inside another's handlers. */
extern __thread uint16_t guard_forks HIDDEN __attribute__((tls_model("initial-exec")));

/* What the frontend lends. open() leaves guard_forks at 0 and returns how many forks close() is to
 * go on with. Set at load. */
struct guard_fork {
    unsigned (*open)(void);
    void (*close)(unsigned forks);
};
void guard_set_fork(const struct guard_fork *functions);

unsigned guard_open(void);
void guard_close(unsigned forks);

static inline void guard_enter(struct guard *guard)
{
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &guard->cancel_state);
    pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &guard->cancel_type);
    guard->forks = unlikely(guard_forks) ? guard_open() : 0;
}

static inline void guard_leave(const struct guard *guard)
{
    if (unlikely(guard->forks))
        guard_close(guard->forks);
    pthread_setcanceltype(guard->cancel_type, NULL);
    pthread_setcancelstate(guard->cancel_state, NULL);
}

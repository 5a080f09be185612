/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* The process, its threads and its clock; failures. Why and thread rules: see os.h. Raw syscall()
 * where glibc has no wrapper, or one that is a cancellation point. */
#include "kinds/system/os.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kinds/system/callbacks.h"
#include "kinds/system/os_failed.h"

int os_failed(const char *call, size_t size)
{
    int error = errno;

    if (size)
        callbacks->log("%s of %zu bytes: %s (errno %d)", call, size, strerrordesc_np(error), error);
    else
        callbacks->log("%s: %s (errno %d)", call, strerrordesc_np(error), error);
    errno = error;
    return error;
}

unsigned long os_unique(void)
{
    static atomic_ulong calls;
    struct timespec now = {0, 0};

    clock_gettime(CLOCK_REALTIME, &now);
    return (unsigned long)now.tv_sec * 1000000000 + (unsigned long)now.tv_nsec +
           ((unsigned long)getpid() << 40) + (atomic_fetch_add(&calls, 1) << 20);
}

uint64_t os_random(void)
{
    const void *bytes = (const void *)getauxval(AT_RANDOM); /* of this program's start */
    uint64_t random = 0;

    if (bytes)
        memcpy(&random, bytes, sizeof random);
    return random ^ os_unique() * 0x9e3779b97f4a7c15u;
}

int os_process(void)
{
    return getpid();
}

int os_thread(void)
{
    return gettid();
}

bool os_thread_is_gone(int thread)
{
    int error = errno;
    bool gone = tgkill(getpid(), thread, 0) && errno == ESRCH;

    errno = error;
    return gone;
}

long os_seconds(void)
{
    struct timespec now;

    return clock_gettime(CLOCK_MONOTONIC_COARSE, &now) ? 0 : now.tv_sec;
}

int os_create_thread(pthread_t *thread, void *(*run)(void *))
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(thread, NULL, run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

void os_wait(const atomic_uint *word, unsigned value, unsigned milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};

    (void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &time, NULL, 0);
}

void os_wake(const atomic_uint *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

bool os_can_barrier_everywhere(void)
{
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0)
        return true;
    os_failed("membarrier", 0);
    return false;
}

int os_barrier_everywhere(void)
{
    return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0)
               ? os_failed("membarrier", 0)
               : 0;
}

/* Not sched_yield(2): a thread of a real-time policy would never let one of lower priority run. */
void os_yield(void)
{
    const struct timespec moment = {0, 50000};

    syscall(SYS_nanosleep, &moment, NULL); /* nanosleep(3) is a cancellation point */
}

unsigned os_cpu_count(void)
{
    /* Room for 8,192 CPUs; a larger machine answers EINVAL and gets the safe guess. */
    unsigned long mask[128] = {0};
    unsigned count = 0;

    if (syscall(SYS_sched_getaffinity, 0, sizeof mask, mask) < 0)
        return 1;
    for (size_t i = 0; i < sizeof mask / sizeof mask[0]; i++)
        count += (unsigned)__builtin_popcountl(mask[i]);
    return count ? count : 1;
}

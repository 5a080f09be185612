/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_loader: the dynamic loader has a lock, which a thread holds while a library's constructor or
 * destructor runs. Such a thread may use the library, and fork, whatever other threads do in the
 * library meanwhile: none of them waits for the loader with a lock that the first one needs.
 */
#include "support.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS 60
#define OTHERS 4

TestSuite(loader, .timeout = 100);

static bool forks;
static atomic_int calls, others_done, faults;

static bool works(memkind_t kind)
{
    char *block = memkind_malloc(kind, 5000);
    bool well = block && memkind_detect_kind(block) == kind;

    memkind_free(NULL, block);
    return well;
}

static void *use(void *unused)
{
    if (!works(MEMKIND_DEFAULT) || !works(MEMKIND_REGULAR))
        atomic_fetch_add(&faults, 1);
    atomic_fetch_add(&others_done, 1);
    return unused;
}

/* Whatever the parent's threads are in the middle of. */
static void use_in_child(void)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        alarm(SECONDS);
        _exit(works(MEMKIND_DEFAULT) ? 0 : 1);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status)
        atomic_fetch_add(&faults, 1);
}

/* By the plugin, with the loader's lock. The other threads get as far as they can. */
static void called(void)
{
    pthread_t thread;

    for (int i = 0; calls == 0 && i < OTHERS; i++)
        if (pthread_create(&thread, NULL, use, NULL) == 0)
            pthread_detach(thread);
    calls++;
    for (int i = 0; i < 100 && others_done < OTHERS; i++)
        usleep(1000);
    if (!works(MEMKIND_DEFAULT))
        atomic_fetch_add(&faults, 1);
    if (forks)
        use_in_child();
}

static void check_plugin(const char *level)
{
    char address[32];
    void *plugin;

    alarm(SECONDS);
    setenv("MEMKIND_CHECK", level, 1);
    snprintf(address, sizeof address, "%lx", (unsigned long)(uintptr_t)called);
    setenv("LOADER_TEST_CALL", address, 1);
    plugin = dlopen(LOADER_TEST_PLUGIN, RTLD_NOW);
    cr_assert(plugin, "%s", dlerror());
    dlclose(plugin);
    while (others_done < OTHERS)
        usleep(1000);
    cr_assert_eq(calls, 2);
    cr_assert_eq(faults, 0);
}

/* The first use of the library, by other threads, is beside a constructor that comes to it, too. */
Test(loader, first_use)
{
    check_plugin("0");
}

/* Back traces ask the loader for a library. */
Test(loader, first_use_with_checks)
{
    check_plugin("1");
}

Test(loader, first_use_and_fork)
{
    if (TEST_SANITIZED)
        test_skip("a sanitizer's own locks are the loader's, too");
    forks = true;
    check_plugin("0");
}

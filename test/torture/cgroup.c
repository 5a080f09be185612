/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * cgroup: the limit of a memory cgroup that rounds are in.
 *
 * Kinds that are bound, and files on tmpfs, are refused what goes beyond the limit; for whatever
 * else touches memory there, the program's own stacks too, the kernel has a killer. Version 1 can
 * do without: who needs a page waits for it. So only version 1 is of use here, and the limit is
 * changed by a process outside of the cgroup, which nothing keeps waiting.
 */
#include "torture.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WIDE (16 * GIB) /* as much as none, but a limit, which the library looks out for */
#define NARROW_WAITS 20 /* milliseconds, at most */

enum order { ORDER_NONE, ORDER_NARROW, ORDER_NARROWED, ORDER_WIDEN };

static struct {
    atomic_int order;
    atomic_size_t room; /* beyond what is in use */
} * orders;

static char folder[96];
static pid_t keeper;

static bool set(const char *file, size_t number)
{
    char path[160];

    snprintf(path, sizeof path, "%s/%s", folder, file);
    return test_write_number(path, number);
}

static size_t get(const char *file)
{
    char path[160];

    snprintf(path, sizeof path, "%s/%s", folder, file);
    return test_read_number(path);
}

static void keep(void)
{
    for (;;) {
        weather_wait();
        if (orders->order != ORDER_NARROW)
            continue;
        set("memory.limit_in_bytes", get("memory.usage_in_bytes") + orders->room);
        orders->order = ORDER_NARROWED;
        for (int i = 0; i < NARROW_WAITS && orders->order == ORDER_NARROWED; i++)
            weather_wait();
        set("memory.limit_in_bytes", WIDE);
        orders->order = ORDER_NONE;
    }
}

bool cgroup_make(void)
{
    pid_t parent = getpid();

    orders = mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    snprintf(folder, sizeof folder, "/sys/fs/cgroup/memory/memkind-torture-%d", (int)parent);
    if (orders == MAP_FAILED || mkdir(folder, 0700))
        return false;
    if (set("memory.oom_control", 1) && set("memory.limit_in_bytes", WIDE))
        keeper = fork();
    if (keeper == 0 && getpid() != parent) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        keep();
    }
    if (keeper > 0)
        return true;
    rmdir(folder);
    return false;
}

void cgroup_end(void)
{
    if (keeper <= 0)
        return;
    kill(keeper, SIGKILL);
    waitpid(keeper, NULL, 0);
    rmdir(folder);
}

void cgroup_join(void)
{
    MUST(set("cgroup.procs", (size_t)getpid()), "cgroup: %d cannot join", (int)getpid());
}

bool cgroup_begin(enum fault fault, uint64_t random)
{
    (void)fault;
    orders->room = random % (16 * MIB);
    orders->order = ORDER_NARROW;
    while (orders->order == ORDER_NARROW)
        weather_wait();
    return true;
}

/* The limit is wide when this returns. It may be already, if it took too long. */
void cgroup_leave(enum fault fault)
{
    int order = ORDER_NARROWED;

    (void)fault;
    atomic_compare_exchange_strong(&orders->order, &order, ORDER_WIDEN);
    while (orders->order != ORDER_NONE)
        weather_wait();
}

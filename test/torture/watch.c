/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * watch: runs a plan in a child, and notices whatever may happen to it: something does not hold, a
 * signal, an end that is none, a hang. A debugger then says where all threads are.
 */
#include "torture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

unsigned watch_hangs_after = TEST_SANITIZED ? 90 : 25;

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static void set_stops(void (*handler)(int))
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    struct sigaction action = {.sa_handler = handler};

    for (size_t i = 0; i < LENGTH(signals); i++)
        sigaction(signals[i], &action, NULL);
}

void watch_for_stop(void)
{
    set_stops(stop);
}

bool watch_is_stopped(void)
{
    return stopped;
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)context;
    fail("signal %d (%s) at address %p", number, sigdescr_np(number), info->si_addr);
}

/* Sanitizers have handlers of their own, which say more. */
static void handle_signals(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXFSZ};
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER};

    for (size_t i = 0; i < LENGTH(signals) && !TEST_SANITIZED; i++)
        sigaction(signals[i], &action, NULL);
}

/* Everything on stdout and stderr is the log's. */
static void child(struct plan *plan, const char *log)
{
    int file = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);

    set_stops(SIG_DFL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(file, 1);
    dup2(file, 2);
    close(file);
    handle_signals();
    if (HAS(plan, FAULT_CGROUP))
        cgroup_join();
    round_run(plan);
}

/* Where the threads of a process are. */
static void trace(pid_t pid, const char *log)
{
    char command[512];

    snprintf(command, sizeof command,
             "{ echo '== process %d'; timeout -k 5 30 gdb -p %d -batch -nx -ex 'set print "
             "frame-arguments "
             "scalars' -ex 'thread apply all backtrace 16'; } 2>/dev/null >>%s </dev/null",
             (int)pid, (int)pid, log);
    if (system(command) != 0)
        fprintf(stderr, "torture: no debugger (gdb) for process %d\n", (int)pid);
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void say_hang(pid_t pid, const char *log, bool traces)
{
    size_t used =
        (size_t)snprintf(report->text, sizeof report->text, "hang: %u s;", watch_hangs_after);

    for (size_t i = 0; i < THREADS_MOST && used < sizeof report->text; i++)
        if (report->at[i].operation)
            used += (size_t)snprintf(report->text + used, sizeof report->text - used,
                                     " thread %zu at %u (%s)", i, report->at[i].operation - 1,
                                     report->at[i].name);
    if (!traces)
        return;
    trace(pid, log);
    for (size_t i = 0; i < PIDS; i++)
        if (report->pids[i])
            trace(report->pids[i], log);
}

/* Until the child has ended or fails, or nobody wants to know. False: it hangs. */
static bool wait_for_child(pid_t pid, int *status)
{
    double end = now() + watch_hangs_after;
    long pause = 1000000;

    while (now() < end) {
        if (report->failed || stopped)
            return true;
        if (waitpid(pid, status, WNOHANG) == pid)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = pause}, NULL);
    }
    return false;
}

bool watch_run(struct plan *plan, const char *log, bool traces)
{
    int status = 0;
    bool well;
    pid_t pid;

    if (stopped)
        return true;
    report->failed = false;
    report->text[0] = '\0';
    memset(report->pids, 0, sizeof report->pids);
    memset(report->at, 0, sizeof report->at);
    torture_debugs = traces;
    offline_restore();
    fflush(NULL);
    pid = fork();
    if (pid == 0)
        child(plan, log);
    if (!wait_for_child(pid, &status)) {
        say_hang(pid, log, traces);
        well = false;
    } else if (report->failed) {
        while (!report->is_waiting)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        if (traces)
            trace(report->pid, log);
        well = false;
    } else if (stopped) {
        well = true;
    } else {
        well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        if (!well)
            snprintf(report->text, sizeof report->text, "end: status %#x", (unsigned)status);
    }
    report->is_waiting = false;
    kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return well;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * process: operations on threads and processes: short-lived threads, small stacks, cancellation,
 * fork and fork in fork, exec, dlopen and dlclose, descriptors that are closed.
 *
 * A thread or process that an operation starts is a worker of its own, with a sequence of its own.
 */
#include "torture.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK \
    (TEST_SANITIZED ? MIB : 256 * KIB) /* less than what refused calls of munmap begin at */

/* --- threads ---------------------------------------------------------------------------------- */

struct helper {
    struct worker worker;
    uint64_t stream;
    unsigned operations;
    bool ends_itself;
};

static pthread_key_t key;

/* A destructor that allocates and frees, when the library's own may have run already. */
static void use_at_exit(void *block)
{
    void *other = memkind_malloc(MEMKIND_DEFAULT, 100);

    memkind_free(NULL, block);
    memkind_free(MEMKIND_DEFAULT, other);
}

static struct helper *helper_new(struct worker *worker, unsigned most)
{
    struct helper *helper = calloc(1, sizeof *helper);

    if (!helper)
        return NULL;
    helper->worker.plan = worker->plan;
    helper->worker.index = worker->index;
    helper->worker.depth = worker->depth + 1;
    helper->worker.in_child = worker->in_child;
    helper->stream = draw(worker, UINT64_MAX);
    helper->operations = 1 + (unsigned)draw(worker, most);
    helper->ends_itself = draw(worker, 2);
    return helper;
}

bool thread_start(pthread_t *thread, size_t stack, void *(*body)(void *), void *argument)
{
    pthread_attr_t attributes;
    bool started;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack ? stack : STACK);
    started = pthread_create(thread, &attributes, body, argument) == 0;
    pthread_attr_destroy(&attributes);
    return started;
}

static void *help(void *argument)
{
    struct helper *helper = argument;

    if (helper->ends_itself)
        pthread_setspecific(key, memkind_malloc(MEMKIND_DEFAULT, 10));
    operations_run(&helper->worker, helper->stream, helper->operations);
    if (helper->ends_itself)
        worker_end(&helper->worker);
    return NULL;
}

/* Its blocks outlive it, or not. */
void process_thread(struct worker *worker)
{
    struct helper *helper = helper_new(worker, 40);
    pthread_t thread;

    if (helper && thread_start(&thread, 0, help, helper)) {
        pthread_join(thread, NULL);
        worker_end(&helper->worker);
    }
    free(helper);
}

static void *use_small_stack(void *argument)
{
    memkind_t kind = argument;
    void *large = memkind_malloc(kind, 100000), *small = memkind_malloc(kind, 100);

    memkind_free(NULL, large);
    memkind_free(kind, small);
    return NULL;
}

void process_small_stack(struct worker *worker)
{
    pthread_t thread;

    if (!TEST_SANITIZED &&
        thread_start(&thread, PTHREAD_STACK_MIN, use_small_stack, draw_subject(worker)->made.kind))
        pthread_join(thread, NULL);
}

/* Only here may it be cancelled, since no function of the library is a cancellation point. */
static void *help_until_cancelled(void *argument)
{
    struct helper *helper = argument;

    for (unsigned i = 0; i < 2000; i++) {
        operation_run(&helper->worker, helper->stream, i);
        pthread_testcancel();
    }
    return NULL;
}

void process_cancel(struct worker *worker)
{
    struct helper *helper = helper_new(worker, 1);
    struct timespec time = {.tv_nsec = (long)draw(worker, 1500000)};
    pthread_t thread;

    if (helper)
        helper->worker.depth = DEPTH_MOST;
    if (helper && thread_start(&thread, 0, help_until_cancelled, helper)) {
        nanosleep(&time, NULL);
        pthread_cancel(thread);
        pthread_join(thread, NULL);
        worker_end(&helper->worker);
    }
    free(helper);
}

/* --- fork ------------------------------------------------------------------------------------- */

/* glibc's fork() does not wait for other threads' dlopen(): the child would find a library that is
 * half there, and no way to load another. So no thread forks meanwhile. */
static pthread_rwlock_t loading = PTHREAD_RWLOCK_INITIALIZER;

static pid_t fork_whole(void)
{
    pid_t pid;

    pthread_rwlock_wrlock(&loading);
    pid = fork();
    if (pid == 0)
        pthread_rwlock_init(&loading, NULL); /* to its owner the child is somebody else */
    else
        pthread_rwlock_unlock(&loading);
    return pid;
}

static _Atomic(pid_t) *remember(pid_t pid)
{
    for (size_t i = 0; i < PIDS; i++) {
        pid_t none = 0;

        if (atomic_compare_exchange_strong(&report->pids[i], &none, pid))
            return &report->pids[i];
    }
    return NULL;
}

static int wait_for(pid_t pid)
{
    _Atomic(pid_t) *entry = remember(pid);
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (entry)
        *entry = 0;
    return status;
}

/* As memkind.h says, the kernel may take huge pages of before the fork from the child. Their blocks
 * can be freed, without effect, but not looked at. */
static void leave_huge(struct place *place)
{
    const struct subject *subject = place->subject;

    if (!(subject ? subject->may_fail : place->huge))
        return;
    memkind_free(place->size % 2 && subject ? subject->made.kind : NULL, place->at);
    memset(place, 0, sizeof *place);
}

static void child_life(struct worker *worker, uint64_t stream, unsigned count, bool ends)
{
    worker->depth++;
    worker->in_child = true;
    weather_of_child();
    for (size_t i = 0; i < PLACES; i++) {
        if (worker->places[i].at)
            leave_huge(&worker->places[i]);
        if (worker->places[i].at)
            block_check(&worker->places[i]);
    }
    operations_run(worker, stream, count);
    if (ends)
        worker_end(worker);
    _exit(0);
}

void process_fork(struct worker *worker)
{
    uint64_t stream = draw(worker, UINT64_MAX);
    unsigned count = (unsigned)draw(worker, 60);
    bool ends = draw(worker, 2);
    pid_t pid = fork_whole();
    int status;

    if (pid == 0)
        child_life(worker, stream, count, ends);
    if (pid < 0)
        return;
    status = wait_for(pid);
    MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0, "fork: a child ended with status %#x",
         status);
}

void process_register(void)
{
    pthread_key_create(&key, use_at_exit);
    /* glibc opens it for the first pthread_cancel(), and aborts where it cannot. */
    if (!dlopen("libgcc_s.so.1", RTLD_NOW | RTLD_GLOBAL))
        fail("dlopen: %s", dlerror());
}

/* --- exec ------------------------------------------------------------------------------------- */

int process_hello(void)
{
    static memkind_t *const kinds[] = {&MEMKIND_DEFAULT, &MEMKIND_REGULAR, &MEMKIND_INTERLEAVE};

    for (size_t i = 0; i < LENGTH(kinds); i++) {
        void *block = memkind_malloc(*kinds[i], 1000);

        if (block && memkind_detect_kind(block) != *kinds[i])
            return 97;
        memkind_free(NULL, block);
    }
    return 0;
}

void process_exec(struct worker *worker)
{
    unsigned long mark = weather_mark();
    pid_t pid = fork();
    int status;

    (void)worker;
    if (pid == 0) {
        execl("/proc/self/exe", "torture", "--hello", (char *)NULL);
        _exit(98);
    }
    if (pid < 0)
        return;
    status = wait_for(pid);
    MUST((WIFEXITED(status) && WEXITSTATUS(status) == 0) || weather_allows(mark, true),
         "exec: a program ended with status %#x", status);
}

/* --- dlopen ----------------------------------------------------------------------------------- */

const char process_plugin[] = TORTURE_PLUGIN;

/* Where memory is scarce, glibc (2.36 at least) may fail in the middle of dlopen() and keep the
 * library without what it needs: dlopen() then gives that, also in better times. */
static atomic_bool loader_failed;

/* The library itself, which stays, and one that uses it when it comes and when it goes. */
static void use_library(struct worker *worker)
{
    const char *name = draw(worker, 2) ? MEMKIND_TEST_LIBRARY : process_plugin;
    unsigned long mark = weather_mark();
    void *library = dlopen(name, draw(worker, 2) ? RTLD_NOW : RTLD_LAZY | RTLD_GLOBAL);

    MUST(library || weather_allows(mark, false), "dlopen: %s", dlerror());
    if (!library) {
        loader_failed = true;
        return;
    }
    MUST(dlsym(library, "memkind_malloc") || loader_failed || weather_allows(mark, false),
         "dlsym: %s", dlerror());
    dlclose(library);
}

void process_dlopen(struct worker *worker)
{
    pthread_rwlock_rdlock(&loading);
    use_library(worker);
    pthread_rwlock_unlock(&loading);
}

/* --- descriptors ------------------------------------------------------------------------------ */

#define CANARIES 8

/* Files of the program, whose numbers may have been the library's. */
static struct {
    atomic_int file;
    ino_t inode;
} canaries[CANARIES];
static atomic_uint canary_count;

static bool is_canary(int file)
{
    for (size_t i = 0; i < CANARIES; i++)
        if (canaries[i].file == file)
            return true;
    return false;
}

/* Not 0 to 2: the number 2 is standard error for everybody who complains, the log of the library
 * included, whoever has opened it. */
static int open_canary(void)
{
    int any = memfd_create("canary", MFD_CLOEXEC), file;

    if (any < 0 || any > STDERR_FILENO)
        return any;
    file = fcntl(any, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(any);
    return file;
}

static void canary_new(void)
{
    unsigned number = canary_count;
    int file = number < CANARIES ? open_canary() : -1;
    struct stat known;

    if (file < 0)
        return;
    if (write(file, "canary", 6) != 6 || fstat(file, &known)) {
        close(file);
        return;
    }
    canaries[number].inode = known.st_ino;
    canaries[number].file = file;
    canary_count = number + 1;
}

/* A program that closes all descriptors it finds. Afterwards files cannot grow. No other thread may
 * be opening one, since it would be closed under its hands. */
void process_descriptors(struct worker *worker)
{
    if (worker->plan->threads > 1 || worker->in_child || HAS(worker->plan, FAULT_DISK))
        return;
    weather_change(true, 1); /* and for good: it is never taken back */
    the_round.closes = true;
    for (int file = 3; file < 64; file++)
        if (!is_canary(file))
            close(file);
    canary_new();
}

void process_check_canaries(void)
{
    for (size_t i = 0; i < canary_count; i++) {
        struct stat known = {0};

        MUST(fstat(canaries[i].file, &known) == 0 && known.st_ino == canaries[i].inode,
             "descriptors: %d of the program was closed", canaries[i].file);
        MUST(known.st_size == 6, "descriptors: %d of the program was written to", canaries[i].file);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * weather: faults that a thread of its own puts up and takes away again while the others work.
 *
 * Whoever is refused something compares marks: if a fault was there at any moment since the mark
 * was taken, it may be refused. A process that is forked keeps the weather that it was born in.
 */
#include "torture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

const char *const fault_names[FAULTS] = {
    [FAULT_AS] = "as",
    [FAULT_DATA] = "data",
    [FAULT_NOFILE] = "nofile",
    [FAULT_FSIZE] = "fsize",
    [FAULT_MAPS] = "maps",
    [FAULT_DISK] = "disk",
    [FAULT_HUGE] = "huge",
    [FAULT_SIGNALS] = "signals",
    [FAULT_CGROUP] = "cgroup",
    [FAULT_OFFLINE] = "offline",
    [FAULT_STDIO] = "stdio",
    [FAULT_REFUSED] = "refused",
    [FAULT_DESCRIPTORS] = "descriptors",
    [FAULT_CANCEL] = "cancel",
    [FAULT_FORK] = "fork",
    [FAULT_EXEC] = "exec",
    [FAULT_DLOPEN] = "dlopen",
};

/* --- marks ------------------------------------------------------------------------------------ */

/* How often weather began or ended, and how many faults there are now. */
static struct {
    atomic_uint changes, now;
} all, files;

unsigned long weather_mark(void)
{
    return (unsigned long)all.changes << 32 | files.changes;
}

bool weather_allows(unsigned long mark, bool of_files)
{
    return all.now || (unsigned)(mark >> 32) != all.changes ||
           (of_files && (files.now || (unsigned)mark != files.changes));
}

void weather_change(bool of_files, int by)
{
    if (by > 0)
        atomic_fetch_add(of_files ? &files.now : &all.now, 1);
    atomic_fetch_add(of_files ? &files.changes : &all.changes, 1);
    if (by < 0)
        atomic_fetch_sub(of_files ? &files.now : &all.now, 1);
}

void weather_wait(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* --- limits ----------------------------------------------------------------------------------- */

/* Pages of address space, and of data. */
static void read_pages(size_t *space, size_t *data)
{
    char text[256];

    *space = *data = 0;
    if (test_read_text("/proc/self/statm", text, sizeof text))
        sscanf(text, "%zu %*u %*u %*u %*u %zu", space, data);
}

static void limit(int resource, size_t most)
{
    struct rlimit limit;

    getrlimit((__rlimit_resource_t)resource, &limit);
    limit.rlim_cur = most < limit.rlim_max ? most : limit.rlim_max;
    setrlimit((__rlimit_resource_t)resource, &limit);
}

static bool limit_begin(enum fault fault, uint64_t random)
{
    size_t space, data;

    read_pages(&space, &data);
    switch ((int)fault) {
    case FAULT_AS:
        limit(RLIMIT_AS, space * 4096 + random % (16 * MIB));
        break;
    case FAULT_DATA:
        limit(RLIMIT_DATA, data * 4096 + random % (16 * MIB));
        break;
    case FAULT_NOFILE:
        limit(RLIMIT_NOFILE, random % 8);
        break;
    default:
        limit(RLIMIT_FSIZE, random % (8 * MIB));
    }
    return true;
}

static const int resources[] = {[FAULT_AS] = RLIMIT_AS,
                                [FAULT_DATA] = RLIMIT_DATA,
                                [FAULT_NOFILE] = RLIMIT_NOFILE,
                                [FAULT_FSIZE] = RLIMIT_FSIZE};

static size_t usual_limit(enum fault fault)
{
    return fault == FAULT_NOFILE ? 1024 : RLIM_INFINITY;
}

static void limit_end(enum fault fault)
{
    limit(resources[fault], usual_limit(fault));
}

/* The kernel copies the limits of a process before its memory: the weather may have ended between.
 */
void weather_of_child(void)
{
    for (enum fault fault = FAULT_AS; fault <= FAULT_FSIZE; fault++) {
        struct rlimit now;

        getrlimit((__rlimit_resource_t)resources[fault], &now);
        if (now.rlim_cur < usual_limit(fault) && now.rlim_cur < now.rlim_max)
            weather_change(fault == FAULT_FSIZE, 1);
    }
}

/* --- mappings, the disk, huge pages, signals -------------------------------------------------- */

static char *taken;
static size_t taken_size;

/* As many mappings as there may be, or a few less: every other page of an area is another one. */
static bool maps_begin(enum fault fault, uint64_t random)
{
    size_t most = test_read_number("/proc/sys/vm/max_map_count"), made = 0;
    size_t left = random % 8;

    (void)fault;
    taken_size = (2 * most + 2) * 4096;
    taken = mmap(NULL, taken_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (taken == MAP_FAILED)
        return false;
    while (made < most && mprotect(taken + 2 * made * 4096, 4096, PROT_READ) == 0)
        made++;
    for (size_t i = 0; i < left && made; i++)
        mprotect(taken + 2 * --made * 4096, 4096, PROT_NONE);
    return true;
}

static void taken_end(enum fault fault)
{
    (void)fault;
    munmap(taken, taken_size);
}

static int disk = -1;

static bool disk_begin(enum fault fault, uint64_t random)
{
    struct statvfs now;
    size_t left = random % 3 * MIB, room;

    (void)fault;
    if (statvfs(recipe_directory(), &now))
        return false;
    disk = open(recipe_directory(), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    if (disk < 0)
        return false;
    room = now.f_bavail * now.f_frsize;
    if (room > left && posix_fallocate(disk, 0, (off_t)(room - left)))
        left = 0; /* somebody was quicker */
    return true;
}

static void disk_end(enum fault fault)
{
    (void)fault;
    if (disk >= 0 && ftruncate(disk, 0)) /* a child of fork() may have it open, too */
        fail("torture: the disk stays full: %s", strerror(errno));
    if (disk >= 0)
        close(disk);
    disk = -1;
}

static bool huge_begin(enum fault fault, uint64_t random)
{
    size_t count = test_read_number("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");

    (void)fault, (void)random;
    taken_size = count * 2 * MIB;
    taken = count ? mmap(NULL, taken_size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | 21 << 26, -1, 0)
                  : MAP_FAILED;
    return taken != MAP_FAILED;
}

static void nothing(int signal)
{
    (void)signal;
}

static void signals_every(long microseconds)
{
    struct itimerval timer = {.it_interval.tv_usec = microseconds,
                              .it_value.tv_usec = microseconds};

    setitimer(ITIMER_REAL, &timer, NULL);
}

static bool signals_begin(enum fault fault, uint64_t random)
{
    struct sigaction action = {.sa_handler = nothing}; /* no SA_RESTART */

    (void)fault;
    sigaction(SIGALRM, &action, NULL);
    signals_every(100 + (long)(random % 1000));
    return true;
}

static void signals_end(enum fault fault)
{
    (void)fault;
    signals_every(0);
}

/* --- what holds for the whole round ----------------------------------------------------------- */

/* In the environment of a container, say. */
static void refuse_something(uint64_t random)
{
    static const struct {
        long call;
        int error;
        int index;
        uint64_t least;
    } refusals[] = {
        {SYS_mbind, EPERM, 0, 0},
        {SYS_mincore, EPERM, 0, 0},
        {SYS_fallocate, EOPNOTSUPP, 0, 0},
        {SYS_fallocate, EPERM, 1, 1}, /* to punch holes */
        {SYS_madvise, EPERM, 0, 0},
        {SYS_prctl, EPERM, 0, 0},
        {SYS_move_pages, EPERM, 0, 0},
        {SYS_get_mempolicy, EPERM, 0, 0},
        {SYS_process_vm_readv, EPERM, 0, 0},
        {SYS_getcpu, ENOSYS, 0, 0},
        {SYS_getdents64, EACCES, 0, 0},
        {SYS_statfs, EPERM, 0, 0},
        {SYS_fstatfs, EPERM, 0, 0},
        {SYS_mremap, ENOMEM, 0, 0},
        /* Not for sanitizers, which end where they cannot give memory back, and whose threads begin
         * with pthread_getattr_np(). */
        {SYS_munmap, ENOMEM, 1, 2 * MIB},
        {SYS_sched_getaffinity, EPERM, 0, 0},
    };
    size_t number = random % (LENGTH(refusals) - (TEST_SANITIZED ? 2 : 0));

    test_refuse(refusals[number].call, refusals[number].error, refusals[number].index,
                refusals[number].least);
}

/* The heap managers look whether there is memory before they start what would abort without. A
 * limit that comes between is more than they can do anything about: so the first use is in weather
 * that stays as it is, if there is to be little memory at all. */
static void use_first(const struct plan *plan, uint64_t random)
{
    for (enum fault fault = FAULT_AS; fault <= FAULT_DATA; fault++) {
        if (!HAS(plan, fault))
            continue;
        weather_change(false, 1);
        limit_begin(fault, random);
        memkind_free(NULL, memkind_malloc(MEMKIND_DEFAULT, 100));
        memkind_set_bg_threads(random % 2);
        limit_end(fault);
        weather_change(false, -1);
        memkind_free(NULL, memkind_malloc(MEMKIND_DEFAULT, 100));
    }
}

void weather_begin(const struct plan *plan)
{
    uint64_t random = mix(plan->seed, 77);

    if (HAS(plan, FAULT_STDIO)) {
        atomic_fetch_add(&report->faults[FAULT_STDIO], 1);
        for (int file = 0; file < 3; file++)
            if (random >> file & 1)
                close(file);
    }
    if (HAS(plan, FAULT_REFUSED)) {
        atomic_fetch_add(&report->faults[FAULT_REFUSED], 1);
        weather_change(false, 1);
        refuse_something(random);
    }

    use_first(plan, random >> 8);
}

/* --- the thread ------------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
    bool (*begin)(enum fault fault, uint64_t random);
    void (*end)(enum fault fault);
    bool of_files, harmless;
} weathers[FAULT_WEATHER_END] = {
    [FAULT_AS]      = {limit_begin,   limit_end,   false, false},
    [FAULT_DATA]    = {limit_begin,   limit_end,   false, false},
    [FAULT_NOFILE]  = {limit_begin,   limit_end,   false, false},
    [FAULT_FSIZE]   = {limit_begin,   limit_end,   true,  false},
    [FAULT_MAPS]    = {maps_begin,    taken_end,   false, false},
    [FAULT_DISK]    = {disk_begin,    disk_end,    true,  false},
    [FAULT_HUGE]    = {huge_begin,    taken_end,   true,  true},
    [FAULT_SIGNALS] = {signals_begin, signals_end, false, true},
    [FAULT_CGROUP]  = {cgroup_begin,  cgroup_leave, false, false},
    [FAULT_OFFLINE] = {offline_begin, offline_end, false, false},
};
/* clang-format on */

atomic_bool weather_over;

static void one_weather(enum fault fault, uint64_t random)
{
    bool is_there;

    if (!weathers[fault].harmless)
        weather_change(weathers[fault].of_files, 1);
    is_there = weathers[fault].begin(fault, random >> 8);
    if (is_there)
        atomic_fetch_add(&report->faults[fault], 1);
    for (uint64_t i = 0; i < 1 + random % 8 && !weather_over; i++)
        weather_wait();
    if (is_there)
        weathers[fault].end(fault);
    if (!weathers[fault].harmless)
        weather_change(weathers[fault].of_files, -1);
}

void *weather_thread(void *argument)
{
    const struct plan *plan = argument;

    for (unsigned i = 0; !weather_over; i++) {
        uint64_t random = mix(mix(plan->seed, 99), i);
        enum fault fault = (enum fault)(random % FAULT_WEATHER_END);

        if (HAS(plan, fault))
            one_weather(fault, random >> 16);
        else if (i % 16 == 0)
            weather_wait();
    }
    return NULL;
}

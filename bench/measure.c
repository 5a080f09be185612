/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * Measures a cell, in a process of its own: nothing that another cell left behind counts, what a
 * library does at its first use is not in the figures of time, but in those of memory, and a
 * library that crashes ends no more than the cell.
 *
 * The first thread is worker 0. All workers do the pattern together, a phase after the other:
 * phases of growing counts warm up and show how many operations take the wanted time, the last one
 * is measured.
 *
 * Figures come back through memory that both processes share.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "heap.h"
#include "measure.h"
#include "report.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP 4096    /* operations, where their number is given */
#define SECONDS_MOST 60 /* a cell that takes longer has failed */
#define ENOUGH 0.2      /* of the wanted time: a phase long enough to tell from */
#define PHASES_MOST 30
#define GROWTH_MOST 16.0
#define TRIES_MOST 3

static struct worker *workers;
static pthread_barrier_t barrier;
static size_t phase_count; /* of each worker. Written before the barrier. */
static const struct cell *current;
static long own_kib; /* of memory that is not the heap's */

unsigned cpu_count(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) ? 1 : (unsigned)CPU_COUNT(&set);
}

static double seconds_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Zeroed, and every page is there. */
static void *pages(size_t size)
{
    void *area =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    if (area == MAP_FAILED)
        give_up("no memory for memkind-bench itself");
    own_kib += (long)(size / KIB);
    return area;
}

/* --- memory ----------------------------------------------------------------------------------- */

/* A line of /proc/self/status in KiB; 0 if there is none. */
static long status_kib(const char *name)
{
    char line[256];
    long found = 0;
    FILE *file = fopen("/proc/self/status", "r");

    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
            found = strtol(line + strlen(name) + 1, NULL, 10);
    if (file)
        fclose(file);
    return found;
}

/*
 * Code and constants of all libraries become resident: otherwise some of them would be mapped while
 * the cell runs. In KiB, what is resident of files then.
 */
static long touch_files(void)
{
    unsigned long start, end;
    char line[512], mode[8], path[256];
    FILE *file = fopen("/proc/self/maps", "r");

    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %255s", &start, &end, mode, path) == 4 &&
            mode[0] == 'r' && mode[1] == '-' && path[0] == '/')
            for (unsigned long at = start; at < end; at += PAGE)
                (void)*(volatile const char *)at;
    if (file)
        fclose(file);
    return status_kib("RssFile");
}

/*
 * What the process has for its heap at most, in KiB: all that is resident, without what there is of
 * files, and without our own arrays. Huge pages are counted apart, as they are now.
 */
static long peak_kib(long of_files)
{
    return status_kib("VmHWM") + status_kib("HugetlbPages") - of_files - own_kib;
}

/* --- workers ---------------------------------------------------------------------------------- */

/* All of them at the same time. */
static void run_phase(struct worker *worker, size_t count)
{
    pthread_barrier_wait(&barrier);
    worker->begin = seconds_of(CLOCK_MONOTONIC);
    current->pattern->run(worker, count);
    worker->end = seconds_of(CLOCK_MONOTONIC);
    pthread_barrier_wait(&barrier);
}

/* A worker but the first. It ends with its process. */
static void *work(void *argument)
{
    struct worker *worker = argument;

    if (current->pattern->set_up)
        current->pattern->set_up(worker);
    while (pthread_barrier_wait(&barrier) <= 0) /* the count is known */
        run_phase(worker, phase_count);
    return NULL;
}

/* Worker 0, for all of them. The seconds from the first one's begin to the last one's end. */
static double lead_phase(size_t count)
{
    double begin, end;

    phase_count = count;
    pthread_barrier_wait(&barrier);
    run_phase(workers, count);
    begin = workers[0].begin;
    end = workers[0].end;
    for (unsigned i = 1; i < current->threads; i++) {
        if (workers[i].begin < begin)
            begin = workers[i].begin;
        if (workers[i].end > end)
            end = workers[i].end;
    }
    return end - begin;
}

static size_t whole_units(double count)
{
    size_t unit = current->pattern->unit;

    return count <= (double)unit ? unit : (size_t)(count / (double)unit + 0.999) * unit;
}

/* Operations of each worker that take `seconds`, where `count` of them took `taken`. */
static size_t scaled(size_t count, double taken, double seconds)
{
    double factor = taken > 0 ? seconds / taken : GROWTH_MOST;

    return whole_units((double)count * (factor < GROWTH_MOST ? factor : GROWTH_MOST));
}

/*
 * Warms up. Operations of each worker that take the wanted time. Two phases in a row have to be
 * long enough: a single one that is may have been held up by pages that came for the first time, or
 * by threads that waited for a CPU.
 */
static size_t calibrate(void)
{
    size_t count = whole_units((double)current->pattern->warm_up);
    double wanted = ENOUGH * current->seconds, taken;

    if (current->operations) {
        count = whole_units((double)current->operations);
        lead_phase(count < WARM_UP ? count : whole_units(WARM_UP));
        return count;
    }
    for (int good = 0, phases = 0; good < 2 && phases < PHASES_MOST; phases++) {
        taken = lead_phase(count);
        good = taken < wanted ? 0 : good + 1;
        count = scaled(count, taken, good == 2 ? current->seconds : 1.5 * wanted);
    }
    return count;
}

/* False: it was too short to tell. */
static bool measure_phase(size_t count)
{
    unsigned cpus = cpu_count(), used = current->threads < cpus ? current->threads : cpus;
    double total = (double)count * current->threads;
    double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    double wall = lead_phase(count);

    cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    report->operations = total;
    report->wall_ns = wall * 1e9 * used / total;
    report->cpu_ns = cpu * 1e9 / total;
    return current->operations || wall > current->seconds / 2;
}

static void start_workers(const struct heap *heap)
{
    unsigned threads = current->threads;
    void **slots = pages(threads * SLOTS * sizeof *slots);
    pthread_t thread;

    workers = pages(threads * sizeof *workers);
    if (pthread_barrier_init(&barrier, NULL, threads))
        give_up("no barrier");
    for (unsigned i = 0; i < threads; i++) {
        workers[i].heap = heap;
        workers[i].next = &workers[(i + 1) % threads];
        workers[i].number = i;
        workers[i].threads = threads;
        workers[i].random = 2463534242u + 0x9e3779b9u * i;
        workers[i].slots = slots + i * SLOTS;
    }
    for (unsigned i = 1; i < threads; i++)
        if (pthread_create(&thread, NULL, work, &workers[i]) || pthread_detach(thread))
            give_up("no thread");
}

/* In the process of the cell. */
static void run_cell(void)
{
    struct heap heap;
    long of_files;

    if (!heap_open(&heap, current->heap_name, report->note))
        _exit(EXIT_SUCCESS);
    if (current->pattern->needs_kinds && !heap.kind_malloc) {
        snprintf(report->note, NOTE_SIZE, "there are no kinds");
        _exit(EXIT_SUCCESS);
    }
    heap_free(&heap, heap_malloc(&heap, 64)); /* a heap manager may load its library now */
    of_files = touch_files();
    start_workers(&heap);
    if (current->pattern->set_up)
        current->pattern->set_up(workers);
    for (int tries = 0; tries < TRIES_MOST; tries++)
        if (measure_phase(calibrate()))
            break;
    report->peak_kib = peak_kib(of_files);
    _exit(EXIT_SUCCESS); /* the workers, too; what heaps do at an exit is not our subject */
}

/* --- processes -------------------------------------------------------------------------------- */

static void explain(int status, struct result *result)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(result->note, NOTE_SIZE, "failed: more than %d s", SECONDS_MOST);
    else if (WIFSIGNALED(status))
        snprintf(result->note, NOTE_SIZE, "failed: signal %d", WTERMSIG(status));
    else if (WEXITSTATUS(status)) {
        char why[NOTE_SIZE - 16];

        snprintf(why, sizeof why, "%.*s", (int)sizeof why - 1, report->note);
        snprintf(result->note, NOTE_SIZE, "failed: %s", why[0] ? why : "it exited");
    } else if (report->note[0]) {
        char why[NOTE_SIZE - 16];

        snprintf(why, sizeof why, "%.*s", (int)sizeof why - 1, report->note);
        snprintf(result->note, NOTE_SIZE, "skipped: %s", why);
    } else {
        *result = *report;
    }
}

void measure(const struct cell *cell, struct result *result)
{
    pid_t child;
    int status;

    report_share();
    memset(result, 0, sizeof *result);
    fflush(NULL);
    child = fork();
    if (child == 0) {
        current = cell;
        alarm(SECONDS_MOST);
        run_cell();
    }
    if (child < 0) {
        perror("memkind-bench: fork");
        exit(EXIT_FAILURE);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    explain(status, result);
}

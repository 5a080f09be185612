/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why: see torture.h. This process never uses the library: its children each do so first. */
#include "torture.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DISK_MIB 384
#define SHRINK_SECONDS 120

static struct {
    unsigned seconds, rounds, shrink_seconds;
    uint64_t seed;
    unsigned threads, operations; /* 0: as drawn */
    unsigned faults;              /* that may be drawn */
    bool exactly;                 /* all of them, whatever is drawn */
    const char *keep;             /* operations that are done; NULL: all */
} options = {.seconds = 60, .rounds = UINT32_MAX, .shrink_seconds = SHRINK_SECONDS};

static char scratch[PATH_MAX / 2], log_file[PATH_MAX], disk[PATH_MAX];
static pid_t owner;

/* --- plans ------------------------------------------------------------------------------------ */

static void leave_all_out(struct plan *plan)
{
    memset(plan->left_out, 1, sizeof plan->left_out);
}

/* "0:3,7-9/2:5": operations of threads that are done. */
static bool keep(struct plan *plan, const char *text)
{
    leave_all_out(plan);
    while (*text) {
        char *end;
        unsigned long thread = strtoul(text, &end, 10), first, last;

        if (*end != ':' || thread >= plan->threads)
            return false;
        do {
            text = end + 1;
            first = last = strtoul(text, &end, 10);
            if (*end == '-')
                last = strtoul(end + 1, &end, 10);
            if (end == text || first > last || last >= plan->operations)
                return false;
            memset(plan->left_out[thread] + first, 0, last - first + 1);
        } while (*end == ',');
        text = *end == '/' ? end + 1 : end;
        if (*end && *end != '/')
            return false;
    }
    return true;
}

static void print_keep(const struct plan *plan)
{
    const char *before = " --keep ";

    for (unsigned thread = 0; thread < plan->threads; thread++) {
        char between = ':';

        for (unsigned i = 0; i < plan->operations; i++) {
            unsigned first = i;

            if (plan->left_out[thread][i])
                continue;
            while (i + 1 < plan->operations && !plan->left_out[thread][i + 1])
                i++;
            if (between == ':')
                printf("%s%u", before, thread);
            printf(first == i ? "%c%u" : "%c%u-%u", between, first, i);
            between = ',';
            before = "/";
        }
    }
}

static void print_faults(unsigned faults)
{
    const char *before = "";

    for (unsigned fault = 0; fault < FAULTS; fault++)
        if (faults >> fault & 1) {
            printf("%s%s", before, fault_names[fault]);
            before = ",";
        }
    if (!faults)
        printf("none");
}

static void print_command(const struct plan *plan)
{
    const char *manager = getenv("MEMKIND_HEAP_MANAGER");

    printf("torture: repeat it with --heap-manager %s --seed %#llx --rounds 1 --threads %u "
           "--operations %u --faults ",
           manager ? manager : "JEMALLOC", (unsigned long long)plan->seed, plan->threads,
           plan->operations);
    print_faults(plan->faults);
    if (plan_count(plan) < plan->threads * plan->operations)
        print_keep(plan);
    printf("\n");
}

/* Where there is no memory in a cgroup without a killer, the kernel ends a process that it cannot
 * give a signal, or whose thread's data it cannot write, as it has to after a fork. */
static void leave_cgroup_out(struct plan *plan)
{
    const unsigned others =
        1u << FAULT_SIGNALS | 1u << FAULT_CANCEL | 1u << FAULT_FORK | 1u << FAULT_EXEC;

    if (plan->faults & others)
        plan->faults &= ~(1u << FAULT_CGROUP);
}

/* A sanitizer's allocator has locks that a child of fork() may find held by a thread that it has
 * not, and its start asks for descriptors and ends the process without. */
static void leave_out_for_sanitizers(struct plan *plan)
{
    if (plan->threads > 1)
        plan->faults &= ~(1u << FAULT_FORK);
    if (HAS(plan, FAULT_NOFILE))
        plan->faults &= ~(1u << FAULT_EXEC);
}

static bool make_plan(struct plan *plan, uint64_t seed)
{
    memset(plan, 0, sizeof *plan);
    plan->seed = seed;
    plan->threads = options.threads ? options.threads : 1 + (unsigned)(mix(seed, 1) % 6);
    plan->operations =
        options.operations ? options.operations : 50 + (unsigned)(mix(seed, 2) % 700);
    for (unsigned fault = 0; fault < FAULTS; fault++)
        if (options.exactly || mix(seed, 100 + fault) % 4 == 0)
            plan->faults |= options.faults & 1u << fault;
    leave_cgroup_out(plan);
    if (TEST_SANITIZED)
        leave_out_for_sanitizers(plan);
    return !options.keep || keep(plan, options.keep);
}

/* --- rounds ----------------------------------------------------------------------------------- */

static void print_log(void)
{
    char line[1024];
    FILE *file = fopen(log_file, "re");

    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "[New LWP", 8) != 0)
            fputs(line, stdout);
    if (file)
        fclose(file);
}

static void say_failure(struct plan *plan, unsigned long round)
{
    struct plan smaller = *plan;

    printf("\ntorture: round %lu FAILED: %s\n", round, report->text);
    print_log();
    print_command(plan);
    fflush(stdout);
    if (!options.shrink_seconds)
        return;
    if (shrink(&smaller, log_file, options.shrink_seconds)) {
        printf("torture: a smaller one: %s\n", report->text);
        print_command(&smaller);
    } else {
        printf("torture: the same plan did not fail again in ten runs: threads decide\n");
    }
}

static void print_sum(unsigned long rounds, unsigned long failed)
{
    unsigned long count = 0;

    for (size_t i = 0; i < operation_count; i++)
        count += report->operations[i];
    printf(
        "torture: %lu rounds, %lu sequences, %lu operations, %lu blocks, %lu refused; %lu failed\n",
        rounds, report->sequences, count, report->blocks, report->refused, failed);
    printf("torture: operations:");
    for (size_t i = 0; i < operation_count; i++)
        printf(" %s %lu", operations[i].name, report->operations[i]);
    printf("\ntorture: faults:");
    for (size_t i = 0; i < FAULTS; i++)
        printf(" %s %lu", fault_names[i], report->faults[i]);
    printf("\n");
}

static int run(void)
{
    struct plan *plan = malloc(sizeof *plan);
    unsigned long rounds = 0, failed = 0;
    time_t end = time(NULL) + options.seconds;
    uint64_t seed = options.seed;

    watch_for_stop();
    printf("torture: --seed %#llx\n", (unsigned long long)seed);
    for (; plan && rounds < options.rounds && time(NULL) < end && failed < 3 && !watch_is_stopped();
         rounds++) {
        if (!make_plan(plan, seed)) {
            fprintf(stderr, "torture: --keep %s: not of this plan\n", options.keep);
            return 2;
        }
        if (!watch_run(plan, log_file, true)) {
            failed++;
            say_failure(plan, rounds);
        }
        seed = mix(seed, 3);
    }
    free(plan);
    print_sum(rounds, failed);
    if (watch_is_stopped())
        printf("torture: stopped before its time\n");
    return failed || !rounds || watch_is_stopped();
}

/* --- where files are -------------------------------------------------------------------------- */

/* A small disk of our own, in a mount namespace of our own, where that is permitted. */
static bool mount_disk(void)
{
    char size[32];

    snprintf(size, sizeof size, "size=%dm", DISK_MIB);
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", disk, "tmpfs", 0, size) == 0;
}

static void clean(void)
{
    if (getpid() != owner)
        return;
    offline_restore();
    cgroup_end();
    umount2(disk, MNT_DETACH);
    rmdir(disk);
    unlink(log_file);
    rmdir(scratch);
}

static bool prepare(void)
{
    owner = getpid();
    report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    snprintf(scratch, sizeof scratch, "%s/memkind-torture-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (report == MAP_FAILED || !mkdtemp(scratch))
        return false;
    snprintf(log_file, sizeof log_file, "%s/log", scratch);
    snprintf(disk, sizeof disk, "%s/disk", scratch);
    if (mkdir(disk, 0700))
        return false;
    atexit(clean);
    if (mount_disk()) {
        setenv("MEMKIND_TEST_DIRECTORY", disk, 1);
    } else {
        options.faults &= ~(1u << FAULT_DISK);
        printf("torture: no disk to fill: %s\n", strerror(errno));
    }
    if (TEST_SANITIZED) /* which need room themselves, and say so by ending */
        options.faults &=
            ~(1u << FAULT_AS | 1u << FAULT_DATA | 1u << FAULT_MAPS | 1u << FAULT_CGROUP);
    if (access(process_plugin, R_OK)) {
        options.faults &= ~(1u << FAULT_DLOPEN);
        printf("torture: no library to load: %s: %s\n", process_plugin, strerror(errno));
    }
    if (!offline_is_possible())
        options.faults &= ~(1u << FAULT_OFFLINE);
    if (options.faults & 1u << FAULT_CGROUP && !cgroup_make()) {
        options.faults &= ~(1u << FAULT_CGROUP);
        printf("torture: no memory cgroup of version 1 to limit: %s\n", strerror(errno));
    }
    return true;
}

/* --- the command line ------------------------------------------------------------------------- */

/* A new fault without a name would be found by nobody, and end in a crash. */
static bool faults_have_names(void)
{
    for (unsigned fault = 0; fault < FAULTS; fault++)
        if (!fault_names[fault]) {
            fprintf(stderr, "torture: fault number %u has no name in weather.c\n", fault);
            return false;
        }
    return true;
}

static bool read_faults(char *text)
{
    options.faults = 0;
    options.exactly = true;
    for (char *name = strtok(text, ","); name; name = strtok(NULL, ",")) {
        unsigned fault = 0;

        if (strcmp(name, "none") == 0)
            continue;
        while (fault < FAULTS && strcmp(fault_names[fault], name) != 0)
            fault++;
        if (fault == FAULTS)
            return false;
        options.faults |= 1u << fault;
    }
    return true;
}

static const char usage[] =
    "usage: torture [--seconds N] [--heap-manager NAME] [--seed N] [--rounds N] [--threads N]\n"
    "               [--operations N] [--faults NAME,...] [--keep LIST] [--shrink-seconds N]\n"
    "               [--offline-node N] [--hang-seconds N] [--no-huge-pages]\n"
    "docs/torture.md explains them.\n";

static bool read_option(int option, char *text)
{
    unsigned long long number = text ? strtoull(text, NULL, 0) : 0;

    switch (option) {
    case 's':
        options.seed = number;
        return true;
    case 't':
        options.threads = (unsigned)number;
        return number >= 1 && number <= THREADS_MOST;
    case 'o':
        options.operations = (unsigned)number;
        return number >= 1 && number <= OPERATIONS_MOST;
    case 'd':
        options.seconds = (unsigned)number;
        return number > 0;
    case 'r':
        options.rounds = (unsigned)number;
        return number > 0;
    case 'k':
        options.keep = text;
        return true;
    case 'z':
        options.shrink_seconds = (unsigned)number;
        return true;
    case 'm':
        return setenv("MEMKIND_HEAP_MANAGER", text, 1) == 0;
    case 'f':
        return read_faults(text);
    case 'n':
        return offline_prepare(text);
    case 'h':
        watch_hangs_after = (unsigned)number;
        return number > 0;
    case 'p':
        test_refuse_huge_pages();
        return true;
    default:
        return false;
    }
}

int main(int count, char *arguments[])
{
    static const struct option names[] = {
        {"seed", required_argument, NULL, 's'},
        {"threads", required_argument, NULL, 't'},
        {"operations", required_argument, NULL, 'o'},
        {"seconds", required_argument, NULL, 'd'},
        {"rounds", required_argument, NULL, 'r'},
        {"keep", required_argument, NULL, 'k'},
        {"faults", required_argument, NULL, 'f'},
        {"shrink-seconds", required_argument, NULL, 'z'},
        {"heap-manager", required_argument, NULL, 'm'},
        {"offline-node", required_argument, NULL, 'n'},
        {"hang-seconds", required_argument, NULL, 'h'},
        {"no-huge-pages", no_argument, NULL, 'p'},
        {NULL, 0, NULL, 0},
    };
    int option;

    if (count == 2 && strcmp(arguments[1], "--hello") == 0)
        return process_hello();
    if (!faults_have_names())
        return 2;
    options.faults = (1u << FAULTS) - 1;
    options.seed = mix((uint64_t)time(NULL), (uint64_t)getpid());
    while ((option = getopt_long(count, arguments, "", names, NULL)) >= 0)
        if (!read_option(option, optarg)) {
            fputs(usage, stderr);
            return 2;
        }
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (optind < count || !prepare()) {
        fputs(usage, stderr);
        return 2;
    }
    return run();
}

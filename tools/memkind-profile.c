/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * memkind-profile: which blocks a program has, by call site.
 *
 * It runs the program with libmemkind-preload.so, which writes a capture when it ends, and makes of
 * that what viewers read. memkind-profile(1) is the contract. One thread.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "launch.h"
#include "options.h"
#include "profile_capture.h"
#include "profile_samples.h"
#include "profile_source.h"
#include "profile_symbols.h"
#include "profile_write.h"
#include "size.h"

#define PROGRAM "memkind-profile"
#define INTERVAL "100" /* ms between two looks at pages, at least */

const char launch_program[] = PROGRAM;

static const char *base = PROGRAM, *report, *samples;

/* The ways from outside the program, in the order in which auto tries them; pages that it finds
 * written itself come after them. */
static const struct profile_source *const sources[] = {&profile_precise, &profile_damon,
                                                       &profile_faults};
#define SOURCES (sizeof sources / sizeof sources[0])
static const char *accesses = "auto";

/* --- the report ------------------------------------------------------------------------------- */

static const struct {
    const char *end; /* of the file's name */
    bool (*write)(const struct capture *, const char *path);
} forms[] = {
    {"pb.gz", profile_write_pprof},
    {"folded", profile_write_folded},
    {"html", profile_write_html},
};
#define FORMS (sizeof forms / sizeof forms[0])

/* False: it could not be written; that is told. */
static bool write_one(const struct capture *capture, const char *end,
                      bool (*write)(const struct capture *, const char *))
{
    char path[PATH_MAX];
    bool written;

    snprintf(path, sizeof path, "%s.%s", base, end);
    written = write(capture, path);
    if (!written)
        fprintf(stderr, PROGRAM ": %s: %s\n", path, strerror(errno));
    return written;
}

/* What was recorded beside the program, for the report and for who reads captures: in the capture
 * that was made just now, or in a copy of one that was there. */
static bool add_samples(struct capture *capture, const char *path)
{
    struct samples found;
    char why[256], copy[PATH_MAX];

    if (!samples_add(capture, samples, &found, why)) {
        fprintf(stderr, PROGRAM ": --samples: %s\n", why);
        return false;
    }
    fprintf(stderr, PROGRAM ": %zu of %zu accesses were to blocks that were sampled\n",
            found.in_blocks, found.count);
    snprintf(copy, sizeof copy, "%s.capture", base);
    if (capture_copy(capture, path, copy) && (report || rename(copy, path) == 0))
        return true;
    fprintf(stderr, PROGRAM ": %s: %s\n", copy, strerror(errno));
    return false;
}

static void tell_files(const char *path)
{
    fprintf(stderr, PROGRAM ": of %s:", path);
    for (size_t i = 0; i < FORMS; i++)
        fprintf(stderr, "%s %s.%s", i ? "," : "", base, forms[i].end);
    fputc('\n', stderr);
}

static bool write_report(const char *path)
{
    char why[256];
    struct capture *capture = capture_read(path, why);
    bool written;

    if (!capture) {
        fprintf(stderr, PROGRAM ": %s\n", why);
        return false;
    }
    written = !samples || add_samples(capture, path);
    symbols_find(capture);
    for (size_t i = 0; i < FORMS; i++)
        written &= write_one(capture, forms[i].end, forms[i].write);
    if (written)
        tell_files(path);
    capture_free(capture);
    return written;
}

/* --- the program ------------------------------------------------------------------------------ */

/* The program, with a name of its own for each process's capture. It waits until it is watched, and
 * is told whether it has to look at pages itself; told nothing, it is not wanted. */
static _Noreturn void become(char *argv[], const char *captures, const int go[2])
{
    char mine[PATH_MAX], pages;

    close(go[1]);
    if (read(go[0], &pages, 1) != 1)
        _exit(LAUNCH_NOT_RUN);
    snprintf(mine, sizeof mine, "%s.%d", captures, (int)getpid());
    unlink(mine); /* of an earlier process of this number */
    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    launch_set("MEMKIND_PRELOAD_PROFILE", captures);
    launch_set("MEMKIND_PRELOAD_PROFILE_PAGES", pages ? INTERVAL : "0");
    launch_preload();
    launch_become(argv);
}

/* Until the program has ended, or this one is to: what is told is written, as long as there is room
 * for it. */
static int wait_watched(pid_t child, const struct profile_source *source, void *opened,
                        FILE *stream, const sigset_t *ends)
{
    static const struct timespec pause = {0, 20000000};
    size_t lost = 0;
    int waited = 0, signal_number;
    pid_t ended;

    do {
        signal_number = sigtimedwait(ends, NULL, &pause);
        ended = waitpid(child, &waited, WNOHANG);
        lost += source->drain(opened, stream);
    } while (signal_number <= 0 && (ended == 0 || (ended < 0 && errno == EINTR)));
    source->close(opened);
    if (lost)
        fprintf(stderr, PROGRAM ": %zu samples of accesses were lost\n", lost);
    if (signal_number > 0) {
        sigprocmask(SIG_UNBLOCK, ends, NULL);
        raise(signal_number);
    }
    return waited;
}

/* The source that was asked for, or the first that there is. NULL: none, which is no reason to end
 * if nobody has asked for one by its name. */
static const struct profile_source *open_source(pid_t child, void **opened)
{
    bool automatic = strcmp(accesses, "auto") == 0;
    char why[PROFILE_WHY];

    for (size_t i = 0; i < SOURCES; i++) {
        bool named = strcmp(accesses, sources[i]->name) == 0;

        if (!named && !(automatic && sources[i]->automatic))
            continue;
        *opened = sources[i]->open(child, why);
        if (*opened)
            return sources[i];
        if (named)
            launch_end(LAUNCH_MISUSED, "--accesses: %s", why);
    }
    return NULL;
}

/* Lets the program begin, which looks at pages itself where nothing else is done. */
static void let_go(const int go[2], bool pages)
{
    char told = pages;

    close(go[0]);
    if (write(go[1], &told, 1) != 1)
        fprintf(stderr, PROGRAM ": pipe: %s\n", strerror(errno));
    close(go[1]);
}

static int watch_by(const struct profile_source *source, void *opened, pid_t child, const int go[2],
                    const sigset_t *ends)
{
    static char path[PATH_MAX];
    FILE *stream;
    int waited;

    snprintf(path, sizeof path, "%s.accesses", base);
    stream = fopen(path, "we");
    if (!stream) {
        source->close(opened);
        launch_end(LAUNCH_MISUSED, "%s: %s", path, strerror(errno));
    }
    let_go(go, false);
    waited = wait_watched(child, source, opened, stream, ends);
    if (ferror(stream) | fclose(stream))
        fprintf(stderr, PROGRAM ": %s: %s\n", path, strerror(errno));
    samples = path;
    return waited;
}

/* The program, with its accesses counted as was asked for. What the kernel was told to watch is
 * taken back before a signal ends this process. */
static int watch(pid_t child, const int go[2])
{
    const struct profile_source *source;
    void *opened = NULL;
    sigset_t ends;
    int waited = 0;

    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGHUP);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    source = open_source(child, &opened);
    if (source)
        waited = watch_by(source, opened, child, go, &ends);
    sigprocmask(SIG_UNBLOCK, &ends, NULL);
    if (source)
        return waited;
    let_go(go, strcmp(accesses, "auto") == 0 || strcmp(accesses, "pages") == 0);
    while (waitpid(child, &waited, 0) < 0 && errno == EINTR)
        continue;
    return waited;
}

static void tell_others(const char *captures, const char *mine)
{
    char pattern[PATH_MAX];
    glob_t found;

    snprintf(pattern, sizeof pattern, "%s.*", captures);
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            if (strcmp(found.gl_pathv[i], mine) != 0)
                fprintf(stderr, PROGRAM ": another process: %s --report %s\n", PROGRAM,
                        found.gl_pathv[i]);
        globfree(&found);
    }
}

/* As a shell has it. */
static int status_of(int waited)
{
    return WIFEXITED(waited) ? WEXITSTATUS(waited) : 128 + WTERMSIG(waited);
}

static int run(char *argv[])
{
    char captures[PATH_MAX - 16], mine[PATH_MAX], folder[PATH_MAX] = "";
    int go[2], waited;
    pid_t child;

    if (*base != '/' && !getcwd(folder, sizeof folder))
        launch_end(LAUNCH_MISUSED, "this folder: %s", strerror(errno));
    if ((size_t)snprintf(captures, sizeof captures, "%s%s%s.capture", folder, *folder ? "/" : "",
                         base) >= sizeof captures)
        launch_end(LAUNCH_MISUSED, "--output: %s", strerror(ENAMETOOLONG));
    if (pipe2(go, O_CLOEXEC))
        launch_end(LAUNCH_NOT_RUN, "pipe: %s", strerror(errno));
    /* They are for the program, whose profile is wanted then, too. */
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    child = fork();
    if (child == 0)
        become(argv, captures, go);
    if (child < 0)
        launch_end(LAUNCH_NOT_RUN, "fork: %s", strerror(errno));
    waited = watch(child, go);
    snprintf(mine, sizeof mine, "%s.%d", captures, (int)child);
    if (access(mine, R_OK) == 0)
        write_report(mine);
    else if (status_of(waited) != LAUNCH_NOT_FOUND && status_of(waited) != LAUNCH_NOT_RUN)
        fprintf(stderr,
                PROGRAM ": there is no profile: the program has ended by a signal or by _exit(), "
                        "it is linked statically, or it has allocated too little; --rate tells "
                        "how much is sampled\n");
    tell_others(captures, mine);
    return status_of(waited);
}

/* --- the command ------------------------------------------------------------------------------ */

static void set_rate(const char *text)
{
    if (!size_parse(text))
        launch_end(LAUNCH_MISUSED, "--rate: this is no size: %s; " SIZE_ACCEPTED, text);
    launch_set("MEMKIND_PRELOAD_PROFILE_RATE", text);
}

static void set_accesses(const char *text)
{
    static const char *const others[] = {"auto", "pages", "none"};

    accesses = text;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcmp(text, others[i]) == 0)
            return;
    for (size_t i = 0; i < SOURCES; i++)
        if (strcmp(text, sources[i]->name) == 0)
            return;
    launch_end(LAUNCH_MISUSED,
               "--accesses: %s; accepted: auto, samples, damon, pages, faults or none", text);
}

static void set_samples(const char *file)
{
    samples = file;
}

static void set_base(const char *name)
{
    base = name;
}

static void set_report(const char *file)
{
    report = file;
}

static const struct option_row rows[] = {
    {'r', "rate", "SIZE", false, "bytes between two samples, on average (512K)", set_rate, NULL},
    {'a', "accesses", "WAY", false,
     "samples: the processor's, of loads and stores; damon: regions that the\n"
     "kernel finds used; pages: which pages of large blocks are written;\n"
     "auto (the default): the first of these that there is; faults: page\n"
     "faults; none",
     set_accesses, NULL},
    {'s', "samples", "FILE", false,
     "accesses that were recorded elsewhere: a line of each, its time in\n"
     "seconds, its address; with --report, BASE.capture has them, too",
     set_samples, NULL},
    {'o', "output", "BASE", false,
     "write BASE.pb.gz (pprof), BASE.folded (flame graphs) and BASE.html;\n"
     "what was captured is in BASE.capture.PROCESS (" PROGRAM ")",
     set_base, NULL},
    {'R', "report", "CAPTURE", false, "run no program: write them of what was captured before",
     set_report, NULL},
    {'h', "help", NULL, false, "this text", NULL, NULL},
    {'V', "version", NULL, false, "the library's version", options_version, NULL},
    {0},
};

static const struct options options = {
    false,
    "usage: " PROGRAM " [--rate SIZE] [--accesses WAY] [--samples FILE]\n"
    "                       [--output BASE] [--] PROGRAM [ARGUMENT...]\n"
    "       " PROGRAM " [--samples FILE] [--output BASE] --report CAPTURE\n"
    "\n"
    "Runs a program, samples the blocks that it allocates, and writes what they are by call site.\n"
    "\n",
    rows,
    "\n"
    "Exit status: the program's; 125 wrong options, or nothing to report; 126 the program cannot\n"
    "be run; 127 it is not found.\n",
};

int main(int argc, char *argv[])
{
    int program = options_parse(&options, argc, argv);

    if (samples && strcmp(accesses, "auto") == 0)
        accesses = "none"; /* they are there */
    if (report && program < argc)
        launch_end(LAUNCH_MISUSED, "--report runs no program: %s", argv[program]);
    if (report)
        return write_report(report) ? EXIT_SUCCESS : LAUNCH_MISUSED;
    options_need_program(program, argc);
    return run(argv + program);
}

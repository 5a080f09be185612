/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * torture: random sequences over the whole API, from several threads, with faults, against a model.
 *
 * The program forks a child for each round. A round is a plan: a seed, threads, operations of each,
 * kinds of faults. What the i-th operation of a thread is depends on the seed, the thread and i
 * alone, so that a plan with operations left out does the rest as before: that is how a failing
 * plan is made smaller. docs/torture.md tells how it is used.
 *
 *     torture.c     the command line, rounds, the sum at the end
 *     watch.c       one round in a child: crashes, hangs, what the debugger says of them
 *     shrink.c      a smaller plan that fails, too
 *     round.c       a round: its kinds, threads, what holds at its end
 *     operations.c  the table of operations, and those on blocks
 *     calls.c       operations on kinds, statistics, hbw_*, memtier
 *     hostile.c     a custom kind whose functions do what they must not
 *     process.c     operations on the process: threads, cancellation, fork, exec, dlopen
 *     weather.c     faults that come and go: limits, a full disk, refused system calls ...
 *     cgroup.c      the limit of a memory cgroup
 *     offline.c     a node's memory goes and comes
 *     model.c       what must hold of a block and of a kind
 */
#pragma once

#include "recipes.h"

#include <pthread.h>
#include <stdatomic.h>
#include <memkind_memtier.h>

#define THREADS_MOST 8
#define OPERATIONS_MOST 1024
#define PLACES 48    /* blocks of a worker */
#define GUESTS 3     /* kinds of a worker that come and go */
#define SHARED 8     /* kinds that all threads use */
#define MAILBOX 32   /* blocks on the way from one thread to another */
#define TIERS 4      /* of the shared kinds, these are the tiers */
#define DEPTH_MOST 2 /* threads and processes of threads and processes */
#define PIDS 32
#define OPERATION_NAMES 48

/* Faults. The first ones are weather: they come and go while threads work. */
enum fault {
    FAULT_AS,          /* RLIMIT_AS */
    FAULT_DATA,        /* RLIMIT_DATA */
    FAULT_NOFILE,      /* RLIMIT_NOFILE */
    FAULT_FSIZE,       /* RLIMIT_FSIZE */
    FAULT_MAPS,        /* vm.max_map_count is reached */
    FAULT_DISK,        /* the disk is full */
    FAULT_HUGE,        /* others have all huge pages */
    FAULT_SIGNALS,     /* EINTR */
    FAULT_CGROUP,      /* the memory cgroup's limit */
    FAULT_OFFLINE,     /* a node's memory */
    FAULT_WEATHER_END, /* not a fault */

    FAULT_DESCRIPTORS = FAULT_WEATHER_END, /* the library's are closed */
    FAULT_STDIO,                           /* 0, 1 and 2 are closed from the start */
    FAULT_REFUSED,                         /* a system call that seccomp(2) refuses */
    FAULT_CANCEL,                          /* of a thread that uses the library */
    FAULT_FORK,                            /* and fork in fork */
    FAULT_EXEC,
    FAULT_DLOPEN, /* and dlclose */
    FAULTS
};

extern const char *const fault_names[FAULTS];
#define HAS(PLAN, FAULT) ((PLAN)->faults >> (FAULT)&1u)

struct plan {
    uint64_t seed;
    unsigned threads, operations;
    unsigned faults;                                       /* bits 1 << enum fault */
    unsigned char left_out[THREADS_MOST][OPERATIONS_MOST]; /* operations that are not done */
};

/* What the round tells its parent. In memory that all processes of the program have in common. */
struct report {
    atomic_bool failed;
    char text[512];
    pid_t pid;                 /* of whom it comes from */
    bool is_waiting;           /* for a debugger */
    _Atomic(pid_t) pids[PIDS]; /* forked by the round, and alive */
    struct {
        atomic_uint operation; /* that it is at, from 1 on */
        const char *_Atomic name;
    } at[THREADS_MOST];

    /* Counted through all rounds. */
    atomic_ulong sequences, operations[OPERATION_NAMES], faults[FAULTS], blocks;
    atomic_ulong refused; /* ENOMEM that was allowed */
};

extern struct report *report;
extern bool torture_debugs; /* a debugger may be asked for: a failing process waits for it */

/* --- the model: model.c ----------------------------------------------------------------------- */

/* A shared kind, or a guest. */
struct subject {
    struct made made;
    bool alive;
    bool may_fail;      /* of huge pages */
    bool may_refuse;    /* it has had a limit of memkind_set_limit() */
    size_t most;        /* what its blocks cannot exceed then; 0: no limit */
    atomic_size_t live; /* usable bytes of its blocks */
};

enum owner { OWNER_KIND, OWNER_HBW, OWNER_TIER };

struct place {
    unsigned char *at;
    size_t size; /* asked for */
    size_t usable;
    size_t alignment; /* asked for; 0: malloc's */
    uint64_t content;
    struct subject *subject; /* NULL: hbw_malloc's */
    bool huge;               /* of huge pages, and hbw_malloc's */
    enum owner owner;
};

struct worker {
    const struct plan *plan;
    unsigned index;  /* of the plan's thread that it is, or belongs to */
    unsigned depth;  /* threads and processes between it and that one */
    bool in_child;   /* of fork(2) */
    uint64_t random; /* of the present operation */
    struct place places[PLACES];
    struct subject guests[GUESTS];
};

/* Something does not hold: said, and the process stops for the debugger. Does not return. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
#define MUST(CONDITION, ...)   \
    do {                       \
        if (!(CONDITION))      \
            fail(__VA_ARGS__); \
    } while (0)

uint64_t mix(uint64_t a, uint64_t b);
uint64_t draw(struct worker *worker, uint64_t below);
size_t draw_size(struct worker *worker);

/* A mark, before a call; afterwards, whether there was a fault since then that lets calls fail. */
unsigned long weather_mark(void);
bool weather_allows(unsigned long mark, bool of_files);

/* A new block, which the place describes: all that must hold of it. */
void block_arrives(struct worker *worker, struct place *place, void *at);
/* There was none. `mark`: from before the call. */
void block_refused(const struct worker *worker, const struct subject *subject, size_t size,
                   int error, unsigned long mark);
void block_check(const struct place *place);
/* Its content, of the first `kept` bytes. */
void block_check_part(const struct place *place, size_t kept);
/* Checks it, then forgets it: the caller frees it. */
void *block_leaves(struct place *place);

/* A kind that all threads use, or one of the worker's guests; NULL: there is none. */
struct subject *draw_subject(struct worker *worker);
struct place *draw_block(struct worker *worker);
struct place *draw_empty(struct worker *worker);
const char *subject_name(const struct subject *subject);

/* --- the round -------------------------------------------------------------------------------- */

struct round {
    const struct plan *plan;
    struct subject shared[SHARED];
    struct mail {
        atomic_int state;
        struct place place;
    } mailbox[MAILBOX];
    struct memtier_memory *tiers;
    bool is_tbb;
    atomic_bool closes; /* the library's descriptors were closed */
};

extern struct round the_round;

/* The whole of a round, in a process of its own; returns if all is well. */
void round_run(struct plan *plan) __attribute__((noreturn));

/* A kind as the recipe says. False: not in this weather. */
bool subject_make(struct subject *subject, const struct recipe *recipe);
/* Its blocks are gone. False: not in the weather that this process was born in. */
bool subject_destroy(const struct worker *worker, const struct subject *subject);
/* With what is left of its blocks in the worker's places. */
void subject_end(struct worker *worker, struct subject *subject);

/* --- operations ------------------------------------------------------------------------------- */

struct operation {
    const char *name;
    unsigned weight;
    int fault; /* an operation that is a fault; -1: it is none */
    void (*run)(struct worker *worker);
};

extern const struct operation operations[];
extern const size_t operation_count;

/* The operation number `number` of a sequence. `stream` tells the worker's sequence from others. */
void operation_run(struct worker *worker, uint64_t stream, unsigned number);
/* So many of the sequence, at most three processes or threads deep. */
void operations_run(struct worker *worker, uint64_t stream, unsigned count);
/* Frees all blocks, and destroys all guests. */
void worker_end(struct worker *worker);
void mailbox_empty(void);

/* calls.c */
const struct recipe *guest_recipe(uint64_t number);
struct memtier_memory *tiers_make(uint64_t random);
void call_create(struct worker *worker);
void call_create_wrong(struct worker *worker);
void call_destroy(struct worker *worker);
void call_destroy_wrong(struct worker *worker);
void call_statistics(struct worker *worker);
void call_print(struct worker *worker);
void call_background(struct worker *worker);
void call_trim(struct worker *worker);
void call_refresh(struct worker *worker);
void call_limit(struct worker *worker);
void call_questions(struct worker *worker);
void call_hbw(struct worker *worker);
void call_hbw_region(struct worker *worker);
void call_tier(struct worker *worker);
void call_tier_make(struct worker *worker);

/* hostile.c */
void call_hostile(struct worker *worker);

/* process.c */
void process_thread(struct worker *worker);
void process_small_stack(struct worker *worker);
void process_cancel(struct worker *worker);
void process_fork(struct worker *worker);
void process_exec(struct worker *worker);
void process_dlopen(struct worker *worker);
void process_descriptors(struct worker *worker);
void process_register(void);
extern const char process_plugin[]; /* a library to load, its path */
int process_hello(void);            /* of a program that was just begun */
void process_check_canaries(void);
bool thread_start(pthread_t *thread, size_t stack, void *(*body)(void *), void *argument);

/* weather.c */
void weather_begin(const struct plan *plan); /* before the first use */
void *weather_thread(void *plan);
void weather_wait(void);
/* In a child of fork(2): its limits are what they are, for good. */
void weather_of_child(void);
/* A fault comes (1) or goes (-1): of files only, or of everything. */
void weather_change(bool of_files, int by);
extern atomic_bool weather_over;

/* cgroup.c: a memory cgroup for rounds. Before the first one; false: there can be none. */
bool cgroup_make(void);
void cgroup_end(void);
/* The calling process is in it from now on. */
void cgroup_join(void);
/* Weather. */
bool cgroup_begin(enum fault fault, uint64_t random);
void cgroup_leave(enum fault fault);

/* offline.c: the node of which the name is given has this weather, and HBW and DAX kinds are of it.
 * False: it is none, or its memory cannot be had. */
bool offline_prepare(const char *name);
bool offline_is_possible(void);
/* Before and after rounds: one that was ended may have left it offline. */
void offline_restore(void);
void offline_set_environment(void);
bool offline_begin(enum fault fault, uint64_t random);
void offline_end(enum fault fault);

/* watch.c: false: the plan fails, and the report says how; the log has more. */
bool watch_run(struct plan *plan, const char *log, bool traces);
extern unsigned watch_hangs_after; /* seconds */
/* From now on SIGTERM, SIGINT and SIGHUP end the run, not the process; nothing fails any more then.
 */
void watch_for_stop(void);
bool watch_is_stopped(void);

/* shrink.c: a smaller plan that fails; false: this one did not fail again. */
bool shrink(struct plan *plan, const char *log, unsigned seconds);
unsigned plan_count(const struct plan *plan);

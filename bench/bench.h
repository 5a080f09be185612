/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * What the files of memkind-bench share.
 *
 *     heap      where blocks come from: a kind of an opened libmemkind, malloc(3), or nothing at
 * all pattern   what a thread does with blocks: a row of the table in patterns.c worker    a thread
 * that does it cell      a pattern on a heap by so many threads: what is measured, in a process of
 * its own
 */
#ifndef MEMKIND_BENCH_H
#define MEMKIND_BENCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLOTS 4096
#define PAGE 4096
#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define THREADS_MOST 4096
#define NOTE_SIZE 160

/* --- heaps.c ---------------------------------------------------------------------------------- */

/* Every call goes through a pointer, whoever is measured: what a call through a PLT costs. */
struct heap {
    const char *name;
    /* Functions with a kind; NULL: those without one are used. */
    void *(*kind_malloc)(void *kind, size_t size);
    void *(*kind_calloc)(void *kind, size_t count, size_t size);
    void *(*kind_realloc)(void *kind, void *block, size_t size);
    int (*kind_memalign)(void *kind, void **block, size_t alignment, size_t size);
    void (*kind_free)(void *kind, void *block);
    size_t (*kind_usable_size)(void *kind, void *block);
    void *(*kind_detect)(void *block);
    void *kind;
    /* Functions without a kind. */
    void *(*plain_malloc)(size_t size);
    void *(*plain_calloc)(size_t count, size_t size);
    void *(*plain_realloc)(void *block, size_t size);
    int (*plain_memalign)(void **block, size_t alignment, size_t size);
    void (*plain_free)(void *block);
    size_t (*plain_usable_size)(void *block);
};

/* What is to be opened. */
struct heap_choice {
    const char *library; /* path or name of a libmemkind; NULL: malloc(3) of the process */
    bool none;           /* blocks cost nothing: what the patterns themselves cost */
    const char *folder;  /* for the file of kind PMEM */
};

/* Opens the library, calls none of its functions. Ends the program if there is no such library. */
void heap_load(const struct heap_choice *choice);

/*
 * Opens heap `name`, in the process that is to use it. On failure the cell is skipped, and `note`
 * says why.
 */
bool heap_open(struct heap *heap, const char *name, char note[NOTE_SIZE]);

/* --- patterns*.c ------------------------------------------------------------------------------ */

struct worker {
    const struct heap *heap;
    struct worker *next; /* in a ring of all workers */
    unsigned number, threads;
    uint32_t random;
    void **slots; /* SLOTS of them, NULL at first */
    double begin, end;
    /* Batches that the one before it in the ring left in its slots, and those it took from there.
     */
    _Alignas(128) atomic_size_t left;
    _Alignas(128) atomic_size_t taken;
};

struct pattern {
    const char *name;
    const char *what;
    size_t unit;    /* operations that are always done together */
    size_t warm_up; /* of each thread, at least: until a heap has got what it needs */
    void (*set_up)(struct worker *worker);            /* not measured; NULL: nothing */
    void (*run)(struct worker *worker, size_t count); /* count: a multiple of unit */
    bool needs_kinds;                                 /* malloc(3) has nothing of the kind */
};

extern const struct pattern patterns[];
extern const size_t pattern_count;

/* Of patterns_threads.c. */
void run_cross(struct worker *worker, size_t count);
void run_producer(struct worker *worker, size_t count);
void run_larson(struct worker *worker, size_t count);
void set_up_slots(struct worker *worker);

/* --- measure.c -------------------------------------------------------------------------------- */

struct cell {
    const struct pattern *pattern;
    const char *heap_name;
    unsigned threads;
    size_t operations; /* of each thread; 0: as many as take `seconds` */
    double seconds;
};

struct result {
    double operations;    /* of all threads */
    double wall_ns;       /* elapsed, of one of the CPUs that are used, per operation */
    double cpu_ns;        /* of CPU time, the kernel's included, per operation */
    long peak_kib;        /* resident at most: not of files, not memkind-bench's own */
    char note[NOTE_SIZE]; /* not empty: why there are no figures */
};

/* In a process of its own. What goes wrong there is in the note. */
void measure(const struct cell *cell, struct result *result);

/* In the process of a cell: it has failed, and this is why. Does not return. */
void give_up(const char *why) __attribute__((noreturn));

unsigned cpu_count(void);

#endif /* MEMKIND_BENCH_H */

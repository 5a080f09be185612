/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * Scenarios of memory. Each has a process of its own, says what is resident whenever something has
 * happened, and writes every block as a whole: memory that nobody wrote is not there. The arrays
 * that hold the blocks are mapped and written before, and do not count.
 *
 * Figures: resident_kib, more than when the scenario began; usable_percent of a limit; rate,
 * operations a second. Where a scenario has two kinds, malloc(3) is both.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "scenarios.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "heap.h"

#define THREADS_MOST 200
#define KINDS_MOST 200
#define PAUSES 10 /* a second */

static const char *acting; /* the scenario's name */
static double begun;
static size_t resident_before;

/* --- what is told ----------------------------------------------------------------------------- */

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static size_t resident(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    size_t pages = 0;

    if (!file || fscanf(file, "%*s %zu", &pages) != 1)
        give_up("/proc/self/statm cannot be read");
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void tell(const char *figure, double value)
{
    printf("%s,%.3f,%s,%.2f,\n", acting, seconds_now() - begun, figure, value);
    fflush(stdout);
}

static void tell_resident(void)
{
    size_t now = resident();

    tell("resident_kib", now > resident_before ? (double)(now - resident_before) / (double)KIB : 0);
}

/* What is resident by now is the scenario's stage. */
static void begin(void)
{
    begun = seconds_now();
    resident_before = resident();
    tell_resident();
}

/* --- blocks ----------------------------------------------------------------------------------- */

static void *array(size_t count, size_t size)
{
    void *memory = mmap(NULL, count * size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    if (memory == MAP_FAILED)
        give_up("no memory for the scenario's own arrays");
    return memory;
}

static struct heap opened(const char *name)
{
    char note[NOTE_SIZE];
    struct heap heap;

    if (!heap_open(&heap, name, note))
        give_up(note);
    heap_free(&heap, heap_malloc(&heap, 1));
    return heap;
}

static void *written(const struct heap *heap, size_t size)
{
    return memset(heap_malloc(heap, size), 1, size);
}

static size_t some(size_t whole, const struct scene *scene)
{
    double part = (double)whole * scene->size;

    return part < 1 ? 1 : (size_t)part;
}

static uint32_t random_next(uint32_t *state)
{
    *state = *state * 1103515245 + 12345;
    return *state >> 8;
}

static void replace(const struct heap *heap, void **block, size_t size)
{
    if (*block)
        heap_free(heap, *block);
    *block = written(heap, size);
}

/* The program goes on, and does something ten times a second. */
static void go_on(const struct scene *scene, void (*work)(void *context), void *context)
{
    double end = seconds_now() + scene->wait;

    do {
        work(context);
        tell_resident();
        usleep(1000000 / PAUSES);
    } while (seconds_now() < end);
    tell_resident();
}

/* --- scenarios of one thread ------------------------------------------------------------------ */

static void blow(const struct scene *scene, size_t least, size_t most)
{
    const struct heap heap = opened("REGULAR");
    size_t count = some(10000, scene);
    void **blocks = array(count, sizeof *blocks);
    uint32_t random = 12345;

    begin();
    for (int round = 0; round < 60; round++) {
        for (size_t i = 0; i < count; i++)
            blocks[i] =
                written(&heap, least + 8 * (random_next(&random) % ((most - least) / 8 + 1)));
        tell_resident();
        for (size_t i = 0; i < count; i++)
            heap_free(&heap, blocks[i]);
    }
    tell_resident();
}

static void act_blow_pages(const struct scene *scene)
{
    blow(scene, 1 * KIB, 4 * KIB);
}

static void act_blow(const struct scene *scene)
{
    blow(scene, 8, 16 * KIB);
}

/* 1 GiB in blocks of 1,000 bytes, then one of 500 MiB. */
static void fill_and_free(const struct heap *heap, const struct scene *scene, void **blocks,
                          size_t count)
{
    for (size_t i = 0; i < count; i++)
        blocks[i] = written(heap, 1000);
    tell_resident();
    for (size_t i = 0; i < count; i++)
        heap_free(heap, blocks[i]);
    tell_resident();
    heap_free(heap, written(heap, some(500 * MIB, scene)));
    tell_resident();
}

static void replace_small(void *context)
{
    static void *block;

    for (size_t i = 0; i < 20000; i++)
        replace(context, &block, 16 + i * 7 % 5000);
}

static void free_at_once(void *context)
{
    for (size_t i = 0; i < 20000; i++)
        heap_free(context, written(context, 64));
}

static void then(const struct scene *scene, const char *next, void (*work)(void *context))
{
    struct heap first = opened("REGULAR"), second = opened(next);
    size_t count = some(1 << 20, scene);
    void **blocks = array(count, sizeof *blocks);

    begin();
    fill_and_free(&first, scene, blocks, count);
    go_on(scene, work, &second);
}

static void act_idle_kind(const struct scene *scene)
{
    then(scene, "DEFAULT", replace_small);
}

static void act_small_after(const struct scene *scene)
{
    then(scene, "REGULAR", free_at_once);
}

static void act_grow(const struct scene *scene)
{
    const struct heap heap = opened("REGULAR");

    begin();
    for (size_t size = 100; size <= 600; size += 10) {
        void *block = written(&heap, some(size * MIB, scene));

        tell_resident();
        heap_free(&heap, block);
    }
    tell_resident();
}

static void small_blocks(void *context)
{
    for (size_t i = 0; i < 300; i++) {
        heap_free(context, written(context, 40000));
        heap_free_any(context, written(context, 100 + i * 20 % 6000));
    }
}

static void act_small_after_large(const struct scene *scene)
{
    struct heap heap = opened("REGULAR");
    void *blocks[40];

    begin();
    for (size_t i = 0; i < 40; i++)
        blocks[i] = written(&heap, some(8 * MIB, scene));
    tell_resident();
    for (size_t i = 0; i < 40; i++)
        heap_free(&heap, blocks[i]);
    go_on(scene, small_blocks, &heap);
}

/* --- threads ---------------------------------------------------------------------------------- */

static pthread_barrier_t together;

struct thread_part {
    struct heap *heaps;
    void **blocks;
    size_t count; /* of blocks, or of heaps with one block each */
};

static void *fill_and_end(void *argument)
{
    const struct thread_part *part = argument;

    for (size_t i = 0; i < part->count; i++)
        part->blocks[i] = written(part->heaps, 512);
    pthread_barrier_wait(&together);
    for (size_t i = 0; i < part->count; i++)
        heap_free(part->heaps, part->blocks[i]);
    return NULL;
}

static void run_threads(size_t count, void *(*run)(void *), struct thread_part *part, size_t step,
                        void (*meanwhile)(void))
{
    static pthread_t threads[THREADS_MOST];
    static struct thread_part parts[THREADS_MOST];

    pthread_barrier_init(&together, NULL, (unsigned)count + (meanwhile != NULL));
    for (size_t i = 0; i < count; i++) {
        parts[i] = *part;
        parts[i].blocks += i * step;
        if (pthread_create(&threads[i], NULL, run, &parts[i]))
            give_up("no more threads");
    }
    if (meanwhile)
        meanwhile();
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    tell_resident();
}

static void work_of_main(void *context)
{
    void *blocks[100];

    replace_small(context);
    for (size_t i = 0; i < 100; i++)
        blocks[i] = written(context, 40000);
    for (size_t i = 0; i < 100; i++)
        heap_free(context, blocks[i]);
}

static void act_exits(const struct scene *scene)
{
    struct heap heap = opened("REGULAR");
    size_t count = some(200 * MIB / 512, scene);
    struct thread_part part = {&heap, array(8 * count, sizeof(void *)), count};

    begin();
    run_threads(8, fill_and_end, &part, count, NULL);
    go_on(scene, work_of_main, &heap);
}

static void *use_each(void *argument)
{
    const struct thread_part *part = argument;

    for (size_t i = 0; i < part->count; i++)
        heap_free(&part->heaps[i], written(&part->heaps[i], 64));
    pthread_barrier_wait(&together);
    pthread_barrier_wait(&together);
    return NULL;
}

static void while_all_are_idle(void)
{
    pthread_barrier_wait(&together);
    tell_resident();
    pthread_barrier_wait(&together);
}

static void act_many(const struct scene *scene)
{
    size_t kinds = some(KINDS_MOST, scene), threads = some(THREADS_MOST, scene);
    struct heap first = opened("REGULAR"), *heaps = array(kinds, sizeof *heaps);
    struct thread_part part = {heaps, NULL, kinds};
    char note[NOTE_SIZE];

    (void)first;
    begin();
    for (size_t i = 0; i < kinds; i++)
        if (!heap_make(&heaps[i], note))
            give_up(note);
    run_threads(threads, use_each, &part, 0, while_all_are_idle);
    for (size_t i = 0; i < kinds; i++)
        if (!heap_unmake(&heaps[i], note))
            give_up(note);
    tell_resident();
}

/* --- limits ----------------------------------------------------------------------------------- */

#define LIMIT_LEAST (16 * MIB) /* a file-backed kind has no less */

static size_t limit_of(size_t whole, const struct scene *scene)
{
    size_t limit = some(whole, scene);

    return limit < LIMIT_LEAST ? LIMIT_LEAST : limit;
}

static struct heap limited(size_t limit)
{
    char note[NOTE_SIZE];
    struct heap heap;

    if (!heap_open_limited(&heap, limit, note))
        give_up(note);
    return heap;
}

/* Blocks of these sizes until a hundred in a row are refused. */
static void fill(const struct scene *scene, size_t least, size_t most)
{
    size_t limit = limit_of(64 * MIB, scene), bytes = 0;
    const struct heap heap = limited(limit);
    uint32_t random = 1;

    begun = seconds_now();
    for (int refused = 0; refused < 100;) {
        size_t size = least + random_next(&random) % (most - least + 1);
        void *block = heap.kind_malloc(heap.kind, size);

        refused = block ? 0 : refused + 1;
        if (block) {
            memset(block, 1, size);
            bytes += size;
        }
    }
    tell("usable_percent", 100.0 * (double)bytes / (double)limit);
}

static void act_fill_large(const struct scene *scene)
{
    fill(scene, 540000, 540000);
}

static void act_fill_page(const struct scene *scene)
{
    fill(scene, 4096, 4096);
}

static void act_fill_two_pages(const struct scene *scene)
{
    fill(scene, 8129, 8129);
}

static void act_fill_four_pages(const struct scene *scene)
{
    fill(scene, 16385, 16385);
}

static void act_fill_mixed(const struct scene *scene)
{
    fill(scene, 64, 4096);
}

struct live {
    char *block;
    size_t size;
};

/* A kind at its limit: what is refused makes room by freeing 32 random blocks, and each three
 * million operations the sizes become others. */
static void act_drift(const struct scene *scene)
{
    size_t limit = limit_of(256 * MIB, scene), count = 0, bytes = 0;
    size_t phase = some(3000000, scene), step = phase / 6 + 1;
    const struct heap heap = limited(limit);
    struct live *live = array(limit / 64, sizeof *live);
    size_t least = 64, span = 2132;
    uint32_t random = 1;
    double last;

    begun = last = seconds_now();
    for (size_t operation = 1; operation <= 12 * phase; operation++) {
        size_t size = least + random_next(&random) % span;
        char *block;

        while (!(block = heap.kind_malloc(heap.kind, size))) {
            for (int i = 0; i < 32 && count; i++) {
                struct live *gone = &live[random_next(&random) % count];

                heap_free(&heap, gone->block);
                bytes -= gone->size;
                *gone = live[--count];
            }
        }
        *block = 1;
        live[count++] = (struct live){block, size};
        bytes += size;
        if (operation % step == 0) {
            tell("rate", (double)step / (seconds_now() - last));
            tell("usable_percent", 100.0 * (double)bytes / (double)limit);
            last = seconds_now();
        }
        if (operation % phase == 0) {
            least = 64 + random_next(&random) % 1000;
            span = 200 + random_next(&random) % 1000;
        }
    }
}

/* --- the table, and how they are run ---------------------------------------------------------- */

const struct scenario scenarios[] = {
    {"blow-pages", act_blow_pages, "10,000 blocks of 1 to 4 KiB are allocated and freed, 60 times"},
    {"blow", act_blow, "the same of 8 B to 16 KiB"},
    {"idle-kind", act_idle_kind, "1.5 GiB are freed, the program goes on in another kind"},
    {"small-after", act_small_after, "1.5 GiB are freed, then only caches are hit"},
    {"small-after-large", act_small_after_large,
     "320 MiB of large blocks are freed, then small ones"},
    {"exits", act_exits, "8 threads free 200 MiB each, and end"},
    {"grow", act_grow, "one live block at a time, of 100 to 600 MiB"},
    {"many", act_many, "200 threads use 200 kinds once; the kinds are destroyed"},
    {"fill-540000", act_fill_large, "a file of 64 MiB, blocks of 540,000 B"},
    {"fill-4096", act_fill_page, "the same, of 4,096 B"},
    {"fill-8129", act_fill_two_pages, "the same, of 8,129 B"},
    {"fill-16385", act_fill_four_pages, "the same, of 16,385 B"},
    {"fill-mixed", act_fill_mixed, "the same, of 64 to 4,096 B"},
    {"drift", act_drift, "a file of 256 MiB at its limit, sizes change"},
};
const size_t scenario_count = sizeof scenarios / sizeof scenarios[0];

void scenario_run(const struct scenario *scenario, const struct scene *scene)
{
    int status;
    pid_t child;

    report_share();
    fflush(NULL);
    acting = scenario->name;
    child = fork();
    if (child == 0) {
        scenario->act(scene);
        _exit(EXIT_SUCCESS);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        printf("%s,,,,cannot be run\n", scenario->name);
    else if (report->note[0])
        printf("%s,,,,%s\n", scenario->name, report->note);
    else if (status)
        printf("%s,,,,failed: status %d\n", scenario->name, status);
    fflush(stdout);
}

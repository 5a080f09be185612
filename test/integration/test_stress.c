/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_stress: no block is ever lost, handed out twice or written by anybody else.
 *
 * Threads take blocks of all sizes to 64 MiB from many kinds and put them into common places, out
 * of which any of them may take a block to verify, change or free it. Each block carries content
 * that depends on its seed. Threads come and go, and kinds are made and destroyed beside them.
 *
 * MEMKIND_STRESS_SECONDS says how long, MEMKIND_STRESS_SEED repeats a sequence of choices (how
 * threads take turns is the kernel's choice).
 */
#include "recipes.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

TestSuite(stress, .init = test_with_nodes, .timeout = 3600);

#define THREADS 8
#define PLACES 6000
#define LARGEST (64 * MIB)
#define BUDGET (144 * MIB) /* bytes in blocks of one kind */
#define WHOLE MIB          /* larger blocks have their content in parts of each page */
#define PART 32

static const char *const names[] = {
    "DEFAULT",    "REGULAR",  "INTERLEAVE", "HBW_PREF", "n. bindl", "n. inter",  "pmem",
    "pmem c lim", "fix anon", "fix odd",    "fix shm",  "custom",   "cust nopu",
};
#define KINDS LENGTH(names)

/* Names that hold the text of MEMKIND_STRESS_WITHOUT are left out. */
static unsigned kinds[KINDS]; /* the others */
static size_t kind_count;

static struct made made[KINDS];
static _Atomic size_t in_use[KINDS]; /* bytes */
static atomic_ulong given[KINDS];    /* blocks, by all threads */
static atomic_bool stop;
static char wrong[256]; /* the first thing that is wrong */
static atomic_bool is_wrong;
static uint64_t first_seed;

static void report(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void report(const char *format, ...)
{
    va_list arguments;

    if (atomic_exchange(&is_wrong, true))
        return;
    va_start(arguments, format);
    vsnprintf(wrong, sizeof wrong, format, arguments);
    va_end(arguments);
    stop = true;
}

static bool is_left_out(const char *name)
{
    const char *without = getenv("MEMKIND_STRESS_WITHOUT");

    return without && strstr(name, without);
}

/* --- blocks and their content ----------------------------------------------------------------- */

struct place {
    atomic_bool taken;
    unsigned kind;
    unsigned char *at;
    size_t size;
    uint64_t seed;
};

static struct place places[PLACES];

static void content_set(const struct place *place)
{
    if (place->size <= WHOLE) {
        test_fill(place->at, place->size, place->seed);
        return;
    }
    for (size_t offset = 0; offset + 2 * PART <= place->size; offset += 4096)
        test_fill(place->at + offset, PART, place->seed + offset);
    test_fill(place->at + place->size - PART, PART, ~place->seed);
}

/* Whether the first `size` bytes of it are there. */
static bool content_holds(const struct place *place, size_t size)
{
    if (place->size <= WHOLE)
        return test_holds(place->at, size, place->seed);
    for (size_t offset = 0; offset + PART <= size && offset + 2 * PART <= place->size;
         offset += 4096)
        if (!test_holds(place->at + offset, PART, place->seed + offset))
            return false;
    return size < place->size || test_holds(place->at + place->size - PART, PART, ~place->seed);
}

/* The logarithm is even, but what takes long to write is rarer. */
static size_t random_size(uint64_t *random)
{
    unsigned bits = (unsigned)(test_random(random) % 27);

    if (bits > 16 && test_random(random) % 8)
        bits %= 17;
    if (bits > 20 && test_random(random) % 4)
        bits %= 21;
    return bits == 26 ? LARGEST - test_random(random) % 4096
                      : ((size_t)1 << bits) + test_random(random) % ((size_t)1 << bits);
}

/* --- what a thread does ----------------------------------------------------------------------- */

/* A kind with a limit may be full; the others have no reason. */
static bool may_fail(unsigned kind, int error)
{
    return error == ENOMEM && made[kind].recipe->limit;
}

static bool reserve(unsigned kind, size_t size)
{
    if (atomic_fetch_add(&in_use[kind], size) + size <= BUDGET)
        return true;
    atomic_fetch_sub(&in_use[kind], size);
    return false;
}

static void *allocate(struct place *place, uint64_t *random)
{
    memkind_t kind = made[place->kind].kind;
    void *block = NULL;
    size_t alignment;

    errno = 0;
    switch (test_random(random) % 4) {
    case 0:
        block = memkind_calloc(kind, place->size, 1);
        if (block && !test_is_zero(block, place->size))
            report("calloc of %zu bytes in %s: not zero", place->size, names[place->kind]);
        return block;
    case 1:
        alignment = sizeof(void *) << test_random(random) % 12;
        if (test_random(random) % 64 == 0)
            alignment = 2 * MIB;
        errno = memkind_posix_memalign(kind, &block, alignment, place->size);
        if (block && (uintptr_t)block % alignment)
            report("%zu bytes in %s: %p, alignment %zu", place->size, names[place->kind], block,
                   alignment);
        return block;
    default:
        return memkind_malloc(kind, place->size);
    }
}

static void put(struct place *place, uint64_t *random)
{
    place->kind = kinds[test_random(random) % kind_count];
    place->size = random_size(random);
    place->seed = test_random(random);
    if (!reserve(place->kind, place->size))
        return;
    place->at = allocate(place, random);
    if (!place->at) {
        if (!may_fail(place->kind, errno))
            report("no block of %zu bytes in %s: errno %d", place->size, names[place->kind], errno);
        atomic_fetch_sub(&in_use[place->kind], place->size);
        return;
    }
    if (!recipe_covers(&made[place->kind], place->at) ||
        !recipe_covers(&made[place->kind], place->at + place->size - 1))
        report("%p is not in the memory of %s", (void *)place->at, names[place->kind]);
    content_set(place);
    given[place->kind]++;
}

static bool verify(const struct place *place, size_t size)
{
    if (content_holds(place, size))
        return true;
    report("a block of %zu bytes in %s was overwritten", place->size, names[place->kind]);
    return false;
}

static void take_away(struct place *place, bool null_kind)
{
    if (verify(place, place->size))
        memkind_free(null_kind ? NULL : made[place->kind].kind, place->at);
    atomic_fetch_sub(&in_use[place->kind], place->size);
    place->at = NULL;
}

static void change_size(struct place *place, uint64_t *random)
{
    size_t size = random_size(random), old_size = place->size;
    size_t kept = size < old_size ? size : old_size;
    memkind_t kind = test_random(random) % 2 ? made[place->kind].kind : NULL;
    unsigned char *at;

    if (!reserve(place->kind, size))
        return;
    errno = 0;
    at = verify(place, old_size) ? memkind_realloc(kind, place->at, size) : NULL;
    if (!at) {
        if (!is_wrong && !may_fail(place->kind, errno))
            report("realloc of %zu to %zu bytes in %s: errno %d", old_size, size,
                   names[place->kind], errno);
        atomic_fetch_sub(&in_use[place->kind], size);
        return;
    }
    place->at = at;
    verify(place, kept);
    place->size = size;
    place->seed = test_random(random);
    content_set(place);
    atomic_fetch_sub(&in_use[place->kind], old_size);
}

static void look(struct place *place)
{
    memkind_t kind = memkind_detect_kind(place->at);

    if (kind != made[place->kind].kind)
        report("a block of %s is said to be of another kind", names[place->kind]);
    if (memkind_malloc_usable_size(NULL, place->at) < place->size)
        report("usable size of %zu bytes in %s", place->size, names[place->kind]);
}

static void defrag(struct place *place)
{
    void *moved = memkind_defrag_reallocate(NULL, place->at);

    if (moved)
        place->at = moved;
    verify(place, place->size);
}

static void *work(void *argument)
{
    uint64_t random = (uintptr_t)argument;
    unsigned turns = 500 + (unsigned)(test_random(&random) % 4000);

    for (unsigned i = 0; i < turns && !stop; i++) {
        struct place *place = &places[test_random(&random) % PLACES];
        unsigned choice = (unsigned)(test_random(&random) % 16);

        if (atomic_exchange(&place->taken, true))
            continue;
        if (!place->at)
            put(place, &random);
        else if (choice < 3)
            change_size(place, &random);
        else if (choice < 4)
            look(place);
        else if (choice < 5)
            defrag(place);
        else
            take_away(place, choice % 2);
        place->taken = false;
    }
    return NULL;
}

/* --- kinds that come and go ------------------------------------------------------------------- */

static void *use_guest(void *argument)
{
    struct made *guest = argument;
    struct {
        unsigned char *at;
        size_t size;
    } blocks[100];

    for (size_t i = 0; i < LENGTH(blocks); i++) {
        blocks[i].size = 1 + i * 331 % 60000;
        blocks[i].at = memkind_malloc(guest->kind, blocks[i].size);
        if (!blocks[i].at) {
            report("no block in a new kind %s: errno %d", guest->recipe->name, errno);
            return NULL;
        }
        test_fill(blocks[i].at, blocks[i].size, i);
    }
    for (size_t i = 0; i < LENGTH(blocks); i++) {
        if (!test_holds(blocks[i].at, blocks[i].size, i))
            report("a block of a new kind %s was overwritten", guest->recipe->name);
        if (i % 3) /* the others are there when the kind is destroyed */
            memkind_free(i % 2 ? guest->kind : NULL, blocks[i].at);
    }
    return NULL;
}

static unsigned long guests;

static void *create_and_destroy(void *argument)
{
    (void)argument;
    for (size_t i = 0; !stop; i = (i + 1) % recipe_count) {
        struct made guest;
        pthread_t thread;
        const char *problem;
        int code;

        if (recipes[i].sort == RECIPE_STATIC || recipes[i].page_size ||
            is_left_out(recipes[i].name))
            continue;
        code = recipe_make(&recipes[i], &guest);
        if (code) {
            report("kind %s not created: %d", recipes[i].name, code);
            break;
        }
        if (pthread_create(&thread, NULL, use_guest, &guest) == 0) {
            use_guest(&guest);
            pthread_join(thread, NULL);
        }
        problem = recipe_unmake(&guest);
        if (problem)
            report("kind %s: %s", recipes[i].name, problem);
        guests++;
    }
    return NULL;
}

/* --- the test --------------------------------------------------------------------------------- */

static unsigned long number(const char *variable, unsigned long otherwise)
{
    const char *text = getenv(variable);

    return text ? strtoul(text, NULL, 0) : otherwise;
}

static long now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

/* Each thread ends after some turns, and another one takes its place. */
static unsigned long run_threads(long seconds)
{
    pthread_t threads[THREADS], creator;
    uint64_t random = first_seed;
    unsigned long started = 0;
    long end = now() + seconds;

    cr_assert_eq(pthread_create(&creator, NULL, create_and_destroy, NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, work, (void *)test_random(&random)), 0);
    for (size_t i = 0; now() < end && !stop; i = (i + 1) % THREADS, started++) {
        pthread_join(threads[i], NULL);
        cr_assert_eq(pthread_create(&threads[i], NULL, work, (void *)test_random(&random)), 0);
    }
    stop = true;
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_join(creator, NULL);
    return started + THREADS;
}

Test(stress, blocks_keep_their_content)
{
    long seconds = (long)number("MEMKIND_STRESS_SECONDS", STRESS_SECONDS);
    unsigned long started;

    first_seed = number("MEMKIND_STRESS_SEED", (unsigned long)time(NULL) * 2 + 1);
    fprintf(stderr, "stress: %ld s, MEMKIND_STRESS_SEED=%lu\n", seconds, (unsigned long)first_seed);
    for (unsigned i = 0; i < KINDS; i++) {
        int code;

        if (is_left_out(names[i]))
            continue;
        kinds[kind_count++] = i;
        code = recipe_make(recipe_named(names[i]), &made[i]);
        cr_assert_eq(code, MEMKIND_SUCCESS, "%s: %d", names[i], code);
    }
    started = run_threads(seconds);
    for (size_t i = 0; i < PLACES && !is_wrong; i++)
        if (places[i].at)
            take_away(&places[i], i % 2);
    cr_assert(!is_wrong, "%s", wrong);
    for (size_t k = 0; k < kind_count; k++) {
        const char *problem;
        unsigned i = kinds[k];
        size_t allocated = 1;

        cr_assert_eq(memkind_update_cached_stats(), MEMKIND_SUCCESS);
        cr_assert_eq(memkind_get_stat(made[i].kind, MEMKIND_STAT_TYPE_ALLOCATED, &allocated), 0);
        if (test_tbb()) /* jemalloc counts what this thread's cache holds */
            cr_assert_eq(allocated, 0, "%s: %zu bytes, all are freed", names[i], allocated);
        cr_assert_eq(in_use[i], 0);
        fprintf(stderr, "stress: %-10s %lu blocks\n", names[i], given[i]);
        cr_assert_gt(given[i], 20, "%s: hardly a block", names[i]);
        problem = recipe_unmake(&made[i]);
        cr_assert(!problem, "%s: %s", names[i], problem);
    }
    fprintf(stderr, "stress: %lu threads, %lu kinds came and went\n", started, guests);
}

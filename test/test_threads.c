/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_threads: threads, and limits that grow with use.
 *
 * Any number of threads come and go and leave nothing behind; blocks wander between threads
 * unharmed; a destructor that runs at a thread's end, before or after the library's own, can
 * allocate and free; a thread may end while another destroys a kind that the first has used; caches
 * of a destroyed kind are never hit again although its handle is reused. There is room for 2,000
 * threads with five kinds each, 200 kinds in one thread, and as many arenas as threads need and
 * MEMKIND_ARENA_NUM_PER_KIND allows, whatever the machine's size.
 *
 * Linked to the static library: the private jemalloc is asked for its count of arenas and for the
 * memory it holds for itself, which is exact where the resident set is not.
 */
#include "support.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(threads, .init = test_bare, .timeout = 240);

int memkind_je_mallctl(const char *name, void *old, size_t *old_size, void *fresh,
                       size_t fresh_size);
int __cxa_thread_atexit_impl(void (*function)(void *), void *object, void *dso);
extern void *__dso_handle;

/* --- what the process holds ---------------------------------------------------------------------
 */

static size_t control_size(const char *name)
{
    size_t value = 0, size = sizeof value;

    cr_assert_eq(memkind_je_mallctl(name, &value, &size, NULL, 0), 0, "mallctl %s", name);
    return value;
}

/* Bytes of the blocks that hold thread states, caches and groups, jemalloc's and the library's own:
 * all there is in arena 0. */
static size_t own_bytes(void)
{
    uint64_t epoch = 1;

    cr_assert_eq(memkind_je_mallctl("epoch", NULL, NULL, &epoch, sizeof epoch), 0);
    return control_size("stats.arenas.0.small.allocated") +
           control_size("stats.arenas.0.large.allocated");
}

static unsigned arenas(void)
{
    unsigned count = 0;
    size_t size = sizeof count;

    cr_assert_eq(memkind_je_mallctl("arenas.narenas", &count, &size, NULL, 0), 0);
    return count;
}

/* Pages of address space. Mappings next to each other count as one: this cannot be fooled so. */
static size_t address_space(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    size_t pages = 0;

    cr_assert(file);
    cr_assert_eq(fscanf(file, "%zu", &pages), 1);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* --- threads and kinds --------------------------------------------------------------------------
 */

static pthread_t start(size_t stack, void *(*body)(void *), void *argument)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int error;

    pthread_attr_init(&attributes);
    if (stack)
        pthread_attr_setstacksize(&attributes, stack);
    error = pthread_create(&thread, &attributes, body, argument);
    cr_assert_eq(error, 0, "pthread_create: %s", strerror(error));
    pthread_attr_destroy(&attributes);
    return thread;
}

static void finish(pthread_t thread)
{
    void *result;

    pthread_join(thread, &result);
    cr_assert_null(result, "in a thread: %s", (char *)result);
}

static memkind_t create(void)
{
    memkind_t kind = NULL;
    int error = memkind_create_kind(MEMKIND_MEMTYPE_DEFAULT, MEMKIND_POLICY_PREFERRED_LOCAL,
                                    (memkind_bits_t)0, &kind);

    cr_assert_eq(error, 0, "memkind_create_kind: %d", error);
    return kind;
}

#define KINDS 5

static memkind_t kinds[KINDS]; /* three static ones, two created ones */

static void use_five_kinds(void)
{
    setenv("MEMKIND_HBW_NODES", "0", 1);
    kinds[0] = MEMKIND_DEFAULT;
    kinds[1] = MEMKIND_REGULAR;
    kinds[2] = MEMKIND_HBW_PREFERRED;
    kinds[3] = create();
    kinds[4] = create();
}

/* Threads cannot use Criterion's assertions: they return what went wrong. */
#define EXPECT(condition)                  \
    do {                                   \
        if (!(condition))                  \
            return "expected " #condition; \
    } while (0)

/* A few blocks of every kind, written, checked, freed with and without the kind. */
static char *use_kinds(unsigned seed)
{
    for (int i = 0; i < KINDS; i++) {
        size_t size = 1 + (seed * 37 + (unsigned)i * 101) % 3000;
        unsigned char *block = memkind_malloc(kinds[i], size);
        unsigned char *zeroed = memkind_calloc(kinds[i], 3, 50);

        EXPECT(block && zeroed);
        memset(block, (int)seed, size);
        EXPECT(zeroed[0] == 0 && zeroed[149] == 0);
        EXPECT(memkind_detect_kind(block) == kinds[i]);
        block = memkind_realloc(kinds[i], block, size * 2);
        EXPECT(block && block[0] == (unsigned char)seed && block[size - 1] == (unsigned char)seed);
        memkind_free(kinds[i], zeroed);
        memkind_free(seed % 2 ? NULL : kinds[i], block);
    }
    return NULL;
}

static void *short_life(void *argument)
{
    return use_kinds((unsigned)(uintptr_t)argument);
}

static void live_and_die(unsigned threads, unsigned at_once, void *(*body)(void *))
{
    pthread_t running[64];

    for (unsigned done = 0; done < threads; done += at_once) {
        for (unsigned i = 0; i < at_once; i++)
            running[i] = start(128 * KIB, body, (void *)(uintptr_t)(done + i));
        for (unsigned i = 0; i < at_once; i++)
            finish(running[i]);
    }
}

/* --- nothing is left behind ---------------------------------------------------------------------
 */

static pthread_barrier_t barrier;

static void *use_all_together(void *argument)
{
    char *wrong = use_kinds((unsigned)(uintptr_t)argument);

    pthread_barrier_wait(&barrier); /* every thread has its caches now */
    if (!wrong)
        wrong = use_kinds((unsigned)(uintptr_t)argument + 1);
    return wrong;
}

/* Threads that exist at the same time: the body waits at the barrier. */
static void gather(unsigned threads, void *(*body)(void *))
{
    pthread_t *running = calloc(threads, sizeof *running);

    cr_assert(running);
    cr_assert_eq(pthread_barrier_init(&barrier, NULL, threads), 0);
    for (unsigned i = 0; i < threads; i++)
        running[i] = start(128 * KIB, body, (void *)(uintptr_t)i);
    for (unsigned i = 0; i < threads; i++)
        finish(running[i]);
    pthread_barrier_destroy(&barrier);
    free(running);
}

/* `threads` threads, `at_once` of them together, leave the process as they found it. The clock runs
 * fast, so that what is unused is given back: none of these threads lives long enough to notice. */
static void expect_no_growth(unsigned threads, unsigned at_once, void *(*body)(void *))
{
    size_t own, maps, resident;
    unsigned narenas;

    gather(at_once, use_all_together); /* as many arenas as there will ever be */
    for (unsigned i = 0; i < (TEST_SANITIZED ? 512 : 2048); i += at_once) {
        live_and_die(at_once, at_once, body);
        test_jump(1);
    }
    own = own_bytes();
    maps = test_mappings();
    resident = test_resident();
    narenas = arenas();
    for (unsigned i = 0; i < threads; i += at_once) {
        live_and_die(at_once, at_once, body);
        test_jump(1);
    }
    cr_expect_leq(own_bytes(), own + 16 * KIB, "the library's own memory: %zu, was %zu",
                  own_bytes(), own);
    cr_expect_eq(arenas(), narenas, "arenas: %u, were %u", arenas(), narenas);
    if (TEST_SANITIZED) /* the sanitizer's own memory grows with every thread */
        return;
    /* Which threads meet in which arena is chance, and so is how full the slabs are; a page lost by
     * each thread would be 40 MiB. */
    cr_expect_leq(test_resident(), resident + (at_once > 1 ? 32 : 4) * MIB,
                  "resident: %zu KiB, was %zu", test_resident() / KIB, resident / KIB);
    cr_expect_leq(test_mappings(), maps + 64, "mappings: %zu, were %zu", test_mappings(), maps);
}

Test(threads, ten_thousand_one_after_the_other)
{
    use_five_kinds();
    expect_no_growth(10000, 1, short_life);
}

Test(threads, ten_thousand_64_at_once)
{
    use_five_kinds();
    expect_no_growth(10048, 64, short_life);
}

/* What threads leave in their caches is at others' disposal after their end: 2,000 threads free
 * 256 KiB each into their caches, which would be 500 MiB if a cache survived its thread. */
static void *fill_cache(void *argument)
{
    void *blocks[64];

    for (int i = 0; i < 64; i++)
        if (!(blocks[i] = memkind_malloc(MEMKIND_REGULAR, 4096)))
            return "no memory";
    for (int i = 0; i < 64; i++)
        memkind_free(MEMKIND_REGULAR, blocks[i]);
    (void)argument;
    return NULL;
}

Test(threads, exit_flushes_caches)
{
    size_t allocated;

    live_and_die(2000, 8, fill_cache);
    cr_assert_eq(memkind_update_cached_stats(), 0);
    cr_assert_eq(memkind_get_stat(MEMKIND_REGULAR, MEMKIND_STAT_TYPE_ALLOCATED, &allocated), 0);
    cr_expect_eq(allocated, 0, "%zu bytes of ended threads are still allocated", allocated);
}

/* --- blocks wander ------------------------------------------------------------------------------
 */

#define RING 8
#define WANDERERS 4000

struct block {
    size_t size;
    unsigned char seed;
    unsigned char kind;
    unsigned char content[];
};

static _Atomic(struct block *) mailbox[RING][16];
static atomic_uint arrived;

static struct block *block_make(uint64_t *state)
{
    static const size_t most[] = {16, 200, 1000, 4000, 40000, 400000};
    size_t size =
        sizeof(struct block) + 1 + test_random(state) % most[test_random(state) % LENGTH(most)];
    unsigned kind = (unsigned)(test_random(state) % KINDS);
    struct block *block;

    if (test_random(state) % 4 == 0) {
        void *aligned = NULL;

        (void)memkind_posix_memalign(kinds[kind], &aligned, 64u << test_random(state) % 8, size);
        block = aligned;
    } else {
        block = memkind_malloc(kinds[kind], size);
    }
    if (!block)
        return NULL;
    block->size = size;
    block->seed = (unsigned char)test_random(state);
    block->kind = (unsigned char)kind;
    memset(block->content, block->seed, size - sizeof *block);
    return block;
}

static char *block_end(struct block *block, uint64_t *state)
{
    memkind_t kind = kinds[block->kind];

    EXPECT(memkind_detect_kind(block) == kind);
    EXPECT(memkind_malloc_usable_size(kind, block) >= block->size);
    for (size_t i = 0; i < block->size - sizeof *block; i++)
        EXPECT(block->content[i] == block->seed);
    memkind_free(test_random(state) % 2 ? kind : NULL, block);
    return NULL;
}

/* Makes blocks for the next thread of the ring, checks and frees those of the previous one. */
static void *wander(void *argument)
{
    unsigned me = (unsigned)(uintptr_t)argument;
    uint64_t state = me;
    char *wrong;

    pthread_barrier_wait(&barrier);
    for (int i = 0; i < WANDERERS; i++) {
        struct block *block = block_make(&state);

        if (i % 16 == 0)
            sched_yield();
        EXPECT(block);
        block = atomic_exchange(&mailbox[(me + 1) % RING][i % 16], block);
        if (block && (wrong = block_end(block, &state)))
            return wrong;
        block = atomic_exchange(&mailbox[me][test_random(&state) % 16], NULL);
        if (!block)
            continue;
        atomic_fetch_add(&arrived, 1);
        if ((wrong = block_end(block, &state)))
            return wrong;
    }
    return NULL;
}

/* The blocks that nobody fetched. */
static void *sweep(void *argument)
{
    uint64_t state = 7;

    (void)argument;
    for (int i = 0; i < RING; i++)
        for (int j = 0; j < 16; j++) {
            char *wrong = mailbox[i][j] ? block_end(mailbox[i][j], &state) : NULL;

            if (wrong)
                return wrong;
        }
    return NULL;
}

Test(threads, blocks_are_freed_by_other_threads)
{
    pthread_t ring[RING];
    size_t allocated;

    use_five_kinds();
    pthread_barrier_init(&barrier, NULL, RING);
    for (int i = 0; i < RING; i++)
        ring[i] = start(0, wander, (void *)(uintptr_t)i);
    for (int i = 0; i < RING; i++)
        finish(ring[i]);
    finish(start(0, sweep, NULL));
    cr_expect_gt(arrived, RING * WANDERERS / 100, "only %u blocks changed hands", arrived);
    cr_assert_eq(memkind_update_cached_stats(), 0);
    for (int i = 0; i < KINDS; i++) {
        cr_assert_eq(memkind_get_stat(kinds[i], MEMKIND_STAT_TYPE_ALLOCATED, &allocated), 0);
        cr_expect_eq(allocated, 0, "kind %d: %zu bytes are left", i, allocated);
    }
}

/* --- destructors --------------------------------------------------------------------------------
 */

static pthread_key_t early_key, late_key; /* made before and after the library's own */
static unsigned rounds_wanted;            /* how often more each of them wants to run */
static atomic_uint destructions;
static _Atomic(char *) destructor_failure;

struct last_words {
    pthread_key_t key;
    unsigned rounds;
    unsigned char *kept; /* a block from before */
};

static void record(char *failure)
{
    if (failure)
        atomic_store(&destructor_failure, failure);
}

static unsigned char *keepsake(void)
{
    unsigned char *kept = memkind_malloc(kinds[3], 100);

    if (kept)
        memset(kept, 0x5a, 100);
    return kept;
}

/* Frees the block of the time before, allocates, and asks for another round. */
static void say_last_words(void *value)
{
    struct last_words *words = value;

    atomic_fetch_add(&destructions, 1);
    for (int i = 0; words->kept && i < 100; i++)
        if (words->kept[i] != 0x5a)
            record("a block was changed while its thread ended");
    memkind_free(words->rounds % 2 ? NULL : kinds[3], words->kept);
    record(use_kinds(words->rounds));
    if (words->rounds == 0) {
        free(words);
        return;
    }
    words->rounds--;
    words->kept = keepsake();
    if (!words->kept)
        record("no memory in a destructor");
    pthread_setspecific(words->key, words);
}

static bool leave_words(pthread_key_t key, bool used)
{
    struct last_words *words = calloc(1, sizeof *words);

    if (!words)
        return false;
    words->key = key;
    words->rounds = rounds_wanted;
    words->kept = used ? keepsake() : NULL;
    return pthread_setspecific(key, words) == 0;
}

static void *die_with_words(void *argument)
{
    char *wrong = use_kinds((unsigned)(uintptr_t)argument);

    EXPECT(leave_words(early_key, true));
    EXPECT(leave_words(late_key, true));
    return wrong;
}

/* The thread's very first use of the library is in a destructor. */
static void *die_without_use(void *argument)
{
    (void)argument;
    EXPECT(leave_words(early_key, false));
    EXPECT(leave_words(late_key, false));
    return NULL;
}

static void make_keys(void)
{
    pthread_key_t gap;

    /* The library's keys take the gap or come behind; either way one of ours is before. */
    cr_assert_eq(pthread_key_create(&gap, NULL), 0);
    cr_assert_eq(pthread_key_create(&early_key, say_last_words), 0);
    cr_assert_eq(pthread_key_delete(gap), 0);
    use_five_kinds();
    cr_assert_eq(pthread_key_create(&late_key, say_last_words), 0);
}

static void run_destructors(void *(*body)(void *))
{
    const unsigned threads = TEST_SANITIZED ? 256 : 2048;

    make_keys();
    for (rounds_wanted = 0; rounds_wanted < PTHREAD_DESTRUCTOR_ITERATIONS; rounds_wanted++) {
        size_t own, grown;

        live_and_die(64, 8, body);
        own = own_bytes();
        destructions = 0;
        live_and_die(threads, 8, body);
        cr_expect_eq(destructions, threads * 2 * (rounds_wanted + 1));
        cr_assert_null(destructor_failure, "%s", destructor_failure);
        grown = own_bytes() > own ? own_bytes() - own : 0;
        if (rounds_wanted + 1 == PTHREAD_DESTRUCTOR_ITERATIONS)
            continue; /* no round is left in which the library could tidy up */
        cr_expect_leq(grown, 64 * KIB, "%u more rounds: %zu bytes a thread are left", rounds_wanted,
                      grown / threads);
    }
}

Test(threads, destructors_of_keys_allocate)
{
    if (TEST_THREAD_SANITIZED)
        test_skip("ThreadSanitizer ends its own part of a thread before the last destructors");
    run_destructors(die_with_words);
}

Test(threads, first_use_is_in_a_destructor)
{
    if (TEST_THREAD_SANITIZED)
        test_skip("ThreadSanitizer ends its own part of a thread before the last destructors");
    run_destructors(die_without_use);
}

static void *die_late(void *argument)
{
    (void)argument;
    EXPECT(leave_words(late_key, false));
    return NULL;
}

/* Uses begin behind the library's own destructor and go on to the last: it does not see the end. */
Test(threads, nobody_waits_for_an_end_unseen)
{
    if (TEST_THREAD_SANITIZED)
        test_skip("ThreadSanitizer ends its own part of a thread before the last destructors");
    make_keys();
    rounds_wanted = PTHREAD_DESTRUCTOR_ITERATIONS - 1;
    live_and_die(16, 8, die_late);
    cr_expect_eq(destructions, 16 * PTHREAD_DESTRUCTOR_ITERATIONS);
    cr_assert_null(destructor_failure, "%s", destructor_failure);
    cr_expect_eq(memkind_destroy_kind(create()), MEMKIND_SUCCESS);
}

/* The lowest key that the calling thread has a value of: its destructor comes first. */
static pthread_key_t first_to_end(void)
{
    pthread_key_t key = 0;

    while (key < PTHREAD_KEYS_MAX && !pthread_getspecific(key))
        key++;
    return key;
}

static void *make_a_kind(void *argument)
{
    pthread_key_t ours;
    memkind_t kind;

    (void)argument;
    EXPECT(use_kinds(1) == NULL);
    ours = first_to_end();
    kind = create();
    EXPECT(kind);
    EXPECT(memkind_destroy_kind(kind) == MEMKIND_SUCCESS);
    EXPECT(first_to_end() == ours);
    return NULL;
}

/* Fork and the destruction of kinds wait for exits that the library's own destructor has begun:
 * none of a heap manager may come before it, or a child finds that one's locks taken. */
Test(threads, an_end_begins_with_the_librarys_own_destructor)
{
    use_five_kinds();
    cr_assert_null(use_kinds(0));
    live_and_die(1, 1, make_a_kind);
}

/* As C++ runs the destructors of thread_local objects: before those of keys, last object first. */
static void destroy_object(void *object)
{
    unsigned char **kept = object;

    atomic_fetch_add(&destructions, 1);
    for (int i = 0; *kept && i < 100; i++)
        if ((*kept)[i] != 0x5a)
            record("a block was changed while its thread ended");
    memkind_free(NULL, *kept);
    free(kept);
    record(use_kinds(3));
}

static bool make_object(bool used)
{
    unsigned char **object = calloc(1, sizeof *object);

    if (!object)
        return false;
    *object = used ? keepsake() : NULL;
    return __cxa_thread_atexit_impl(destroy_object, object, &__dso_handle) == 0;
}

static void *die_with_objects(void *argument)
{
    EXPECT(make_object(false)); /* destroyed last; in every second thread, all of its use */
    if ((uintptr_t)argument % 2)
        return NULL;
    EXPECT(make_object(true));
    EXPECT(leave_words(late_key, true));
    return use_kinds(1);
}

Test(threads, destructors_of_objects_allocate)
{
    const unsigned threads = TEST_SANITIZED ? 256 : 2048;
    size_t own;

    make_keys();
    live_and_die(64, 8, die_with_objects);
    own = own_bytes();
    destructions = 0;
    live_and_die(threads, 8, die_with_objects);
    cr_expect_eq(destructions, threads / 2 + threads / 2 * 3);
    cr_assert_null(destructor_failure, "%s", destructor_failure);
    cr_expect_leq(own_bytes(), own + 64 * KIB);
}

/* --- kinds that go while threads go -------------------------------------------------------------
 */

#define USERS 8

static _Atomic(memkind_t) created;

static char *use_created(memkind_t kind)
{
    unsigned char *blocks[40];

    for (int i = 0; i < 40; i++) {
        blocks[i] = memkind_malloc(kind, 16u << i % 9);
        EXPECT(blocks[i]);
        memset(blocks[i], 0xc3, 16u << i % 9);
        EXPECT(memkind_detect_kind(blocks[i]) == kind);
    }
    for (int i = 0; i < 40; i++)
        if (i % 3)
            memkind_free(i % 2 ? kind : NULL, blocks[i]);
    return NULL;
}

/* Uses a created kind, says that it has done so, and ends while the kind is being destroyed. */
static void *use_and_end(void *argument)
{
    char *wrong = use_created(atomic_load(&created));

    pthread_barrier_wait(&barrier);
    if (!wrong && (uintptr_t)argument % 2)
        wrong = use_kinds(5);
    return wrong;
}

Test(threads, end_while_a_kind_is_destroyed)
{
    const int rounds = TEST_SANITIZED ? 100 : 1000;
    size_t own = 0;

    use_five_kinds();
    pthread_barrier_init(&barrier, NULL, USERS + 1);
    for (int round = 0; round < rounds; round++) {
        pthread_t users[USERS];

        created = create();
        for (int i = 0; i < USERS; i++)
            users[i] = start(0, use_and_end, (void *)(uintptr_t)i);
        pthread_barrier_wait(&barrier);
        for (int i = 0; i < round % 7; i++)
            sched_yield();
        cr_assert_eq(memkind_destroy_kind(created), 0);
        for (int i = 0; i < USERS; i++)
            finish(users[i]);
        if (round == rounds / 2)
            own = own_bytes();
    }
    cr_expect_leq(own_bytes(), own + 256 * KIB, "the library's own memory: %zu, was %zu",
                  own_bytes(), own);
}

/* Stays alive over many generations of a kind, each time with a full cache of the one before. */
static void *outlive_kinds(void *argument)
{
    char *wrong = NULL;

    (void)argument;
    for (;;) {
        pthread_barrier_wait(&barrier); /* a kind is there, or none any more */
        if (!created)
            return wrong;
        if (!wrong)
            wrong = use_created(created);
        pthread_barrier_wait(&barrier); /* it may be destroyed */
    }
}

Test(threads, cache_of_a_destroyed_kind_is_never_hit)
{
    const int rounds = TEST_SANITIZED ? 100 : 1000;
    pthread_t users[USERS];
    memkind_t first = NULL;
    size_t space = 0;
    int reused = 0;

    use_five_kinds();
    pthread_barrier_init(&barrier, NULL, USERS + 1);
    for (int i = 0; i < USERS; i++)
        users[i] = start(0, outlive_kinds, NULL);
    for (int round = 0; round < rounds; round++) {
        created = create();
        if (!first)
            first = created;
        reused += created == first;
        cr_assert_null(use_created(created));
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        cr_assert_eq(memkind_destroy_kind(created), 0);
        if (round == rounds / 4)
            space = address_space();
    }
    if (!TEST_SANITIZED)
        cr_expect_leq(address_space(), space + 64 * MIB, "address space: %zu MiB, was %zu",
                      address_space() / MIB, space / MIB);
    created = NULL;
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < USERS; i++)
        finish(users[i]);
    cr_expect_gt(reused, 1, "the handle was never used again: this test shows nothing");
}

/* --- limits -------------------------------------------------------------------------------------
 */

/* 10,000 caches; jemalloc has 4,094 ids for explicit ones. */
Test(threads, two_thousand_at_once_with_five_kinds)
{
    use_five_kinds();
    gather(2000, use_all_together);
    gather(2000, use_all_together);
}

/* The same with more arenas wanted than jemalloc has, which is 4,094. */
Test(threads, more_arenas_wanted_than_there_are)
{
    setenv("MEMKIND_ARENA_NUM_PER_KIND", "4094", 1);
    use_five_kinds();
    gather(1000, use_all_together);
    cr_expect_leq(arenas(), 4094);
}

#define MANY 200

static memkind_t many[MANY];

static char *use_many(int first, int step)
{
    static const size_t sizes[] = {24, 1000, 30000, 3 << 20};
    unsigned char *blocks[MANY];

    for (int i = 0, at = first; i < MANY; i++, at = (at + step) % MANY) {
        blocks[at] = memkind_malloc(many[at], sizes[i % 4]);
        EXPECT(blocks[at]);
        memset(blocks[at], at, 24);
    }
    for (int at = 0; at < MANY; at++) {
        EXPECT(memkind_detect_kind(blocks[at]) == many[at]);
        EXPECT(blocks[at][0] == at && blocks[at][23] == at);
        memkind_free(at % 2 ? NULL : many[at], blocks[at]);
    }
    return NULL;
}

/* Highest kind first, lowest first, mixed: a thread's state grows at once or step by step. */
static void *use_many_kinds(void *argument)
{
    unsigned me = (unsigned)(uintptr_t)argument;

    return me % 3 == 0   ? use_many(MANY - 1, MANY - 1)
           : me % 3 == 1 ? use_many(0, 1)
                         : use_many(17, 77);
}

Test(threads, two_hundred_kinds_in_each_of_nine_threads)
{
    size_t own = 0;

    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < MANY; i++)
            many[i] = create();
        gather(9, use_many_kinds);
        cr_assert_null(use_many_kinds((void *)(uintptr_t)round));
        for (int i = 0; i < MANY; i++)
            cr_assert_eq(memkind_destroy_kind(many[i]), 0);
        if (round == 1)
            own = own_bytes();
    }
    cr_expect_leq(own_bytes(), own + MIB, "the library's own memory: %zu, was %zu", own_bytes(),
                  own);
}

/* A thread's table of caches grows, and is replaced, while another thread empties it. */
static atomic_bool stop;

static void *create_and_destroy(void *argument)
{
    (void)argument;
    while (!stop) {
        memkind_t kind;

        EXPECT(memkind_create_kind(MEMKIND_MEMTYPE_DEFAULT, MEMKIND_POLICY_PREFERRED_LOCAL,
                                   (memkind_bits_t)0, &kind) == 0);
        memkind_free(kind, memkind_malloc(kind, 100));
        EXPECT(memkind_destroy_kind(kind) == 0);
    }
    return NULL;
}

Test(threads, tables_of_caches_grow_while_kinds_go)
{
    pthread_t destroyers[2];

    for (int i = 0; i < MANY; i++)
        many[i] = create();
    for (int i = 0; i < 2; i++)
        destroyers[i] = start(0, create_and_destroy, NULL);
    live_and_die(TEST_SANITIZED ? 20 : 100, 4, use_many_kinds);
    stop = true;
    for (int i = 0; i < 2; i++)
        finish(destroyers[i]);
}

/* --- arenas on demand ---------------------------------------------------------------------------
 */

static void *use_default(void *argument)
{
    void *block = memkind_malloc(MEMKIND_DEFAULT, 100);

    (void)argument;
    EXPECT(block);
    pthread_barrier_wait(&barrier);
    memkind_free(MEMKIND_DEFAULT, block);
    return NULL;
}

/* Arenas of MEMKIND_DEFAULT after its use by one thread (the main one), and by 40 more. */
static void count_arenas(const char *limit, unsigned *alone, unsigned *with_40)
{
    unsigned before;

    if (test_tbb())
        test_skip("TBB has no arenas: one pool for each kind and locality domain");
    if (limit)
        setenv("MEMKIND_ARENA_NUM_PER_KIND", limit, 1);
    else
        unsetenv("MEMKIND_ARENA_NUM_PER_KIND");
    cr_assert_eq(memkind_check_available(MEMKIND_DEFAULT), 0); /* the library, but not the kind */
    before = arenas();
    memkind_free(MEMKIND_DEFAULT, memkind_malloc(MEMKIND_DEFAULT, 100));
    *alone = arenas() - before;
    gather(40, use_default);
    *with_40 = arenas() - before;
    gather(40, use_default);
    cr_expect_eq(arenas() - before, *with_40, "other threads do not take the arenas of ended ones");
}

Test(threads, one_arena_if_one_is_allowed)
{
    unsigned alone, with_40;

    count_arenas("1", &alone, &with_40);
    cr_expect_eq(alone, 1, "%u", alone);
    cr_expect_eq(with_40, 1, "%u", with_40);
}

Test(threads, arenas_follow_threads_if_many_are_allowed)
{
    unsigned alone, with_40;

    count_arenas("896", &alone, &with_40);
    cr_expect_eq(alone, 1, "%u", alone);
    cr_expect_eq(with_40, 41, "%u: one for each thread at a time", with_40);
}

Test(threads, arenas_are_bounded_by_the_allowed_number)
{
    unsigned alone, with_40;

    count_arenas("7", &alone, &with_40);
    cr_expect_eq(alone, 1, "%u", alone);
    cr_expect_eq(with_40, 7, "%u", with_40);
}

Test(threads, one_arena_for_one_thread)
{
    unsigned alone, with_40;

    count_arenas(NULL, &alone, &with_40);
    cr_expect_eq(alone, 1, "%u", alone);
    cr_expect_leq(with_40, 41, "%u", with_40);
}

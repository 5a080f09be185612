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
 * MEMKIND_ARENA_NUM_PER_KIND allows, whatever the machine's size (test_threads_limits.c).
 *
 * Linked to the static library: the private jemalloc is asked for its count of arenas and for the
 * memory it holds for itself, which is exact where the resident set is not.
 */
#include "lives.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(threads, .init = test_bare, .timeout = 240);

int __cxa_thread_atexit_impl(void (*function)(void *), void *object, void *dso);
extern void *__dso_handle;

/* --- nothing is left behind ------------------------------------------------------------------- */

static void *short_life(void *argument)
{
    return use_kinds((unsigned)(uintptr_t)argument);
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

/* ThreadSanitizer has seen every order of things in the first few hundred of them. */
#define LIVES (TEST_THREAD_SANITIZED ? 15 * 64 : 157 * 64)

Test(threads, ten_thousand_one_after_the_other)
{
    use_five_kinds();
    expect_no_growth(LIVES, 1, short_life);
}

Test(threads, ten_thousand_64_at_once)
{
    use_five_kinds();
    expect_no_growth(LIVES, 64, short_life);
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

/* --- blocks wander ---------------------------------------------------------------------------- */

#define RING 8
#define WANDERERS (TEST_THREAD_SANITIZED ? 300 : 4000)

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

/* --- destructors ------------------------------------------------------------------------------ */

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

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_steal: blocks that one thread pushes and pops, without a lock, and another steals are always
 * somebody's, and one's only. The bins are real, filled by hand; the blocks are words, which say
 * who has them. (The caches of the library: test_sleepers.)
 */
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>

#include "backend_jemalloc/steal.h"

#define BINS 3
#define ROOM 40   /* of a bin */
#define WORDS 120 /* of a bin's class */

TestSuite(steal, .timeout = 120);

enum holder { ARENA, CACHE, OWNER };

struct class
{
    _Atomic(enum holder) words[WORDS];
    void *array[ROOM + 1];
};

static struct jem_bins cache;
static struct class classes[BINS];
static pthread_mutex_t owners = PTHREAD_MUTEX_INITIALIZER;
static atomic_ulong stolen_blocks, wrong;

/* What the owner does between the two looks of a thief. */
static void (*meanwhile)(struct jem_bin *bin);
static int refusal; /* of the kernel, an errno */

int __real_os_barrier_everywhere(void);
int __wrap_os_barrier_everywhere(void);

int __wrap_os_barrier_everywhere(void)
{
    if (meanwhile)
        meanwhile(&cache.of[0]);
    return refusal ? refusal : __real_os_barrier_everywhere();
}

static void start(void)
{
    jem_steal_start();
    cache = jem_cache_none;
    for (int i = 0; i < BINS; i++) {
        struct jem_bin *bin = &cache.of[i];

        memset(classes[i].words, 0, sizeof classes[i].words);
        classes[i].array[ROOM] = NULL;
        bin->full = classes[i].array;
        bin->head = bin->low = bin->empty = classes[i].array + ROOM;
    }
}

static void pass(void *word, enum holder from, enum holder to)
{
    if (atomic_exchange((_Atomic(enum holder) *)word, to) != from)
        wrong++;
}

/* --- the owner's slow paths, with the lock ---------------------------------------------------- */

static void use_all_room(struct jem_bin *bin, struct class *class)
{
    void **head = bin->head, **end = class->array + ROOM;
    size_t count = (size_t)(bin->empty - head);

    memmove(end - count, head, count * sizeof *head);
    bin->empty = end;
    bin->low = end;
    bin->head = end - count;
}

static void fill(struct jem_bin *bin, struct class *class, size_t count)
{
    void **head;

    pthread_mutex_lock(&owners);
    use_all_room(bin, class);
    head = bin->head;
    for (size_t i = 0; i < WORDS && count && head > class->array; i++)
        if (class->words[i] == ARENA) {
            pass(&class->words[i], ARENA, CACHE);
            *--head = &class->words[i];
            count--;
        }
    bin->head = head;
    pthread_mutex_unlock(&owners);
}

static void flush(struct jem_bin *bin, struct class *class)
{
    pthread_mutex_lock(&owners);
    use_all_room(bin, class);
    for (int i = 0; i < ROOM / 2 && bin->head < bin->empty; i++) {
        pass(*bin->head, CACHE, ARENA);
        bin->head++;
    }
    pthread_mutex_unlock(&owners);
}

/* --- the threads ------------------------------------------------------------------------------ */

static void *pop(int class, size_t count)
{
    void *block;

    while (!jem_fast_pop(&cache.of[class], &block))
        fill(&cache.of[class], &classes[class], count);
    pass(block, CACHE, OWNER);
    return block;
}

static void push(int class, void *block)
{
    pass(block, OWNER, CACHE);
    while (!jem_fast_push(&cache.of[class], block)) {
        if (*(void **)cache.of[class].head == block &&
            cache.of[class].head != cache.of[class].full) {
            wrong++; /* no block is pushed a second time */
            return;
        }
        flush(&cache.of[class], &classes[class]);
    }
}

static void *own(void *stop)
{
    uint64_t seed = 1;

    while (!atomic_load_explicit((atomic_bool *)stop, memory_order_relaxed)) {
        int class = (int)(test_random(&seed) % BINS);
        size_t count = 1 + test_random(&seed) % (test_random(&seed) % 4 ? 5 : ROOM + 20);
        void *held[ROOM + 20];

        for (size_t i = 0; i < count; i++)
            held[i] = pop(class, 1 + test_random(&seed) % ROOM);
        for (size_t i = 0; i < count; i++)
            push(class, held[i]);
    }
    return NULL;
}

static void steal(void)
{
    struct jem_stolen stolen;
    void **block = stolen.blocks;
    bool any;

    pthread_mutex_lock(&owners);
    any = jem_steal(&cache, &stolen);
    for (int i = 0; any && i < BINS; i++)
        for (unsigned j = 0; j < stolen.count[i]; j++) {
            pass(*block++, CACHE, ARENA);
            stolen_blocks++;
        }
    pthread_mutex_unlock(&owners);
    sched_yield(); /* the owner may be waiting for the lock */
}

Test(steal, no_block_has_two_holders)
{
    atomic_bool stop = false;
    pthread_t owner;

    start();
    cr_assert_eq(pthread_create(&owner, NULL, own, &stop), 0);
    while (stolen_blocks < (TEST_SANITIZED ? 3000 : 20000))
        steal();
    atomic_store(&stop, true);
    pthread_join(owner, NULL);
    cr_expect_eq(wrong, 0, "%lu wrong", wrong);
    for (int i = 0; i < BINS; i++)
        for (int j = 0; j < WORDS; j++)
            cr_assert_neq(classes[i].words[j], OWNER, "a block is lost");
}

/* Of a thread that does nothing, all but the one on top. */
Test(steal, all_but_one)
{
    start();
    fill(&cache.of[1], &classes[1], 10);
    fill(&cache.of[2], &classes[2], 1);
    steal();
    cr_expect_eq(stolen_blocks, 9);
    cr_expect_eq(cache.of[1].empty - cache.of[1].head, 1);
    cr_expect_eq(cache.of[2].empty - cache.of[2].head, 1);
    steal();
    cr_expect_eq(stolen_blocks, 9);
    cr_expect_eq(wrong, 0);
}

/* A block that comes back after it was stolen, to a bin that has become empty, is no second free.
 */
Test(steal, what_was_stolen_may_come_back)
{
    void *top, *stolen;

    start();
    fill(&cache.of[0], &classes[0], 2);
    top = pop(0, 1);
    push(0, top);
    stolen = ((void **)cache.of[0].head)[1];
    steal();
    cr_assert_eq(stolen_blocks, 1);
    cr_assert_eq(pop(0, 1), top);
    cr_expect(jem_fast_push(&cache.of[0], stolen), "taken for a block that is free");
}

/* --- between the two looks of a thief --------------------------------------------------------- */

static void pop_all_by_hand(struct jem_bin *bin, void *held[ROOM], size_t *count)
{
    for (*count = 0; bin->head < classes[0].array + ROOM; bin->head++)
        pass(held[(*count)++] = *bin->head, CACHE, OWNER);
}

/* The last pop has looked at `empty` before the thief moved it, and its store of `low` comes after
 * the thief's. Then all come back. */
static void pop_late(struct jem_bin *bin)
{
    void *held[ROOM];
    size_t count;

    pop_all_by_hand(bin, held, &count);
    bin->low = bin->head;
    while (count)
        push(0, held[--count]);
}

Test(steal, a_pop_that_is_late_does_not_lead_beyond_the_end)
{
    void *block;

    start();
    fill(&cache.of[0], &classes[0], 10);
    meanwhile = pop_late;
    steal();
    meanwhile = NULL;
    cr_expect_leq(cache.of[0].low, cache.of[0].empty);
    while (jem_fast_pop(&cache.of[0], &block)) {
        cr_assert_not_null(block);
        pass(block, CACHE, OWNER);
    }
    cr_expect_eq(wrong, 0, "%lu blocks of a thief's", wrong);
}

static void pop_most(struct jem_bin *bin)
{
    for (int i = 0; i < 8; i++)
        pass(*bin->head++, CACHE, OWNER);
}

/* The look for unused blocks gives back those from `low` on: they must not be more than there are.
 */
Test(steal, an_owner_that_came_first_has_all_its_blocks_and_no_more)
{
    start();
    fill(&cache.of[0], &classes[0], 10);
    meanwhile = pop_most;
    steal();
    meanwhile = NULL;
    cr_expect_eq(stolen_blocks, 0);
    cr_expect_eq(cache.of[0].empty - cache.of[0].head, 2);
    cr_expect_geq(cache.of[0].low, cache.of[0].head, "%td blocks are unused of 2",
                  cache.of[0].empty - cache.of[0].low);
}

/* Of ten blocks a thief asks for nine. */
static void expect_stolen(void (*what)(struct jem_bin *bin), unsigned long count)
{
    start();
    fill(&cache.of[0], &classes[0], 10);
    meanwhile = what;
    steal();
    meanwhile = NULL;
    cr_expect_eq(stolen_blocks, count, "%lu stolen, not %lu", stolen_blocks, count);
}

/* The owner can have all that it has, and no more. */
static void expect_left(int count)
{
    void *block;

    for (int i = 0; i < count; i++) {
        cr_assert(jem_fast_pop(&cache.of[0], &block), "there are only %d", i);
        pass(block, CACHE, OWNER);
    }
    cr_expect(!jem_fast_pop(&cache.of[0], &block), "there are more than %d", count);
    cr_expect_eq(wrong, 0);
}

static void pop_one(struct jem_bin *bin)
{
    pass(*bin->head++, CACHE, OWNER);
}

/* Those that the thief has asked for begin where the owner is now, and may be in the next pop. */
Test(steal, a_pop_to_the_end_keeps_what_is_below)
{
    expect_stolen(pop_one, 0);
    expect_left(9);
}

static void push_one(struct jem_bin *bin)
{
    static _Atomic(enum holder) other = CACHE;

    cr_assert(jem_fast_push(bin, (void *)&other));
}

Test(steal, a_push_does_not_matter)
{
    expect_stolen(push_one, 9);
    expect_left(2);
}

Test(steal, without_a_barrier_nothing_is_stolen)
{
    refusal = EPERM;
    expect_stolen(NULL, 0);
    refusal = 0;
    steal();
    cr_expect_eq(stolen_blocks, 0, "a kernel that has refused is asked again");
    expect_left(10);
}

/* --- an owner that frees as fast as others steal ---------------------------------------------- */

#define FREED_FIRST 2000
#define FREED_THEN 200 /* more than are stolen at a time */
#define HELD 50000

static sem_t go, freed;
static atomic_int left, steps; /* blocks; how often some were stolen */

void __real_jem_cache_give_back_stolen(void *tsd, struct jem_stolen *stolen);
void __wrap_jem_cache_give_back_stolen(void *tsd, struct jem_stolen *stolen);

void __wrap_jem_cache_give_back_stolen(void *tsd, struct jem_stolen *stolen)
{
    __real_jem_cache_give_back_stolen(tsd, stolen);
    steps++;
    if (left) {
        sem_post(&go);
        sem_wait(&freed);
    }
}

static void *free_some_at_a_time(void *argument)
{
    static void *blocks[HELD];

    for (int i = 0; i < HELD; i++)
        cr_assert_not_null(blocks[i] = memkind_malloc(MEMKIND_REGULAR, 16));
    for (left = HELD; left; sem_wait(&go)) {
        int some = left == HELD ? FREED_FIRST : FREED_THEN;

        for (int i = 0; i < some; i++)
            memkind_free(MEMKIND_REGULAR, blocks[--left]);
        sem_post(&freed);
    }
    return argument;
}

Test(steal, a_trim_ends_while_the_owner_goes_on)
{
    pthread_t owner;
    int then;

    cr_assert_eq(sem_init(&go, 0, 0), 0);
    cr_assert_eq(sem_init(&freed, 0, 0), 0);
    cr_assert_eq(pthread_create(&owner, NULL, free_some_at_a_time, NULL), 0);
    sem_wait(&freed);
    cr_assert_geq(memkind_trim(MEMKIND_REGULAR), 0);
    then = steps;
    cr_expect(then > 0 && then < 2 * FREED_FIRST / JEM_STOLEN_MOST + 10, "%d steps", then);
    while (left) {
        sem_post(&go);
        sem_wait(&freed);
    }
    sem_post(&go);
    cr_assert_eq(pthread_join(owner, NULL), 0);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * thread: a thread's counters, the gate that fork(2) closes, and a thread's exit.
 *
 * The gate. The library has locks of its own and no handlers for fork: a child made while a thread
 * was inside would find them taken for ever. So a thread says when it is inside (a store to its own
 * memory), and fork waits until nobody is. Whoever enters looks whether the gate is closed; the
 * closing side sees to it, by membarrier(2), that the store is seen before the look.
 *
 * Exit. The library keeps a thread's part of a pool behind a thread-specific key, in the memory of
 * the pool, and destroys a pool without regard to threads that are just ending. So ends are told:
 * our key is lower than those of all pools, its destructor comes before theirs in each of the four
 * rounds that POSIX knows, and comes again after them in the next round. In between, no pool is
 * destroyed, and nobody forks. That holds for the library's own pool, too, where it keeps the
 * records of the others: a thread that made or destroyed a kind has a part of it. So our key is
 * taken before the library is loaded (where only the instance that the program uses is to be had,
 * see library.c, that has the lower one, and such a thread's end is not guarded). A destructor that
 * allocates makes the thread known again, and one round more is needed; in the last round that is
 * too late, and the end is not guarded. Nor is it seen where the thread's first call came from a
 * destructor: then we miscount the rounds. Whoever waits for ends looks which threads are gone.
 *
 * The pointer that every operation starts from leads to
 *   unseen    the thread has not been here yet, or is in its last destructors
 *   entering  the thread is being made known; a call that comes back meanwhile sees this
 *   the thread's own state
 * The first two are busy for ever, so the fast path needs no test for them.
 */
#include "backend_tbb/lookup.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "kinds/system/callbacks.h"
#include "kinds/system/guard.h"
#include "kinds/system/object_pool.h"

/* How long the destruction of a pool waits for a thread's exit, and how often it looks whether the
 * thread is there at all. */
#define EXIT_SECONDS 10
#define EXIT_LOOKS 20     /* a second */
#define EXIT_HELD_LOOKS 1 /* how long an exit is held back while another one runs */

static struct tbb_thread unseen = {.busy = 1}, entering = {.busy = 1};

__thread struct tbb_thread *tbb_thread_now __attribute__((tls_model("initial-exec"))) = &unseen;

atomic_uchar tbb_gate;

static pthread_key_t key;
/* Guarded by tbb_lock: */
static struct object_pool thread_objects = {.size = sizeof(struct tbb_thread)};
static LIST_HEAD(, tbb_thread) threads;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned running; /* threads between their first destructor and their last */
    unsigned wanted;  /* threads that wait until none runs */
    bool stopped;     /* no further exit may begin */
} exits = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* --- the gate --------------------------------------------------------------------------------- */

void tbb_gate_enter(struct tbb_thread *thread)
{
    unsigned busy = atomic_load_explicit(&thread->busy, memory_order_relaxed);

    if (busy) { /* called back by the library: who waits for this thread waits for the outer call */
        atomic_store_explicit(&thread->busy, busy + 1, memory_order_relaxed);
        return;
    }
    for (;;) {
        atomic_store_explicit(&thread->busy, 1, memory_order_relaxed);
        atomic_thread_fence(memory_order_seq_cst);
        if (!(atomic_load_explicit(&tbb_gate, memory_order_relaxed) & TBB_GATE_CLOSED))
            return;
        atomic_store_explicit(&thread->busy, 0, memory_order_release);
        pthread_mutex_lock(&tbb_lock); /* held by the forking thread: waits for it */
        pthread_mutex_unlock(&tbb_lock);
        os_yield();
    }
}

void tbb_gate_outside(unsigned *saved)
{
    struct tbb_thread *thread = tbb_thread_now;

    *saved = thread->outside;
    if (thread->seen)
        thread->outside = atomic_load_explicit(&thread->busy, memory_order_relaxed);
}

void tbb_gate_inside(unsigned saved)
{
    if (tbb_thread_now->seen)
        tbb_thread_now->outside = saved;
}

/* Whether a thread other than the caller is inside the library. Called with tbb_lock. */
static bool is_anyone_inside(void)
{
    struct tbb_thread *thread;

    LIST_FOREACH (thread, &threads, entry)
        if (thread != tbb_thread_now && atomic_load_explicit(&thread->busy, memory_order_acquire))
            return true;
    return false;
}

void tbb_gate_close(void)
{
    unsigned gate = atomic_fetch_or(&tbb_gate, TBB_GATE_CLOSED);

    atomic_thread_fence(memory_order_seq_cst);
    if (!(gate & TBB_GATE_FENCES))
        os_barrier_everywhere();
    while (is_anyone_inside()) {
        /* It may be in a function of the page layer, on its way to another heap. */
        pthread_mutex_unlock(&tbb_lock);
        os_yield();
        pthread_mutex_lock(&tbb_lock);
    }
}

void tbb_gate_open(void)
{
    atomic_fetch_and(&tbb_gate, (unsigned char)~TBB_GATE_CLOSED);
}

/* --- threads come ----------------------------------------------------------------------------- */

/* Takes a thread off the list; its counts go to the heaps. Called with tbb_lock. */
static void thread_drop(struct tbb_thread *thread)
{
    LIST_REMOVE(thread, entry);
    for (unsigned slot = 0; slot < TBB_SLOTS; slot++) {
        tbb_heaps[slot].allocated += thread->counts[slot].allocated;
        tbb_heaps[slot].freed += thread->counts[slot].freed;
    }
    object_pool_put(&thread_objects, thread);
}

static struct tbb_thread *thread_make(void)
{
    struct tbb_thread *thread;

    pthread_mutex_lock(&tbb_lock);
    thread = object_pool_get(&thread_objects);
    if (thread) {
        memset(thread, 0, sizeof *thread);
        thread->seen = true;
        thread->number = os_thread();
        LIST_INSERT_HEAD(&threads, thread, entry);
        tbb_heap_greet();
    }
    pthread_mutex_unlock(&tbb_lock);
    if (thread && pthread_setspecific(key, thread)) {
        pthread_mutex_lock(&tbb_lock);
        thread_drop(thread);
        pthread_mutex_unlock(&tbb_lock);
        thread = NULL;
    }
    if (!thread)
        callbacks->log("cannot allocate the counters of a thread");
    return thread;
}

bool tbb_thread_enter(struct tbb_thread **thread)
{
    struct tbb_thread *now = tbb_thread_now;

    *thread = now;
    if (likely(now->seen))
        return now->outside == atomic_load_explicit(&now->busy, memory_order_relaxed);
    if (now == &entering)
        return false;
    tbb_thread_now = &entering;
    now = pthread_getspecific(key); /* a thread in its destructors is known there */
    if (now)
        now->used = true;
    else
        now = thread_make();
    tbb_thread_now = now ? now : &unseen;
    *thread = now;
    return true;
}

void *tbb_thread_hide(void)
{
    struct tbb_thread *hidden = tbb_thread_now;

    tbb_thread_now = &entering;
    return hidden;
}

void tbb_thread_show(void *hidden)
{
    tbb_thread_now = hidden;
}

/* --- threads go ------------------------------------------------------------------------------- */

/* Until something changes, or the next look. False: it is time for that. Called with the lock of
 * exits. */
static bool exits_wait(void)
{
    const long nanoseconds = 1000000000;
    struct timespec until;

    if (clock_gettime(CLOCK_REALTIME, &until))
        return false;
    until.tv_nsec += nanoseconds / EXIT_LOOKS;
    until.tv_sec += until.tv_nsec / nanoseconds;
    until.tv_nsec %= nanoseconds;
    return pthread_cond_timedwait(&exits.changed, &exits.lock, &until) != ETIMEDOUT;
}

/*
 * Exits without end would keep a thread that wants none waiting for ever, so they are held back.
 * But one that is running may wait for just this one (a program's destructor that joins a thread):
 * while any is running, an exit is held back for a moment only.
 */
static void exit_begin(void)
{
    int looks = 0;

    pthread_mutex_lock(&exits.lock);
    while (exits.stopped || (exits.wanted && (!exits.running || looks < EXIT_HELD_LOOKS)))
        looks += !exits_wait();
    exits.running++;
    pthread_mutex_unlock(&exits.lock);
}

static void exit_end(void)
{
    pthread_mutex_lock(&exits.lock);
    exits.running--;
    pthread_cond_broadcast(&exits.changed);
    pthread_mutex_unlock(&exits.lock);
}

atomic_bool tbb_thread_left_inside;

static void thread_ends(struct tbb_thread *thread)
{
    bool last;

    tbb_thread_now = &unseen;
    /* A thread that was cancelled asynchronously inside the library is not there any more, but what
     * it had locked there is. */
    if (atomic_load_explicit(&thread->busy, memory_order_relaxed))
        atomic_store_explicit(&tbb_thread_left_inside, true, memory_order_relaxed);
    atomic_store_explicit(&thread->busy, 0, memory_order_release);
    if (!thread->exiting) {
        thread->exiting = true;
        exit_begin();
    }
    last =
        ++thread->rounds > 1 && (!thread->used || thread->rounds == PTHREAD_DESTRUCTOR_ITERATIONS);
    thread->used = false;
    if (!last && pthread_setspecific(key, thread) == 0)
        return;
    exit_end();
    pthread_mutex_lock(&tbb_lock);
    thread_drop(thread);
    pthread_mutex_unlock(&tbb_lock);
}

/* The key's destructor; see the top of the file. */
static void end_thread(void *value)
{
    struct guard guard;

    guard_enter(&guard);
    thread_ends(value);
    guard_leave(&guard);
}

/* An exit from which a pool is destroyed, by a program's own destructor, does not wait for itself.
 */
static bool is_exiting(void)
{
    struct tbb_thread *thread = pthread_getspecific(key);

    return thread && thread->exiting;
}

/* Ends the exits of threads that are gone, and did not see their last destructor coming. */
static void exits_sweep(void)
{
    struct tbb_thread *thread, *next;
    unsigned gone = 0;

    pthread_mutex_lock(&tbb_lock);
    for (thread = LIST_FIRST(&threads); thread; thread = next) {
        next = LIST_NEXT(thread, entry);
        if (thread->exiting && os_thread_is_gone(thread->number)) {
            thread_drop(thread);
            gone++;
        }
    }
    pthread_mutex_unlock(&tbb_lock);
    pthread_mutex_lock(&exits.lock);
    exits.running -= gone;
    pthread_cond_broadcast(&exits.changed);
    pthread_mutex_unlock(&exits.lock);
}

bool tbb_exits_stop(void)
{
    bool done;

    pthread_mutex_lock(&exits.lock);
    exits.running -= is_exiting();
    exits.wanted++;
    pthread_cond_broadcast(&exits.changed);
    for (int looks = 0; (exits.stopped || exits.running) && looks < EXIT_SECONDS * EXIT_LOOKS;) {
        if (exits_wait())
            continue;
        looks++;
        pthread_mutex_unlock(&exits.lock);
        exits_sweep();
        pthread_mutex_lock(&exits.lock);
    }
    done = !exits.stopped && !exits.running;
    if (done)
        exits.stopped = true;
    else
        exits.running += is_exiting();
    exits.wanted--;
    pthread_cond_broadcast(&exits.changed);
    pthread_mutex_unlock(&exits.lock);
    return done;
}

bool tbb_exits_try_stop(void)
{
    bool done;

    if (pthread_mutex_trylock(&exits.lock))
        return false;
    done = !exits.stopped && !exits.running && !exits.wanted;
    if (done)
        exits.stopped = true;
    pthread_mutex_unlock(&exits.lock);
    return done;
}

void tbb_exits_resume(void)
{
    pthread_mutex_lock(&exits.lock);
    exits.stopped = false;
    exits.running += is_exiting();
    pthread_cond_broadcast(&exits.changed);
    pthread_mutex_unlock(&exits.lock);
}

/* Keys are the lowest numbers that are free. Takes those below `limit`; called with tbb_lock. */
static unsigned keys_take(pthread_key_t limit, pthread_key_t taken[PTHREAD_KEYS_MAX])
{
    unsigned count = 0;

    while (count < PTHREAD_KEYS_MAX && pthread_key_create(&taken[count], NULL) == 0) {
        if (taken[count] >= limit) {
            pthread_key_delete(taken[count]);
            break;
        }
        count++;
    }
    return count;
}

static void keys_leave(const pthread_key_t *taken, unsigned count)
{
    while (count)
        pthread_key_delete(taken[--count]);
}

static pthread_key_t taken_keys[PTHREAD_KEYS_MAX]; /* 4 KiB that a small stack has not */

/* The next `count` numbers; TBB_KEY_NONE: there is none. */
static void keys_foresee(pthread_key_t *numbers, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (pthread_key_create(&numbers[i], NULL))
            numbers[i] = TBB_KEY_NONE;
    for (unsigned i = 0; i < count; i++)
        if (numbers[i] != TBB_KEY_NONE)
            pthread_key_delete(numbers[i]);
}

/* All numbers below ours are taken while the pool takes its own. A program may have been faster to
 * take the number: the next free one is then not what it was. */
int tbb_thread_make_pool(int (*create)(void *argument), void *argument, pthread_key_t *pool_key)
{
    unsigned count = keys_take(key, taken_keys);
    pthread_key_t before[2], after;
    int error;

    keys_foresee(before, 2);
    error = create(argument);
    keys_foresee(&after, 1);
    *pool_key = after == before[1] ? before[0] : TBB_KEY_NONE;
    keys_leave(taken_keys, count);
    return error;
}

/*
 * Values point into the parent's pages: that of the calling thread, and those of threads that were
 * in their destructors, which glibc leaves on their stacks (see renew_key()). The next thread on
 * such a stack would have the library free what is the parent's. The key's number stays taken, as
 * the library believes that it is the pool's.
 */
void tbb_thread_forget_pool(pthread_key_t pool_key)
{
    pthread_key_t same;
    unsigned count;

    if (pool_key == TBB_KEY_NONE)
        return;
    pthread_key_delete(pool_key);
    count = keys_take(pool_key, taken_keys);
    pthread_key_create(&same, NULL);
    keys_leave(taken_keys, count);
}

/* --- counts ----------------------------------------------------------------------------------- */

struct tbb_count tbb_thread_count(unsigned slot)
{
    struct tbb_count sum = {tbb_heaps[slot].allocated, tbb_heaps[slot].freed};
    const struct tbb_thread *thread;

    LIST_FOREACH (thread, &threads, entry) {
        sum.allocated += __atomic_load_n(&thread->counts[slot].allocated, __ATOMIC_RELAXED);
        sum.freed += __atomic_load_n(&thread->counts[slot].freed, __ATOMIC_RELAXED);
    }
    return sum;
}

void tbb_thread_clear(unsigned slot)
{
    struct tbb_thread *thread;

    LIST_FOREACH (thread, &threads, entry)
        thread->counts[slot] = (struct tbb_count){0, 0};
}

/* --- load and fork ---------------------------------------------------------------------------- */

static void know_barriers(void)
{
    if (!os_can_barrier_everywhere())
        atomic_fetch_or(&tbb_gate, TBB_GATE_FENCES);
}

int tbb_thread_load(char why[HEAP_WHY])
{
    int error = pthread_key_create(&key, end_thread);

    if (error) {
        snprintf(why, HEAP_WHY, "cannot create the pthread key of threads' data: %s",
                 strerrordesc_np(error));
        return MEMKIND_ERROR_MALLOC;
    }
    know_barriers();
    return 0;
}

void tbb_thread_unload(void)
{
    pthread_key_delete(key);
}

/* Whether the fork stopped exits: not if one took too long. One thread forks at a time. */
static bool exits_are_stopped;

/* A program's own destructor may create or destroy a kind before an exit comes to its end. */
void tbb_thread_await_exits(void)
{
    exits_are_stopped = tbb_exits_stop();
}

void tbb_thread_prefork(void)
{
    pthread_mutex_lock(&tbb_lock);
    tbb_gate_close();
    pthread_mutex_lock(&exits.lock);
}

static void postfork(void)
{
    bool resume = exits_are_stopped;

    pthread_mutex_unlock(&exits.lock);
    tbb_gate_open();
    pthread_mutex_unlock(&tbb_lock);
    if (resume)
        tbb_exits_resume();
}

void tbb_thread_postfork_parent(void)
{
    postfork();
}

/* As jem_thread_postfork_child(): values of threads that were in their destructors survive on their
 * stacks; those of a deleted key are not found. The number is the same again, or a lower one. */
static void renew_key(struct tbb_thread *self)
{
    pthread_key_delete(key);
    if (pthread_key_create(&key, end_thread) || pthread_setspecific(key, self))
        callbacks->log("cannot create the pthread key of threads' data");
}

void tbb_thread_postfork_child(void)
{
    struct tbb_thread *self = pthread_getspecific(key), *thread, *next;

    for (thread = LIST_FIRST(&threads); thread; thread = next) {
        next = LIST_NEXT(thread, entry);
        if (thread != self)
            thread_drop(thread);
    }
    renew_key(self);
    if (self)
        self->number = os_thread();
    know_barriers();
    exits.running = exits.wanted = 0;
    exits.stopped = exits_are_stopped;
    pthread_cond_init(&exits.changed, NULL);
    if (!exits_are_stopped && is_exiting())
        exits.running = 1;
    postfork();
}

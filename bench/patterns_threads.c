/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * Patterns in which a block is freed by another thread than allocated it.
 *
 * Each works with any number of threads, also with one, which then hands the blocks to itself. They
 * wait for each other, so all of them have the same count.
 */
#include "patterns_threads.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#define BATCH 256
#define RING (SLOTS / BATCH)
#define GENERATION 20000

static void fill(struct worker *worker, void **blocks)
{
    for (size_t i = 0; i < BATCH; i++)
        blocks[i] = heap_malloc(worker->heap, small_size(worker));
}

static void drain(const struct worker *worker, void **blocks)
{
    for (size_t i = 0; i < BATCH; i++)
        heap_free(worker->heap, blocks[i]);
}

/* --- cross: a ring of threads, each with one that fills its mailbox --------------------------- */

static bool leave_batch(struct worker *worker)
{
    struct worker *next = worker->next;
    size_t left = atomic_load_explicit(&next->left, memory_order_relaxed);

    if (left - atomic_load_explicit(&next->taken, memory_order_acquire) == RING)
        return false;
    fill(worker, next->slots + left % RING * BATCH);
    atomic_store_explicit(&next->left, left + 1, memory_order_release);
    return true;
}

static bool take_batch(struct worker *worker)
{
    size_t taken = atomic_load_explicit(&worker->taken, memory_order_relaxed);

    if (atomic_load_explicit(&worker->left, memory_order_acquire) == taken)
        return false;
    drain(worker, worker->slots + taken % RING * BATCH);
    atomic_store_explicit(&worker->taken, taken + 1, memory_order_release);
    return true;
}

void run_cross(struct worker *worker, size_t count)
{
    size_t to_leave = count / BATCH, to_take = count / BATCH;

    while (to_leave || to_take) {
        bool left = to_leave && leave_batch(worker);
        bool took = to_take && take_batch(worker);

        to_leave -= left;
        to_take -= took;
        if (!left && !took)
            sched_yield();
    }
}

/* --- producer: a queue of batches that all threads share -------------------------------------- */

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t not_empty, not_full;
    size_t put, got;
    void *batches[RING][BATCH];
} queue = {.mutex = PTHREAD_MUTEX_INITIALIZER,
           .not_empty = PTHREAD_COND_INITIALIZER,
           .not_full = PTHREAD_COND_INITIALIZER};

static void produce(struct worker *worker)
{
    fill(worker, worker->slots);
    pthread_mutex_lock(&queue.mutex);
    while (queue.put - queue.got == RING)
        pthread_cond_wait(&queue.not_full, &queue.mutex);
    memcpy(queue.batches[queue.put++ % RING], worker->slots, sizeof queue.batches[0]);
    pthread_cond_signal(&queue.not_empty);
    pthread_mutex_unlock(&queue.mutex);
}

static void consume(struct worker *worker)
{
    pthread_mutex_lock(&queue.mutex);
    while (queue.put == queue.got)
        pthread_cond_wait(&queue.not_empty, &queue.mutex);
    memcpy(worker->slots, queue.batches[queue.got++ % RING], sizeof queue.batches[0]);
    pthread_cond_signal(&queue.not_full);
    pthread_mutex_unlock(&queue.mutex);
    drain(worker, worker->slots);
}

/* What one of `sharers` does of `total`. */
static size_t share(size_t total, unsigned sharers, unsigned number)
{
    return total / sharers + (number < total % sharers);
}

void run_producer(struct worker *worker, size_t count)
{
    size_t total = worker->threads * (count / BATCH);
    unsigned producers = worker->threads / 2, consumers = worker->threads - producers;
    bool produces = worker->number < producers;

    if (worker->threads == 1) {
        for (size_t i = 0; i < total; i++) {
            produce(worker);
            consume(worker);
        }
    } else if (produces) {
        for (size_t i = share(total, producers, worker->number); i > 0; i--)
            produce(worker);
    } else {
        for (size_t i = share(total, consumers, worker->number - producers); i > 0; i--)
            consume(worker);
    }
}

/* --- larson: threads that go and leave their blocks to the next one --------------------------- */

/* Larson and Krishnan's server: whose blocks are replaced were allocated by a thread that is gone.
 */
static void *live(void *argument)
{
    struct worker *worker = argument;

    for (size_t i = 0; i < GENERATION; i++) {
        void **slot = &worker->slots[next_random(worker) % SLOTS];

        heap_free(worker->heap, *slot);
        *slot = heap_malloc(worker->heap, small_size(worker));
    }
    return NULL;
}

void run_larson(struct worker *worker, size_t count)
{
    for (size_t done = 0; done < count; done += GENERATION) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, live, worker))
            give_up("no thread");
        pthread_join(thread, NULL);
    }
}

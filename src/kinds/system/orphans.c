/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see orphans.h. */
#include "kinds/system/orphans.h"

#include <pthread.h>
#include <stdio.h>

#include "kinds/system/callbacks.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

atomic_bool orphans_anywhere;

static void tell_double_free(const void *block)
{
    char line[80];

    snprintf(line, sizeof line, "MEMKIND: double free: %p; it is ignored\n", block);
    callbacks->say(line);
}

void orphans_add(struct orphans *orphans, void *block)
{
    void *last = atomic_load_explicit(&orphans->last, memory_order_relaxed);

    /* Before it is there: the list is never longer. */
    atomic_fetch_add_explicit(&orphans->count, 1, memory_order_relaxed);
    do {
        if (last == block) {
            atomic_fetch_sub_explicit(&orphans->count, 1, memory_order_relaxed);
            tell_double_free(block);
            return;
        }
        *(void **)block = last;
    } while (!atomic_compare_exchange_weak_explicit(&orphans->last, &last, block,
                                                    memory_order_release, memory_order_relaxed));
    atomic_store_explicit(&orphans_anywhere, true, memory_order_release);
}

bool orphans_begin(bool wait)
{
    if (wait)
        pthread_mutex_lock(&lock);
    else if (pthread_mutex_trylock(&lock))
        return false;
    /* Before any is looked for: what comes then is seen, or says so again. */
    atomic_store(&orphans_anywhere, false);
    atomic_thread_fence(memory_order_seq_cst);
    return true;
}

void orphans_free(struct orphans *orphans, struct heap *heap,
                  const struct orphan_functions *functions)
{
    void *block = atomic_exchange_explicit(&orphans->last, NULL, memory_order_acquire);
    size_t most = atomic_load_explicit(&orphans->count, memory_order_relaxed), freed;

    for (freed = 0; freed < most && functions->detect(block) == heap; freed++) {
        void *next = *(void **)block;

        functions->free(heap, block);
        block = next;
    }
    atomic_fetch_sub_explicit(&orphans->count, freed, memory_order_relaxed);
}

void orphans_end(void)
{
    pthread_mutex_unlock(&lock);
}

void orphans_forget(struct orphans *orphans)
{
    pthread_mutex_lock(&lock); /* who frees them now has done afterwards */
    orphans_forked(orphans);
    pthread_mutex_unlock(&lock);
}

void orphans_prefork(void)
{
    pthread_mutex_lock(&lock);
}

void orphans_postfork(void)
{
    pthread_mutex_unlock(&lock);
}

void orphans_forked(struct orphans *orphans)
{
    atomic_store_explicit(&orphans->last, NULL, memory_order_relaxed);
    atomic_store_explicit(&orphans->count, 0, memory_order_relaxed);
}

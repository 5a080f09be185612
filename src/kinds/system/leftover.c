/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see leftover.h. */
#include "kinds/system/leftover.h"

#include <pthread.h>
#include <sys/queue.h>

#include "kinds/system/callbacks.h"
#include "kinds/system/object_pool.h"
#include "kinds/system/os.h"

struct leftover {
    LIST_ENTRY(leftover) entry;
    void *address;
    size_t size;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Guarded by the lock: */
static struct object_pool objects = {.size = sizeof(struct leftover)};
static LIST_HEAD(, leftover) leftovers;

/* Without memory to note it, its addresses are lost. */
static void keep(void *address, size_t size)
{
    struct leftover *left;

    pthread_mutex_lock(&lock);
    left = object_pool_get(&objects);
    if (left) {
        left->address = address;
        left->size = size;
        LIST_INSERT_HEAD(&leftovers, left, entry);
    }
    pthread_mutex_unlock(&lock);
}

void leftover_unmap(void *address, size_t size)
{
    if (os_unmap(address, size) == 0)
        return;
    callbacks->log("%zu bytes at %p stay mapped for now; their pages go back", size, address);
    (void)os_discard(address, size);
    keep(address, size);
}

/* The lock is held meanwhile: a child of fork(2) would lose what is in a thread's hands. */
void leftover_retry(void)
{
    struct leftover *left, *next;

    pthread_mutex_lock(&lock);
    for (left = LIST_FIRST(&leftovers); left; left = next) {
        next = LIST_NEXT(left, entry);
        if (os_unmap(left->address, left->size))
            break; /* so will the others */
        LIST_REMOVE(left, entry);
        object_pool_put(&objects, left);
    }
    pthread_mutex_unlock(&lock);
}

size_t leftover_size(void)
{
    const struct leftover *left;
    size_t size = 0;

    pthread_mutex_lock(&lock);
    LIST_FOREACH (left, &leftovers, entry)
        size += left->size;
    pthread_mutex_unlock(&lock);
    return size;
}

void leftover_prefork(void)
{
    pthread_mutex_lock(&lock);
}

void leftover_postfork(void)
{
    pthread_mutex_unlock(&lock);
}

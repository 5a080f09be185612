/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * registry: the kinds that exist, static and created.
 *
 * A memkind_t is the address of an entry of one table: the static kinds in the order of the ABI's
 * MEMKIND_PARTITION_* numbers, then MEMKIND_MAX_KIND entries for created ones, reused after
 * destruction. A static kind's heap is made at its first use; a kind that is unavailable stays new
 * and is asked again, since huge pages may be reserved later.
 *
 * Threads: an entry is written under the registry's lock and made visible by its state. The lock is
 * not held while the machine is asked (libdaxctl allocates), nor while a kind is destroyed: that
 * may wait for other threads' exits, which may be about to destroy kinds, and calls a custom kind's
 * unmap(). The entry belongs to the destroying thread meanwhile; fork(2) waits while pages go, and
 * in the child a destruction is completed or has not begun.
 */
#pragma once

#include <memkind.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "heap_manager.h"

enum kind_state {
    KIND_NEW,   /* static: not used yet; created: the entry is unused */
    KIND_READY, /* has a heap */
    KIND_GOING, /* created: some thread is destroying it */
};

struct memkind {
    _Atomic(enum kind_state) state;
    atomic_bool zero_allocs; /* size 0 is allocated */
    struct heap heap;
    _Atomic(ssize_t) tiered; /* bytes that memtier.c allocated */
};

static inline bool registry_is_ready(memkind_t kind)
{
    return kind && atomic_load_explicit(&kind->state, memory_order_acquire) == KIND_READY;
}

/* Makes the heap of a kind at its first use. 0, or why there is none. The caller has entered
 * (managers_enter()). */
int registry_prepare(memkind_t kind);

/* The static kind of a partition number, MEMKIND_PARTITION_*. The only one who knows that these are
 * neighbours in a table. */
memkind_t registry_static(int partition);

/* Row of the kind, NULL for a handle that is no live kind. */
const struct page_kind *registry_row(memkind_t kind);

/* A new entry with a heap. MEMKIND_ERROR_TOOMANY, or what the heap manager says. */
int registry_create(const struct page_setup *setup, memkind_t *kind);

/* A static kind stays as it is: memkind_create_kind() gives it to many, and each may destroy it.
 * MEMKIND_ERROR_INVALID for what is no live kind. */
int registry_destroy(memkind_t kind);

static inline memkind_t registry_of_heap(struct heap *heap)
{
    return (memkind_t)(void *)((char *)heap - offsetof(struct memkind, heap));
}

void registry_prefork(void);
void registry_postfork(bool child);

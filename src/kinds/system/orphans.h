/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * orphans: blocks of a heap that their threads could not free.
 *
 * A heap manager frees with data of the calling thread. A thread may have none, and no memory to
 * get it, or be inside the heap manager already. A free cannot fail, so its block is put aside here
 * until a thread that can frees it: whoever comes to a slow path, or wants figures. Until then it
 * counts as allocated.
 *
 * The blocks are linked through their own first words. A program that uses a freed block all the
 * same may overwrite that, and one that frees a block twice may make a circle: so each is looked up
 * before its word is read, and no more are freed than were put aside.
 *
 * Threads: to put aside takes no lock, and may be done inside any. Who frees holds the lock of this
 * module, which comes before all of the heap manager's, so that a heap does not end beside it.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "kinds/system/compiler.h"

struct heap;

/* Those of one heap; zeroes at first. */
struct orphans {
    void *_Atomic last;
    atomic_size_t count; /* so many at most */
};

/* What the heap manager lends. */
struct orphan_functions {
    struct heap *(*detect)(const void *block);
    void (*free)(struct heap *heap, void *block);
};

/* A block of 8 bytes at least. One that is the last already is freed a second time, which is told
 * and ignored. */
void orphans_add(struct orphans *orphans, void *block);

static inline bool orphans_any(const struct orphans *orphans)
{
    return atomic_load_explicit(&orphans->last, memory_order_relaxed) != NULL;
}

/* Whether there may be some of any heap. */
extern atomic_bool orphans_anywhere HIDDEN;

/* Before orphans of all heaps are looked for. False: another thread is at it, which `wait` waits
 * for. */
bool orphans_begin(bool wait);
/* Between the two: frees those of a heap. The calling thread is able to. */
void orphans_free(struct orphans *orphans, struct heap *heap,
                  const struct orphan_functions *functions);
void orphans_end(void);

/* The heap ends, and its blocks with it. Called without locks. */
void orphans_forget(struct orphans *orphans);

void orphans_prefork(void);
void orphans_postfork(void);
/* In the child, before that: the heap's blocks are the parent's. */
void orphans_forked(struct orphans *orphans);

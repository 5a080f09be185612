/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * tbb: the heap manager TBB, seen from inside its own folder.
 *
 * Terms, beside those of the glossary in ARCHITECTURE.md
 *   library   libtbbmalloc, oneTBB's scalable allocator, opened with dlopen at the first use.
 *   pool      one of its memory pools: the blocks of one heap in one locality domain.
 *   raw       what a pool asks us for and gives back: runs of the page layer.
 *   slab      16 KiB of a pool, all blocks of one size class.
 *   unit      16 KiB of address space at a multiple of that, as a slab is.
 *   note      a unit's byte in the address map: the size class, if it is a slab.
 *   slot      a heap's number: index into every thread's table of counters.
 *   gate      what fork(2) closes: no thread is inside the library then.
 *
 * What the library does not do for us is here: it finds no pool for an address that is not its own
 * (the address map does), counts nothing (threads do), knows no fork (the gate does) and must not
 * run a thread's exit beside the destruction of a pool (thread.c sees to it).
 *
 * README.md lists the files.
 *
 * Locks: docs/design/fork.md has the order of all. tbb_lock guards heaps, pools and the list of
 * threads. The lock of exits is taken alone, but around fork(2), where it is the last of this
 * folder's.
 */
#pragma once

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "heap_manager.h"
#include "kinds/pages/run_cache.h"
#include "kinds/system/round.h"

/* --- library.c -------------------------------------------------------------------------------- */

struct tbb_memory_pool; /* rml::MemoryPool */

/* rml::MemPoolPolicy, as <oneapi/tbb/scalable_allocator.h> lays it out. */
struct tbb_pool_policy {
    void *(*raw_alloc)(intptr_t pool_id, size_t *bytes);
    int (*raw_free)(intptr_t pool_id, void *address, size_t bytes);
    size_t granularity;
    int version;
    unsigned fixed_pool : 1, keep_all_memory : 1, reserved : 30;
};

struct tbb_library {
    int (*pool_create)(intptr_t pool_id, const struct tbb_pool_policy *policy,
                       struct tbb_memory_pool **pool);
    bool (*pool_destroy)(struct tbb_memory_pool *pool);
    void *(*pool_malloc)(struct tbb_memory_pool *pool, size_t size);
    bool (*pool_free)(struct tbb_memory_pool *pool, void *block);
    size_t (*pool_msize)(struct tbb_memory_pool *pool, void *block);
};

#define TBB_CLASS_STEP 8     /* size classes are multiples of this */
#define TBB_CLASSES_MOST 64  /* far more than there are */
#define TBB_SMALL_MOST 16384 /* no small block is as large */
#define TBB_ALIGNMENTS 14    /* powers of two below TBB_SMALL_MOST */
#define TBB_NOTES 256        /* values of a unit's note */
#define TBB_UNIT_NONE 0u     /* no block starts in the unit, as far as we know */
/* From 1: the size class of a slab; with this bit, some of its blocks are shifted (lookup.h). */
#define TBB_UNIT_SHIFTED TBB_CLASSES_MOST
#define TBB_UNIT_AREA 0xfcu  /* a part of an area: see area.c */
#define TBB_UNIT_RUN 0xfdu   /* a block that is a run starts there: see run.c */
#define TBB_UNIT_LARGE 0xfeu /* blocks with a header start there, if any */

/* Size classes, found out from the library itself. Class 0 has no size. */
struct tbb_classes {
    size_t small_most;               /* largest small block; 0: the layout of slabs is unknown */
    size_t slab_room;                /* bytes of a slab from its first block on */
    uint32_t size[TBB_CLASSES_MOST]; /* by class */
    uint64_t inverse[TBB_NOTES];     /* of the size: round.h; 0 for what is no class */
    /* The first class from this one on whose size is a multiple of 1 << n; 0: there is none. */
    uint8_t aligned[TBB_ALIGNMENTS][TBB_CLASSES_MOST];
    uint8_t by_size[TBB_SMALL_MOST / TBB_CLASS_STEP + 1]; /* by (size + 7) / 8 */
};

extern struct tbb_library tbb_library HIDDEN;
extern struct tbb_classes tbb_classes HIDDEN;

/* Opens the library, and learns its size classes: heap_manager.h. MEMKIND_ERROR_UNAVAILABLE, with
 * the reason. */
int tbb_library_open(struct heap_library *library, char why[HEAP_WHY]);
void tbb_library_close(struct heap_library *library);
int tbb_library_start(const struct heap_library *library, char why[HEAP_WHY]);

/* Says so to ThreadSanitizer, where that is in use: the library gets a region from this thread. */
void tbb_library_region_ready(void);
/* Likewise: what the library gives back was last used by threads that it knows. */
void tbb_library_region_back(void);

/* --- heap.c ----------------------------------------------------------------------------------- */

#define TBB_KEY_NONE PTHREAD_KEYS_MAX /* no key has this number */
#define TBB_SLOTS (MEMKIND_NUM_BASE_KIND + MEMKIND_MAX_KIND)

struct tbb_pool {
    struct tbb_pool *next;
    struct tbb_memory_pool *memory;
    struct heap *heap;
    struct run_cache raw; /* of the pool's domain */
    bool forked;          /* it was made before fork(2), by the parent */
    pthread_key_t key;    /* where the library keeps a thread's part of it; TBB_KEY_NONE: unknown */
    atomic_long busy_in;  /* the second of its last raw region, or of its last trimming */
    atomic_bool used;     /* since its last trimming: there may be something unused */
};

/* heap->state */
struct tbb_heap {
    struct heap *heap;              /* NULL: the slot is free */
    struct tbb_memory_pool *only;   /* the pool of a heap with one domain; else NULL */
    struct tbb_pool *_Atomic pools; /* one for each domain that was needed */
    struct tbb_area *area;          /* instead of pools, where pages are few; else NULL */
    struct tbb_area *_Atomic pack;  /* beside a pool, if one was needed; else NULL */
    size_t allocated, freed;        /* bytes, by threads that ended; guarded by tbb_lock */
    bool inherited;                 /* some of its regions are a parent's, before fork(2) */
    /* Figures of the last update of statistics; guarded by tbb_lock. */
    size_t told[MEMKIND_STAT_TYPE_MAX_VALUE];
};

extern pthread_mutex_t tbb_lock;
extern struct tbb_heap tbb_heaps[TBB_SLOTS];

int tbb_heap_create(struct heap *heap);
int tbb_heap_destroy(struct heap *heap);
/* The pool for the calling thread's CPU, made at its first need. NULL: it cannot be made. */
struct tbb_pool *tbb_heap_pool_here(struct heap *heap);
/* The heap's pack, made at its first need. NULL: its blocks are not packed, or it cannot be made.
 */
struct tbb_area *tbb_heap_pack(struct heap *heap, struct tbb_pool *pool);
/* What of it has no blocks goes back to the pool; `unused`: as what nobody has used for long.
 * False: there is nothing. */
bool tbb_heap_shrink_pack(const struct tbb_heap *state, bool unused);
/* Whether the pack, if there is one, has a hole for such a block, a moment ago. */
bool tbb_heap_pack_has(const struct tbb_heap *state, size_t alignment, size_t size);
/* The pool that a region is of. */
struct tbb_pool *tbb_heap_pool_of(const struct page_region *region);
static inline struct heap *tbb_heap_of(const struct page_region *region)
{
    return (struct heap *)((char *)region->pool - offsetof(struct heap, pages));
}
/* Bytes of raw memory in use, and of free raw memory that may still be backed by pages. Called with
 * tbb_lock. */
void tbb_heap_usage(const struct tbb_heap *state, size_t *used, size_t *kept);
/* Any heap of which there are blocks that their threads could not free; NULL: none. While its
 * caller frees them it stays there (kinds/system/orphans.h). Called with tbb_lock. */
struct heap *tbb_heap_with_orphans(void);
/* In the child of a fork: heaps that share their pages with the parent get pools of their own. */
void tbb_heap_postfork_child(void);
/* A new thread in such a child: see heap.c. Called with tbb_lock. */
void tbb_heap_greet(void);

/* --- trim.c ----------------------------------------------------------------------------------- */

/* As the table of heap managers has them (heap_manager.h). */
bool tbb_give_back(void);
ssize_t tbb_trim(struct heap *heap);

/* A raw region comes or goes. */
void tbb_trim_pool_used(struct tbb_pool *pool);
/* Blocks of the heap come and go. */
void tbb_trim_heap_used(struct heap *heap);

/* --- run.c ------------------------------------------------------------------------------------ */

/* From which size on blocks are runs. */
size_t tbb_run_least(const struct page_pool *pages);

/* A block of *size bytes, which is rounded up to what it has. NULL with errno ENOMEM. */
void *tbb_run_alloc(struct tbb_pool *pool, size_t *size, bool *zeroed);
void tbb_run_free(struct tbb_pool *pool, void *block, size_t size);
/* Where it is. *new_size is rounded up to what it has then. False: it has to move. */
bool tbb_run_resize(struct tbb_pool *pool, void *block, size_t size, size_t *new_size);

/* --- area.c ----------------------------------------------------------------------------------- */

#define TBB_AREA_BELOW ((size_t)16 << 20)
#define TBB_PACK_MOST ((size_t)128 << 10) /* larger blocks do not divide a chunk well */

struct tbb_area;
struct tbb_place;

/* Whether pages are too few for the library. */
bool tbb_area_suits(const struct page_pool *pages);
/* Of all pages of the pool. NULL: no memory. Called with tbb_lock, as tbb_area_end() is. */
struct tbb_area *tbb_area_create(struct page_pool *pages);
void tbb_area_end(struct tbb_area *area);
size_t tbb_area_size(const struct tbb_area *area);
/* Whether it is worth it to pack blocks of the pages: there is a limit, and one pool. */
bool tbb_area_suits_pack(const struct page_pool *pages);
/* Without blocks; it takes runs of the pool. NULL: no memory. Called with tbb_lock. */
struct tbb_area *tbb_area_create_pack(struct tbb_pool *pool);
/* Whether such a block is to be in a pack, if there is one. */
bool tbb_area_packs(size_t alignment, size_t size);
/* See tbb_heap_pack_has(). */
bool tbb_area_has(const struct tbb_area *area, size_t alignment, size_t size);
/* See tbb_heap_shrink_pack(). */
bool tbb_area_shrink(struct tbb_area *area, bool unused);
/* In the child of a fork that shares its pages with the parent: no block is the child's, and a pack
 * needs a new pool. */
void tbb_area_forked(struct tbb_area *area);
void tbb_area_set_pool(struct tbb_area *area, struct tbb_pool *pool);

/* A block of *size bytes, which becomes what it has; NULL: no room. */
void *tbb_area_alloc(struct tbb_area *area, size_t alignment, size_t *size);
/* Where it is. *size becomes what it has then. False: it has to move. */
bool tbb_area_resize(struct tbb_area *area, const struct tbb_place *place, char *block,
                     size_t *size);
/* A block that is erased already. */
void tbb_area_free(struct tbb_area *area, const struct tbb_place *place, const char *block);

/* --- thread.c --------------------------------------------------------------------------------- */

struct tbb_count {
    size_t allocated, freed; /* bytes; their difference has a meaning over all threads only */
};

struct tbb_thread {
    atomic_uint busy; /* calls of this thread that are inside the library; only it writes */
    unsigned outside; /* of these, how many are in a function of the page layer right now */
    bool trims;       /* no pool gets raw memory: see trim.c */
    bool trims_idle;  /* and what comes back is unused for long */
    bool seen;        /* false: one of the stand-ins of thread.c */
    int number;       /* the system's */
    atomic_bool exiting;
    bool used; /* since the last round of destructors */
    unsigned rounds;
    LIST_ENTRY(tbb_thread) entry; /* in the list of all */
    struct tbb_count counts[TBB_SLOTS];
};

extern __thread struct tbb_thread *tbb_thread_now __attribute__((tls_model("initial-exec"))) HIDDEN;

/* 0: open. Else closed, or the kernel has no membarrier(2) and threads must fence for themselves.
 */
#define TBB_GATE_CLOSED 1u
#define TBB_GATE_FENCES 2u
#define TBB_GATE_MARKS 4u /* freed blocks are marked, which takes another way: see block.c */
extern atomic_uchar tbb_gate HIDDEN;

/* Before the library is loaded. */
int tbb_thread_load(char why[HEAP_WHY]);
/* The library cannot be had: no thread was made known. */
void tbb_thread_unload(void);

/* A thread has ended inside the library, whose locks of pools may be held for ever. */
extern atomic_bool tbb_thread_left_inside HIDDEN;

/* Makes the calling thread known; *thread NULL: there is no memory for it. False: it is inside this
 * call already, or in the library (see kinds/system/reserve.h). */
bool tbb_thread_enter(struct tbb_thread **thread);

/* Around what must not find the calling thread: see callout.h. */
void *tbb_thread_hide(void);
void tbb_thread_show(void *hidden);

/* Into and out of the library, the fast way. False: tbb_thread_enter(), then tbb_gate_enter(). */
static inline bool tbb_gate_try_but(struct tbb_thread *thread, unsigned but)
{
    if (unlikely(atomic_load_explicit(&thread->busy, memory_order_relaxed)))
        return false;
    atomic_store_explicit(&thread->busy, 1, memory_order_relaxed);
    /* tbb_gate_close() has a barrier for both, but the compiler's. */
    atomic_signal_fence(memory_order_seq_cst);
    if (likely(!(atomic_load_explicit(&tbb_gate, memory_order_relaxed) & ~but)))
        return true;
    atomic_store_explicit(&thread->busy, 0, memory_order_release);
    return false;
}

static inline bool tbb_gate_try(struct tbb_thread *thread)
{
    return tbb_gate_try_but(thread, 0);
}

static inline void tbb_gate_leave(struct tbb_thread *thread)
{
    atomic_store_explicit(&thread->busy,
                          atomic_load_explicit(&thread->busy, memory_order_relaxed) - 1,
                          memory_order_release);
}

/* The same, waiting while the gate is closed; also from a function of the page layer. */
void tbb_gate_enter(struct tbb_thread *thread);

/* Around whatever the library calls back: other heaps can be used meanwhile. */
void tbb_gate_outside(unsigned *saved);
void tbb_gate_inside(unsigned saved);

/* Closes the gate and waits until no thread is inside. Called with tbb_lock. */
void tbb_gate_close(void);
void tbb_gate_open(void);

/* No thread's exit runs in between. False: one takes too long. */
bool tbb_exits_stop(void);
/* The same without waiting. False: an exit runs, or another thread wants none to run. */
bool tbb_exits_try_stop(void);
void tbb_exits_resume(void);

/* Runs `create` in such a way that thread exits go through thread.c before they reach the pool.
 * *key: the pool's. Called with tbb_lock. */
int tbb_thread_make_pool(int (*create)(void *argument), void *argument, pthread_key_t *key);
/* In the child of a fork: no thread has a part of this pool any more. Called with tbb_lock. */
void tbb_thread_forget_pool(pthread_key_t key);

/* Sum over all threads. Called with tbb_lock. */
struct tbb_count tbb_thread_count(unsigned slot);
/* Called with tbb_lock, for a slot that no thread uses. */
void tbb_thread_clear(unsigned slot);
void tbb_thread_await_exits(void);
void tbb_thread_prefork(void);
void tbb_thread_postfork_parent(void);
void tbb_thread_postfork_child(void);

/* --- block.c ---------------------------------------------------------------------------------- */

void *tbb_malloc(struct heap *heap, size_t size);
void *tbb_calloc(struct heap *heap, size_t size);
void *tbb_aligned_alloc(struct heap *heap, size_t alignment, size_t size);
void *tbb_realloc(struct heap *heap, void *block, size_t size);
void tbb_free(struct heap *heap, void *block);
void *tbb_malloc_looking(struct heap *heap, size_t size);
void tbb_free_looking(struct heap *heap, void *block);
extern bool (*tbb_foreign)(void *block) HIDDEN; /* heap_manager.foreign */
size_t tbb_usable_size(const void *block);
struct heap *tbb_detect(const void *block);
void *tbb_defrag(void *block);

/* Frees what other threads could not free, if the calling one can. `wait`: all of it, also what
 * another one is at; called without locks. */
void tbb_free_orphans(bool wait);

/* --- stats.c ---------------------------------------------------------------------------------- */

int tbb_update_stats(void);
int tbb_stat(struct heap *heap, memkind_stat_type type, size_t *value);
int tbb_stats_print(void (*write)(void *opaque, const char *text), void *opaque,
                    memkind_stat_print_opt options);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see full.h. */
#include "check/full.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/queue.h>

#include "check/block_table.h"
#include "check/red_zone.h"
#include "check/report.h"
#include "check/thread.h"
#include "kinds/system/callbacks.h"
#include "kinds/system/callout.h"
#include "kinds/system/guard.h"
#include "kinds/system/object_pool.h"
#include "kinds/system/reserve.h"

#define HELD_MOST ((size_t)16 << 20) /* bytes of freed blocks that are held, in all */
#define TRIES_MOST 32                /* to allocate, while other threads free */

/* One heap; guarded by lock. */
struct checked_heap {
    LIST_ENTRY(checked_heap) entry;
    struct heap *heap;
    /* Bytes of blocks as the heap manager counts them, those that are held included; as the program
     * does. */
    size_t taken, live;
    size_t told_taken, told_live; /* when statistics were updated */
    size_t leaks, leaked;         /* blocks, bytes */
    const struct block *largest;
};

static const struct heap_manager *base;
static struct heap_manager table;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(, checked_heap) heaps;
static struct object_pool heap_objects = {.size = sizeof(struct checked_heap)};

/* Held while memory goes back: a kind is not destroyed beside that. A custom kind's unmap() may
 * come back here meanwhile. */
static pthread_mutex_t returning = PTHREAD_MUTEX_INITIALIZER;

static struct checked_heap *checked(const struct heap *heap)
{
    return heap->check;
}

/* Pages that this process has in common with its parent, who goes on using them. */
static bool is_inherited(const struct block *block)
{
    return block->process != block_table_process() && pool_is_shared(&block->facts.heap->pages);
}

/* --- looking at blocks; with the lock --------------------------------------------------------- */

static void look_at_zones(const struct block *block, const struct trace *now)
{
    const char *damage = red_zone_damage(block->facts.address, block->facts.size);

    if (damage)
        report_misuse(damage < block->facts.address ? MISUSE_UNDERFLOW : MISUSE_OVERFLOW, damage,
                      &block->facts, now);
}

static void look_at_freed(const struct block *block)
{
    const char *damage = red_zone_damage_freed(block->facts.address, block->facts.size);

    if (damage)
        report_misuse(MISUSE_WRITE_AFTER_FREE, damage, &block->facts, NULL);
    else
        look_at_zones(block, NULL);
}

/* --- memory goes back ------------------------------------------------------------------------- */

/* False: nothing can go back now. In a custom kind's functions a free does nothing. */
static bool returning_begin(bool wait)
{
    if (check_thread.returning || callout_is_on() || (!wait && pthread_mutex_trylock(&returning)))
        return false;
    if (wait)
        pthread_mutex_lock(&returning);
    check_thread.returning = true;
    return true;
}

static void returning_end(void)
{
    check_thread.returning = false;
    pthread_mutex_unlock(&returning);
}

/* One block, the oldest of the heap or of all, while more than so many bytes are held. Returns what
 * it took; 0: there is none. */
static size_t return_one(const struct heap *heap, size_t most)
{
    struct block *block;
    size_t taken = 0;
    struct heap *owner = NULL;
    void *outer = NULL;

    pthread_mutex_lock(&lock);
    block = block_table_held() > most ? block_table_oldest(heap) : NULL;
    if (block) {
        owner = block->facts.heap;
        outer = block->outer;
        taken = block->taken;
        if (!is_inherited(block)) {
            look_at_freed(block);
            checked(owner)->taken -= taken;
        }
        block_table_gone(block);
    }
    pthread_mutex_unlock(&lock);
    if (block)
        base->free(owner, outer);
    return taken;
}

/* What is held now, and no more: other threads may free as fast as this one gives back, and a block
 * that is wanted meanwhile would wait for them. False: nothing is. */
static bool return_held(void)
{
    size_t left, taken = 1;
    bool any;

    pthread_mutex_lock(&lock);
    left = block_table_held();
    pthread_mutex_unlock(&lock);
    for (any = left != 0; left && taken; left -= taken < left ? taken : left)
        taken = return_one(NULL, 0);
    return any;
}

/* --- allocation ------------------------------------------------------------------------------- */

struct request {
    struct heap *heap;
    size_t alignment; /* 0: what is usual */
    size_t size;
    bool zero;
};

static size_t front_of(const struct request *request)
{
    return request->alignment > RED_ZONE ? request->alignment : RED_ZONE;
}

static void *take(const struct request *request, size_t room)
{
    if (request->alignment)
        return base->aligned_alloc(request->heap, request->alignment, room);
    return request->zero ? base->calloc(request->heap, room) : base->malloc(request->heap, room);
}

/* Freed blocks that are held give way, those of other threads, too: what these free meanwhile is
 * held again. */
static void *take_or_return(const struct request *request, size_t room)
{
    void *outer = take(request, room);
    bool returned = true;

    for (int tries = 0; !outer && returned && tries < TRIES_MOST; tries++) {
        if (!returning_begin(true))
            return NULL;
        returned = return_held();
        returning_end();
        outer = take(request, room);
    }
    return outer;
}

static void *enter_block(const struct request *request, void *outer, size_t room)
{
    const struct block_facts facts = {
        .heap = request->heap, .address = (char *)outer + front_of(request), .size = request->size};
    size_t taken = base->usable_size(outer);
    struct block *block;
    struct trace now;

    red_zone_fill(facts.address, facts.size);
    trace_take(&now);
    pthread_mutex_lock(&lock);
    block = block_table_new();
    if (block) {
        block->facts = facts;
        block->facts.allocated = now;
        block->outer = outer;
        block->room = room;
        block->taken = taken;
        if (block_table_add(block)) {
            checked(request->heap)->taken += taken;
            checked(request->heap)->live += facts.size;
        } else {
            block = NULL;
        }
    }
    pthread_mutex_unlock(&lock);
    if (block)
        return facts.address;
    base->free(request->heap, outer);
    return heap_out_of_memory();
}

static void *allocate_guarded(const struct request *request)
{
    size_t room = front_of(request) + request->size + RED_ZONE;
    int error = errno;
    void *outer, *block;

    if (room < request->size || room > PTRDIFF_MAX)
        return heap_out_of_memory();
    outer = take_or_return(request, room);
    if (!outer)
        return heap_out_of_memory();
    /* For a call that came back into the library: such blocks are not freed. */
    block = reserve_owns(outer) ? outer : enter_block(request, outer, room);
    if (block)
        errno = error;
    return block;
}

static void *allocate(const struct request *request)
{
    struct guard guard;
    void *block;

    guard_enter(&guard);
    block = allocate_guarded(request);
    guard_leave(&guard);
    return block;
}

static void *full_malloc(struct heap *heap, size_t size)
{
    return allocate(&(struct request){.heap = heap, .size = size});
}

static void *full_calloc(struct heap *heap, size_t size)
{
    return allocate(&(struct request){.heap = heap, .size = size, .zero = true});
}

static void *full_aligned_alloc(struct heap *heap, size_t alignment, size_t size)
{
    return allocate(&(struct request){.heap = heap, .alignment = alignment, .size = size});
}

/* --- deallocation ----------------------------------------------------------------------------- */

/* With the lock. Why this is no live block. */
static void report_no_block(const void *address, const struct trace *now)
{
    const struct block *block = block_table_find(address);

    if (block) {
        report_misuse(MISUSE_DOUBLE_FREE, address, &block->facts, now);
        return;
    }
    block = block_table_search(address);
    report_misuse(block ? MISUSE_INTERIOR_FREE : MISUSE_FOREIGN_FREE, address,
                  block ? &block->facts : NULL, now);
}

/* With the lock. The live block that a program frees; NULL: it is none, which is told. */
static struct block *find_live(const void *address, const struct trace *now)
{
    struct block *block = block_table_find(address);

    if (block && block->state == BLOCK_LIVE)
        return block;
    if (!reserve_owns(address))
        report_no_block(address, now);
    return NULL;
}

/* With the lock. */
static void hold(struct block *block, const struct trace *now)
{
    look_at_zones(block, now);
    checked(block->facts.heap)->live -= block->facts.size;
    block->facts.freed = *now;
    red_zone_fill(block->facts.address, block->facts.size);
    red_zone_fill_freed(block->facts.address, block->facts.size);
    block_table_hold(block);
}

static void free_guarded(const struct heap *heap, void *address)
{
    struct block *block;
    struct trace now;

    trace_take(&now);
    pthread_mutex_lock(&lock);
    block = find_live(address, &now);
    if (block && heap && heap != block->facts.heap)
        report_misuse(MISUSE_WRONG_KIND, address, &block->facts, &now);
    if (block && !is_inherited(block))
        hold(block, &now);
    pthread_mutex_unlock(&lock);
    if (!returning_begin(false))
        return;
    while (return_one(NULL, HELD_MOST))
        ;
    returning_end();
}

static void full_free(struct heap *heap, void *address)
{
    struct guard guard;
    int error = errno;

    guard_enter(&guard);
    free_guarded(heap, address);
    guard_leave(&guard);
    errno = error;
}

/* --- reallocation ----------------------------------------------------------------------------- */

/* Always another block: who goes on using the old one is found out. */
static void *realloc_guarded(void *address, size_t size)
{
    struct request request = {.size = size};
    struct block *block;
    struct trace now;
    size_t old_size = 0;
    void *moved;

    trace_take(&now);
    pthread_mutex_lock(&lock);
    block = find_live(address, &now);
    if (block) {
        request.heap = block->facts.heap;
        old_size = block->facts.size;
    }
    pthread_mutex_unlock(&lock);
    if (!block) {
        errno = EINVAL;
        return NULL;
    }
    moved = allocate_guarded(&request);
    if (!moved)
        return NULL;
    memcpy(moved, address, old_size < size ? old_size : size);
    free_guarded(NULL, address);
    return moved;
}

static void *full_realloc(struct heap *heap, void *address, size_t size)
{
    struct guard guard;
    void *moved;

    (void)heap;
    guard_enter(&guard);
    moved = realloc_guarded(address, size);
    guard_leave(&guard);
    return moved;
}

static void *full_defrag(void *address)
{
    callbacks->log("MEMKIND_CHECK=2: %p stays where it is", address);
    errno = ENOTSUP;
    return NULL;
}

/* --- questions -------------------------------------------------------------------------------- */

static struct block_facts facts_of(const void *address)
{
    struct block_facts facts = {.heap = NULL};
    const struct block *block;
    struct guard guard;

    guard_enter(&guard);
    pthread_mutex_lock(&lock);
    block = block_table_find(address);
    if (block && block->state == BLOCK_LIVE)
        facts = block->facts;
    pthread_mutex_unlock(&lock);
    guard_leave(&guard);
    return facts;
}

static size_t full_usable_size(const void *address)
{
    return facts_of(address).size;
}

static struct heap *full_detect(const void *address)
{
    return facts_of(address).heap;
}

static int full_update_stats(void)
{
    int error = base->update_stats();
    struct checked_heap *heap;

    pthread_mutex_lock(&lock);
    LIST_FOREACH (heap, &heaps, entry) {
        heap->told_taken = heap->taken;
        heap->told_live = heap->live;
    }
    pthread_mutex_unlock(&lock);
    return error;
}

/* What the program has, not what its blocks lie in. */
static int full_stat(struct heap *heap, memkind_stat_type type, size_t *value)
{
    int error = base->stat(heap, type, value);
    const struct checked_heap *each;
    size_t taken = 0, live = 0;

    if (error || type != MEMKIND_STAT_TYPE_ALLOCATED)
        return error;
    pthread_mutex_lock(&lock);
    LIST_FOREACH (each, &heaps, entry)
        if (!heap || each->heap == heap) {
            taken += each->told_taken;
            live += each->told_live;
        }
    pthread_mutex_unlock(&lock);
    *value = (*value > taken ? *value - taken : 0) + live;
    return 0;
}

/* --- heaps ------------------------------------------------------------------------------------ */

static int full_heap_create(struct heap *heap)
{
    int error = base->heap_create(heap);
    struct checked_heap *made;

    if (error)
        return error;
    pthread_mutex_lock(&lock);
    made = object_pool_get(&heap_objects);
    if (made) {
        *made = (struct checked_heap){.heap = heap};
        LIST_INSERT_HEAD(&heaps, made, entry);
    }
    pthread_mutex_unlock(&lock);
    heap->check = made;
    if (made)
        return 0;
    return base->heap_destroy(heap) ? MEMKIND_ERROR_OPERATION_FAILED : MEMKIND_ERROR_MALLOC;
}

/* With the lock. */
static void forget(struct checked_heap *heap)
{
    block_table_forget(heap->heap);
    LIST_REMOVE(heap, entry);
    object_pool_put(&heap_objects, heap);
}

static void look_at_live(void *context, struct block *block)
{
    if (block->facts.heap == context && block->state == BLOCK_LIVE && !is_inherited(block))
        look_at_zones(block, NULL);
}

static int full_heap_destroy(struct heap *heap)
{
    bool began = returning_begin(true);
    int error;

    while (return_one(heap, 0))
        ;
    pthread_mutex_lock(&lock);
    block_table_visit(look_at_live, heap);
    pthread_mutex_unlock(&lock);
    if (began)
        returning_end();
    error = base->heap_destroy(heap);
    if (!error) {
        pthread_mutex_lock(&lock);
        forget(checked(heap));
        pthread_mutex_unlock(&lock);
    }
    return error;
}

/* --- the end of the process ------------------------------------------------------------------- */

static void look_at_rest(void *context, struct block *block)
{
    struct checked_heap *heap = checked(block->facts.heap);

    (void)context;
    if (block->process != block_table_process() || block->state == BLOCK_GONE)
        return;
    if (block->state == BLOCK_HELD) {
        look_at_freed(block);
        return;
    }
    look_at_zones(block, NULL);
    heap->leaks++;
    heap->leaked += block->facts.size;
    if (!heap->largest || block->facts.size > heap->largest->facts.size)
        heap->largest = block;
}

/* After the program's own destructors, which may free blocks. */
__attribute__((destructor)) static void tell_leaks(void)
{
    struct checked_heap *heap;
    struct guard guard;

    if (!base)
        return;
    guard_enter(&guard);
    pthread_mutex_lock(&lock);
    block_table_visit(look_at_rest, NULL);
    LIST_FOREACH (heap, &heaps, entry)
        if (heap->largest)
            report_leak(heap->leaks, heap->leaked, &heap->largest->facts);
    pthread_mutex_unlock(&lock);
    guard_leave(&guard);
}

/* --- fork ------------------------------------------------------------------------------------- */

static bool returning_taken; /* by the fork; guarded by that lock */

static void full_prefork(void)
{
    bool began = returning_begin(true);

    base->prefork();
    pthread_mutex_lock(&lock);
    returning_taken = began;
}

static void settle(void)
{
    bool began = returning_taken;

    pthread_mutex_unlock(&lock);
    if (began)
        returning_end();
}

static void full_postfork_parent(void)
{
    base->postfork_parent();
    settle();
}

/* A heap that another thread was destroying is complete, or has lost all it had. */
static void full_postfork_child(void)
{
    struct checked_heap *heap, *next;

    base->postfork_child();
    block_table_forked();
    for (heap = LIST_FIRST(&heaps); heap; heap = next) {
        next = LIST_NEXT(heap, entry);
        if (!heap->heap->state)
            forget(heap);
        else if (pool_is_shared(&heap->heap->pages))
            heap->taken = heap->live = 0;
    }
    settle();
}

const struct heap_manager *full_over(const struct heap_manager *under)
{
    base = under;
    table = *under;
    table.countdown = NULL; /* all come */
    table.heap_create = full_heap_create;
    table.heap_destroy = full_heap_destroy;
    table.malloc = full_malloc;
    table.calloc = full_calloc;
    table.aligned_alloc = full_aligned_alloc;
    table.realloc = full_realloc;
    table.free = full_free;
    table.tells_wrong_kinds = true;
    table.usable_size = full_usable_size;
    table.detect = full_detect;
    table.defrag = full_defrag;
    table.update_stats = full_update_stats;
    table.stat = full_stat;
    table.prefork = full_prefork;
    table.postfork_parent = full_postfork_parent;
    table.postfork_child = full_postfork_child;
    return &table;
}

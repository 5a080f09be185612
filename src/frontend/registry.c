/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see registry.h. */
#include "frontend/registry.h"

#include <memkind.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "frontend/export.h"
#include "frontend/log.h"
#include "frontend/managers.h"
#include "kinds/machine/facts.h"
#include "kinds/system/stack.h"

#define KINDS (MEMKIND_NUM_BASE_KIND + MEMKIND_MAX_KIND)

static struct memkind table[KINDS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned closing; /* how many threads close a pool; guarded by lock */

#define STATIC_KIND(NAME) EXPORT memkind_t MEMKIND_##NAME = &table[MEMKIND_PARTITION_##NAME]

STATIC_KIND(DEFAULT);
STATIC_KIND(REGULAR);
STATIC_KIND(INTERLEAVE);
STATIC_KIND(HUGETLB);
STATIC_KIND(GBTLB);
STATIC_KIND(HBW);
STATIC_KIND(HBW_HUGETLB);
STATIC_KIND(HBW_GBTLB);
STATIC_KIND(HBW_ALL);
STATIC_KIND(HBW_ALL_HUGETLB);
STATIC_KIND(HBW_PREFERRED);
STATIC_KIND(HBW_PREFERRED_HUGETLB);
STATIC_KIND(HBW_PREFERRED_GBTLB);
STATIC_KIND(HBW_INTERLEAVE);
STATIC_KIND(DAX_KMEM);
STATIC_KIND(DAX_KMEM_ALL);
STATIC_KIND(DAX_KMEM_PREFERRED);
STATIC_KIND(DAX_KMEM_INTERLEAVE);
STATIC_KIND(HIGHEST_CAPACITY);
STATIC_KIND(HIGHEST_CAPACITY_PREFERRED);
STATIC_KIND(HIGHEST_CAPACITY_LOCAL);
STATIC_KIND(HIGHEST_CAPACITY_LOCAL_PREFERRED);
STATIC_KIND(LOWEST_LATENCY_LOCAL);
STATIC_KIND(LOWEST_LATENCY_LOCAL_PREFERRED);
STATIC_KIND(HIGHEST_BANDWIDTH_LOCAL);
STATIC_KIND(HIGHEST_BANDWIDTH_LOCAL_PREFERRED);

/* Index of the handle in the table, -1 for any other address. */
static ptrdiff_t index_of(memkind_t kind)
{
    uintptr_t offset = (uintptr_t)kind - (uintptr_t)table;

    if (offset >= sizeof table || offset % sizeof table[0])
        return -1;
    return (ptrdiff_t)(offset / sizeof table[0]);
}

static bool is_static(memkind_t kind)
{
    ptrdiff_t index = index_of(kind);

    return index >= 0 && index < MEMKIND_NUM_BASE_KIND;
}

memkind_t registry_static(int partition)
{
    return &table[partition];
}

const struct page_kind *registry_row(memkind_t kind)
{
    if (is_static(kind))
        return &page_kind_static[index_of(kind)];
    return index_of(kind) >= 0 && registry_is_ready(kind) ? kind->heap.pages.kind : NULL;
}

static void log_failure(const struct page_setup *setup, const char *what, int error)
{
    char why[NODE_ANSWER_WHY];

    memkind_error_message(error, why, sizeof why);
    log_debug("%s: %s (page source %s): %s", setup->kind->name, what, setup->source->name, why);
}

/* Called with the lock. On failure the entry is as before. */
static int give_heap(memkind_t kind, const struct page_setup *setup)
{
    int error;

    memset(&kind->heap, 0, sizeof kind->heap);
    error = pool_open(&kind->heap.pages, setup);
    if (error) {
        log_failure(setup, "cannot open its pages", error);
        return error;
    }
    error = managers_get()->heap_create(&kind->heap);
    if (error) {
        pool_close(&kind->heap.pages);
        log_failure(setup, "cannot create its heap", error);
        return error;
    }
    atomic_store_explicit(&kind->state, KIND_READY, memory_order_release);
    return 0;
}

static int prepare(memkind_t kind, const struct page_kind *row)
{
    struct page_setup setup;
    char why[NODE_ANSWER_WHY];
    int error;

    error = page_kind_check(row, why, sizeof why);
    if (error) {
        log_debug("%s is unavailable: %s", row->name, why);
        return error;
    }
    pthread_mutex_lock(&lock);
    if (!registry_is_ready(kind)) {
        log_debug("%s, first use: nodes by %s, policy %s, pages of %zu KiB", row->name, why,
                  page_kind_policy_name(row),
                  (row->page_size ? row->page_size : os_page_size()) >> 10);
        setup = pool_setup(row);
        error = give_heap(kind, &setup);
    }
    pthread_mutex_unlock(&lock);
    return error;
}

struct preparation {
    memkind_t kind;
    const struct page_kind *row;
    int error;
};

static void prepare_on_stack(void *argument)
{
    struct preparation *preparation = argument;

    facts_begin(FACTS_OUTSIDE);
    preparation->error = prepare(preparation->kind, preparation->row);
    facts_end(FACTS_OUTSIDE);
}

int registry_prepare(memkind_t kind)
{
    struct preparation preparation = {kind, registry_row(kind), 0};

    if (!preparation.row)
        return MEMKIND_ERROR_INVALID;
    if (!registry_is_ready(kind))
        stack_run(prepare_on_stack, &preparation);
    return preparation.error;
}

int registry_create(const struct page_setup *setup, memkind_t *kind)
{
    int error = MEMKIND_ERROR_TOOMANY;

    pthread_mutex_lock(&lock);
    for (int i = MEMKIND_NUM_BASE_KIND; i < KINDS; i++) {
        if (atomic_load_explicit(&table[i].state, memory_order_acquire) != KIND_NEW)
            continue;
        atomic_store_explicit(&table[i].zero_allocs, false, memory_order_relaxed);
        atomic_store_explicit(&table[i].tiered, 0, memory_order_relaxed);
        error = give_heap(&table[i], setup);
        if (!error)
            *kind = &table[i];
        break;
    }
    pthread_mutex_unlock(&lock);
    if (error == MEMKIND_ERROR_TOOMANY)
        log_debug("no more than %d created kinds can be alive at once", MEMKIND_MAX_KIND);
    log_debug("kind %s %s", setup->kind->name, error ? "is not created" : "is created");
    return error;
}

/* Makes a live created kind the calling thread's alone. */
static bool claim(memkind_t kind)
{
    enum kind_state ready = KIND_READY;

    return index_of(kind) >= MEMKIND_NUM_BASE_KIND &&
           atomic_compare_exchange_strong(&kind->state, &ready, KIND_GOING);
}

static void close_claimed(memkind_t kind)
{
    pthread_mutex_lock(&lock);
    closing++;
    pthread_mutex_unlock(&lock);
    pool_close(&kind->heap.pages);
    pthread_mutex_lock(&lock);
    closing--;
    atomic_store_explicit(&kind->state, KIND_NEW, memory_order_release);
    pthread_mutex_unlock(&lock);
}

int registry_destroy(memkind_t kind)
{
    const char *name;
    int error;

    if (is_static(kind)) {
        log_debug("kind %s is static and is not destroyed", registry_row(kind)->name);
        return MEMKIND_SUCCESS;
    }
    if (!claim(kind))
        return MEMKIND_ERROR_INVALID;
    name = kind->heap.pages.kind->name;
    error = managers_get()->heap_destroy(&kind->heap);
    log_debug("kind %s %s", name, error ? "cannot be destroyed" : "is destroyed");
    if (error)
        atomic_store_explicit(&kind->state, KIND_READY, memory_order_release);
    else
        close_claimed(kind);
    return error;
}

void registry_prefork(void)
{
    pthread_mutex_lock(&lock);
    while (closing) {
        pthread_mutex_unlock(&lock);
        os_yield();
        pthread_mutex_lock(&lock);
    }
}

/* The child has no thread that would complete a destruction. Called with the lock. */
static void complete(memkind_t kind)
{
    enum kind_state state = KIND_READY; /* it has not begun */

    if (!kind->heap.state) {
        pool_close(&kind->heap.pages);
        state = KIND_NEW;
    }
    atomic_store_explicit(&kind->state, state, memory_order_release);
}

void registry_postfork(bool child)
{
    for (int i = MEMKIND_NUM_BASE_KIND; child && i < KINDS; i++)
        if (atomic_load_explicit(&table[i].state, memory_order_relaxed) == KIND_GOING)
            complete(&table[i]);
    pthread_mutex_unlock(&lock);
}

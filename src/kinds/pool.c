/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see pool.h. */
#include "kinds/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>

#include "kinds/host.h"
#include "kinds/topology.h"

/* --- regions: who maps what ---------------------------------------------------------------------
 */

struct page_region {
    struct page_region *next;
    void *address;
    size_t size;
};

#define RECORDS_SIZE ((size_t)64 << 10) /* records come from mappings of this size */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct page_region *unused_records; /* guarded by lock; never given back */

static struct page_region *record_take(void)
{
    struct page_region *record;

    pthread_mutex_lock(&lock);
    if (!unused_records) {
        struct page_region *fresh = os_map(RECORDS_SIZE, os_page_size());

        for (size_t i = 0; fresh && i < RECORDS_SIZE / sizeof *fresh; i++) {
            fresh[i].next = unused_records;
            unused_records = &fresh[i];
        }
    }
    record = unused_records;
    if (record)
        unused_records = record->next;
    pthread_mutex_unlock(&lock);
    return record;
}

static void record_list_add(struct page_region **list, struct page_region *record)
{
    pthread_mutex_lock(&lock);
    record->next = *list;
    *list = record;
    pthread_mutex_unlock(&lock);
}

/* --- pools --------------------------------------------------------------------------------------
 */

void pool_open(struct page_pool *pool, const struct page_kind *kind)
{
    pool->kind = kind;
    pool->source = kind->page_size ? &page_source_hugetlb : &page_source_anonymous;
    pool->domains = page_kind_domains(kind);
    pool->regions = NULL;
}

void pool_close(struct page_pool *pool)
{
    struct page_region *region = pool->regions;

    pool->regions = NULL;
    while (region) {
        struct page_region *next = region->next;

        pool->source->unmap(pool, region->address, region->size);
        record_list_add(&unused_records, region);
        region = next;
    }
}

/* The domains of a pool are the nodes with CPUs, counted from the lowest. */
unsigned pool_domain(const struct page_pool *pool)
{
    const struct nodemask *with_cpu;
    unsigned node, domain = 0;

    if (pool->domains == 1)
        return 0;
    with_cpu = &topology_get()->with_cpu;
    node = os_current_node();
    for (int at = nodemask_next(with_cpu, 0); at >= 0 && (unsigned)at < node;
         at = nodemask_next(with_cpu, (unsigned)at + 1))
        domain++;
    return domain < pool->domains ? domain : 0;
}

/* The node with CPUs that stands for a domain. */
static unsigned domain_node(const struct page_pool *pool, unsigned domain)
{
    const struct nodemask *with_cpu = &topology_get()->with_cpu;
    int node;

    if (pool->domains == 1)
        return os_current_node();
    node = nodemask_next(with_cpu, 0);
    while (domain-- && node >= 0)
        node = nodemask_next(with_cpu, (unsigned)node + 1);
    return node < 0 ? 0 : (unsigned)node;
}

void *pool_map(struct page_pool *pool, unsigned domain, size_t size, size_t alignment)
{
    size_t granule = pool->source->granule(pool);
    size_t rounded = (size + granule - 1) & ~(granule - 1);
    struct node_answer answer;
    struct os_policy policy;
    struct page_region *record;

    if (rounded < size ||
        page_kind_policy(pool->kind, domain_node(pool, domain), &answer, &policy)) {
        errno = ENOMEM;
        return NULL;
    }
    record = record_take();
    if (!record) {
        errno = ENOMEM;
        return NULL;
    }
    record->size = rounded;
    record->address =
        pool->source->map(pool, &policy, rounded, alignment > granule ? alignment : granule);
    if (!record->address) {
        host->log("%s: no region of %zu bytes to be had", pool->kind->name, rounded);
        record_list_add(&unused_records, record);
        errno = ENOMEM;
        return NULL;
    }
    record_list_add(&pool->regions, record);
    return record->address;
}

bool pool_unmap(struct page_pool *pool, void *address, size_t size)
{
    struct page_region **link, *region;

    pthread_mutex_lock(&lock);
    for (link = &pool->regions; (region = *link) != NULL; link = &region->next)
        if (region->address == address && region->size == size)
            break;
    if (region)
        *link = region->next;
    pthread_mutex_unlock(&lock);
    if (!region)
        return false;
    pool->source->unmap(pool, address, size);
    record_list_add(&unused_records, region);
    return true;
}

int pool_purge(struct page_pool *pool, void *address, size_t size)
{
    return pool->source->purge(pool, address, size);
}

bool pool_needs_commit(const struct page_pool *pool)
{
    return pool->source->commit != NULL;
}

int pool_commit(struct page_pool *pool, void *address, size_t size)
{
    return pool->source->commit ? pool->source->commit(pool, address, size) : 0;
}

size_t pool_granule(const struct page_pool *pool)
{
    return pool->source->granule(pool);
}

void pool_prefork(void)
{
    pthread_mutex_lock(&lock);
}

void pool_postfork(void)
{
    pthread_mutex_unlock(&lock);
}

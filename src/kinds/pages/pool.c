/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see pool.h. */
#include "kinds/pages/pool.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <limits.h>
#include <memkind.h>
#include <string.h>

#include "kinds/machine/facts.h"
#include "kinds/machine/topology.h"
#include "kinds/pages/range_allocator.h"
#include "kinds/system/callbacks.h"
#include "kinds/system/leftover.h"
#include "kinds/system/memory_cgroup.h"
#include "kinds/system/round.h"

#define STEP_MOST ((size_t)2 << 20)
#define STEP_LEAST ((size_t)64 << 10)
#define STEPS_PER_LIMIT 64
#define STEP_SHARE 16 /* beyond STEP_MOST, a step is this part of what is mapped, */
#define STEP_LARGEST ((size_t)32 << 20)     /* up to this */
#define PROMISED_UNASKED ((size_t)64 << 20) /* beside touching as much, asking costs nothing */
#define LEFT_OVER_SHARE 16                  /* of a region: what may be left over at its end */
#define SPARE_SHARE 2 /* of what is mapped: how much more than wanted may be mapped for that */

/* --- pools ------------------------------------------------------------------------------------ */

struct page_setup pool_setup(const struct page_kind *kind)
{
    struct page_setup setup = {
        .kind = kind, .source = kind->page_size ? &page_source_hugetlb : &page_source_anonymous};

    return setup;
}

int pool_open(struct page_pool *pool, const struct page_setup *setup)
{
    memset(pool, 0, sizeof *pool);
    pool->kind = setup->kind;
    pool->source = setup->source;
    pool->conservative = setup->conservative;
    pool->no_core_dump = setup->no_core_dump;
    if (setup->nodes) {
        pool->given_nodes = *setup->nodes;
        pool->given_kind = *setup->kind;
        pool->given_kind.given = &pool->given_nodes;
        pool->kind = &pool->given_kind;
    }
    facts_begin(FACTS_INSIDE);
    pool->domains = page_kind_domains(pool->kind);
    if (pool->domains > 1)
        pool->domain_nodes = topology_get()->with_cpu;
    facts_end(FACTS_INSIDE);
    page_regions_init(&pool->regions, pool, pool->kind->name);
    if (pool->kind->selector != SELECT_PROCESS)
        page_regions_track(&pool->regions);
    return pool->source->open ? pool->source->open(pool, setup->request) : 0;
}

void pool_close(struct page_pool *pool)
{
    struct page_region *region;

    commitment_end(&pool->commitment);
    page_regions_hide(&pool->regions);
    if (!pool->source->page_granular)
        LIST_FOREACH (region, &pool->regions.list, entry)
            if (pool->source->unmap(pool, region->start, region->size))
                leftover_unmap(region->start, region->size);
    if (pool->source->close)
        pool->source->close(pool);
    page_regions_drop(&pool->regions);
    leftover_retry();
}

unsigned pool_domain(const struct page_pool *pool)
{
    const struct nodemask *nodes = &pool->domain_nodes;
    unsigned node, domain = 0;

    if (pool->domains == 1)
        return 0;
    node = os_current_node();
    for (int at = nodemask_next(nodes, 0); at >= 0 && (unsigned)at < node;
         at = nodemask_next(nodes, (unsigned)at + 1))
        domain++;
    return domain < pool->domains ? domain : 0;
}

/* The node with CPUs that stands for a domain. */
static unsigned domain_node(const struct page_pool *pool, unsigned domain)
{
    int node;

    if (pool->domains == 1)
        return os_current_node();
    node = nodemask_next(&pool->domain_nodes, 0);
    while (domain-- && node >= 0)
        node = nodemask_next(&pool->domain_nodes, (unsigned)node + 1);
    return node < 0 ? 0 : (unsigned)node;
}

size_t pool_granule(const struct page_pool *pool)
{
    return pool->source->granule(pool);
}

/* The lower of two limits; 0 is none. */
static size_t lower(size_t a, size_t b)
{
    return a && (!b || a < b) ? a : b;
}

size_t pool_limit(const struct page_pool *pool)
{
    return lower(pool->source->limit ? pool->source->limit(pool) : 0,
                 atomic_load_explicit(&pool->limit, memory_order_relaxed));
}

void pool_set_limit(struct page_pool *pool, size_t limit)
{
    atomic_store_explicit(&pool->limit, limit, memory_order_relaxed);
}

static ssize_t source_capacity(const struct page_pool *pool)
{
    size_t limit = pool->source->limit ? pool->source->limit(pool) : 0;

    if (limit)
        return (ssize_t)limit;
    return pool->source->capacity ? pool->source->capacity(pool) : page_kind_capacity(pool->kind);
}

ssize_t pool_capacity(const struct page_pool *pool)
{
    size_t limit = atomic_load_explicit(&pool->limit, memory_order_relaxed);
    ssize_t capacity = source_capacity(pool);

    return capacity < 0 ? capacity : (ssize_t)lower(limit, (size_t)capacity);
}

size_t pool_step(const struct page_pool *pool)
{
    size_t granule = pool_granule(pool), limit = pool_limit(pool), step = STEP_LEAST;

    if (!limit)
        return granule > STEP_MOST ? granule : STEP_MOST;
    while (step < STEP_MOST && step < limit / STEPS_PER_LIMIT)
        step *= 2;
    return step > granule ? step : granule;
}

/* Regions of such a pool do not join. One that is several times as large as what is wanted has less
 * left over; in a pool that has little, that would cost more than it saves. */
static size_t whole_region_size(const struct page_pool *pool, size_t size)
{
    size_t granule = pool_granule(pool), step = pool_step(pool);
    size_t least = round_up(size > step ? size : step, granule), best = least;
    size_t most = least + pool_mapped(pool) / SPARE_SHARE;

    for (size_t region = least; region <= most; region += granule) {
        if (region % size * (best / size) < best % size * (region / size))
            best = region;
        if (best % size <= best / LEFT_OVER_SHARE)
            break;
    }
    return best;
}

/* What a file without a limit reserves at a time: as much as it has. */
static size_t growing_step(const struct page_pool *pool)
{
    size_t mapped = pool_mapped(pool), step = STEP_LEAST;

    while ((step < STEP_MOST && step < mapped) ||
           (step < STEP_LARGEST && step < mapped / STEP_SHARE))
        step *= 2;
    return step;
}

size_t pool_region_size(const struct page_pool *pool, size_t size)
{
    size_t rounded = round_up(size, pool_granule(pool)), step;

    if (!pool->source->page_granular)
        return whole_region_size(pool, size);
    step = pool_limit(pool) ? pool_step(pool) : growing_step(pool);
    if (rounded >= step)
        return rounded;
    return rounded > step / LEFT_OVER_SHARE ? step - step % rounded : step;
}

void pool_reuse_begin(struct page_pool *pool)
{
    atomic_fetch_add_explicit(&pool->reusing, 1, memory_order_relaxed);
}

void pool_reuse_end(struct page_pool *pool)
{
    atomic_fetch_sub_explicit(&pool->reusing, 1, memory_order_relaxed);
}

bool pool_is_reusing(const struct page_pool *pool)
{
    return !pool->conservative && atomic_load_explicit(&pool->reusing, memory_order_relaxed);
}

size_t pool_give_back(struct page_pool *only)
{
    if (only)
        return only->source->give_back ? only->source->give_back(only, LONG_MAX) : 0;
    page_source_give_back(os_seconds() - POOL_REUSE_SECONDS);
    return 0;
}

size_t pool_kept(const struct page_pool *pool)
{
    return pool->source->kept ? pool->source->kept(pool) : 0;
}

bool pool_is_page_granular(const struct page_pool *pool)
{
    return pool->source->page_granular;
}

bool pool_is_demand_paged(const struct page_pool *pool)
{
    return pool->source->demand_paged;
}

bool pool_in_one_region(const void *a, const void *b, size_t size, bool *whole)
{
    const struct page_region *region = address_map_find(a);

    *whole = region && region->start == a && region->size == size;
    return region && region == address_map_find(b);
}

/* --- mapping ---------------------------------------------------------------------------------- */

bool pool_no_core_dump(const struct page_pool *pool, void *address, size_t size)
{
    return !pool->no_core_dump || os_no_core_dump(address, size) == 0;
}

static void *map_once(struct page_pool *pool, unsigned domain, const struct os_policy *policy,
                      size_t size, size_t alignment, bool *zeroed)
{
    size_t limit = atomic_load_explicit(&pool->limit, memory_order_relaxed);
    void *address = NULL;
    int error = 0;

    if (!page_regions_take(&pool->regions, size, limit))
        return NULL;
    address = pool->source->map(pool, policy, size, alignment, zeroed);
    if (address && !pool->source->page_granular)
        error = pool_no_core_dump(pool, address, size)
                    ? page_region_add(&pool->regions, domain, address, size, 0)
                    : MEMKIND_ERROR_MALLOC;
    /* What a live kind has already (a custom map() at fault) stays that kind's, and mapped. */
    if (error == MEMKIND_ERROR_MALLOC && pool->source->unmap(pool, address, size))
        leftover_unmap(address, size);
    if (!address || error) {
        page_regions_return(&pool->regions, size);
        return NULL;
    }
    return address;
}

/* Where pages for `domain` go now. A preference whose nodes have all gone is none any more: who has
 * such a kind goes on with any node. 0, or MEMKIND_ERROR_*. */
static int resolve(const struct page_pool *pool, unsigned domain, struct os_policy *policy)
{
    struct node_answer answer;
    int error = page_kind_policy(pool->kind, domain_node(pool, domain), &answer, policy);

    if (!error)
        return 0;
    callbacks->log("%s: %s", pool->kind->name, answer.why);
    return pool->kind->policy == PAGE_POLICY_PREFERRED ? 0 : error;
}

static bool is_watched(const struct page_pool *pool, const struct os_policy *policy)
{
    return pool->source->demand_paged && policy->mode == MPOL_BIND &&
           (commitment_watches(&policy->nodes) || memory_cgroup_is_limited());
}

bool pool_has_spare_addresses(const struct page_pool *pool, unsigned domain)
{
    struct os_policy policy;
    bool spare;

    if (!pool_is_demand_paged(pool) || pool_limit(pool))
        return false;
    facts_begin(FACTS_INSIDE);
    spare = resolve(pool, domain, &policy) == 0 && !is_watched(pool, &policy);
    facts_end(FACTS_INSIDE);
    return spare && os_addresses_are_free();
}

bool pool_may_promise(const struct page_pool *pool, size_t size)
{
    if (!pool_is_demand_paged(pool) || size < PROMISED_UNASKED || os_may_have(size))
        return true;
    callbacks->log("%s: %zu bytes at once are more than the system promises a process",
                   pool->kind->name, size);
    return false;
}

bool pool_has_room(const struct page_pool *pool, size_t size)
{
    size_t limit = atomic_load_explicit(&pool->limit, memory_order_relaxed);
    size_t rounded = round_up(size, pool_granule(pool)), mapped = pool_mapped(pool);

    if (limit && (rounded > limit || mapped > limit - rounded))
        return false;
    return !pool->source->has_room || pool->source->has_room(pool, size);
}

/* Whether a region for `domain` may be mapped, and with what policy. Memory bound to a part of the
 * nodes, or within a memory cgroup's limit, is only there as long as these have room
 * (commitment.h): if it is *watched, commitment_done() follows. */
static bool may_map(struct page_pool *pool, unsigned domain, size_t size, struct os_policy *policy,
                    bool *watched)
{
    const struct nodemask *nodes;
    bool well;

    facts_begin(FACTS_INSIDE);
    well = resolve(pool, domain, policy) == 0;
    *watched = false;
    if (well && is_watched(pool, policy)) {
        nodes = commitment_watches(&policy->nodes) ? &policy->nodes : NULL;
        well = *watched = commitment_make(&pool->commitment, &pool->regions, nodes, size);
    }
    facts_end(FACTS_INSIDE);
    return well;
}

void *pool_map(struct page_pool *pool, unsigned domain, size_t size, size_t alignment, bool *zeroed)
{
    size_t granule = pool_granule(pool);
    size_t rounded = round_up(size, granule);
    struct os_policy policy;
    void *address = NULL;
    bool watched;

    if (rounded < size) {
        errno = ENOMEM;
        return NULL;
    }
    if (alignment < granule)
        alignment = granule;
    if (may_map(pool, domain, rounded, &policy, &watched)) {
        address = map_once(pool, domain, &policy, rounded, alignment, zeroed);
        if (watched)
            commitment_done(&pool->commitment, rounded, address != NULL);
    }
    if (!address) {
        callbacks->log("%s: cannot map a region of %zu bytes", pool->kind->name, rounded);
        errno = ENOMEM;
    }
    return address;
}

bool pool_unmap(struct page_pool *pool, void *address, size_t size)
{
    struct page_region *region = NULL;
    int error;

    if (pool->source->page_granular) {
        const struct page_region *window = page_region_window(&pool->regions, address);

        if (!window || window->inherited)
            return window != NULL;
    } else if (!(region = page_region_detach(&pool->regions, address, size))) {
        return false;
    }
    error = pool->source->unmap(pool, address, size);
    if (error) {
        callbacks->log("%s: keeps %zu bytes at %p, which the system does not take back (%s)",
                       pool->kind->name, size, address, strerrordesc_np(error));
        if (region)
            page_region_attach(&pool->regions, region);
        return false;
    }
    page_regions_return(&pool->regions, size);
    if (region)
        page_region_drop(region);
    return true;
}

/* --- a machine that changes ------------------------------------------------------------------- */

/* What was found out last: neighbours in the list are mostly of one pool and domain. */
struct binding {
    const struct page_pool *pool;
    unsigned domain;
    struct os_policy policy;
};

static void bind_again(void *context, const struct page_region *region)
{
    struct binding *now = context;

    if (now->pool != region->pool || now->domain != region->domain) {
        *now = (struct binding){.pool = region->pool, .domain = region->domain};
        if (resolve(region->pool, region->domain, &now->policy))
            now->policy.mode = -1;
    }
    if (now->policy.mode >= 0)
        page_kind_bind(region->start, region->size, &now->policy);
}

void pool_follow_machine(void)
{
    struct binding now = {.pool = NULL};

    page_regions_visit(bind_again, &now);
}

int pool_purge(struct page_pool *pool, void *address, size_t size)
{
    int error = pool->source->purge ? pool->source->purge(pool, address, size) : ENOTSUP;

    if (!error && pool->source->demand_paged)
        commitment_purged(&pool->commitment, size);
    return error;
}

/* A kernel that cannot populate pages has none of these purged, see source_hugetlb.c. */
bool pool_needs_commit(const struct page_pool *pool)
{
    return pool->source->commit != NULL && os_can_populate();
}

int pool_commit(struct page_pool *pool, void *address, size_t size)
{
    return pool->source->commit ? pool->source->commit(pool, address, size) : 0;
}

size_t pool_mapped(const struct page_pool *pool)
{
    return page_regions_mapped(&pool->regions);
}

/* --- fork ------------------------------------------------------------------------------------- */

bool pool_is_shared(const struct page_pool *pool)
{
    return pool->source->forked != NULL;
}

void pool_copy_at_fork(struct page_pool *pool)
{
    if (pool->source->copy_at_fork)
        pool->source->copy_at_fork(pool);
}

void pool_forked(struct page_pool *pool)
{
    page_regions_inherit(&pool->regions);
    atomic_store_explicit(&pool->reusing, 0, memory_order_relaxed);
    pool->source->forked(pool);
}

void pool_prefork(void)
{
    commitment_prefork();
    page_source_prefork();
    page_region_prefork();
    range_allocator_prefork();
    leftover_prefork();
}

void pool_postfork(bool child)
{
    leftover_postfork();
    range_allocator_postfork();
    page_region_postfork();
    page_source_postfork(child);
    commitment_postfork(child);
    if (child)
        facts_forked();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see run_cache.h. */
#include "kinds/pages/run_cache.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>

#include "kinds/pages/address_map.h"
#include "kinds/pages/page_run.h"
#include "kinds/pages/pool.h"
#include "kinds/system/callbacks.h"
#include "kinds/system/os.h"
#include "kinds/system/round.h"

#define GROWTH_DIVISOR 8               /* a new region is this part of what the cache has, */
#define GROWTH_MOST ((size_t)32 << 20) /* up to this */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned forks; /* how many fork(2) lie between us and the first use */
static bool hogs;      /* written before the first cache is opened */

/* Not of a run that is a parent's: it has none. */
static struct run_cache *cache_of(const struct page_run *run)
{
    return (struct run_cache *)((char *)run->set - offsetof(struct run_cache, runs));
}

/* Changes and tells the number of a cache's runs that are about to be unmapped or purged. Those of
 * a parent's threads are lost to the child of a fork. */
static unsigned leaving_count(struct run_cache *cache, int change)
{
    if (cache->forks != forks)
        cache->leaving_count = 0;
    cache->forks = forks;
    return cache->leaving_count += (unsigned)change;
}

/* The run in use that starts there, if it is of this cache and this size. Called with the lock. */
static struct page_run *used_of(const struct run_cache *cache, const void *address, size_t size)
{
    struct page_run *run = page_run_used_at(address);

    return run && run->set == &cache->runs && run->size == size ? run : NULL;
}

/* --- taking and giving ------------------------------------------------------------------------ */

void run_cache_hog(void)
{
    hogs = true;
}

void run_cache_open(struct run_cache *cache, struct page_pool *pool, unsigned domain)
{
    *cache = (struct run_cache){.pool = pool, .domain = domain};
}

void run_cache_closing(struct run_cache *cache)
{
    cache->closing = true;
}

static struct page_run *take_free(struct run_cache *cache, size_t size)
{
    struct page_run *run;

    pthread_mutex_lock(&lock);
    run = page_run_find(&cache->runs, size);
    if (run)
        run = page_run_cut(run, size);
    pthread_mutex_unlock(&lock);
    return run;
}

/* A new region, of which the first `size` bytes are used. */
static struct page_run *take_region(struct run_cache *cache, size_t size, size_t region_size)
{
    struct page_pool *pool = cache->pool;
    struct page_run *region, *run = NULL;
    bool zeroed;
    char *address = pool_map(pool, cache->domain, region_size, page_run_unit(), &zeroed);

    if (!address)
        return NULL;
    pthread_mutex_lock(&lock);
    region = page_run_make(&cache->runs, address, region_size);
    if (region) {
        region->kept = pool_is_demand_paged(pool) ? 0 : region_size;
        region->zeroed = zeroed;
        page_run_enter(region, RUN_FREE);
        run = page_run_cut(region, size);
        if (!run) {
            page_run_leave(region);
            page_run_drop(region);
        }
    }
    pthread_mutex_unlock(&lock);
    if (!run && !pool_unmap(pool, address, region_size))
        (void)pool_purge(pool, address, region_size);
    return run;
}

/* The size of a region for a run: with `grows`, of one that serves some more. Of page-granular
 * pools a run is a region: what they have is limited. */
static size_t region_size(struct run_cache *cache, size_t size, bool grows)
{
    struct page_pool *pool = cache->pool;
    size_t granule = pool_granule(pool), most;

    if (pool_is_page_granular(pool))
        return size;
    if (grows && (!pool_is_demand_paged(pool) || pool_limit(pool)))
        size = pool_region_size(pool, size);
    if (grows && !pool->conservative) {
        pthread_mutex_lock(&lock);
        most = cache->runs.size / GROWTH_DIVISOR;
        pthread_mutex_unlock(&lock);
        if (most > GROWTH_MOST)
            most = GROWTH_MOST;
        if (size < most)
            size = most;
    }
    return round_up(size, granule);
}

static bool decay(long freed, const struct page_pool *only, size_t most);

/* Waits until no thread has free runs of the cache in its hands. Whether any had. */
static bool await_leaving(struct run_cache *cache)
{
    bool waited = false;

    pthread_mutex_lock(&lock);
    for (; leaving_count(cache, 0); waited = true) {
        pthread_mutex_unlock(&lock);
        os_yield();
        pthread_mutex_lock(&lock);
    }
    pthread_mutex_unlock(&lock);
    return waited;
}

/* Gives back what may make room for a run that is not to be had. False: there is nothing. A pool at
 * its own limit gains nothing from what others keep. */
static bool make_room(struct run_cache *cache, size_t size)
{
    size_t limit = pool_limit(cache->pool), mapped = limit ? pool_mapped(cache->pool) : 0;
    bool any;

    if (limit && size > limit)
        return false;
    pool_reuse_begin(cache->pool);
    any = decay(LONG_MAX, limit && mapped > limit - size ? cache->pool : NULL, SIZE_MAX);
    pool_reuse_end(cache->pool);
    return any || await_leaving(cache);
}

static struct page_run *take_new(struct run_cache *cache, size_t size)
{
    size_t exact = region_size(cache, size, false), grown = region_size(cache, size, true);
    struct page_run *run;

    if (exact < size || !pool_may_promise(cache->pool, exact))
        return NULL;
    do {
        run = grown > exact ? take_region(cache, size, grown) : NULL;
        if (!run)
            run = take_region(cache, size, exact);
        if (!run)
            run = take_free(cache, size); /* of what somebody else gave back */
    } while (!run && make_room(cache, size));
    return run;
}

/* Pages that were purged are made usable again; what this run held for the heap manager before is
 * forgotten. False: they are not to be had. */
static bool prepare(struct run_cache *cache, char *start, size_t size, bool purged)
{
    int error = purged ? pool_commit(cache->pool, start, size) : 0;

    address_map_clear_notes(start, size);
    if (error)
        callbacks->log("%s: cannot get pages again for %zu bytes that were purged (%s)",
                       cache->pool->kind->name, size, strerror(error));
    return !error;
}

void *run_cache_take(struct run_cache *cache, size_t *size, bool *zeroed)
{
    size_t unit = page_run_unit(), rounded = round_up(*size, unit);
    struct page_run *run = NULL;

    run_cache_decay(false);
    if (rounded >= *size && rounded >> ADDRESS_MAP_BITS == 0) {
        run = take_free(cache, rounded);
        if (!run)
            run = take_new(cache, rounded);
    }
    if (run && !prepare(cache, run->start, rounded, run->purged)) {
        run_cache_give(cache, run->start, rounded);
        run = NULL;
    }
    if (!run) {
        errno = ENOMEM;
        return NULL;
    }
    *size = rounded;
    *zeroed = run->zeroed && !run->kept;
    return run->start;
}

/* Files a run that is in no list any more as free from now on, or for long. Called with the lock.
 */
static void free_run(struct page_run *run, bool unused)
{
    bool at_once = (unused || cache_of(run)->pool->conservative) && !hogs;

    run->kept = run->size;
    run->freed = at_once ? RUN_AT_ONCE : os_seconds();
    page_run_age_add(at_once ? NULL : page_run_newest, run);
    page_run_free(run);
}

/* Does what is due, in pages of any cache: a step, or as much as the caller has given. */
static bool decay_due(size_t given)
{
    size_t most = given > POOL_PURGE_STEP ? given : POOL_PURGE_STEP;

    return !hogs && decay(os_seconds() - POOL_DECAY_SECONDS, NULL, most);
}

static bool give(struct run_cache *cache, void *address, size_t size, bool unused)
{
    struct page_run *run;

    pthread_mutex_lock(&lock);
    run = used_of(cache, address, size);
    if (run) {
        address_map_set_run(address, NULL);
        page_run_leave(run);
        free_run(run, unused);
    }
    pthread_mutex_unlock(&lock);
    return run != NULL;
}

bool run_cache_give(struct run_cache *cache, void *address, size_t size)
{
    bool done = give(cache, address, size, false);

    if (done && !cache->closing)
        decay_due(size);
    return done;
}

bool run_cache_give_unused(struct run_cache *cache, void *address, size_t size)
{
    return give(cache, address, size, true);
}

/* --- changing the size of a used run ---------------------------------------------------------- */

/* `purged`: what is cut off has to be committed before use. Called with the lock. */
static bool shrink(struct page_run *run, size_t size, bool purged)
{
    struct page_run *rest;

    page_run_leave(run);
    rest = page_run_split(run, size);
    page_run_enter(run, RUN_USED);
    if (rest) {
        rest->purged = purged;
        free_run(rest, false);
    }
    return rest != NULL;
}

/* Takes what is missing from the free run behind it. *purged: whether that has to be committed.
 * Called with the lock. */
static bool grow(struct page_run *run, size_t size, bool *purged)
{
    struct page_run *behind = run->behind;
    size_t more = size - run->size;

    if (!behind || behind->state != RUN_FREE || behind->size < more)
        return false;
    behind = page_run_cut(behind, more);
    if (!behind)
        return false;
    address_map_set_run(behind->start, NULL);
    *purged = behind->purged;
    page_run_leave(run);
    page_run_leave(behind);
    run->size = size;
    page_run_unlink(behind);
    page_run_drop(behind);
    page_run_enter(run, RUN_USED);
    return true;
}

bool run_cache_resize(struct run_cache *cache, void *address, size_t size, size_t *new_size)
{
    size_t unit = page_run_unit(), rounded = round_up(*new_size, unit);
    bool purged = false, done = false;
    struct page_run *run;

    if (rounded < *new_size || !rounded)
        return false;
    pthread_mutex_lock(&lock);
    run = used_of(cache, address, size);
    if (run && rounded != size)
        done = rounded < size ? shrink(run, rounded, false) : grow(run, rounded, &purged);
    else
        done = run != NULL;
    pthread_mutex_unlock(&lock);
    if (done && rounded > size && !prepare(cache, (char *)address + size, rounded - size, purged)) {
        pthread_mutex_lock(&lock);
        shrink(run, size, true);
        pthread_mutex_unlock(&lock);
        return false;
    }
    if (done)
        *new_size = rounded;
    return done;
}

size_t run_cache_size(const void *address)
{
    struct page_run *run;
    size_t size;

    pthread_mutex_lock(&lock);
    run = page_run_used_at(address);
    size = run ? run->size : 0;
    pthread_mutex_unlock(&lock);
    return size;
}

void run_cache_usage(struct run_cache *cache, size_t *used, size_t *kept)
{
    pthread_mutex_lock(&lock);
    *used = cache->runs.used_size;
    *kept = cache->runs.kept_size;
    pthread_mutex_unlock(&lock);
}

/* --- decay ------------------------------------------------------------------------------------ */

/* Called with the lock. */
static bool is_too_much(void)
{
    size_t bound = page_run_all_used / POOL_UNUSED_SHARE;

    return !hogs && page_run_all_kept > (bound > POOL_UNUSED_LEAST ? bound : POOL_UNUSED_LEAST);
}

/* Takes the runs that were freed in this second or before, and those that are too much, out of
 * reach, of all pools or of one, until they are so many bytes. */
static struct page_run *collect(long freed, const struct page_pool *only, size_t most)
{
    struct page_run *leaving = NULL, *newer;
    size_t bytes = 0;

    pthread_mutex_lock(&lock);
    for (struct page_run *run = page_run_oldest;
         run && bytes < most && (run->freed <= freed || is_too_much()); run = newer) {
        newer = run->newer;
        if (only && cache_of(run)->pool != only)
            continue;
        bytes += run->kept;
        page_run_leave(run);
        page_run_age_remove(run);
        leaving_count(cache_of(run), 1);
        page_run_enter(run, RUN_LEAVING);
        run->older = leaving;
        leaving = run;
    }
    pthread_mutex_unlock(&lock);
    return leaving;
}

/* Whether a run goes for good, and is not merely purged. If so, its neighbours do without it. */
static bool detach(struct page_run *run)
{
    bool goes;

    pthread_mutex_lock(&lock);
    goes = page_run_is_whole(run) || pool_is_page_granular(cache_of(run)->pool);
    if (goes && run->before)
        run->before->behind = NULL;
    if (goes && run->behind)
        run->behind->before = NULL;
    pthread_mutex_unlock(&lock);
    return goes;
}

/* False: the system does not take the pages, they are to be purged. */
static bool unmap_run(struct page_run *run)
{
    struct run_cache *cache = cache_of(run);

    if (!pool_unmap(cache->pool, run->start, run->size))
        return false;
    pthread_mutex_lock(&lock);
    page_run_leave(run);
    leaving_count(cache, -1);
    page_run_drop(run);
    pthread_mutex_unlock(&lock);
    return true;
}

/* Whether any pages go back. `again`: the run is tried once more when it has got old; likewise
 * where the system refuses what it does otherwise. */
static bool purge_run(struct page_run *run, bool again)
{
    struct run_cache *cache = cache_of(run);
    int error = pool_purge(cache->pool, run->start, run->size);
    bool any = !error && run->kept;

    pthread_mutex_lock(&lock);
    page_run_leave(run);
    leaving_count(cache, -1);
    if (!error) {
        run->kept = 0;
        run->zeroed = run->purged = true;
    }
    if (again || (error && error != ENOTSUP)) {
        run->freed = os_seconds();
        page_run_age_add(page_run_newest, run);
    }
    page_run_free(run);
    pthread_mutex_unlock(&lock);
    return any;
}

/* Whether anything goes back. */
static bool give_back(struct page_run *run)
{
    if (!detach(run))
        return purge_run(run, false);
    if (unmap_run(run))
        return true;
    /* Its former neighbours may be others' by now. */
    run->before = run->behind = NULL;
    return purge_run(run, true);
}

static bool decay(long freed, const struct page_pool *only, size_t most)
{
    struct page_run *leaving = collect(freed, only, most);
    bool any = false;

    while (leaving) {
        struct page_run *run = leaving;

        leaving = run->older;
        any |= give_back(run);
    }
    return any;
}

bool run_cache_decay(bool all)
{
    (void)pool_give_back(NULL);
    return all ? decay(LONG_MAX, NULL, SIZE_MAX) : decay_due(0);
}

size_t run_cache_trim(struct run_cache *cache)
{
    size_t used, before, after;

    run_cache_usage(cache, &used, &before);
    (void)decay(LONG_MAX, cache->pool, SIZE_MAX);
    run_cache_usage(cache, &used, &after);
    return pool_give_back(cache->pool) + (before > after ? before - after : 0);
}

/* --- the end, and fork ------------------------------------------------------------------------ */

/* Called with the lock. */
static void forget(struct page_run_list *list)
{
    struct page_run *run;

    while ((run = LIST_FIRST(list))) {
        if (run->state == RUN_USED)
            address_map_set_run(run->start, NULL);
        page_run_leave(run);
        page_run_age_remove(run);
        page_run_drop(run);
    }
}

/* Called with the lock. */
static void forget_all(struct run_cache *cache)
{
    forget(&cache->runs.used);
    forget(&cache->runs.leaving);
    for (unsigned bin = 0; bin < PAGE_RUN_BINS; bin++)
        forget(&cache->runs.bins[bin]);
}

void run_cache_close(struct run_cache *cache)
{
    (void)await_leaving(cache);
    pthread_mutex_lock(&lock);
    forget_all(cache);
    pthread_mutex_unlock(&lock);
}

void run_cache_forked(struct run_cache *cache)
{
    struct page_run *run;

    pthread_mutex_lock(&lock);
    while ((run = LIST_FIRST(&cache->runs.used))) {
        page_run_leave(run);
        run->set = NULL;
    }
    forget_all(cache);
    pthread_mutex_unlock(&lock);
}

void run_cache_prefork(void)
{
    pthread_mutex_lock(&lock);
}

void run_cache_postfork(bool child)
{
    if (child)
        forks++;
    pthread_mutex_unlock(&lock);
}

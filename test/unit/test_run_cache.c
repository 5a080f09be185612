/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * test_run_cache: runs of pages are cut out of regions, joined, kept and given back; for a pool of
 * whole regions and for a page-granular one.
 */
#include "support.h"

#include <errno.h>
#include <sys/mman.h>

#include "kinds/pages/pool.h"
#include "kinds/pages/run_cache.h"
#include "kinds/pages/source_fixed.h"

#define RUN page_run_unit()
#define AREA (64 * MIB)
#define POOLS 2

static struct page_pool pools[POOLS]; /* DEFAULT; a fixed area */
static struct run_cache caches[POOLS];

static void open_all(bool conservative)
{
    void *area = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const struct source_fixed_request request = {.address = area, .size = AREA};
    struct page_setup setups[POOLS] = {
        pool_setup(&page_kind_static[MEMKIND_PARTITION_DEFAULT]),
        {.kind = &page_kind_fixed, .source = &page_source_fixed, .request = &request}};

    cr_assert_neq(area, MAP_FAILED);
    for (int i = 0; i < POOLS; i++) {
        setups[i].conservative = conservative;
        cr_assert_eq(pool_open(&pools[i], &setups[i]), 0);
        run_cache_open(&caches[i], &pools[i], 0);
    }
}

static void open_usual(void)
{
    test_bare();
    open_all(false);
}

static void close_all(void)
{
    for (int i = 0; i < POOLS; i++) {
        run_cache_close(&caches[i]);
        pool_close(&pools[i]);
    }
}

TestSuite(run_cache, .init = open_usual, .fini = close_all, .timeout = 60);
TestSuite(run_cache_other, .init = test_bare, .timeout = 60);

static void *take(struct run_cache *cache, size_t size)
{
    size_t taken = size;
    bool zeroed;
    char *run = run_cache_take(cache, &taken, &zeroed);

    cr_assert(run, "%zu bytes", size);
    cr_expect_eq(taken, (size + RUN - 1) / RUN * RUN);
    cr_expect_eq((uintptr_t)run % RUN, 0);
    cr_expect(!zeroed || test_is_zero(run, size));
    test_fill(run, size, 1);
    return run;
}

static void expect_usage(struct run_cache *cache, size_t used, size_t kept)
{
    size_t now_used, now_kept;

    run_cache_usage(cache, &now_used, &now_kept);
    cr_expect_eq(now_used, used, "%zu bytes used", now_used);
    cr_expect_eq(now_kept, kept, "%zu bytes kept", now_kept);
}

static bool is_backed(void *page)
{
    unsigned char resident = 0;

    return mincore(page, 4096, &resident) == 0 && (resident & 1);
}

Test(run_cache, runs_share_a_region)
{
    char *first = take(&caches[0], MIB), *second = take(&caches[0], 512 * KIB - 5);

    cr_expect_eq(second, first + MIB);
    cr_expect_eq(pool_mapped(&pools[0]), 2 * MIB);
    expect_usage(&caches[0], MIB + 512 * KIB, 0);
}

Test(run_cache, runs_are_used_again)
{
    for (int i = 0; i < POOLS; i++) {
        char *run = take(&caches[i], 4 * MIB);

        cr_expect(run_cache_give(&caches[i], run, 4 * MIB));
        expect_usage(&caches[i], 0, 4 * MIB);
        cr_expect_eq(take(&caches[i], MIB), run);
        cr_expect_eq(take(&caches[i], 3 * MIB), run + MIB);
        expect_usage(&caches[i], 4 * MIB, 0);
        cr_expect_eq(pool_mapped(&pools[i]), 4 * MIB);
    }
}

/* In any order: with the one before, with the one behind, with both. */
Test(run_cache, neighbours_join)
{
    static const int orders[][3] = {{0, 1, 2}, {2, 1, 0}, {0, 2, 1}, {1, 0, 2}};

    for (int i = 0; i < POOLS; i++) {
        for (size_t order = 0; order < sizeof orders / sizeof orders[0]; order++) {
            char *whole = take(&caches[i], 6 * MIB), *parts[3];

            cr_expect(run_cache_give(&caches[i], whole, 6 * MIB));
            for (int part = 0; part < 3; part++)
                cr_expect_eq(parts[part] = take(&caches[i], 2 * MIB), whole + part * 2 * MIB);
            for (int part = 0; part < 3; part++)
                cr_expect(run_cache_give(&caches[i], parts[orders[order][part]], 2 * MIB));
            cr_expect_eq(take(&caches[i], 6 * MIB), whole);
            cr_expect(run_cache_give(&caches[i], whole, 6 * MIB));
        }
    }
}

Test(run_cache, the_best_fit_is_taken)
{
    char *runs[5];

    for (int i = 0; i < 5; i++)
        runs[i] = take(&caches[1], (size_t)(5 - i) * MIB);
    for (int i = 0; i < 5; i += 2)
        cr_expect(run_cache_give(&caches[1], runs[i], (size_t)(5 - i) * MIB));
    cr_expect_eq(take(&caches[1], 2 * MIB), runs[2], "of 5, 3 and 1 MiB");
}

Test(run_cache, decay_unmaps_what_is_whole)
{
    for (int i = 0; i < POOLS; i++) {
        void *run = take(&caches[i], 4 * MIB);

        cr_expect(run_cache_give(&caches[i], run, 4 * MIB));
        test_jump(5);
        cr_expect(!run_cache_decay(false), "after five seconds");
        test_jump(6);
        cr_expect(run_cache_decay(false), "after eleven seconds");
        expect_usage(&caches[i], 0, 0);
        cr_expect_eq(pool_mapped(&pools[i]), 0);
    }
}

/* It has been free for long already, inside the heap manager: no call has to wait for it. */
Test(run_cache, what_is_unused_goes_with_the_next_step)
{
    for (int i = 0; i < POOLS; i++) {
        void *run = take(&caches[i], 4 * MIB), *other = take(&caches[i], 4 * MIB);

        cr_expect(!run_cache_give_unused(&caches[i], run, 2 * MIB), "there is no such run");
        cr_expect(run_cache_give_unused(&caches[i], run, 4 * MIB));
        expect_usage(&caches[i], 4 * MIB, 4 * MIB);
        cr_expect(run_cache_decay(false));
        expect_usage(&caches[i], 4 * MIB, 0);
        cr_expect(run_cache_give(&caches[i], other, 4 * MIB));
        cr_expect(!run_cache_decay(false), "another one");
    }
}

/* Its neighbour is used: its pages go back, and read as zeroes afterwards. */
Test(run_cache, decay_purges_what_is_not)
{
    size_t size = MIB;
    bool zeroed = false;
    char *low = take(&caches[0], MIB), *high = take(&caches[0], MIB);

    cr_expect_eq(high, low + MIB);
    cr_expect(run_cache_give(&caches[0], low, MIB));
    expect_usage(&caches[0], MIB, MIB);
    test_jump(11);
    cr_expect(run_cache_decay(false));
    expect_usage(&caches[0], MIB, 0);
    cr_expect(!is_backed(low) && is_backed(high));
    cr_expect(test_holds(high, MIB, 1));
    cr_expect(!run_cache_decay(true), "there is nothing more to give");
    cr_expect_eq(run_cache_take(&caches[0], &size, &zeroed), low);
    cr_expect(zeroed && test_is_zero(low, MIB));
    cr_expect(run_cache_give(&caches[0], low, MIB));
    cr_expect(run_cache_give(&caches[0], high, MIB));
    cr_expect(run_cache_decay(true));
    cr_expect_eq(pool_mapped(&pools[0]), 0);
}

/* Purged first, free as a whole then. */
Test(run_cache, purged_parts_make_a_whole)
{
    char *low = take(&caches[0], MIB), *high = take(&caches[0], MIB);

    cr_expect(run_cache_give(&caches[0], low, MIB));
    cr_expect(run_cache_decay(true));
    cr_expect(run_cache_give(&caches[0], high, MIB));
    test_jump(11);
    cr_expect(run_cache_decay(false));
    cr_expect_eq(pool_mapped(&pools[0]), 0);
}

/* Of what is free, no more is kept than POOL_UNUSED_LEAST, or than a quarter of what is used; what
 * has been free for longest goes first. */
Test(run_cache, what_is_too_much_goes_back)
{
    enum { RUNS = 12 };
    const size_t run = 8 * MIB;
    void *runs[RUNS];

    for (int i = 0; i < RUNS; i++)
        runs[i] = take(&caches[0], run);
    for (int i = 0; i < RUNS; i++)
        cr_expect(run_cache_give(&caches[0], runs[i], run));
    expect_usage(&caches[0], 0, POOL_UNUSED_LEAST);
    for (int i = RUNS - (int)(POOL_UNUSED_LEAST / run); i < RUNS; i++)
        cr_expect(is_backed(runs[i]), "%d", i);
}

Test(run_cache, more_is_kept_where_more_is_used)
{
    size_t used = 5 * POOL_UNUSED_LEAST, kept = POOL_UNUSED_LEAST / 4 * 5, taken = used;
    bool zeroed;
    void *runs[2];

    cr_assert_not_null(run_cache_take(&caches[0], &taken, &zeroed)); /* not touched */
    for (int i = 0; i < 2; i++)
        runs[i] = take(&caches[0], kept / 2);
    for (int i = 0; i < 2; i++)
        cr_expect(run_cache_give(&caches[0], runs[i], kept / 2));
    expect_usage(&caches[0], used, kept);
}

/* Nobody pays for all that is due at once. */
Test(run_cache, a_call_gives_back_a_step)
{
    const size_t run = POOL_PURGE_STEP / 2;
    void *runs[6];

    for (int i = 0; i < 6; i++)
        runs[i] = take(&caches[0], run);
    for (int i = 0; i < 6; i++)
        cr_expect(run_cache_give(&caches[0], runs[i], run));
    test_jump(11);
    for (size_t left = 3 * POOL_PURGE_STEP; left; left -= POOL_PURGE_STEP) {
        expect_usage(&caches[0], 0, left);
        cr_expect(run_cache_decay(false));
    }
    expect_usage(&caches[0], 0, 0);
}

/* Small runs that come back all the time beside a large one do not keep that. */
Test(run_cache, the_larger_ones_age_counts)
{
    void *large = take(&caches[1], 8 * MIB), *small;

    cr_expect(run_cache_give(&caches[1], large, 8 * MIB));
    for (int second = 0; second < 11; second++) {
        test_jump(1);
        small = take(&caches[1], RUN);
        cr_expect(run_cache_give(&caches[1], small, RUN));
    }
    expect_usage(&caches[1], 0, RUN);
}

Test(run_cache, a_run_changes_its_size)
{
    for (int i = 0; i < POOLS; i++) {
        size_t size = 1 * MIB - 7;
        char *run = take(&caches[i], 4 * MIB), *rest;

        cr_expect(run_cache_resize(&caches[i], run, 4 * MIB, &size));
        cr_expect_eq(size, MIB);
        cr_expect_eq(run_cache_size(run), MIB);
        expect_usage(&caches[i], MIB, 3 * MIB);
        size = 3 * MIB;
        cr_expect(run_cache_resize(&caches[i], run, MIB, &size), "into what is free behind it");
        cr_expect_eq(run_cache_size(run), 3 * MIB);
        rest = take(&caches[i], MIB);
        cr_expect_eq(rest, run + 3 * MIB);
        size = 3 * MIB + 1;
        cr_expect(!run_cache_resize(&caches[i], run, 3 * MIB, &size), "nothing is free there");
        cr_expect(!run_cache_resize(&caches[i], rest + MIB, MIB, &size), "no run");
        size = SIZE_MAX;
        cr_expect(!run_cache_resize(&caches[i], run, 3 * MIB, &size));
        cr_expect_eq(run_cache_size(run), 3 * MIB);
        cr_expect(run_cache_give(&caches[i], rest, MIB));
        cr_expect(run_cache_give(&caches[i], run, 3 * MIB));
        expect_usage(&caches[i], 0, 4 * MIB);
    }
}

static int commits, commit_error;

static int commit(struct page_pool *pool, void *address, size_t size)
{
    (void)pool;
    (void)address;
    (void)size;
    commits++;
    return commit_error;
}

/* Pages that are not to be had again stay purged, and are asked for before the next use. */
Test(run_cache, a_run_cannot_grow_without_pages)
{
    struct page_source source = page_source_anonymous;
    size_t size = 2 * MIB;
    char *low, *high;

    source.commit = commit;
    pools[0].source = &source;
    low = take(&caches[0], MIB);
    high = take(&caches[0], MIB);
    cr_expect(run_cache_give(&caches[0], high, MIB));
    test_jump(30);
    cr_expect(run_cache_decay(false));
    commit_error = ENOMEM;
    cr_expect(!run_cache_resize(&caches[0], low, MIB, &size));
    cr_expect_eq(run_cache_size(low), MIB);
    commit_error = 0;
    commits = 0;
    cr_expect_eq(take(&caches[0], MIB), high);
    cr_expect_eq(commits, 1, "not committed");
    cr_expect(run_cache_give(&caches[0], high, MIB));
    cr_expect(run_cache_resize(&caches[0], low, MIB, &size));
    cr_expect(run_cache_give(&caches[0], low, 2 * MIB));
    pools[0].source = &page_source_anonymous;
}

/* Three huge pages; since Linux 6.9 those that are purged would stay reserved for a mapping that
 * has reserved them. */
static char *map_huge(int flags)
{
    void *address = mmap(NULL, 6 * MIB, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | 21 << 26 | flags, -1, 0);

    cr_assert_neq(address, MAP_FAILED);
    return address;
}

/* A piece is purged whose neighbours share its first and last huge page: they are used again, but
 * their pages are not back yet, and then nobody has any. */
Test(run_cache_other, pages_that_are_gone_are_not_zeroed, .fini = test_pool_restore)
{
    struct page_setup setup = pool_setup(&page_kind_static[MEMKIND_PARTITION_HUGETLB]);
    char *region, *others;

    test_pool_set(2 * MIB, 3);
    cr_assert_eq(pool_open(&pools[0], &setup), 0);
    if (!pool_needs_commit(&pools[0]))
        test_skip("the kernel cannot populate pages");
    region = map_huge(MAP_NORESERVE);
    others = map_huge(MAP_POPULATE);
    cr_expect_neq(pool_purge(&pools[0], region + MIB, 4 * MIB), 0);
    munmap(others, 6 * MIB);
    cr_expect_eq(pool_purge(&pools[0], region + MIB, 4 * MIB), 0);
    cr_expect(test_is_zero(region + MIB, 4 * MIB));
    munmap(region, 6 * MIB);
}

/* A full pool takes what lies in caches in other sizes. */
Test(run_cache, a_full_pool_empties_it)
{
    void *runs[8];
    size_t more = AREA;
    bool zeroed;

    for (int i = 0; i < 8; i++)
        runs[i] = take(&caches[1], AREA / 8);
    errno = 0;
    cr_expect_null(run_cache_take(&caches[1], &more, &zeroed));
    cr_expect_eq(errno, ENOMEM);
    for (int i = 0; i < 8; i++)
        cr_expect(run_cache_give(&caches[1], runs[i], AREA / 8));
    cr_expect_not_null(take(&caches[1], AREA));
}

/* The others keep what they have: it would be of no use. */
Test(run_cache, a_pool_at_its_limit_empties_no_other)
{
    size_t most = AREA, more = AREA + RUN;
    bool zeroed;

    cr_expect(run_cache_give(&caches[0], take(&caches[0], 4 * MIB), 4 * MIB));
    cr_expect(run_cache_give(&caches[1], take(&caches[1], MIB), MIB));
    cr_expect_null(run_cache_take(&caches[1], &more, &zeroed));
    expect_usage(&caches[1], 0, MIB);
    take(&caches[1], MIB);
    cr_expect_null(run_cache_take(&caches[1], &most, &zeroed));
    expect_usage(&caches[0], 0, 4 * MIB);
}

Test(run_cache, sizes_nobody_has)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 4095, (size_t)PTRDIFF_MAX + 1, PTRDIFF_MAX,
                                   (size_t)1 << 50};

    for (int i = 0; i < POOLS; i++) {
        for (size_t j = 0; j < sizeof sizes / sizeof sizes[0]; j++) {
            size_t size = sizes[j];
            bool zeroed;

            errno = 0;
            cr_expect_null(run_cache_take(&caches[i], &size, &zeroed));
            cr_expect_eq(errno, ENOMEM);
        }
        expect_usage(&caches[i], 0, 0);
    }
}

/* Nobody's runs: other caches', wrong addresses, wrong sizes, given back already. */
Test(run_cache, strange_runs_are_refused)
{
    for (int i = 0; i < POOLS; i++) {
        char *run = take(&caches[i], 4 * MIB), inside;

        cr_expect(!run_cache_give(&caches[!i], run, 4 * MIB));
        cr_expect(!run_cache_give(&caches[i], run, 2 * MIB));
        cr_expect(!run_cache_give(&caches[i], run + MIB, 3 * MIB));
        cr_expect(!run_cache_give(&caches[i], &inside, 4 * MIB));
        cr_expect(!run_cache_give(&caches[i], (void *)UINTPTR_MAX, 4 * MIB));
        cr_expect(!run_cache_give(&caches[i], NULL, 4 * MIB));
        cr_expect_eq(run_cache_size(run), 4 * MIB);
        cr_expect_eq(run_cache_size(run + 1), 0);
        cr_expect_eq(run_cache_size(run + MIB), 0);
        expect_usage(&caches[i], 4 * MIB, 0);
        cr_expect(run_cache_give(&caches[i], run, 4 * MIB));
        cr_expect(!run_cache_give(&caches[i], run, 4 * MIB));
        cr_expect_eq(run_cache_size(run), 0);
    }
}

/* --- what is the same in any order of calls --------------------------------------------------- */

#define LIVE 200

/* Content is whole, sums are right, and in the end nothing is left. */
Test(run_cache, any_order)
{
    static struct {
        char *run;
        size_t size;
    } live[LIVE];
    unsigned random = 1;

    for (int i = 0; i < POOLS; i++) {
        size_t used = 0;

        for (int step = 0; step < 20000; step++) {
            unsigned slot = (random = random * 1664525 + 1013904223) >> 8 & 0xffff;
            size_t size = RUN * (1 + (random >> 16) % 24);
            bool zeroed;

            slot %= LIVE;
            if (step % 1000 == 0)
                test_jump(6);
            if (!live[slot].run) {
                live[slot].run = run_cache_take(&caches[i], &size, &zeroed);
                if (!live[slot].run)
                    continue;
                cr_assert(!zeroed || test_is_zero(live[slot].run, 64));
                live[slot].size = size;
                test_fill(live[slot].run, 64, slot);
                test_fill(live[slot].run + size - 64, 64, slot);
                used += size;
                continue;
            }
            cr_assert(test_holds(live[slot].run, 64, slot));
            cr_assert(test_holds(live[slot].run + live[slot].size - 64, 64, slot));
            cr_assert(run_cache_give(&caches[i], live[slot].run, live[slot].size));
            used -= live[slot].size;
            live[slot].run = NULL;
        }
        expect_usage(&caches[i], used, caches[i].runs.kept_size);
        for (int slot = 0; slot < LIVE; slot++) {
            if (live[slot].run)
                cr_assert(run_cache_give(&caches[i], live[slot].run, live[slot].size));
            live[slot].run = NULL;
        }
        while (run_cache_decay(true))
            ;
        expect_usage(&caches[i], 0, 0);
        cr_expect_eq(pool_mapped(&pools[i]), 0);
    }
}

/* --- the other settings ----------------------------------------------------------------------- */

Test(run_cache_other, conservative_pools_give_back_at_once)
{
    char *low, *high;

    open_all(true);
    for (int i = 0; i < POOLS; i++) {
        void *run = take(&caches[i], 4 * MIB);

        cr_expect(run_cache_give(&caches[i], run, 4 * MIB));
        expect_usage(&caches[i], 0, 0);
        cr_expect_eq(pool_mapped(&pools[i]), 0);
    }
    low = take(&caches[0], MIB);
    high = take(&caches[0], MIB);
    cr_expect(run_cache_give(&caches[0], low, MIB));
    cr_expect(!is_backed(low) && is_backed(high));
    close_all();
}

static void hog(bool conservative)
{
    run_cache_hog();
    open_all(conservative);
    for (int i = 0; i < POOLS; i++) {
        void *run = take(&caches[i], 4 * MIB);

        cr_expect(run_cache_give(&caches[i], run, 4 * MIB));
        test_jump(100000);
        cr_expect(!run_cache_decay(false));
        expect_usage(&caches[i], 0, 4 * MIB);
        cr_expect(run_cache_decay(true), "what another pool needs");
        expect_usage(&caches[i], 0, 0);
    }
    close_all();
}

Test(run_cache_other, a_hog_keeps_all)
{
    hog(false);
}

Test(run_cache_other, a_hog_keeps_all_of_conservative_pools)
{
    hog(true);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * round: one plan, from the first use of the library to the end of the process.
 *
 * What belongs to the round (the environment, which kinds all threads use) is drawn from the plan's
 * seed. At the end all threads are gone, the weather is good, and nothing may be left.
 */
#include "torture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct round the_round;

static struct worker workers[THREADS_MOST];

/* --- what the round begins with --------------------------------------------------------------- */

static void set_environment(const struct plan *plan, uint64_t random)
{
    offline_set_environment();
    if (random % 8 == 0)
        setenv("MEMKIND_HOG_MEMORY", "1", 1);
    if ((random >> 8) % 8 == 0)
        setenv("MEMKIND_ARENA_NUM_PER_KIND", "1", 1);
    if ((random >> 16) % 4 == 0)
        setenv("MEMKIND_BACKGROUND_THREAD_LIMIT", "2", 1);
    /* Each line that it tells reads /proc/self/maps, which is long if there are all the mappings
     * that there can be. */
    if ((random >> 24) % 8 == 0 && !HAS(plan, FAULT_MAPS))
        setenv("MEMKIND_CHECK", "2", 1);
    the_round.is_tbb =
        getenv("MEMKIND_HEAP_MANAGER") && strcmp(getenv("MEMKIND_HEAP_MANAGER"), "TBB") == 0;
}

/* Static kinds need no call: the library's first use is then some thread's. Each machine has these,
 * with the variables above. */
static void make_static(struct subject *subject, uint64_t random)
{
    static const struct recipe recipe[] = {
        {.name = "REGULAR", .variable = &MEMKIND_REGULAR},
        {.name = "INTERLEAVE", .variable = &MEMKIND_INTERLEAVE},
        {.name = "HBW", .variable = &MEMKIND_HBW},
        {.name = "HBW_ALL", .variable = &MEMKIND_HBW_ALL},
        {.name = "HBW_PREFERRED", .variable = &MEMKIND_HBW_PREFERRED},
        {.name = "HBW_INTERLEAVE", .variable = &MEMKIND_HBW_INTERLEAVE},
        {.name = "DAX_KMEM", .variable = &MEMKIND_DAX_KMEM},
        {.name = "DAX_KMEM_PREFERRED", .variable = &MEMKIND_DAX_KMEM_PREFERRED},
        {.name = "HIGHEST_CAPACITY", .variable = &MEMKIND_HIGHEST_CAPACITY},
        {.name = "HIGHEST_CAPACITY_LOCAL", .variable = &MEMKIND_HIGHEST_CAPACITY_LOCAL},
        {.name = "HUGETLB", .variable = &MEMKIND_HUGETLB, .page_size = 2 * MIB},
    };
    static const struct recipe usual = {.name = "DEFAULT", .variable = &MEMKIND_DEFAULT};

    subject_make(subject, random ? &recipe[random % LENGTH(recipe)] : &usual);
}

/* Kinds that all threads use: the first one is DEFAULT, others are static or created ones. */
static void make_shared(uint64_t random)
{
    bool only_static = random % 2;

    make_static(&the_round.shared[0], 0);
    for (unsigned i = 1; i < SHARED; i++) {
        uint64_t drawn = mix(random, i);

        if (only_static || drawn % 2)
            make_static(&the_round.shared[i], drawn | 1);
        else
            subject_make(&the_round.shared[i], guest_recipe(drawn >> 8));
    }
    if (!only_static)
        the_round.tiers = tiers_make(random >> 16);
}

static int count_descriptors(void)
{
    int count = 0;

    for (int file = 0; file < 256; file++)
        count += fcntl(file, F_GETFD) >= 0;
    return count;
}

/* --- threads ---------------------------------------------------------------------------------- */

static void *work(void *argument)
{
    struct worker *worker = argument;
    const struct plan *plan = worker->plan;

    for (unsigned i = 0; i < plan->operations; i++)
        if (!plan->left_out[worker->index][i])
            operation_run(worker, worker->index, i);
    if (mix(plan->seed, worker->index) % 2)
        worker_end(worker);
    return NULL;
}

static void run_threads(struct plan *plan)
{
    pthread_t threads[THREADS_MOST], weather;
    bool is_there[THREADS_MOST] = {false};
    bool changes = plan->faults & ((1u << FAULT_WEATHER_END) - 1);

    changes = changes && thread_start(&weather, 0, weather_thread, plan);
    for (unsigned i = 0; i < plan->threads; i++) {
        workers[i].plan = plan;
        workers[i].index = i;
        is_there[i] = thread_start(&threads[i], 0, work, &workers[i]);
        if (!is_there[i])
            work(&workers[i]);
    }
    for (unsigned i = 0; i < plan->threads; i++)
        if (is_there[i])
            pthread_join(threads[i], NULL);
    weather_over = true;
    if (changes)
        pthread_join(weather, NULL);
}

/* --- the end ---------------------------------------------------------------------------------- */

/* No thread runs, so figures are exact. */
static void check_statistics(const struct subject *subject)
{
    size_t value[MEMKIND_STAT_TYPE_MAX_VALUE];
    unsigned long mark = weather_mark();
    int code = memkind_update_cached_stats();

    MUST(!code || weather_allows(mark, false), "statistics: code %d at the end", code);
    if (code)
        return;
    for (int stat = 0; stat < MEMKIND_STAT_TYPE_MAX_VALUE; stat++)
        MUST(!memkind_get_stat(subject->made.kind, (memkind_stat_type)stat, &value[stat]),
             "statistics: no figure %d", stat);
    MUST(value[MEMKIND_STAT_TYPE_ALLOCATED] <= value[MEMKIND_STAT_TYPE_ACTIVE] &&
             value[MEMKIND_STAT_TYPE_ACTIVE] <= value[MEMKIND_STAT_TYPE_RESIDENT],
         "statistics: %s: %zu allocated, %zu active, %zu resident", subject_name(subject), value[2],
         value[1], value[0]);
    if (subject->made.recipe->sort != RECIPE_STATIC)
        MUST(value[MEMKIND_STAT_TYPE_ALLOCATED] == subject->live,
             "statistics: %s: %zu allocated, %zu are live", subject_name(subject), value[2],
             (size_t)subject->live);
}

static void end_subject(struct subject *subject)
{
    static struct worker nobody;

    if (!subject->alive)
        return;
    MUST(memtier_kind_allocated_size(subject->made.kind) == 0, "tiers: %zu bytes of %s are left",
         memtier_kind_allocated_size(subject->made.kind), subject_name(subject));
    MUST(subject->live == 0, "torture: %zu bytes of %s are not counted right",
         (size_t)subject->live, subject_name(subject));
    if (subject->made.recipe->sort != RECIPE_STATIC)
        subject_end(&nobody, subject);
}

void round_run(struct plan *plan)
{
    uint64_t random = mix(plan->seed, 55);
    int descriptors;

    set_environment(plan, random);
    process_register();
    descriptors = count_descriptors();
    weather_begin(plan);
    make_shared(random >> 8);
    run_threads(plan);

    for (size_t i = 0; i < SHARED; i++)
        if (the_round.shared[i].alive)
            check_statistics(&the_round.shared[i]);
    for (size_t i = 0; i < plan->threads; i++)
        worker_end(&workers[i]);
    mailbox_empty();
    memtier_delete_memtier_memory(the_round.tiers);
    for (size_t i = 0; i < SHARED; i++)
        end_subject(&the_round.shared[i]);
    memkind_set_bg_threads(false);
    process_check_canaries();
    if (!the_round.closes && !HAS(plan, FAULT_STDIO))
        MUST(count_descriptors() == descriptors, "descriptors: %d at the end, not %d",
             count_descriptors(), descriptors);
    atomic_fetch_add(&report->sequences, plan->threads);
    if (random % 3 == 0)
        exit(0);
    _exit(0);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see stats.h. */
#include "backend_jemalloc/stats.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

#include "backend_jemalloc/heap.h"
#include "backend_jemalloc/internal.h"
#include "backend_jemalloc/start.h"
#include "backend_jemalloc/thread.h"
#include "kinds/system/callbacks.h"

/* Bytes in threads' caches when the epoch was last advanced, by arena set and in all. jemalloc
 * takes these for allocated. Guarded by jem_lock. */
static size_t cached[JEM_SLOTS], cached_in_all;

int jem_update_stats(void)
{
    uint64_t epoch = 1;
    int error;

    if (jem_start() || !jem_tsd())
        return MEMKIND_ERROR_OPERATION_FAILED;
    if (jem_thread_enter())
        jem_thread_collect_all();
    pthread_mutex_lock(&jem_lock);
    error = je_mallctl("epoch", NULL, NULL, &epoch, sizeof epoch);
    if (!error)
        cached_in_all = jem_thread_cached(cached);
    pthread_mutex_unlock(&jem_lock);
    return error ? MEMKIND_ERROR_OPERATION_FAILED : 0;
}

static int read_size(const char *name, size_t *value)
{
    size_t size = sizeof *value;
    int error = je_mallctl(name, value, &size, NULL, 0);

    if (error == ENOENT) { /* the arena was made since the last epoch, when it held nothing */
        *value = 0;
        return 0;
    }
    if (error)
        callbacks->log("statistic %s: %s", name, strerrordesc_np(error));
    return error ? MEMKIND_ERROR_OPERATION_FAILED : 0;
}

/* Adds up to two of jemalloc's numbers of one arena. */
static int arena_stat(unsigned index, memkind_stat_type type, size_t *value)
{
    static const struct {
        const char *names[2];
        bool pages;
    } numbers[] = {
        [MEMKIND_STAT_TYPE_RESIDENT] = {{"resident", NULL}, false},
        [MEMKIND_STAT_TYPE_ACTIVE] = {{"pactive", NULL}, true},
        [MEMKIND_STAT_TYPE_ALLOCATED] = {{"small.allocated", "large.allocated"}, false},
    };

    for (int i = 0; i < 2 && numbers[type].names[i]; i++) {
        char name[64];
        size_t number;

        snprintf(name, sizeof name, "stats.arenas.%u.%s", index, numbers[type].names[i]);
        if (read_size(name, &number))
            return MEMKIND_ERROR_OPERATION_FAILED;
        *value += numbers[type].pages ? number * PAGE : number;
    }
    return 0;
}

/* Caches are read while their threads use them, so the figure is exact only when these are at rest.
 */
static size_t without(size_t allocated, size_t cached)
{
    return allocated > cached ? allocated - cached : 0;
}

static int global_stat(memkind_stat_type type, size_t *value)
{
    static const char *const whole[] = {
        [MEMKIND_STAT_TYPE_RESIDENT] = "stats.resident",
        [MEMKIND_STAT_TYPE_ACTIVE] = "stats.active",
        [MEMKIND_STAT_TYPE_ALLOCATED] = "stats.allocated",
    };
    int error = read_size(whole[type], value);

    if (type == MEMKIND_STAT_TYPE_ALLOCATED) {
        pthread_mutex_lock(&jem_lock);
        *value = without(*value, cached_in_all);
        pthread_mutex_unlock(&jem_lock);
    }
    return error;
}

int jem_stat(struct heap *heap, memkind_stat_type type, size_t *value)
{
    struct jem_heap *state;
    size_t in_caches = 0;
    int error = 0;

    if (jem_start() || !jem_tsd())
        return MEMKIND_ERROR_OPERATION_FAILED;
    if (!heap)
        return global_stat(type, value);
    *value = 0;
    state = heap->state;
    pthread_mutex_lock(&jem_lock);
    for (unsigned domain = 0; domain < state->domains && !error; domain++) {
        struct jem_arena_set *set =
            atomic_load_explicit(&state->sets[domain], memory_order_relaxed);

        for (struct jem_arena *arena = set ? set->arenas : NULL; arena && !error;
             arena = arena->next)
            error = arena_stat(arena->index, type, value);
        if (set && type == MEMKIND_STAT_TYPE_ALLOCATED)
            in_caches += cached[set->slot];
    }
    pthread_mutex_unlock(&jem_lock);
    *value = without(*value, in_caches);
    return error;
}

/* jemalloc takes its options as letters. */
int jem_stats_print(void (*write)(void *opaque, const char *text), void *opaque,
                    memkind_stat_print_opt options)
{
    static const struct {
        memkind_stat_print_opt option;
        char letter;
    } letters[] = {
        {MEMKIND_STAT_PRINT_JSON_FORMAT, 'J'},
        {MEMKIND_STAT_PRINT_OMIT_GENERAL, 'g'},
        {MEMKIND_STAT_PRINT_OMIT_MERGED_ARENA, 'm'},
        {MEMKIND_STAT_PRINT_OMIT_DESTROYED_MERGED_ARENA, 'd'},
        {MEMKIND_STAT_PRINT_OMIT_PER_ARENA, 'a'},
        {MEMKIND_STAT_PRINT_OMIT_PER_SIZE_CLASS_BINS, 'b'},
        {MEMKIND_STAT_PRINT_OMIT_PER_SIZE_CLASS_LARGE, 'l'},
        {MEMKIND_STAT_PRINT_OMIT_MUTEX, 'x'},
        {MEMKIND_STAT_PRINT_OMIT_EXTENT, 'e'},
    };
    char text[sizeof letters / sizeof letters[0] + 1] = "";
    size_t length = 0;

    if (jem_start() || !jem_tsd())
        return MEMKIND_ERROR_OPERATION_FAILED;
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
        if (options & letters[i].option)
            text[length++] = letters[i].letter;
    je_malloc_stats_print(write, opaque, text);
    return 0;
}

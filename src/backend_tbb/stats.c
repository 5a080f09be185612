/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/*
 * stats: what a heap holds, as threads count it and the page layer knows.
 *
 * Bytes of blocks are summed over the threads' counters when statistics are updated; they are exact
 * for every block whose allocation or free returned before. Active is the same in whole pages,
 * resident is what the run cache has for the heap, used or kept, and what the page layer keeps. The
 * library itself reports nothing: what memkind_stats_print() is asked for and is not known is
 * printed as not known.
 *
 * Threads: tbb_lock while heaps are walked; text is written without it, since the program's
 * function may call the library again.
 */
#include "backend_tbb/tbb.h"

#include <stdarg.h>
#include <stdio.h>

#include "kinds/system/os.h"
#include "kinds/system/round.h"

/* --- figures ---------------------------------------------------------------------------------- */

/* Called with tbb_lock. */
static void heap_update(unsigned slot)
{
    struct tbb_heap *state = &tbb_heaps[slot];
    struct tbb_count count = tbb_thread_count(slot);
    size_t used, kept, live = round_up(count.allocated - count.freed, os_page_size());

    tbb_heap_usage(state, &used, &kept);
    state->told[MEMKIND_STAT_TYPE_RESIDENT] = used + kept + pool_kept(&state->heap->pages);
    /* Whoever compares this with what is allocated looks for what defragmentation would mend. */
    state->told[MEMKIND_STAT_TYPE_ACTIVE] = live;
    state->told[MEMKIND_STAT_TYPE_ALLOCATED] = count.allocated - count.freed;
}

int tbb_update_stats(void)
{
    tbb_free_orphans(true);
    (void)tbb_give_back();
    for (unsigned slot = 0; slot < TBB_SLOTS; slot++) { /* others wait for one kind at a time */
        pthread_mutex_lock(&tbb_lock);
        if (tbb_heaps[slot].heap)
            heap_update(slot);
        pthread_mutex_unlock(&tbb_lock);
    }
    return 0;
}

int tbb_stat(struct heap *heap, memkind_stat_type type, size_t *value)
{
    *value = 0;
    pthread_mutex_lock(&tbb_lock);
    for (unsigned slot = 0; slot < TBB_SLOTS; slot++)
        if (tbb_heaps[slot].heap && (!heap || tbb_heaps[slot].heap == heap))
            *value += tbb_heaps[slot].told[type];
    pthread_mutex_unlock(&tbb_lock);
    return 0;
}

/* --- text ------------------------------------------------------------------------------------- */

struct printer {
    void (*write)(void *opaque, const char *text);
    void *opaque;
    bool json;
};

__attribute__((format(printf, 2, 3))) static void print(const struct printer *printer,
                                                        const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    printer->write(printer->opaque, text);
}

static void print_figures(const struct printer *printer, const char *name, const size_t *told)
{
    print(printer,
          printer->json ? "{\"name\":\"%s\",\"resident\":%zu,\"active\":%zu,\"allocated\":%zu}"
                        : "%-40s %14zu %14zu %14zu\n",
          name, told[MEMKIND_STAT_TYPE_RESIDENT], told[MEMKIND_STAT_TYPE_ACTIVE],
          told[MEMKIND_STAT_TYPE_ALLOCATED]);
}

/* Copies one heap's name and figures. False: no heap in this slot. */
static bool read_slot(unsigned slot, char *name, size_t size, size_t *told)
{
    struct tbb_heap *state = &tbb_heaps[slot];
    bool live;

    pthread_mutex_lock(&tbb_lock);
    live = state->heap != NULL;
    if (live) {
        snprintf(name, size, "%s", state->heap->pages.kind->name);
        for (int type = 0; type < MEMKIND_STAT_TYPE_MAX_VALUE; type++)
            told[type] = state->told[type];
    }
    pthread_mutex_unlock(&tbb_lock);
    return live;
}

static void print_kinds(const struct printer *printer)
{
    const char *comma = "";

    if (printer->json)
        print(printer, ",\"kinds\":[");
    for (unsigned slot = 0; slot < TBB_SLOTS; slot++) {
        size_t told[MEMKIND_STAT_TYPE_MAX_VALUE];
        char name[64];

        if (!read_slot(slot, name, sizeof name, told))
            continue;
        if (printer->json)
            print(printer, "%s", comma);
        print_figures(printer, name, told);
        comma = ",";
    }
    if (printer->json)
        print(printer, "]");
}

static void print_total(const struct printer *printer)
{
    size_t told[MEMKIND_STAT_TYPE_MAX_VALUE];

    for (int type = 0; type < MEMKIND_STAT_TYPE_MAX_VALUE; type++)
        tbb_stat(NULL, (memkind_stat_type)type, &told[type]);
    if (printer->json)
        print(printer, ",\"total\":");
    print_figures(printer, "all kinds", told);
}

/* What jemalloc would tell here. */
static void print_unknown(const struct printer *printer, memkind_stat_print_opt options)
{
    static const struct {
        memkind_stat_print_opt omit;
        const char *name;
    } unknown[] = {
        {MEMKIND_STAT_PRINT_OMIT_DESTROYED_MERGED_ARENA, "destroyed kinds"},
        {MEMKIND_STAT_PRINT_OMIT_PER_SIZE_CLASS_BINS, "size classes of small blocks"},
        {MEMKIND_STAT_PRINT_OMIT_PER_SIZE_CLASS_LARGE, "size classes of large blocks"},
        {MEMKIND_STAT_PRINT_OMIT_MUTEX, "locks"},
        {MEMKIND_STAT_PRINT_OMIT_EXTENT, "extents"},
    };
    const char *comma = "";

    if (printer->json)
        print(printer, ",\"not available\":[");
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        if (options & unknown[i].omit)
            continue;
        if (printer->json)
            print(printer, "%s\"%s\"", comma, unknown[i].name);
        else
            print(printer, "%s: not available from TBB\n", unknown[i].name);
        comma = ",";
    }
    if (printer->json)
        print(printer, "]");
}

int tbb_stats_print(void (*write)(void *opaque, const char *text), void *opaque,
                    memkind_stat_print_opt options)
{
    struct printer printer = {write, opaque, options & MEMKIND_STAT_PRINT_JSON_FORMAT};

    print(&printer, printer.json ? "{\"memkind\":{\"heap_manager\":\"TBB\""
                                 : "___ Begin memkind statistics: heap manager TBB ___\n");
    if (!(options & MEMKIND_STAT_PRINT_OMIT_GENERAL))
        print(&printer, printer.json ? ",\"small_most\":%zu" : "largest small block: %zu bytes\n",
              tbb_classes.small_most);
    if (!printer.json)
        print(&printer, "%-40s %14s %14s %14s\n", "bytes", "resident", "active", "allocated");
    if (!(options & MEMKIND_STAT_PRINT_OMIT_PER_ARENA))
        print_kinds(&printer);
    if (!(options & MEMKIND_STAT_PRINT_OMIT_MERGED_ARENA))
        print_total(&printer);
    print_unknown(&printer, options);
    print(&printer, printer.json ? "}}\n" : "--- End memkind statistics ---\n");
    return 0;
}

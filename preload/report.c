/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see report.h. */
#include "report.h"

#include <memkind.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"
#include "pages.h"
#include "settings.h"

/* --- blocks ----------------------------------------------------------------------------------- */

static struct {
    memkind_t kind; /* written by report_begin() */
    atomic_ulong calls;
    atomic_long live; /* bytes: a block that was not counted may go */
    atomic_long peak;
} counts[MEMKIND_NUM_BASE_KIND + 1]; /* the last one: all kinds that were created */

/* Which kind was last seen where: the number of a piece of memory, and one more than the kind's
 * number. An open hash table, where a piece is looked for in the next few places; of a program with
 * more memory than it can hold, some is not told. */
#define PIECE_SHIFT 21
#define PIECES ((size_t)1 << 16) /* 128 GiB */
#define TRIES 64
static atomic_uint_fast64_t pieces[PIECES];
static atomic_bool overflown;

static void remember(uint64_t piece, unsigned number)
{
    uint64_t mine = piece << 8 | (number + 1);
    size_t first = (size_t)(piece * 0x9e3779b97f4a7c15 >> 48);

    for (size_t i = 0; i < TRIES; i++) {
        atomic_uint_fast64_t *place = &pieces[(first + i) % PIECES];
        uint64_t there = atomic_load_explicit(place, memory_order_relaxed);

        if (there == mine)
            return;
        if ((!there || there >> 8 == piece) && atomic_compare_exchange_strong(place, &there, mine))
            return;
        if (there >> 8 == piece)
            return; /* another thread was faster */
    }
    atomic_store_explicit(&overflown, true, memory_order_relaxed);
}

/* The kind's number; MEMKIND_NUM_BASE_KIND: one that was created; NO_KIND: a block of none. */
#define NO_KIND (MEMKIND_NUM_BASE_KIND + 1)
static unsigned number_of(void *block)
{
    memkind_t kind = memkind_detect_kind(block);
    unsigned number = 0;

    if (!kind)
        return NO_KIND;
    while (number < MEMKIND_NUM_BASE_KIND && counts[number].kind != kind)
        number++;
    return number;
}

void report_add(void *block)
{
    unsigned number = number_of(block);
    size_t size = memkind_malloc_usable_size(NULL, block);
    long live, peak;

    if (number == NO_KIND)
        return;
    atomic_fetch_add_explicit(&counts[number].calls, 1, memory_order_relaxed);
    live = atomic_fetch_add_explicit(&counts[number].live, (long)size, memory_order_relaxed) +
           (long)size;
    peak = atomic_load_explicit(&counts[number].peak, memory_order_relaxed);
    while (live > peak &&
           !atomic_compare_exchange_weak_explicit(&counts[number].peak, &peak, live,
                                                  memory_order_relaxed, memory_order_relaxed))
        continue;
    for (uint64_t piece = (uintptr_t)block >> PIECE_SHIFT;
         piece <= ((uintptr_t)block + size - 1) >> PIECE_SHIFT; piece++)
        remember(piece, number);
}

void report_remove(void *block)
{
    unsigned number = number_of(block);

    if (number != NO_KIND)
        atomic_fetch_sub_explicit(&counts[number].live,
                                  (long)memkind_malloc_usable_size(NULL, block),
                                  memory_order_relaxed);
}

/* --- where it goes ---------------------------------------------------------------------------- */

static char path[4096]; /* empty: to stderr; the program may change its environment */
static int copy = -1;   /* of stderr, which many programs close before they end */
static struct stat original;

static void (*report_more)(struct output *output);

void report_begin(void (*more)(struct output *output))
{
    const char *name = settings_report();

    report_more = more;
    for (int i = 0; i < MEMKIND_NUM_BASE_KIND; i++)
        counts[i].kind = settings_kind(i);
    if (strcmp(name, "-") != 0) {
        snprintf(path, sizeof path, "%s", name);
        return;
    }
    /* Well above the numbers that programs count on, or as far above as RLIMIT_NOFILE allows. */
    for (int least = 200; copy < 0 && least > STDERR_FILENO; least /= 2)
        copy = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, least);
    if (copy >= 0 && fstat(copy, &original))
        copy = -1;
}

/* -1: nowhere. */
static int open_target(void)
{
    struct stat now;

    if (*path)
        return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    /* The program may have closed it, and have got its number for another file. */
    if (copy >= 0 && !fstat(copy, &now) && now.st_dev == original.st_dev &&
        now.st_ino == original.st_ino)
        return copy;
    return -1;
}

/* --- the text --------------------------------------------------------------------------------- */

static struct output page;

static size_t kibibytes(long bytes)
{
    return bytes > 0 ? ((size_t)bytes + 1023) / 1024 : 0;
}

static void print_nodes(unsigned number)
{
    static size_t bytes[PAGES_NODES];
    const char *between = "";
    int error = 0;

    memset(bytes, 0, sizeof bytes);
    for (size_t i = 0; i < PIECES && !error; i++) {
        uint64_t piece = atomic_load_explicit(&pieces[i], memory_order_relaxed);

        if ((piece & 0xff) == number + 1)
            error = pages_count((const char *)((piece >> 8) << PIECE_SHIFT),
                                (size_t)1 << PIECE_SHIFT, bytes);
    }
    if (error)
        output_print(&page, "not known: move_pages: %s", strerror(error));
    for (unsigned node = 0; node < PAGES_NODES && !error; node++)
        if (bytes[node]) {
            output_print(&page, "%s%u: %zu", between, node, bytes[node] >> 10);
            between = ", ";
        }
    output_print(&page, "\n");
}

__attribute__((destructor)) static void report(void)
{
    int error = errno, file = counts[0].kind ? open_target() : -1;

    if (file < 0)
        return;
    page.file = file;
    page.length = 0;
    output_print(&page, "memkind report of %s, process %d; sizes in KiB\n",
                 program_invocation_short_name, (int)getpid());
    output_print(&page, "%-34s %12s %12s %12s  %s\n", "kind", "calls", "peak", "live", "on nodes");
    for (unsigned i = 0; i < NO_KIND; i++) {
        if (!counts[i].calls)
            continue;
        output_print(&page, "%-34s %12lu %12zu %12zu  ",
                     i < MEMKIND_NUM_BASE_KIND ? settings_kinds[i] : "created", counts[i].calls,
                     kibibytes(counts[i].peak), kibibytes(counts[i].live));
        print_nodes(i);
    }
    if (overflown)
        output_print(
            &page,
            "There was too much memory to look at all of it: the nodes' part is too small.\n");
    if (report_more)
        report_more(&page);
    output_flush(&page);
    if (*path)
        close(file);
    errno = error;
}

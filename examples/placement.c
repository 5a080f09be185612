/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see placement.h. */
#include "placement.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGES_AT_ONCE 1024
#define TURNS_MOST 1000 /* of waiting for pages that are on their way */

/* --- the list of pages ------------------------------------------------------------------------ */

static int by_address(const void *a, const void *b)
{
    const struct placement_page *left = a, *right = b;

    return (left->address > right->address) - (left->address < right->address);
}

static int by_place(const void *a, const void *b)
{
    const struct placement_page *left = a, *right = b;

    if (left->node != right->node)
        return left->node < right->node ? -1 : 1;
    return (left->size > right->size) - (left->size < right->size);
}

static void remove_duplicates(struct placement *placement)
{
    struct placement_page *pages = placement->pages;
    size_t kept = 0;

    for (size_t i = 0; i < placement->count; i++)
        if (!kept || pages[i].address != pages[kept - 1].address)
            pages[kept++] = pages[i];
    placement->count = kept;
}

static void sort_by_address(struct placement *placement)
{
    if (placement->count)
        qsort(placement->pages, placement->count, sizeof *placement->pages, by_address);
    remove_duplicates(placement);
}

/* Many blocks share a page, so the list grows only when tidying does not halve it. */
static bool make_room(struct placement *placement)
{
    struct placement_page *pages;
    size_t room = placement->room ? 2 * placement->room : 1024;

    sort_by_address(placement);
    if (placement->count < placement->room / 2)
        return true;
    pages = reallocarray(placement->pages, room, sizeof *pages);
    if (!pages) {
        placement->error = ENOMEM;
        return false;
    }
    placement->pages = pages;
    placement->room = room;
    return true;
}

void placement_add(struct placement *placement, const void *block, size_t size)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t end = (uintptr_t)block + size;

    for (uintptr_t at = (uintptr_t)block & ~(page - 1); at < end && !placement->error; at += page) {
        if (placement->count && placement->pages[placement->count - 1].address == at)
            continue;
        if (placement->count == placement->room && !make_room(placement))
            return;
        placement->pages[placement->count++] = (struct placement_page){.address = at};
    }
}

void placement_release(struct placement *placement)
{
    free(placement->pages);
    *placement = (struct placement){0};
}

/* --- page sizes: /proc/self/smaps ------------------------------------------------------------- */

/*
 * A mapping is a line "start-end ..." and then, among others, lines "KernelPageSize: N kB" and
 * "AnonHugePages: N kB". Mappings stand there by address, and so do the pages: one walk over both
 * will do.
 */
static int find_sizes(struct placement *placement)
{
    FILE *smaps = fopen("/proc/self/smaps", "re");
    struct placement_page *page = placement->pages, *last = page + placement->count, *first = page;
    uintptr_t start, end = 0;
    char *line = NULL;
    size_t length = 0, kilobytes;
    int error;

    if (!smaps)
        return errno;
    while (getline(&line, &length, smaps) > 0) {
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2) {
            while (page < last && page->address < start)
                page++;
            first = page;
        } else if (sscanf(line, "KernelPageSize: %zu kB", &kilobytes) == 1) {
            for (; page < last && page->address < end; page++) {
                page->size = kilobytes << 10;
                page->address &= ~(page->size - 1);
            }
        } else if (sscanf(line, "AnonHugePages: %zu kB", &kilobytes) == 1 && page > first) {
            placement->transparent += kilobytes << 10;
        }
    }
    error = ferror(smaps) ? EIO : 0;
    free(line);
    fclose(smaps);
    return error;
}

/* --- nodes: move_pages(2) --------------------------------------------------------------------- */

/* Without target nodes, move_pages(2) moves nothing: it only says where the pages are. */
static int ask_nodes(size_t count, void **addresses, int *nodes)
{
    return syscall(SYS_move_pages, 0, count, addresses, NULL, nodes, 0) < 0 ? errno : 0;
}

/* While the kernel moves a page, to make room for a huge one say, it has no node, but mincore(2)
 * counts it. So it is with pages of a DAX file system, for ever: no more than *turns in all. */
static int wait_until_moved(void *address, int *node, int *turns)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char resident = 0;
    int error = 0;

    for (; !error && *node == -ENOENT && *turns; --*turns) {
        if (mincore(address, page, &resident) || !(resident & 1))
            break;
        usleep(50);
        error = ask_nodes(1, &address, node);
    }
    return error;
}

static int find_nodes(struct placement *placement)
{
    void *addresses[PAGES_AT_ONCE];
    int nodes[PAGES_AT_ONCE], turns = TURNS_MOST, error;

    for (size_t done = 0; done < placement->count;) {
        struct placement_page *pages = placement->pages + done;
        size_t count = placement->count - done;

        if (count > PAGES_AT_ONCE)
            count = PAGES_AT_ONCE;
        for (size_t i = 0; i < count; i++)
            addresses[i] = (void *)pages[i].address;
        error = ask_nodes(count, addresses, nodes);
        for (size_t i = 0; !error && i < count; i++) {
            error = wait_until_moved(addresses[i], &nodes[i], &turns);
            pages[i].node = nodes[i];
        }
        if (error)
            return error;
        done += count;
    }
    return 0;
}

int placement_ask(struct placement *placement)
{
    int error = placement->error;

    if (error || !placement->count)
        return error;
    sort_by_address(placement);
    placement->transparent = 0;
    error = find_sizes(placement);
    if (error)
        return error;
    remove_duplicates(placement); /* base pages of one huge page */
    error = find_nodes(placement);
    if (error)
        return error;
    qsort(placement->pages, placement->count, sizeof *placement->pages, by_place);
    return 0;
}

/* --- the answer in words ---------------------------------------------------------------------- */

void placement_print(const struct placement *placement, FILE *stream)
{
    const struct placement_page *page = placement->pages, *end = page + placement->count, *first;

    while (page < end) {
        for (first = page; page < end && by_place(first, page) == 0;)
            page++;
        if (first->node >= 0)
            fprintf(stream, "node %d: ", first->node);
        else if (first->node == -ENOENT)
            fprintf(stream, "not in memory: ");
        else
            fprintf(stream, "unknown (%s): ", strerror(-first->node));
        fprintf(stream, "%td page%s of %zu kB\n", page - first, page - first == 1 ? "" : "s",
                first->size >> 10);
    }
    if (placement->transparent)
        fprintf(stream, "(these mappings have %zu kB in transparent huge pages)\n",
                placement->transparent >> 10);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see residency.h. The question is move_pages(2) without target nodes. */
#include "kinds/machine/residency.h"

#include <errno.h>
#include <stdint.h>

#include "kinds/system/os.h"
#include "kinds/system/round.h"

#define PAGES_AT_ONCE 256
#define TURNS_MOST 1000 /* of waiting for a page that is on its way */

/* A write fault for every page, and never a signal. */
static bool populate(char *first, char *end, size_t page)
{
    if (os_can_populate())
        return os_populate(first, (size_t)(end - first)) == 0;
    for (char *at = first; at < end; at += page)
        if (os_rewrite(at))
            return false;
    return true;
}

/* While the kernel moves a page (compaction, another node), it has no node: -ENOENT, as a page that
 * was never written or is swapped out. mincore(2) counts it all the same. Pages of a DAX file
 * system look alike for ever. */
static bool some_is_moving(size_t count, void **pages, const int *status)
{
    for (size_t i = 0; i < count; i++)
        if (status[i] == -ENOENT)
            return os_backed(pages[i], os_page_size()) != 0;
    return false;
}

/* Waits for pages that are being moved, a tenth of a second at most. */
static int ask_nodes(size_t count, void **pages, int *status)
{
    int error = os_page_nodes(count, pages, status);

    for (int turn = 0; !error && turn < TURNS_MOST && some_is_moving(count, pages, status);
         turn++) {
        os_yield();
        error = os_page_nodes(count, pages, status);
    }
    return error;
}

enum residency residency_check(void *address, size_t size, const struct nodemask *nodes, bool touch)
{
    size_t page = os_page_size();
    char *first = (char *)round_down((uintptr_t)address, page);
    char *end = (char *)round_up((uintptr_t)address + size, page);

    /* move_pages says EFAULT for an unmapped page and for one that was only read (the zero page):
     * the first is told apart beforehand, the second is "elsewhere". */
    if (end <= first || !os_is_mapped(first, (size_t)(end - first)))
        return RESIDENCY_UNKNOWN;
    if (touch && !populate(first, end, page))
        return RESIDENCY_UNKNOWN;
    while (first < end) {
        void *pages[PAGES_AT_ONCE];
        int status[PAGES_AT_ONCE];
        size_t count = 0;

        for (; count < PAGES_AT_ONCE && first < end; first += page)
            pages[count++] = first;
        if (ask_nodes(count, pages, status))
            return RESIDENCY_UNKNOWN;
        for (size_t i = 0; i < count; i++)
            if (status[i] < 0 || !nodemask_has(nodes, (unsigned)status[i]))
                return RESIDENCY_ELSEWHERE;
    }
    return RESIDENCY_ALL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see residency.h. The question is move_pages(2) without target nodes. */
#include "kinds/machine/residency.h"

#include <stdint.h>

#include "kinds/system/os.h"
#include "kinds/system/round.h"

#define PAGES_AT_ONCE 256

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

enum residency residency_check(void *address, size_t size, const struct nodemask *nodes, bool touch)
{
    size_t page = os_page_size();
    char *first = (char *)round_down((uintptr_t)address, page);
    char *end = (char *)round_up((uintptr_t)address + size, page);
    enum residency result = RESIDENCY_ALL;

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
        if (os_page_nodes(count, pages, status))
            return RESIDENCY_UNKNOWN;
        for (size_t i = 0; i < count; i++)
            if (status[i] < 0 || !nodemask_has(nodes, (unsigned)status[i]))
                result = RESIDENCY_ELSEWHERE;
    }
    return result;
}

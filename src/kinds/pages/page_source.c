/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see page_source.h. */
#include "kinds/pages/page_source.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "kinds/system/leftover.h"
#include "kinds/system/round.h"

#define PAGE_SOURCE_ROW(NAME) &page_source_##NAME,
static const struct page_source *const sources[] = {PAGE_SOURCES(PAGE_SOURCE_ROW)};
#define SOURCES (sizeof sources / sizeof sources[0])

void page_source_give_back(long since)
{
    for (size_t i = 0; i < SOURCES; i++)
        if (sources[i]->give_back)
            (void)sources[i]->give_back(NULL, since);
}

void page_source_prefork(void)
{
    for (size_t i = 0; i < SOURCES; i++)
        if (sources[i]->prefork)
            sources[i]->prefork();
}

void page_source_postfork(bool child)
{
    for (size_t i = SOURCES; i-- > 0;)
        if (sources[i]->postfork)
            sources[i]->postfork(child);
}

void *page_source_mapped(const char *name, void *address, size_t size, int error)
{
    if (error) {
        leftover_unmap(address, size);
        errno = error;
        return NULL;
    }
    os_name(address, size, name);
    return address;
}

int page_source_unmap(struct page_pool *pool, void *address, size_t size)
{
    (void)pool;
    return os_unmap(address, size);
}

int page_source_purge_whole(void *address, size_t size, size_t page)
{
    uintptr_t start = (uintptr_t)address, end = start + size;
    uintptr_t first = round_up(start, page);
    uintptr_t last = round_down(end, page);
    int error;

    if (first >= last)
        return ENOTSUP;
    error = os_discard((void *)first, last - first);
    if (error)
        return error;
    memset(address, 0, first - start);
    memset((void *)last, 0, end - last);
    return 0;
}

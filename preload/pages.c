/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see pages.h. Without target nodes, move_pages(2) moves nothing. */
#include "pages.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT_ONCE 512

int pages_count(const char *start, size_t size, size_t bytes[PAGES_NODES])
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const char *end = start + size;

    while (start < end) {
        const void *pages[AT_ONCE];
        int nodes[AT_ONCE];
        size_t count = 0;

        for (; count < AT_ONCE && start < end; start += page)
            pages[count++] = start;
        if (syscall(SYS_move_pages, 0, count, pages, NULL, nodes, 0) < 0)
            return errno;
        for (size_t i = 0; i < count; i++)
            if (nodes[i] >= 0 && nodes[i] < PAGES_NODES)
                bytes[nodes[i]] += page;
    }
    return 0;
}

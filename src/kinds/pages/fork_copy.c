/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see fork_copy.h. */
#include "kinds/pages/fork_copy.h"

#include <string.h>

#include "kinds/system/callbacks.h"
#include "kinds/system/leftover.h"
#include "kinds/system/os.h"

/* Holes stay holes. */
static void copy_data(char *copy, const struct page_region *window, int file)
{
    size_t end = window->offset + window->size, first = window->offset, last;

    while (os_next_data(file, &first, &last) && first < end) {
        if (last > end)
            last = end;
        memcpy(copy + (first - window->offset), window->start + (first - window->offset),
               last - first);
        first = last;
    }
}

void fork_copy_make(struct page_region *window, int file)
{
    window->copy = file < 0 ? NULL : os_map(window->size, os_page_size());
    if (!window->copy) {
        callbacks->log("a window of %zu MiB of a file is not copied for a fork: parent and child "
                       "have its pages in common",
                       window->size >> 20);
        return;
    }
    copy_data(window->copy, window, file);
}

void fork_copy_settle(struct page_region *window, bool child)
{
    if (!window->copy)
        return;
    if (!child || os_move(window->copy, window->start, window->size))
        leftover_unmap(window->copy, window->size);
    window->copy = NULL;
}

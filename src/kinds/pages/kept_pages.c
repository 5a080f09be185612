/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see kept_pages.h. */
#include "kinds/pages/kept_pages.h"

#include "kinds/system/leftover.h"
#include "kinds/system/os.h"
#include "kinds/system/round.h"

#define WORD 64 /* pages */

static size_t bytes_of(size_t words)
{
    return round_up(words * sizeof(uint64_t), os_page_size());
}

static bool has(const struct kept_pages *kept, size_t page)
{
    return kept->bits[page / WORD] >> page % WORD & 1;
}

/* The first page from `page` on that is in, or is not; the number of all if there is none. */
static size_t find(const struct kept_pages *kept, size_t page, bool in)
{
    size_t pages = kept->words * WORD;
    uint64_t none = in ? 0 : UINT64_MAX;

    while (page < pages && has(kept, page) != in)
        page += page % WORD == 0 && kept->bits[page / WORD] == none ? WORD : 1;
    return page;
}

bool kept_pages_add(struct kept_pages *kept, size_t offset, size_t size, size_t limit)
{
    size_t page = os_page_size(), words = limit / page / WORD + 1;

    if (!kept->bits) {
        kept->bits = os_map(bytes_of(words), page);
        if (!kept->bits)
            return false;
        kept->words = words;
    }
    if (!kept_pages_any(kept))
        kept->since = os_seconds();
    for (size_t at = offset / page; at < (offset + size) / page; at++)
        kept->bits[at / WORD] |= UINT64_C(1) << at % WORD;
    atomic_fetch_add_explicit(&kept->size, size, memory_order_relaxed);
    return true;
}

size_t kept_pages_take(struct kept_pages *kept, size_t offset, size_t size)
{
    size_t page = os_page_size(), taken = 0;

    if (!kept_pages_any(kept))
        return 0;
    for (size_t at = offset / page; at < (offset + size) / page; at++) {
        taken += has(kept, at) ? page : 0;
        kept->bits[at / WORD] &= ~(UINT64_C(1) << at % WORD);
    }
    atomic_fetch_sub_explicit(&kept->size, taken, memory_order_release);
    return taken;
}

bool kept_pages_next(const struct kept_pages *kept, size_t *offset, size_t *size)
{
    size_t page = os_page_size(), pages = kept->words * WORD, first;

    if (!kept_pages_any(kept))
        return false;
    first = find(kept, *offset / page, true);
    *offset = first * page;
    *size = first < pages ? (find(kept, first, false) - first) * page : 0;
    return *size != 0;
}

void kept_pages_end(struct kept_pages *kept)
{
    if (kept->bits)
        leftover_unmap(kept->bits, bytes_of(kept->words));
    *kept = (struct kept_pages){0};
}

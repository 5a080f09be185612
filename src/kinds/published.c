/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see published.h. */
#include "kinds/published.h"

#include <errno.h>

#include "kinds/os.h"

const void *published_get(struct published *published)
{
    void *known = atomic_load_explicit(&published->finding, memory_order_acquire);
    int error = errno;
    void *fresh;

    if (known)
        return known;
    fresh = os_map(published->size, os_page_size());
    if (!fresh)
        return NULL;
    published->find(fresh);
    errno = error; /* files that are not there are no failure of what the program called */
    if (!atomic_compare_exchange_strong(&published->finding, &known, fresh)) {
        os_unmap(fresh, published->size);
        return known;
    }
    published->tell(fresh);
    return fresh;
}

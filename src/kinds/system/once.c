/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (C) 2026 the libmemkind developers. */
/* Why and thread rules: see once.h. */
#include "kinds/system/once.h"

#include <errno.h>

#include "kinds/system/leftover.h"
#include "kinds/system/os.h"

const void *once_get(struct once *once)
{
    void *known = atomic_load_explicit(&once->value, memory_order_acquire);
    int error = errno;
    void *fresh;

    if (known)
        return known;
    fresh = os_map(once->size, os_page_size());
    if (!fresh)
        return NULL;
    once->compute(fresh);
    errno = error; /* files that are not there are no failure of what the program called */
    if (!atomic_compare_exchange_strong(&once->value, &known, fresh)) {
        leftover_unmap(fresh, once->size);
        return known;
    }
    once->log(fresh);
    return fresh;
}
